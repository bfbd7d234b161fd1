"""From the last byte of the camera's JPEG to the part read: Limn's `passthrough` beside a bare echo server.

One process is both camera and viewer, so there is one clock; each picture carries its number in a segment of its own. Limn
and the echo take turns, so that both see the same machine. `latency.py` prints the table; `--beside img2img` runs a
second session of that row on the same server meanwhile.
"""

import argparse
import asyncio
import contextlib
import io
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from websockets.asyncio.client import connect

import clip
from server import Server

HERE = Path(__file__).resolve().parent
SIDE = 512
FPS = 30
# What a camera sends while the first sockets settle is not counted.
WARM = FPS
# APP0 (ITU-T T.81, B.2.4.6), since Limn takes comments out: marker, length of 18 with its own two bytes, then the number.
SEGMENT = b"\xff\xe0\x00\x12"


def pictures():
    """The clip's pictures as cameras compress them, 512x512."""
    for picture in clip.pictures((SIDE, SIDE)):
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=clip.QUALITY, subsampling="4:2:0")
        yield file.getvalue()


def numbered(jpeg, number):
    return jpeg[:2] + SEGMENT + b"%016d" % number + jpeg[2:]


def number_of(jpeg):
    """The number that was put in; an error where the picture was compressed anew on the way."""
    if jpeg[2:6] != SEGMENT:
        raise RuntimeError("the picture did not leave as the bytes that came")
    return int(jpeg[6:22])


@dataclass
class Door:
    """Where a camera's WebSocket and its viewers go."""

    socket: str
    host: str
    port: int
    path: str


@dataclass
class Times:
    """Milliseconds, over the frames of one run."""

    p50: float
    p99: float
    worst: float
    seen: int
    sent: int


async def view(door, arrived):
    """Reads the stream and notes when each number's picture was whole for the first time."""
    reader, writer = await asyncio.open_connection(door.host, door.port, limit=1 << 22)
    writer.write(f"GET {door.path} HTTP/1.1\r\nHost: {door.host}\r\n\r\n".encode())
    with contextlib.closing(writer):
        await reader.readuntil(b"--frame\r\n")
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            jpeg = await reader.readexactly(length)
            now = time.perf_counter()
            # A placard says that no picture has come yet.
            if b"x-limn-placard" not in head:
                arrived.setdefault(number_of(jpeg), now)
            await reader.readuntil(b"--frame\r\n")


async def swallow(socket):
    async for _ in socket:
        pass


async def measure(door, jpegs, seconds):
    """One run at 30 fps with one viewer."""
    sent, arrived = {}, {}
    count = WARM + round(seconds * FPS)
    async with connect(door.socket, compression=None, max_size=None) as socket:
        listening = asyncio.create_task(swallow(socket))
        await asyncio.sleep(0.3)
        viewer = asyncio.create_task(view(door, arrived))
        start = time.perf_counter()
        for number in range(count):
            await asyncio.sleep(max(0.0, start + number / FPS - time.perf_counter()))
            await socket.send('{"status":"next_frame"}')
            await socket.send("{}")
            await socket.send(numbered(jpegs[number % len(jpegs)], number))
            sent[number] = time.perf_counter()
            if viewer.done():
                viewer.result()
        await asyncio.sleep(1)
        for task in (viewer, listening):
            task.cancel()
        await asyncio.gather(viewer, listening, return_exceptions=True)
    counted = sorted(
        1000 * (arrived[number] - sent[number]) for number in range(WARM, count) if number in arrived
    )
    if not counted:
        raise RuntimeError("no picture came")
    at = lambda share: counted[min(len(counted) - 1, int(share * len(counted)))]
    return Times(at(0.5), at(0.99), counted[-1], len(counted), count - WARM)


@contextlib.contextmanager
def echo():
    process = subprocess.Popen([sys.executable, HERE / "echo.py"], stdout=subprocess.PIPE, text=True)
    try:
        camera, stream = process.stdout.readline().split()
        yield Door(f"ws://127.0.0.1:{camera}", "127.0.0.1", int(stream), "/")
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


@contextlib.contextmanager
def beside(server, row):
    """A second session of `row` on `server`, fed as fast as it asks by a process of its own."""
    if row is None:
        yield
        return
    process = subprocess.Popen([sys.executable, HERE / "camera.py", server.host, row])
    try:
        while not any(session["stats"]["painted"] for session in server.get("/api/sessions")["sessions"]):
            if process.poll() is not None:
                raise RuntimeError(f"the session of `{row}` ended")
            time.sleep(0.2)
        yield
    finally:
        process.terminate()
        process.wait(10)


def door(server):
    """A new session's; the row is the one the server was started with."""
    name = uuid.uuid4()
    return Door(f"ws://{server.host}/api/ws/{name}", "127.0.0.1", server.port, f"/api/stream/{name}")


def pairs(runs, seconds, row=None):
    """`runs` times the echo's times and Limn's, in turn."""
    jpegs = list(pictures())
    with Server("--pipeline", "passthrough") as server, echo() as bare, beside(server, row):
        for _ in range(runs):
            yield asyncio.run(measure(bare, jpegs, seconds)), asyncio.run(measure(door(server), jpegs, seconds))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--beside", metavar="ROW", help="a second session of this row on the same server meanwhile")
    args = parser.parse_args()
    print("| run | server | p50 ms | p99 ms | worst ms | shown of sent |")
    print("|---|---|---|---|---|---|")
    for run, both in enumerate(pairs(args.runs, args.seconds, args.beside), 1):
        for name, times in zip(("echo", "limn"), both):
            print(
                f"| {run} | {name} | {times.p50:.2f} | {times.p99:.2f} | {times.worst:.2f} | {times.seen}/{times.sent} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
