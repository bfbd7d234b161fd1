"""What it costs that the device's thread lives in a process of its own: a painter that gives each 512x512 picture back, one
after the other, so that nothing is measured but the way there and back. Both ways in turns.

    worker.py [--pairs 5] [--seconds 5]

Wants the tests' own server: cargo build --release --no-default-features --package limn-tests --bin easel
"""

import argparse
import io
import json
import statistics
import time

from PIL import Image
from websockets.sync.client import connect

from camera import jpegs
from server import ROOT, Server

EASEL = str(ROOT / "target/release/easel")


def pictures():
    """The clip's, 512x512."""
    for jpeg in jpegs()[:8]:
        out = io.BytesIO()
        Image.open(io.BytesIO(jpeg)).resize((512, 512)).save(out, "JPEG", quality=85)
        yield out.getvalue()


def milliseconds(worker, seconds):
    """Of each picture's way from the prepared frame to the painted one, as the server counts it."""
    flags = ("--pipeline", "brush", "--worker", worker, "--max-fps", "1000")
    with Server(*flags, binary=EASEL) as server:
        params = {"prompt": "copy", "width": 512, "height": 512}
        session = json.loads(server.request("POST", "/api/sessions", {"params": params})[2])
        path = f"/api/sessions/{session['id']}"
        headers = {"Authorization": f"Bearer {session['control']}"}
        sent = list(pictures())
        paint = []
        with connect(f"ws://{server.host}{path}/frames", additional_headers=headers, max_size=None) as socket:
            end = time.monotonic() + seconds
            for number in range(1_000_000):
                socket.send(sent[number % len(sent)])
                socket.recv(10)
                if number % 10 == 9:
                    paint.append(server.get(path)["stats"]["stages"]["paint"])
                if time.monotonic() > end:
                    break
        return statistics.median(paint[len(paint) // 3 :])


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--pairs", type=int, default=5)
    options.add_argument("--seconds", type=float, default=5)
    asked = options.parse_args()
    print("| pair | thread, ms | process, ms | more |\n|---|---|---|---|")
    more = []
    for pair in range(asked.pairs):
        thread, process = (milliseconds(worker, asked.seconds) for worker in ("thread", "process"))
        more.append(process - thread)
        print(f"| {pair + 1} | {thread:.2f} | {process:.2f} | {more[-1]:.2f} |", flush=True)
    print(f"\nmedian: {statistics.median(more):.2f} ms a frame")


if __name__ == "__main__":
    main()
