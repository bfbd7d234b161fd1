"""Programs that read MJPEG and that no one here wrote. `readers.py opencv|ffmpeg URL COUNT` prints what they saw."""

import json
import subprocess
import sys

import cv2
import numpy as np

# One 8-bit step in the mean of a picture 64 pixels wide: noise of the JPEG stays far below, the moving clip far above.
MOVED = 1.0
SIDE = 64


def opencv(url, count):
    """`cv2.VideoCapture` as its manual shows it, on its FFmpeg backend."""
    capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise RuntimeError(f"OpenCV did not open {url}")
    pictures = []
    while len(pictures) < count:
        good, picture = capture.read()
        if not good:
            raise RuntimeError(f"OpenCV read {len(pictures)} pictures of {count}")
        pictures.append(picture)
    capture.release()
    return report(pictures)


def ffmpeg(url, count):
    """The `ffmpeg` program; any damaged picture is an error."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-xerror", "-err_detect", "explode", "-f", "mpjpeg", "-i", url]
    size = subprocess.run(
        ["ffprobe", "-v", "error", "-f", "mpjpeg", "-show_entries", "stream=width,height", "-of", "csv=p=0", url],
        capture_output=True, text=True, timeout=60, check=True,
    ).stdout.strip()
    width, height = (int(side) for side in size.split(","))
    output = ["-fps_mode", "passthrough", "-frames:v", str(count), "-f", "rawvideo", "-pix_fmt", "bgr24", "pipe:1"]
    done = subprocess.run(command + output, capture_output=True, timeout=120, check=False)
    if done.returncode or done.stderr:
        raise RuntimeError(f"ffmpeg ended with {done.returncode}: {done.stderr.decode()}")
    return report(np.frombuffer(done.stdout, np.uint8).reshape(-1, height, width, 3))


def report(pictures):
    """How many pictures came, of what size, how many differ from the one before, and how even the evenest is."""
    small = [cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(float) for picture in pictures]
    moved = sum(float(np.abs(one - other).mean()) > MOVED for one, other in zip(small, small[1:]))
    height, width, _ = pictures[0].shape
    return {
        "pictures": len(pictures),
        "size": [width, height],
        "moved": moved,
        "contrast": min(float(picture.std()) for picture in small),
    }


if __name__ == "__main__":
    program, url, count = sys.argv[1:]
    print(json.dumps({"opencv": opencv, "ffmpeg": ffmpeg}[program](url, int(count))))
