"""What NDI costs and how late it is: `ndi_bench.py`. One 1280 x 720 stream at 30 pictures a second, received once.

The peer is a bare loop that hands finished pictures to the same library: no conversion, no server, nothing else.
"""

import argparse
import json
import multiprocessing
import subprocess
import sys
import time

import cv2
import NDIlib
import numpy as np
import psutil

from multipart import pictures
from receivers import HERE, RUNTIME, Receiver, age_ms
from server import Server

SIZE, FPS = (1280, 720), 30
FORMAT = f"{SIZE[0]}x{SIZE[1]}@{FPS}"
SOURCE = ("--source", f"pattern:{FORMAT}", "--source-params", json.dumps({"width": SIZE[0], "height": SIZE[1]}))
SERVER = ("--pipeline", "passthrough", *SOURCE, "--program", FORMAT, "--ndi", "Limn bench")


def cpu(pid, seconds):
    """Share of one core, over so many seconds."""
    process = psutil.Process(pid)
    used = lambda: sum(process.cpu_times()[:2])
    start, before = time.monotonic(), used()
    time.sleep(seconds)
    return (used() - before) / (time.monotonic() - start)


def receive(name):
    with Receiver(name, raw=True) as receiver:
        while True:
            receiver.picture()


class Received:
    """A process that receives `name` and looks at nothing."""

    def __init__(self, name):
        self.process = multiprocessing.get_context("spawn").Process(target=receive, args=(name,), daemon=True)

    def __enter__(self):
        self.process.start()
        time.sleep(4)
        return self.process

    def __exit__(self, *_):
        self.process.kill()
        self.process.join()


def pattern():
    """Pictures of the server's own pattern, a second of them."""
    with Server("--pipeline", "passthrough", *SOURCE) as server:
        return list(pictures(f"{server.url}/stream.mjpeg", FPS))


def converted(picture, form):
    if form == "BGRX":
        return np.ascontiguousarray(np.dstack([picture[..., ::-1], np.full(SIZE[::-1], 255, np.uint8)]))
    # Two pixels in four bytes: full accuracy does not matter here, only how much the library has to do.
    ycrcb = cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb)
    out = np.empty((SIZE[1], SIZE[0], 2), np.uint8)
    out[..., 1] = ycrcb[..., 0]
    out[:, 0::2, 0], out[:, 1::2, 0] = ycrcb[:, 0::2, 2], ycrcb[:, 0::2, 1]
    return out


def send(form):
    """The bare loop."""
    pictures = [converted(picture, form) for picture in pattern()]
    wanted = NDIlib.SendCreate()
    wanted.ndi_name, wanted.clock_video, wanted.clock_audio = f"bare {form}", False, False
    sender = NDIlib.send_create(wanted)
    video = NDIlib.VideoFrameV2()
    video.FourCC = getattr(NDIlib, f"FOURCC_VIDEO_TYPE_{form}")
    video.frame_rate_N, video.frame_rate_D = FPS * 1000, 1000
    due = time.monotonic()
    while True:
        for picture in pictures:
            video.data = picture
            NDIlib.send_send_video_async_v2(sender, video)
            due += 1 / FPS
            time.sleep(max(0, due - time.monotonic()))


def costs(seconds):
    print("| 720p30 by NDI, one receiver | sender: % of a core | receiver: % of a core |\n|---|---|---|")
    for form in ("UYVY", "BGRX"):
        process = subprocess.Popen([sys.executable, __file__, "--send", form])
        try:
            with Received(f"bare {form}") as receiver:
                print(f"| bare loop, {form} ready made | {100 * cpu(process.pid, seconds):.1f} | {100 * cpu(receiver.pid, seconds):.1f} |", flush=True)
        finally:
            process.kill()
            process.wait()
    with Server(*SERVER, env=RUNTIME) as server:
        time.sleep(2)
        alone = cpu(server.process.pid, seconds)
        with Received("Limn bench") as receiver:
            sent, got = cpu(server.process.pid, seconds), cpu(receiver.pid, seconds)
        print(f"| Limn, its pattern and program included | {100 * sent:.1f} | {100 * got:.1f} |")
        print(f"| the same without a receiver | {100 * alone:.1f} | |")


def lateness(count):
    print("\n| from the drawn clock to the decoded picture, ms | p50 | p99 | at most |\n|---|---|---|---|")

    def row(name, ages):
        ages = np.array(list(ages)[FPS:])
        print(f"| {name} | {np.median(ages):.0f} | {np.percentile(ages, 99):.0f} | {ages.max()} |", flush=True)

    with Server(*SERVER, env=RUNTIME) as server:
        row("MJPEG, OpenCV's decoder", (age_ms(picture) for picture in pictures(f"{server.url}/stream.mjpeg", count)))
        with Receiver("Limn bench") as receiver:
            row("NDI, the library's receiver", (age_ms(receiver.picture()[0]) for _ in range(count)))
        flags = ("--pipeline", "passthrough", "--ndi-extra-ips", HERE, "--source", "ndi:Limn bench", *SOURCE[2:])
        with Server(*flags, env=RUNTIME) as other:
            row("Limn to Limn by NDI, then MJPEG", (age_ms(picture) for picture in pictures(f"{other.url}/stream.mjpeg", count)))


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=20)
    options.add_argument("--send", choices=["UYVY", "BGRX"], help="be the bare loop")
    asked = options.parse_args()
    if asked.send:
        send(asked.send)
    costs(asked.seconds)
    lateness(int(asked.seconds * FPS))
