"""The small checkpoint through the running server: `embedded.py report` measures it, `embedded.py sheet FILE` shows it,
`embedded.py speed` counts frames a second, with a camera and one viewer, and seconds to the first picture; `embedded.py presets`
paints the small pictures of the page's presets.

Nearness is D = (1 - SSIM of the luma at 256) + mean Lab distance / 50. The photographs are those that were never trained
on: whole, and four parts of each.
"""

import argparse
import io
import json
import sys
import time
import urllib.request

import cv2
import numpy as np
from diffusers import AutoencoderTiny
from PIL import Image
from skimage.color import rgb2lab
from websockets.sync.client import connect

from camera import Camera, jpegs
from server import ROOT, Server

EMBEDDED = ROOT / "models/embedded"
sys.path.insert(0, str(EMBEDDED / "train"))

import measures  # noqa: E402
import scenes  # noqa: E402
from autoencoder import round_trip  # noqa: E402
from measures import by_style, share  # noqa: E402
from pictures import HELD_OUT, held_out  # noqa: E402
from styles import STYLES, target  # noqa: E402

SIZE = 256
SERVER = ("--model", "embedded", "--max-sessions", "0")


def photographs():
    """`name: [256, 256, 3]`, RGB in 0..1: each held-out photograph whole, and its four corners."""
    views = {}
    for name in HELD_OUT:
        whole = held_out(name, 400)
        parts = {"": whole}
        for corner, (top, left) in {" nw": (0, 0), " ne": (0, 150), " sw": (150, 0), " se": (150, 150)}.items():
            parts[corner] = whole[top : top + 250, left : left + 250]
        for corner, part in parts.items():
            views[name + corner] = cv2.resize(part, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    return views


class Painter:
    """Pictures and words in, pictures out; each in a session of its own."""

    def __init__(self, server):
        self.server = server

    def paint(self, row, picture=None, **params):
        """What a session of `row` makes of `picture`, `[256, 256, 3]` in 0..1, or of words alone."""
        status, _, body = self.server.request("POST", "/api/sessions", {"row": row, "params": params})
        if status != 201:
            raise RuntimeError(f"{row} {params}: {status} {body!r}")
        session = json.loads(body)
        control = session["control"]
        try:
            if picture is None:
                return self.snapshot(session["id"])
            sent = io.BytesIO()
            Image.fromarray(measures.bytes_of(picture)).save(sent, "JPEG", quality=97, subsampling="4:4:4")
            address = f"ws://{self.server.host}/api/sessions/{session['id']}/frames"
            headers = {"Authorization": f"Bearer {control}"}
            with connect(address, max_size=None, additional_headers=headers, close_timeout=0.1) as socket:
                socket.send(sent.getvalue())
                return opened(socket.recv(30))
        finally:
            self.server.request("DELETE", f"/api/sessions/{session['id']}", control=control)

    def snapshot(self, session):
        """The first picture of a session that paints from words."""
        for _ in range(300):
            status, _, body = self.server.request("GET", f"/api/sessions/{session}/snapshot.jpg")
            if status == 200:
                return opened(body)
        raise RuntimeError(f"no picture of {session}: {status} {body!r}")


def opened(jpeg):
    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"), np.float32) / 255


class Copy:
    """The autoencoder's own round trip, by diffusers: as near as anything painted with it can come."""

    def __init__(self):
        self.network = AutoencoderTiny.from_pretrained(EMBEDDED / "vae").float().eval()

    def of(self, picture):
        return round_trip(self.network, picture)


def styled(painter, copy, views, row, **params):
    """One line of figures for each view and style; see `measures.standing`."""
    lines = []
    for view, picture in views.items():
        targets = {style: target(picture, [style]) for style in STYLES}
        labs = {style: measures.lab(each) for style, each in targets.items()}
        for style, wanted in targets.items():
            made = painter.paint(row, picture, prompt=style, **params)
            lines.append({"view": view, **measures.standing(made, style, picture, targets, labs, copy.of(wanted))})
    return lines


# What 20 prompts must show: places (x, y of 0..1) and the colours that may be there.
SEEN = [
    ("a red circle on a blue background", {(0.5, 0.5): ["red"], (0.08, 0.08): ["blue"], (0.92, 0.92): ["blue"]}),
    ("a yellow square on a black background", {(0.5, 0.5): ["yellow"], (0.08, 0.5): ["black"], (0.92, 0.5): ["black"]}),
    ("a big white heart on a pink background", {(0.5, 0.5): ["white"], (0.05, 0.95): ["pink"], (0.95, 0.95): ["pink"]}),
    ("a green triangle on the left, white background", {(0.24, 0.56): ["green"], (0.8, 0.5): ["white"]}),
    ("a purple diamond on the right, yellow background", {(0.76, 0.5): ["purple"], (0.2, 0.5): ["yellow"]}),
    ("a blue circle at the top on an orange background", {(0.5, 0.24): ["blue"], (0.5, 0.8): ["orange"]}),
    ("a black cross at the bottom on a turquoise ground", {(0.5, 0.76): ["black"], (0.5, 0.2): ["turquoise"]}),
    ("an orange star on purple", {(0.5, 0.5): ["orange"], (0.08, 0.08): ["purple"], (0.92, 0.92): ["purple"]}),
    ("a red ring on a white background", {(0.5, 0.5): ["white"], (0.69, 0.5): ["red"], (0.31, 0.5): ["red"], (0.06, 0.06): ["white"]}),
    ("a small green circle on a red ground", {(0.5, 0.5): ["green"], (0.2, 0.2): ["red"], (0.8, 0.8): ["red"]}),
    ("gradient from blue at the top to yellow at the bottom", {(0.5, 0.04): ["blue"], (0.5, 0.96): ["yellow"]}),
    ("gradient from red on the left to white on the right", {(0.04, 0.5): ["red"], (0.96, 0.5): ["white"]}),
    ("red and white vertical stripes", {(0.06, 0.5): ["red"], (0.19, 0.5): ["white"], (0.31, 0.5): ["red"]}),
    ("green and black horizontal stripes", {(0.5, 0.06): ["green"], (0.5, 0.19): ["black"], (0.5, 0.31): ["green"]}),
    ("the sea", {(0.1, 0.08): ["blue", "grey", "turquoise"], (0.5, 0.3): ["yellow", "white"], (0.1, 0.95): ["blue", "black"]}),
    ("a night sky", {(0.2, 0.95): ["black"], (0.7, 0.28): ["white", "yellow"]}),
    ("a forest", {(0.5, 0.97): ["green", "black"], (0.03, 0.05): ["grey", "white", "turquoise"]}),
    ("a red house", {(0.38, 0.7): ["red", "brown"], (0.1, 0.95): ["green"], (0.1, 0.1): ["blue", "grey", "turquoise"]}),
    ("a green field", {(0.5, 0.85): ["green"], (0.05, 0.05): ["blue"]}),
    ("a pink flower", {(0.5, 0.42): ["yellow", "orange"], (0.69, 0.42): ["pink", "red", "purple"]}),
]  # fmt: skip


def colour_at(picture, place, half=0.03):
    """The name of the colour at a place: of the twelve the nearest to the median there, in Lab."""
    x, y = (int(value * SIZE) for value in place)
    reach = int(half * SIZE)
    piece = picture[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]
    lab = lambda rgb: rgb2lab(np.float32(rgb).reshape(1, 1, 3))[0, 0]
    median = lab(np.median(piece.reshape(-1, 3), axis=0))
    return min(scenes.COLOURS, key=lambda name: np.linalg.norm(median - lab(np.float32(scenes.COLOURS[name]) / 255)))


def from_words(painter):
    """Each prompt of SEEN, the colour found at each of its places, and whether that is one that may be there."""
    rows = []
    for prompt, places in SEEN:
        picture = painter.paint("lcm-text", prompt=prompt)
        found = {place: colour_at(picture, place) for place in places}
        rows.append((prompt, found, [found[place] in wanted for place, wanted in places.items()]))
    return rows


def report(painter, every_view):
    copy, views = Copy(), photographs()
    if not every_view:
        views = {name: views[name] for name in HELD_OUT}
    for row in ("img2img", "controlnet"):
        # A ControlNet is measured on what edges alone can tell it.
        lines = styled(painter, copy, views, row, **({"strength": 1.0} if row == "controlnet" else {}))
        tables = {field: by_style(lines, field) for field in ("right", "nearest", "detail", "edges")}
        print(f"\n{row}, {len(views)} views: {share(lines, 'right'):.3f} right in all, {share(lines, 'nearest'):.3f} nearest\n")
        print("| style | right | nearest | detail | edges |\n|---|---|---|---|---|")
        for style in STYLES:
            print(f"| {style} | " + " | ".join(f"{table[style]:.2f}" for table in tables.values()) + " |")
        for line in lines:
            if row == "img2img" and not line["right"]:
                print({name: round(value, 2) if isinstance(value, float) else value for name, value in line.items()})
    whole = [views[name] for name in HELD_OUT]
    kept = [measures.ssim(painter.paint("img2img", picture, prompt=""), copy.of(picture)) for picture in whole]
    print("\nempty prompt, SSIM to the copy:", np.round(kept, 3))
    for strength in (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8):
        away = [np.mean([np.abs(painter.paint("img2img", p, prompt=s, strength=strength) - p).mean() * 255 for s in STYLES]) for p in whole]
        print(f"strength {strength}: {np.mean(away):.2f} of 255 from the input")
    seeds = [painter.paint("img2img", whole[0], prompt="oil painting", strength=0.7, seed=seed) for seed in (1, 2)]
    print("two seeds at strength 0.7:", np.abs(seeds[0] - seeds[1]).mean() * 255)
    rows = from_words(painter)
    print("from words:", sum(all(right) for _, _, right in rows), "of", len(rows))
    for prompt, found, right in rows:
        if not all(right):
            print("  wrong:", prompt, found)


def sheet(painter, file):
    """Photographs by styles: the target, what `img2img` paints, what `controlnet` paints."""
    side, rows, views = 128, [], photographs()
    small = lambda picture: cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    for name in HELD_OUT:
        picture = views[name]
        drawn = np.repeat(measures.edges(picture)[..., None] / np.float32(255), 3, 2)
        rows.append([picture] + [target(picture, [style]) for style in STYLES])
        rows.append([painter.paint("img2img", picture, prompt="")] + [painter.paint("img2img", picture, prompt=style) for style in STYLES])
        rows.append([drawn] + [painter.paint("controlnet", picture, prompt=style) for style in STYLES])
    picture = np.concatenate([np.concatenate([small(each) for each in row], 1) for row in rows])
    Image.fromarray(measures.bytes_of(picture)).save(file, quality=80)


def presets(painter):
    """What each preset makes of a photograph, into the page."""
    folder = ROOT / "frontend/public"
    picture, side = photographs()["chelsea"], 112
    (folder / "presets").mkdir(exist_ok=True)
    for preset in json.loads((folder / "presets.json").read_text())["presets"]:
        made = painter.paint("img2img", picture, **preset["values"])
        small = cv2.resize(made, (side, side), interpolation=cv2.INTER_AREA)
        Image.fromarray(measures.bytes_of(small)).save(folder / preset["picture"].lstrip("/"), quality=72)


def speed(seconds=10):
    """Frames a second that one viewer of one camera sees, and how long after its start a server is ready."""
    print("| row | size | frames a second, seen by one viewer | ready after s |\n|---|---|---|---|")
    for row, size in (("img2img", 256), ("controlnet", 256), ("lcm", 256), ("img2img", 512)):
        began = time.monotonic()
        with Server("--model", "embedded", "--pipeline", row) as running:
            ready = time.monotonic() - began
            with Camera(running.host, jpegs(), {"width": size, "height": size, "prompt": "comic"}) as camera:
                stream = urllib.request.urlopen(camera.stream, timeout=20)
                parts, end = 0, None
                while end is None or time.monotonic() < end:
                    if stream.readline().startswith(b"--frame"):
                        parts += 1
                        # The first few are of the default size, or make the networks warm.
                        if end is None and parts == 5:
                            parts, end = 0, time.monotonic() + seconds
                stream.close()
        print(f"| `{row}` | {size}x{size} | {parts / seconds:.1f} | {ready:.1f} |")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("what", choices=["report", "sheet", "speed", "presets"])
    options.add_argument("file", nargs="?", default="docs/embedded.jpg")
    options.add_argument("--corners", action="store_true", help="report of the photographs' corners, too: some minutes more")
    asked = options.parse_args()
    if asked.what == "speed":
        speed()
        sys.exit()
    with Server(*SERVER, "--pipeline", "img2img") as running:
        if asked.what == "report":
            report(Painter(running), asked.corners)
        elif asked.what == "presets":
            presets(Painter(running))
        else:
            sheet(Painter(running), asked.file)
