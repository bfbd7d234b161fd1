"""When a program that reads MJPEG has another colour to show: `watcher.py opencv|ffmpeg URL` prints a line for each
change, with the colour's number and the time of the monotonic clock, which all processes of a machine share.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

import cv2
import numpy as np

# RGB, far enough from each other that no JPEG confuses two of them.
COLOURS = np.int16([[220, 30, 30], [30, 200, 40], [40, 60, 220], [230, 220, 40], [200, 40, 200], [40, 210, 220]])
NEAR = 12


def colour(pixel):
    """The number of the colour that an RGB pixel has; -1 for none."""
    return next((number for number, each in enumerate(COLOURS) if (np.abs(each - pixel) < NEAR).all()), -1)


def opencv(url):
    """The middle of each picture from `cv2.VideoCapture`, opened as its manual shows."""
    capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG)
    while True:
        good, picture = capture.read()
        if not good:
            return
        height, width, _ = picture.shape
        yield picture[height // 2, width // 2, ::-1]


def ffmpeg(url):
    """The same from the `ffmpeg` program. Of its encoder's threads each but one would hold a picture back, hence one."""
    output = "-threads 1 -fps_mode passthrough -vf crop=2:2 -f rawvideo -pix_fmt rgb24 -flush_packets 1 pipe:1".split()
    command = ["ffmpeg", "-nostdin", "-v", "error", "-f", "mpjpeg", "-i", url, *output]
    with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0) as process:
        while len(pixels := process.stdout.read(2 * 2 * 3)) == 2 * 2 * 3:
            yield np.frombuffer(pixels[:3], np.uint8)


READERS = {"ffmpeg": ffmpeg, "opencv": opencv}


class Watcher:
    """A reader at `url` in processes of its own, and what it has shown: colours and times; a context manager."""

    def __init__(self, reader, url):
        self.shown = []
        # A group, so that the program that the watcher starts ends with it.
        self._process = subprocess.Popen(
            [sys.executable, __file__, reader, url], stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def _listen(self):
        for line in self._process.stdout:
            colour, when = line.split()
            self.shown.append((int(colour), float(when)))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)
        self._thread.join(10)
        self._process.stdout.close()

    def delay(self, colour, sent):
        """Milliseconds from `sent` to the colour's first showing after it; infinite if it never was."""
        times = (when - sent for shown, when in self.shown if shown == colour and when >= sent)
        return 1000 * next(times, float("inf"))


if __name__ == "__main__":
    shown = -1
    for pixel in READERS[sys.argv[1]](sys.argv[2]):
        now, found = time.monotonic(), colour(pixel)
        if found not in (-1, shown):
            shown = found
            print(found, now, flush=True)
