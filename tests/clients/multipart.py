"""The parts of a multipart MJPEG stream."""

import urllib.request

import cv2
import numpy as np


def parts(url):
    """The parts of the stream at `url`; see `parts_of`."""
    with urllib.request.urlopen(url, timeout=20) as stream:
        yield from parts_of(stream)


def parts_of(stream):
    """Of each part the headers, their names in lower case, and the JPEG; until the stream ends."""
    head = {}
    while line := stream.readline():
        name, _, value = line.decode("latin-1").strip().partition(":")
        if name:
            head[name.lower()] = value.strip()
        elif "content-length" in head:
            yield head, stream.read(int(head["content-length"]))
            head = {}


def pictures(url, count):
    """So many pictures, `[H, W, 3]`, RGB; placards are passed over."""
    for head, jpeg in parts(url):
        if "x-limn-placard" in head:
            continue
        yield cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
        count -= 1
        if count == 0:
            return
