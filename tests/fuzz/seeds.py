"""Bytes to begin with: `seeds.py` writes them to `seeds/`, a folder for each reader of `tests/rubble`."""

import base64
import io
import json
import struct
from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent
CHECKPOINT = HERE.parents[1] / "models/embedded"
SECRET_LINE = b"signing " + b"0123456789abcdef" * 4


def multipart():
    """Two bytes of choice, then the stream."""
    jpeg = b"\xff\xd8picture\xff\xd9"
    streams = {
        "length": b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 11\r\n\r\n" + jpeg + b"\r\n--frame\r\n",
        "no-length": b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + jpeg + b"\r\n--frame--\r\n",
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
    return {f"{name}-{kind}": bytes([7, kind]) + stream for name, stream in streams.items() for kind in range(2)}


def pictures():
    """Three bytes of choice, then the file."""
    picture = Image.frombytes("RGB", (24, 16), bytes(x * y % 256 for y in range(16) for x in range(72)))
    exif = Image.Exif()
    exif[0x0112] = 6
    kinds = {
        "baseline": ("JPEG", picture, {}),
        "progressive": ("JPEG", picture, {"progressive": True, "quality": 50}),
        "444": ("JPEG", picture, {"subsampling": 0}),
        "turned": ("JPEG", picture, {"exif": exif}),
        "grey": ("JPEG", picture.convert("L"), {}),
        "cmyk": ("JPEG", picture.convert("CMYK"), {}),
        "png": ("PNG", picture, {}),
        "palette": ("PNG", picture.quantize(4), {}),
        "alpha": ("PNG", picture.convert("RGBA"), {}),
        "deep": ("PNG", picture.convert("I;16"), {}),
        "bit": ("PNG", picture.convert("1"), {}),
        "turned-png": ("PNG", picture, {"exif": exif}),
        "lossy": ("WEBP", picture, {"quality": 30}),
        "lossless": ("WEBP", picture, {"lossless": True}),
        "alpha-webp": ("WEBP", picture.convert("RGBA"), {"exif": exif}),
    }
    found = {}
    for number, (name, (kind, image, options)) in enumerate(kinds.items()):
        file = io.BytesIO()
        image.save(file, kind, **options)
        found[name] = bytes([number, 23, 15]) + file.getvalue()
    moving = io.BytesIO()
    picture.save(moving, "WEBP", save_all=True, append_images=[picture.rotate(180)])
    found["moving"] = bytes([3, 7, 7]) + moving.getvalue()
    # Found by libFuzzer: a decoder panicked at it.
    found["panic"] = base64.b64decode(
        "AhcP/9j/4AAQSkZJ+wIAAAAAAAABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hy"
        "c5PTgyPC4zNDL/2wBDAQkJCQwLDBgNDRgyIRwhMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIAGDIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMv/A"
        "ABEIABABswMBEQACIwEDEwH/xAAfAAABBQEBAQEBAQAAAAAAAAAAAQIDBAUGBwgJCgv/xAC1EAACAQMDAgQDBQUEBAAAAX0BAgMABBEFEiEwQQ"
        "YTUWEHInEUMoGRoQgjQrHBFVLR8CQ2YnKCCQoWFxgZGiUmJygpKjQ1Njc4OTpDREVGR0hJSlNUVVZXWFlaY2RlZmdoaWpzdHV2d3h5eoOEhYaH"
        "iImKkpOUlZaXmJmaoqOkpaanQaipqrKztLW2t7i5usLDxMXGx8jJytLTL//EAB0QAAICAQUAAAAAAAAAAAAAAAADAQIEERITFCH/2gAIAQEAAQ"
        "UCWvceelY41yY2lVk+n//EABQRAQAAAAAAAAAAAAAAAAAAABD/2gAIAQMBAT8BP//EABQRAQAAAAAAAAAAAAAAAAAAABD/2gAIAQIBAT8BP//E"
        "AB4QAAIBBAMBAAAAAAAAAAAAAAABAgMSIkERMVGh/9oACAEBAAY/AjmbSMJoPWzUbNH/2Q=="
    )
    return found


def lcm():
    messages = {
        "next": {"status": "next_frame"},
        "next-text": {"status": "next_frame", "picture": False},
        "params": {"status": "params", "params": {"prompt": "neon", "strength": 0.5, "seed": 7}},
        "on-air": {"status": "on_air", "on_air": True},
        "row": {"status": "pipeline", "row": "canny"},
        "pipeline": {"status": "pipeline", "pipeline": "img2img"},
        "bare": {"prompt": "neon", "prompt_b": "rain", "blend": 0.5, "width": 512.0, "height": 256, "steps": 2},
        "edges": {"canny_low": 0.1, "canny_high": 0.9, "controlnet_scale": 1e-3, "width": None},
        "wrong": {"width": -1, "height": 1e300, "seed": 18446744073709551615, "prompt": ["a", {"b": None}]},
        "unknown": {"status": "hello"},
    }
    return {name: json.dumps(message).encode() for name, message in messages.items()}


def string(text):
    """OSC 1.0, "Atomic Data Types": ended by zeros, a multiple of four long."""
    text = text.encode() + b"\0"
    return text + b"\0" * (-len(text) % 4)


def bundle(*packets):
    inside = b"".join(struct.pack(">I", len(packet)) + packet for packet in packets)
    return b"#bundle\0" + struct.pack(">Q", 1) + inside


def osc():
    strength = string("/limn/strength") + string(",f") + struct.pack(">f", 0.5)
    prompt = string("/limn/left/prompt") + string(",s") + string("neon")
    seed = string("/limn/seed") + string(",h") + struct.pack(">q", -1)
    width = string("/limn/width") + string(",d") + struct.pack(">d", 512)
    found = {
        "float": strength,
        "text": prompt,
        "long": seed,
        "double": width,
        "program": string("/limn/program") + string(",sf") + string("left") + struct.pack(">f", 2),
        "bare": string("/limn/fps") + string(","),
        "flags": string("/limn/negative") + string(",TFNI"),
        "array": string("/limn/width") + string(",[ii[f]]") + struct.pack(">iif", 1, 2, 3),
        "blob": string("/limn/width") + string(",bcrmt") + struct.pack(">I", 4) + b"abcd" + bytes(20),
        "bundle": bundle(strength, prompt),
    }
    found["bundles"] = bundle(bundle(seed), width, bundle(bundle(strength)))
    return found


def query():
    queries = {
        "stream": "width=320&quality=70&fps=12.5&kbps=800&wire=double&times=1&t=1700000000",
        "wires": "wire=browser&times=0",
        "wrong": "width=-1&quality=1e9&fps=NaN&kbps=inf",
        "generate": "row=canny&width=512&height=512&canny_low=0.1",
        "words": "prompt=neon%20rain&prompt_b=%F0%9F%A6%8A+%zz&seed=7&strength=0.5&steps=2.0",
        "json": "width=%7B%22a%22%3A[1%2Cnull]%7D&seed=null&blend=true",
    }
    return {name: text.encode() for name, text in queries.items()}


def config():
    files = {
        "usual": 'port = 9000\nmax-sessions = 7\nmirror = true\nfit = "letterbox"\nrotate = 90\n',
        "access": 'open = true\ncors-origin = "https://a.example,https://b.example"\nhostname = "show"\nkeys = "operator x"\n',
        "source": 'source = "pattern:640x360@25"\nsource-params = \'{"prompt": "neon"}\'\nmax-pixels = 1_000_000\n',
        "numbers": "timeout = 2.5\nidle_timeout = 7\nmax-fps = 60\njpeg-quality = 85\nmax-kbps = 800\nosc = 9000\n",
        "ports": 'gendj = "8765,5556,9091"\nhost = "127.0.0.1"\nlog = "info"\nno-taesd = true\n',
        "tables": "port = [1]\n[http]\nhost = { a = 1 }\n",
        "dates": "timeout = 1979-05-27T07:32:00Z\nport = 0x1f90\nmax-fps = nan\n",
        "text": 'log = """\nmany\\u00e9\nlines"""\n# a comment\n',
    }
    return {name: text.encode() for name, text in files.items()}


def access():
    files = {
        "file": b"# right key name\noperator sha256:" + b"9f86d081" * 8 + b" desk\nplayer limn_0123456789abcdef stage left\n",
        "signing": SECRET_LINE + b"\nviewer a b\n",
        "variable": b"operator KEY; player sha256:" + b"00" * 32 + b";" + SECRET_LINE,
        "wrong": b"emperor x\nsigning zz\nviewer\nviewer sha256:12\n",
        "claim": b"viewer.program.99999999999." + b"ab" * 32,
        "claims": b"operator.all.18446744073709551616.\nviewer.4f3c2b1a-0000-4000-8000-000000000000.1.ff",
    }
    return files


def safetensors(tensors):
    """Shapes of F32 by name, one after the other."""
    header, end = {}, 0
    for name, shape in tensors.items():
        size = 4
        for side in shape:
            size *= side
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(end)


def checkpoint():
    """A byte that says which file it is, then the file; see `tests/rubble/src/checkpoint.rs`."""
    vocabulary = {letter: id for id, letter in enumerate(["a", "b", "a</w>", "b</w>", "ab</w>", "!"])}
    vocabulary |= {"<|startoftext|>": 6, "<|endoftext|>": 7}
    merges = ["a b</w>"]
    model = {"type": "BPE", "vocab": vocabulary, "merges": merges, "end_of_word_suffix": "</w>"}
    model |= {"dropout": None, "unk_token": "<|endoftext|>", "continuing_subword_prefix": "", "fuse_unk": False}
    split = {"type": "Split", "pattern": {"Regex": "[\\p{L}]+|[^\\s]"}, "behavior": "Removed", "invert": True}
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    whole = {
        "version": "1.0",
        "truncation": {"direction": "Right", "max_length": 77, "strategy": "LongestFirst", "stride": 0},
        "padding": None,
        "added_tokens": [
            {"id": 7, "content": "<|endoftext|>", "single_word": False, "lstrip": False, "rstrip": False, "normalized": True, "special": True}
        ],
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Lowercase"}]},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, level]},
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": model,
    }
    index = {"metadata": {"total_size": 4}, "weight_map": {"a": "model.safetensors", "b": "../other.safetensors"}}
    words = lambda value: json.dumps(value).encode()
    found = {
        "tensors": b"\0" + safetensors({"a.weight": [2, 3], "text_model.b": [4], "empty": [0, 2**40]}),
        "scheduler": b"\5" + (CHECKPOINT / "scheduler/scheduler_config.json").read_bytes(),
        "tokenizer": b"\6" + words(whole),
        "tokenizer-config": b"\7" + (CHECKPOINT / "tokenizer/tokenizer_config.json").read_bytes(),
        "vocabulary": b"\x08" + words(vocabulary) + b"\0#version: 0.2\n" + "\n".join(merges).encode(),
        "index": b"\x09" + words(index),
    }
    for kind, name in enumerate(["unet", "vae", "text_encoder", "controlnet"], start=1):
        found[name] = bytes([kind]) + (CHECKPOINT / name / "config.json").read_bytes()
    leading = {"num_train_timesteps": 1000, "timestep_spacing": "leading", "steps_offset": 1, "prediction_type": "sample"}
    found["leading"] = b"\5" + words(leading | {"rescale_betas_zero_snr": True, "final_sigmas_type": "sigma_min"})
    return found


for reader in (access, checkpoint, config, lcm, multipart, osc, pictures, query):
    folder = HERE / "seeds" / reader.__name__
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in reader().items():
        (folder / name).write_bytes(content)
