"""Streams to begin fuzzing with: `seeds.py` writes them to `corpus/multipart/`, two bytes of choice before each."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "corpus/multipart"
JPEG = b"\xff\xd8picture\xff\xd9"
STREAMS = {
    "length": b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 11\r\n\r\n" + JPEG + b"\r\n--frame\r\n",
    "no-length": b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + JPEG + b"\r\n--frame--\r\n",
    "preamble": b"hello\r\n--frame\r\n\r\none\r\n--frame\r\n\r\ntwo\r\n--frame--",
    "line-feeds": b"--frame\nContent-Length: 3\n\none\n--frame\n\ntwo\n--frame--\n",
    "empty": b"--frame\r\nContent-Length: 0\r\n\r\n\r\n--frame\r\n\r\n\r\n--frame\r\n\r\none\r\n--frame\r\n",
    "too-long": b"--frame\r\nContent-Length: 90\r\n\r\none\r\n--frame\r\nContent-Length: 3\r\n\r\ntwo\r\n--frame\r\n" * 2,
    "too-short": b"--frame\r\nContent-Length: 2\r\n\r\nseven\r\n--frame\r\nContent-Length: 3\r\n\r\ntwo\r\n--frame\r\n",
    "boundary-inside": b"--frame\r\nContent-Length: 17\r\n\r\n\xff\xd8\r\n--frame\r\n\r\n\xff\xd9\r\n--frame\r\n",
    "over-the-cap": b"--frame\r\nContent-Length: 999\r\n\r\n",
    "endless-headers": b"--frame\r\n" + b"A: b\r\n" * 30,
    "endless-picture": b"--frame\r\n\r\n" + b"x" * 300,
    "cut-headers": b"--frame\r\nContent-Length: 9\r\n--frame\r\n\r\none\r\n--frame\r\n--frame--\r\n",
    "blanks": b"--frame \t\r\n\r\none\r\n--frame  x\r\n--frame \r\n",
    "dashes": b"----frame\r\n\r\none\r\n--frame\r\n\r\n-\r\n---frame\r\n----frame--",
}

FOLDER.mkdir(parents=True, exist_ok=True)
for name, stream in STREAMS.items():
    for kind in range(2):
        (FOLDER / f"{name}-{kind}").write_bytes(bytes([7, kind]) + stream)
