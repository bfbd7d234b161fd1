"""Receives an NDI source by `cyndilib`: `cyndilib_receiver.py NAME COUNT` prints what came, as JSON."""

import json
import sys
import time

import numpy as np
from cyndilib.finder import Finder
from cyndilib.receiver import Receiver, ReceiveFrameType
from cyndilib.video_frame import VideoRecvFrame
from cyndilib.wrapper.ndi_recv import RecvBandwidth, RecvColorFormat

PATIENCE = 20


def source(finder, name):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        for there in finder.iter_sources():
            if there.name.endswith(f" ({name})"):
                return there
        finder.wait_for_sources(1)
    sys.exit(f"cyndilib finds no {name}: {finder.get_source_names()}")


def main(name, count):
    with Finder() as finder:
        receiver = Receiver(color_format=RecvColorFormat.BGRX_BGRA, bandwidth=RecvBandwidth.highest)
        video = VideoRecvFrame()
        receiver.set_video_frame(video)
        receiver.set_source(source(finder, name))
        seen, end = 0, time.monotonic() + PATIENCE
        while seen < count:
            if time.monotonic() > end:
                sys.exit(f"cyndilib received {seen} pictures of {count}")
            if receiver.receive(ReceiveFrameType.recv_video, 200) & ReceiveFrameType.recv_video:
                # Its buffers are few, and it takes no more than they hold.
                video.fill_p_data(np.empty(video.get_buffer_size(), np.uint8))
                seen += 1
        print(json.dumps({"size": list(video.get_resolution()), "fps": float(video.get_frame_rate()), "pictures": seen}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
