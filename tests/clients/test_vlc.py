"""VLC plays a session's stream: the pictures that it puts on its (absent) screen have the colours that were sent."""

import contextlib
import os
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

import cv2
from websockets.sync.client import connect

import delay
from server import Server
from watcher import colour

# VLC holds a network's pictures for a second before it shows the first, and a busy machine is slow to start it.
PATIENCE_SECS = 30


@contextlib.contextmanager
def vlc(url):
    """VLC at `url`, and the folder into which it puts each picture that it shows."""
    with tempfile.TemporaryDirectory(prefix="limn-vlc-") as folder:
        # It refuses to be root, as whom tests in a container run; who it is then must be able to write here.
        root = os.geteuid() == 0
        Path(folder).chmod(0o777)
        screen = ["--intf", "dummy", "--no-audio", "--vout", "dummy"]
        scene = ["--video-filter", "scene", "--scene-format", "png", "--scene-ratio", "1", "--scene-path", folder]
        process = subprocess.Popen(
            ["cvlc", "--quiet", *screen, *scene, url],
            env={**os.environ, "HOME": folder},
            user="nobody" if root else None,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield Path(folder)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def newest(folder):
    """The colour in the middle of the newest picture that is whole: the last but one."""
    pictures = sorted(folder.glob("*.png"))
    if len(pictures) < 2:
        return -1
    picture = cv2.imread(str(pictures[-2]))
    height, width, _ = picture.shape
    return colour(picture[height // 2, width // 2, ::-1])


class Vlc(unittest.TestCase):
    def test_it_shows_what_is_sent(self):
        pictures = list(delay.jpegs())
        with Server("--pipeline", "passthrough") as server:
            door = delay.door(server)
            with (
                connect(door.socket, compression=None, max_size=None, additional_headers=door.headers) as socket,
                vlc(door.stream) as folder,
            ):
                threading.Thread(target=delay.swallow, args=(socket,), daemon=True).start()
                for sent in (1, 4, 2):
                    end = time.monotonic() + PATIENCE_SECS
                    socket.send(pictures[sent])
                    while newest(folder) != sent:
                        self.assertLess(time.monotonic(), end, f"colour {sent} is not shown")
                        time.sleep(0.1)


if __name__ == "__main__":
    unittest.main()
