"""The program as an NDI source, received by the library's own receiver: a program that nobody here wrote."""

import os
import time
import unittest
from pathlib import Path

import NDIlib
import numpy as np

from server import Server

# The package brings the library with it; the server looks where this says.
RUNTIME = {**os.environ, "NDI_RUNTIME_DIR_V6": str(Path(NDIlib.__file__).parent)}
# The first sender of a machine listens here, so that no discovery is needed.
ADDRESS = "127.0.0.1:5961"
PATIENCE = 15


class Receiver:
    """Connects to the source called `name` at ADDRESS."""

    def __init__(self, name):
        source = NDIlib.Source()
        source.ndi_name, source.url_address = name, ADDRESS
        wanted = NDIlib.RecvCreateV3()
        wanted.color_format = NDIlib.RECV_COLOR_FORMAT_BGRX_BGRA
        self.handle = NDIlib.recv_create_v3(wanted)
        NDIlib.recv_connect(self.handle, source)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        NDIlib.recv_destroy(self.handle)

    def picture(self):
        """The next picture, `[H, W, 3]`, RGB, and its rate."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            kind, video, _, _ = NDIlib.recv_capture_v2(self.handle, 500)
            if kind == NDIlib.FRAME_TYPE_VIDEO:
                pixels = np.array(video.data)[..., 2::-1].copy()
                rate = video.frame_rate_N / video.frame_rate_D
                NDIlib.recv_free_video_v2(self.handle, video)
                return pixels, rate
        raise AssertionError("no picture came by NDI")


class Program(unittest.TestCase):
    def test_a_receiver_sees_the_program_move_in_its_colours(self):
        flags = ("--pipeline", "passthrough", "--source", "pattern:512x512@25", "--program", "512x512@25", "--ndi", "Limn test")
        with Server(*flags, env=RUNTIME) as running, Receiver("Limn test") as receiver:
            # Bars at three quarters: white is 191, yellow has no blue.
            first, rate = receiver.picture()
            self.assertEqual(first.shape, (512, 512, 3))
            self.assertEqual(rate, 25)
            end, seen = time.monotonic() + PATIENCE, 0
            while seen < 10:
                self.assertLess(time.monotonic(), end)
                picture, _ = receiver.picture()
                seen += int(np.abs(picture.astype(int) - first).mean() > 0.05)
            bars = picture[200].astype(int)
            self.assertTrue(((np.abs(bars - [191, 191, 0]) < 24).all(1)).any(), "a yellow bar")
            self.assertTrue(((np.abs(bars - [0, 0, 191]) < 24).all(1)).any(), "a blue bar")
            state = running.get("/api/program")["ndi"]
            self.assertEqual((state["name"], state["state"]), ("Limn test", "sending"))
            self.assertGreaterEqual(state["receivers"], 1)

    def test_without_the_library_one_line_says_so_and_all_else_works(self):
        nowhere = {**os.environ, "NDI_RUNTIME_DIR_V6": "/nonexistent"}
        with Server("--pipeline", "passthrough", "--source", "pattern:", "--ndi", "Limn test", env=nowhere) as running:
            self.assertEqual(running.get("/api/program")["ndi"]["state"], "unavailable")
            self.assertIn("the NDI library is not installed", running.log())
            status, _, _ = running.request("GET", "/snapshot.jpg")
            self.assertEqual(status, 200)


if __name__ == "__main__":
    unittest.main()
