"""Sources that fail: a camera whose plug is pulled, again and again, and one that says nothing any more."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

import psutil

from multipart import parts
from server import Server, free_port

# The bindings of GStreamer are the system's, and no package of PyPI.
GSTREAMER = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
PYTHON = next(
    (python for python in ("/usr/bin/python3", "python3") if subprocess.run([python, "-c", GSTREAMER], capture_output=True).returncode == 0),
    None,
)
PARAMS = json.dumps({"width": 640, "height": 360})
PROGRAM = ("--pipeline", "passthrough", "--program", "640x360@25", "--source-params", PARAMS)


class Camera:
    """GStreamer's RTSP server on a port, until its plug is pulled."""

    def __init__(self, port):
        self.port = port

    def __enter__(self):
        script = Path(__file__).with_name("rtsp_camera.py")
        self.process = subprocess.Popen([PYTHON, str(script), str(self.port)], stderr=subprocess.DEVNULL)
        until(self.listens, "GStreamer's server listens")
        return self

    def listens(self):
        with socket.socket() as door:
            return door.connect_ex(("127.0.0.1", self.port)) == 0

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


class Viewer:
    """Reads the program in a thread, all the time."""

    def __init__(self, server):
        self.placards, self.longest, self.ended = [], 0.0, False
        threading.Thread(target=self._read, args=(f"{server.url}/stream.mjpeg",), daemon=True).start()

    def _read(self, url):
        last = time.monotonic()
        for head, _ in parts(url):
            now = time.monotonic()
            self.longest, last = max(self.longest, now - last), now
            placard = head.get("x-limn-placard")
            if placard and (not self.placards or self.placards[-1] != placard):
                self.placards.append(placard)
        self.ended = True


def until(what, said, patience=20):
    """Seconds until `what` is so."""
    start = time.monotonic()
    while not what():
        assert time.monotonic() < start + patience, said
        time.sleep(0.02)
    return time.monotonic() - start


def state(server):
    return server.get("/api/sources")["sources"][0]["state"]


class Sources(unittest.TestCase):
    @unittest.skipUnless(PYTHON, "GStreamer's RTSP server is not installed: gir1.2-gst-rtsp-server-1.0, python3-gi")
    def test_a_camera_that_is_cut_off_ten_times_comes_back_ten_times(self):
        port = free_port()
        with Camera(port) as camera, Server(*PROGRAM, "--source", f"rtsp://127.0.0.1:{port}/live") as server:
            process = psutil.Process(server.process.pid)
            until(lambda: state(server) == "running", "pictures come")
            viewer, returns, memory = Viewer(server), [], []
            for _ in range(10):
                camera.__exit__()
                until(lambda: state(server) == "reconnecting", "the cut is noticed", 6)
                until(lambda: viewer.placards and viewer.placards[-1] == "reconnecting", "the placard is up")
                camera.__enter__()
                returns.append(until(lambda: state(server) == "running", "it comes back"))
                viewer.placards.append("")
                memory.append(process.memory_info().rss / 1e6)
            self.assertLess(max(returns), 5)
            self.assertFalse(viewer.ended, "the program goes on")
            self.assertLess(viewer.longest, 1)
            self.assertLess(memory[-1] - memory[1], 15, f"MB: {memory}")
            print(f"\nten cuts: back after {min(returns):.1f} to {max(returns):.1f} s, memory {memory[1]:.0f} to {memory[-1]:.0f} MB")

    def test_a_reader_that_hangs_is_noticed_and_started_again(self):
        # In the place of ffmpeg: sends one picture and then nothing, the first time; after that as it should.
        folder = Path(tempfile.mkdtemp(prefix="limn-hang-"))
        script = f"""#!{sys.executable}
import os, pathlib, sys, time
seen = pathlib.Path({str(folder / "seen")!r})
first = not seen.exists()
seen.open("a").write(f"{{os.getpid()}} ")
while True:
    sys.stdout.buffer.write(b"P6\\n64 64\\n255\\n" + bytes([time.time_ns() % 256]) * (64 * 64 * 3))
    sys.stdout.flush()
    time.sleep(1000 if first else 0.1)
"""
        (folder / "ffmpeg").write_text(script)
        (folder / "ffmpeg").chmod(0o755)
        path = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
        with Server(*PROGRAM, "--source", "http://127.0.0.1:9/camera", env=path) as server:
            until(lambda: state(server) == "running", "one picture")
            took = until(lambda: state(server) == "reconnecting", "the hang is noticed", 8)
            self.assertGreater(took, 3)
            until(lambda: state(server) == "running", "it is started again", 2)
            hung = int((folder / "seen").read_text().split()[0])
            self.assertFalse(psutil.pid_exists(hung), "the child that hung is gone")


if __name__ == "__main__":
    unittest.main()
