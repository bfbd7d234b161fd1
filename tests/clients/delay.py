"""How late ffmpeg and OpenCV show a picture, from the moment it is handed to the server: Limn's `passthrough` beside the
framings of other servers, which take turns in one run. `delay.py` prints the table; delay.mjs is the same for Chromium.
"""

import argparse
import contextlib
import io
import json
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from server import Server
from watcher import COLOURS, READERS, Watcher

HERE = Path(__file__).resolve().parent
SIDE = 512
# Between two pictures; a reader that waits for the next one is late by this.
INTERVAL_SECS = 0.4
# A burst is so many pictures at a camera's pace, and then none for a while.
BURST = 10
BURST_SECS = 0.033
QUIET_SECS = 1.5
# Until a program that has been started shows its first picture, on a busy machine.
START_SECS = 30


def jpegs():
    """One JPEG of each colour."""
    for colour in COLOURS:
        file = io.BytesIO()
        Image.new("RGB", (SIDE, SIDE), tuple(int(value) for value in colour)).save(file, "JPEG", quality=95)
        yield file.getvalue()


@dataclass
class Door:
    """Where pictures are handed in, by whom, and where they come out."""

    socket: str
    stream: str
    headers: dict = field(default_factory=dict)


def door(server):
    """A new session's; the row is the one the server was started with."""
    status, _, body = server.request("POST", "/api/sessions", {})
    if status != 201:
        raise RuntimeError(f"no session: {status} {body!r}")
    session = json.loads(body)
    frames = f"ws://{server.host}/api/sessions/{session['id']}/frames"
    return Door(frames, server.url + session["urls"]["stream"], {"Authorization": f"Bearer {session['control']}"})


@contextlib.contextmanager
def echo(boundary):
    """The bare server of echo.py, whose boundaries come `first` or `last`."""
    command = [sys.executable, HERE / "echo.py", "--boundary", boundary]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            camera, stream = process.stdout.readline().split()
            yield Door(f"ws://127.0.0.1:{camera}", f"http://127.0.0.1:{stream}/")
        finally:
            process.terminate()


@dataclass
class Delays:
    """Milliseconds: of pictures that came by themselves, and of the last one of each burst."""

    each: list = field(default_factory=list)
    last: list = field(default_factory=list)


def swallow(socket):
    """Painted pictures come back on this wire too; they must be read, or the server would wait with them."""
    with contextlib.suppress(ConnectionClosed):
        for _ in socket:
            pass


def measure(reader, door, rounds=1):
    """`rounds` times five pictures by themselves and a burst, as a new `reader` of the door's stream shows them."""
    pictures = list(jpegs())
    sent, ends = [], []

    def show(colour):
        when = time.monotonic()
        socket.send(pictures[colour])
        return colour, when

    with (
        connect(door.socket, compression=None, max_size=None, additional_headers=door.headers) as socket,
        Watcher(reader, door.stream) as watcher,
    ):
        listening = threading.Thread(target=swallow, args=(socket,), daemon=True)
        listening.start()
        end = time.monotonic() + START_SECS
        while not watcher.shown:
            if time.monotonic() > end:
                raise RuntimeError(f"{reader} has shown nothing of {door.stream}")
            for colour in (0, 5):
                show(colour)
                time.sleep(0.1)
        time.sleep(QUIET_SECS)
        for _ in range(rounds):
            for colour in range(5):
                sent.append(show(colour))
                time.sleep(INTERVAL_SECS)
            for number in range(BURST):
                newest = show(number % len(pictures))
                time.sleep(BURST_SECS)
            ends.append(newest)
            time.sleep(QUIET_SECS)
        return Delays([watcher.delay(*one) for one in sent], [watcher.delay(*one) for one in ends])


def table(rounds):
    """Rows of reader, server and delays; in each round every reader is measured at every server once."""
    rows = {}
    with Server("--pipeline", "passthrough", "--max-sessions", "0") as limn, echo("first") as first, echo("last") as last:
        for _ in range(rounds):
            for reader in READERS:
                other = door(limn)
                other.stream += "?wire=browser"
                for name, way in {
                    "Limn": door(limn),
                    "Limn, `?wire=browser`": other,
                    "echo, boundary first + `Content-Length`": first,
                    "echo, boundary last + `Content-Length`": last,
                }.items():
                    delays = measure(reader, way)
                    row = rows.setdefault((reader, name), Delays())
                    row.each += delays.each
                    row.last += delays.last
    return rows


def cell(times):
    """The median and the worst."""
    return " / ".join("never" if time == float("inf") else f"{time:.1f}" for time in (statistics.median_high(times), max(times)))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    print("| reader | server | p50 / max ms | last of a burst: p50 / max ms |")
    print("|---|---|---|---|")
    for (reader, server), delays in table(args.rounds).items():
        print(f"| {reader} | {server} | {cell(delays.each)} | {cell(delays.last)} |")


if __name__ == "__main__":
    main()
