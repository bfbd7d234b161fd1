"""NDI as others receive it: the library's own receiver by two packages of PyPI, `ndi-python` and `cyndilib`. No discovery
service is needed: sources of this machine are found at its own address.
"""

import json
import os
import tempfile
import time
from pathlib import Path

import NDIlib
import numpy as np

HERE = "127.0.0.1"
# The package brings the library with it; the server looks where this says.
RUNTIME = {**os.environ, "NDI_RUNTIME_DIR_V6": str(Path(NDIlib.__file__).parent)}
PATIENCE = 15


def configured():
    """A folder for NDI_CONFIG_DIR, where NDI's own programs look for their settings: other addresses to ask."""
    folder = Path(tempfile.mkdtemp(prefix="limn-ndi-"))
    (folder / "ndi-config.v1.json").write_text(json.dumps({"ndi": {"networks": {"ips": HERE + ","}}}))
    return folder


class Finder:
    """What is on this machine."""

    def __init__(self):
        wanted = NDIlib.FindCreate()
        wanted.show_local_sources, wanted.extra_ips = True, HERE
        self.handle = NDIlib.find_create_v2(wanted)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        NDIlib.find_destroy(self.handle)

    def names(self):
        """What stands between the brackets of each `MACHINE (NAME)`."""
        return [source.ndi_name.split(" (", 1)[1][:-1] for source in self.sources()]

    def sources(self):
        return NDIlib.find_get_current_sources(self.handle)

    def find(self, name):
        """The source called `name`, waited for."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            for source in self.sources():
                if source.ndi_name.endswith(f" ({name})"):
                    return source
            NDIlib.find_wait_for_sources(self.handle, 200)
        raise AssertionError(f"no NDI source is called {name}; there are {self.names()}")


class Receiver:
    """Connects to the source called `name`. `raw` takes what costs least and gives no pixels."""

    def __init__(self, name, raw=False):
        self.raw = raw
        self._finder = Finder()
        wanted = NDIlib.RecvCreateV3()
        wanted.color_format = NDIlib.RECV_COLOR_FORMAT_FASTEST if raw else NDIlib.RECV_COLOR_FORMAT_BGRX_BGRA
        self.handle = NDIlib.recv_create_v3(wanted)
        NDIlib.recv_connect(self.handle, self._finder.find(name))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        NDIlib.recv_destroy(self.handle)
        self._finder.__exit__()

    def picture(self, patience=PATIENCE):
        """The next picture, `[H, W, 3]`, RGB, and the rate that its sender claims."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            kind, video, _, _ = NDIlib.recv_capture_v2(self.handle, 500)
            if kind == NDIlib.FRAME_TYPE_VIDEO:
                pixels = None if self.raw else np.array(video.data)[..., 2::-1].copy()
                rate = video.frame_rate_N / video.frame_rate_D
                NDIlib.recv_free_video_v2(self.handle, video)
                return pixels, rate
        raise AssertionError("no picture came by NDI")

    def connected(self):
        return NDIlib.recv_get_no_connections(self.handle) > 0

    def tell(self, program=False, preview=False):
        """Lights the lamps of the sender's tally."""
        tally = NDIlib.Tally()
        tally.on_program, tally.on_preview = program, preview
        NDIlib.recv_set_tally(self.handle, tally)


def clock(picture):
    """The clock of the server's pattern, milliseconds since 1970 modulo 2^32, read off its squares."""
    height, width = picture.shape[:2]
    side = width // 32
    row = picture[height * 11 // 16 + side // 2, side // 2 : 32 * side : side]
    bits = row.astype(int).mean(-1) > 128
    return int("".join("1" if bit else "0" for bit in bits), 2)


def age_ms(picture):
    """How old a picture of the pattern is, by its clock and this machine's."""
    now = time.time_ns() // 1_000_000
    return ((now - clock(picture) + 2**31) % 2**32) - 2**31
