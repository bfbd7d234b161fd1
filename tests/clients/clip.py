"""A camera's clip from a photograph: panned and zoomed in a loop without a seam, as MJPEG.

Chromium plays such a file in place of a camera (`--use-file-for-fake-video-capture`), and the clients here send its
pictures one by one. `clip.py FILE` writes it.
"""

import math
import sys
from pathlib import Path

from PIL import Image
from skimage import data

SIZE = (640, 480)
FRAMES = 150
# High enough that edges survive, with 4:2:0, which is what cameras send.
QUALITY = 90


def pictures(size=SIZE, frames=FRAMES):
    """The clip's pictures, RGB, `size` each: a window that wanders over NASA's portrait of Eileen Collins."""
    photograph = Image.fromarray(data.astronaut())
    for number in range(frames):
        turn = 2 * math.pi * number / frames
        scale = 0.72 + 0.16 * math.cos(turn)
        width = scale * min(photograph.width, photograph.height * size[0] / size[1])
        height = width * size[1] / size[0]
        left = (photograph.width - width) * (0.5 + 0.45 * math.sin(turn))
        top = (photograph.height - height) * (0.35 + 0.3 * math.sin(2 * turn))
        yield photograph.resize(size, Image.Resampling.BICUBIC, box=(left, top, left + width, top + height))


def write(path):
    """Writes the clip beside its place and moves it there, so that it is whole or absent."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        for picture in pictures():
            picture.save(file, "JPEG", quality=QUALITY, subsampling="4:2:0")
    part.rename(path)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
