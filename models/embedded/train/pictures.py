"""Pictures to learn from: photographs that come inside packages, and pictures drawn by code.

Held out, and never returned here: astronaut, chelsea and coffee of scikit-image. `[H, W, 3]`, float32, RGB in 0..1.
"""

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from PIL import Image

HELD_OUT = ("astronaut", "chelsea", "coffee")
# Package, folder and file. Photographs of things, textures and print, in colour and grey.
PHOTOGRAPHS = [
    *(("skimage", "data", name) for name in (
        "rocket.jpg", "motorcycle_left.png", "camera.png", "coins.png", "clock_motion.png", "brick.png", "grass.png",
        "gravel.png", "moon.png", "ihc.png", "hubble_deep_field.jpg", "retina.jpg", "page.png", "text.png", "color.png",
    )),
    ("sklearn", "datasets/images", "china.jpg"),
    ("sklearn", "datasets/images", "flower.jpg"),
    ("matplotlib", "mpl-data/sample_data", "grace_hopper.jpg"),
]  # fmt: skip
# How often each is drawn: those that look like what a camera sees come more often.
SEEN = [4, 4, 4, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 6, 4, 6]


def read(path):
    return np.asarray(Image.open(path).convert("RGB"), np.float32) / 255


def photographs():
    """All that may be learned from, in the order of PHOTOGRAPHS."""
    found = []
    for package, folder, name in PHOTOGRAPHS:
        assert Path(name).stem not in HELD_OUT
        root = Path(importlib.util.find_spec(package).origin).parent
        found.append(read(root / folder / name))
    return found


def held_out(name, size):
    """The middle square of a held-out photograph, `[size, size, 3]`."""
    return square(getattr(skimage.data, name)().astype(np.float32) / 255, size)


def square(picture, size):
    """The middle square, scaled."""
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return cv2.resize(picture[top : top + side, left : left + side], (size, size), interpolation=cv2.INTER_AREA)


def crop(rng, photograph, size):
    """A random square, often a large part of the photograph, sometimes a small one; turned over, sometimes tilted."""
    height, width = photograph.shape[:2]
    side = int(min(height, width) * rng.uniform(0.3, 1.0))
    top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
    piece = photograph[top : top + side, left : left + side]
    if rng.random() < 0.3:
        turn = cv2.getRotationMatrix2D((side / 2, side / 2), rng.uniform(-25, 25), 1.3)
        piece = cv2.warpAffine(piece, turn, (side, side), borderMode=cv2.BORDER_REFLECT)
    piece = cv2.resize(piece, (size, size), interpolation=cv2.INTER_AREA if side > size else cv2.INTER_CUBIC)
    return np.clip(piece[:, ::-1] if rng.random() < 0.5 else piece, 0, 1)


def light(rng, picture):
    """Another light: exposure, contrast, saturation, tint. Grey pictures get colours by their luma."""
    if np.ptp(picture.astype(np.float32), axis=2).max() < 0.02 and rng.random() < 0.7:
        dark, bright = rng.uniform(0, 0.45, 3), rng.uniform(0.55, 1, 3)
        picture = dark + (bright - dark) * picture
    elif rng.random() < 0.35:
        hsv = cv2.cvtColor(picture.astype(np.float32), cv2.COLOR_RGB2HSV)
        hsv[..., 0] = (hsv[..., 0] + rng.uniform(0, 360)) % 360
        picture = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    grey = picture.mean(2, keepdims=True)
    picture = grey + (picture - grey) * rng.uniform(0.5, 1.6)
    picture = (picture - 0.5) * rng.uniform(0.7, 1.3) + 0.5 + rng.uniform(-0.12, 0.12)
    picture = np.clip(picture * rng.uniform(0.88, 1.12, 3), 0, 1) ** rng.uniform(0.75, 1.35)
    return picture.astype(np.float32)


def clouds(rng, size, slope=None):
    """Noise with a falling spectrum, 0..1, `[size, size]`."""
    slope = rng.uniform(0.8, 2.2) if slope is None else slope
    frequency = np.hypot(*np.meshgrid(np.fft.rfftfreq(size), np.fft.fftfreq(size)))
    frequency[0, 0] = 1
    field = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((size, size))) / frequency**slope, (size, size))
    low, high = np.percentile(field, [1, 99])
    return np.clip((field - low) / (high - low), 0, 1).astype(np.float32)


def colour(rng):
    hsv = np.float32([[[rng.uniform(0, 360), rng.beta(1.5, 1.5), rng.beta(2, 1.3)]]])
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0]


def texture(rng, size, photos):
    """What a surface is made of: flat, shaded, clouds, stripes, or a piece of a photograph."""
    kind = rng.random()
    first, second = colour(rng), colour(rng)
    if kind < 0.3:
        return np.broadcast_to(first, (size, size, 3))
    y, x = np.mgrid[:size, :size].astype(np.float32) / size
    angle = rng.uniform(0, np.pi)
    along = x * np.cos(angle) + y * np.sin(angle)
    if kind < 0.55:
        amount = np.clip((along - along.min()) / np.ptp(along), 0, 1)
    elif kind < 0.7:
        amount = clouds(rng, size)
    elif kind < 0.78:
        amount = 0.5 + 0.5 * np.sin(along * rng.uniform(15, 110))
    else:
        return light(rng, crop(rng, photos[rng.integers(len(photos))], size))
    return first + (second - first) * amount[..., None]


def blob(rng, size):
    """A soft mask of a random shape: ellipse, box, polygon, or a line."""
    mask = np.zeros((size, size), np.uint8)
    centre = rng.uniform(-0.1, 1.1, 2) * size
    radius = size * np.clip(0.04 / rng.power(2.0) ** 2, 0.03, 0.5)
    kind = rng.integers(4)
    at = tuple(int(16 * value) for value in centre)
    if kind == 0:
        axes = (int(16 * radius), int(16 * radius * rng.uniform(0.3, 1)))
        cv2.ellipse(mask, at, axes, rng.uniform(0, 180), 0, 360, 255, -1, cv2.LINE_AA, 4)
    elif kind == 3:
        end = tuple(int(16 * value) for value in centre + rng.normal(0, size / 3, 2))
        cv2.line(mask, at, end, 255, int(rng.integers(1, 6)), cv2.LINE_AA, 4)
    else:
        corners = 4 if kind == 1 else rng.integers(3, 9)
        angles = np.sort(rng.uniform(0, 2 * np.pi, corners)) if kind == 2 else np.pi / 4 + np.arange(4) * np.pi / 2 + rng.uniform(0, 1.6)
        spokes = radius * (rng.uniform(0.5, 1.2, corners) if kind == 2 else np.float32([1, 1, 1, 1]))
        points = centre + spokes[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)
        cv2.fillPoly(mask, [np.int32(points * 16)], 255, cv2.LINE_AA, 4)
    return mask.astype(np.float32)[..., None] / 255


def leaves(rng, size, photos):
    """Dead leaves: shapes of all sizes laid over each other, each with a surface of its own. Edges occur as often and
    as sharp as in photographs (Lee, Mumford, Huang 2001)."""
    picture = np.array(texture(rng, size, photos), np.float32)
    for _ in range(rng.integers(4, 40)):
        mask = blob(rng, size)
        surface = texture(rng, size, photos) if rng.random() < 0.35 else colour(rng) * (0.7 + 0.3 * rng.random())
        picture = picture * (1 - mask) + surface * mask
    return blur_a_little(rng, picture)


def blur_a_little(rng, picture):
    if rng.random() < 0.5:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.1))
    return np.clip(picture, 0, 1).astype(np.float32)


def face(rng, size, photos):
    """A face of ellipses before some ground."""
    picture = np.array(texture(rng, size, photos), np.float32)
    big = size * rng.uniform(0.25, 0.45)
    cx, cy = size * rng.uniform(0.35, 0.65), size * rng.uniform(0.4, 0.6)
    skin = np.float32([0.9, 0.7, 0.58]) * rng.uniform(0.3, 1.05) * rng.uniform(0.93, 1.07, 3)

    def put(x, y, a, b, tone, angle=0, arc=(0, 360)):
        mask = np.zeros((size, size), np.uint8)
        cv2.ellipse(
            mask, (int(16 * (cx + x * big)), int(16 * (cy + y * big))),
            (max(1, int(16 * a * big)), max(1, int(16 * b * big))), angle, *arc, 255, -1, cv2.LINE_AA, 4,
        )  # fmt: skip
        amount = mask.astype(np.float32)[..., None] / 255
        picture[:] = picture * (1 - amount) + np.float32(tone) * amount

    hair = colour(rng) * 0.6
    put(0, 1.5, 0.9, 0.7, colour(rng))
    put(0, -0.15, 0.85, 1.08, hair)
    put(0, 0.9, 0.3, 0.5, skin * 0.85)
    put(0, 0, 0.72, 0.95, skin)
    put(0, -0.75, 0.68, 0.32, hair)
    for side in (-1, 1):
        put(side * 0.3, -0.12, 0.15, rng.uniform(0.06, 0.1), (0.95, 0.95, 0.95))
        put(side * 0.3, -0.12, 0.065, 0.075, colour(rng) * 0.5)
        put(side * 0.3, -0.3, 0.2, 0.04, hair, side * 8)
        put(side * 0.74, 0.0, 0.08, 0.18, skin * 0.9)
    put(0, 0.18, 0.1, 0.2, skin * 0.86)
    put(0, 0.5, rng.uniform(0.18, 0.32), rng.uniform(0.05, 0.12), (0.7, 0.25, 0.25))
    y, x = np.mgrid[:size, :size].astype(np.float32) / size
    angle = rng.uniform(0, 2 * np.pi)
    shade = 1 + rng.uniform(0, 0.5) * ((x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle))
    return blur_a_little(rng, picture * shade[..., None])


def writing(rng, size, photos):
    """Letters over some ground."""
    picture = np.array(texture(rng, size, photos), np.float32)
    for _ in range(rng.integers(1, 5)):
        word = "".join(rng.choice(list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"), rng.integers(2, 9)))
        mask = np.zeros((size, size), np.uint8)
        at = (int(rng.uniform(-0.1, 0.6) * size), int(rng.uniform(0.1, 1) * size))
        cv2.putText(mask, word, at, int(rng.integers(0, 8)), rng.uniform(0.5, size / 64), 255, int(rng.integers(1, 5)), cv2.LINE_AA)
        amount = mask.astype(np.float32)[..., None] / 255
        picture = picture * (1 - amount) + colour(rng) * amount
    return blur_a_little(rng, picture)


def landscape(rng, size, photos):
    """Ranges of hills, each darker or bluer than the one behind it, under a sky of clouds."""
    sky, far, near = colour(rng), colour(rng), colour(rng) * 0.5
    y = np.linspace(0, 1, size, dtype=np.float32)[:, None]
    picture = (sky + (1 - sky) * y[..., None] * 0.8) * np.ones((size, size, 1), np.float32)
    picture += 0.35 * (clouds(rng, size, 1.6)[..., None] - 0.4) * (1 - y[..., None])
    count = rng.integers(2, 6)
    for index in range(count):
        ridge = clouds(rng, size, 1.4)[0]
        height = 0.3 + 0.65 * (index + rng.random()) / count + 0.25 * (ridge - 0.5)
        mask = np.clip((y - height[None]) * size, 0, 1)[..., None]
        tone = far + (near - far) * (index + 1) / count
        surface = tone * (0.75 + 0.5 * clouds(rng, size, 0.9)[..., None])
        picture = picture * (1 - mask) + surface * mask
    return blur_a_little(rng, picture)


class Pictures:
    """Draws pictures for ever; the same seed, the same pictures."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.photos = photographs()
        self.odds = np.float64(SEEN) / np.sum(SEEN)

    def draw(self, size):
        rng = self.rng
        kind = rng.random()
        if kind < 0.55:
            photo = self.photos[rng.choice(len(self.photos), p=self.odds)]
            return light(rng, crop(rng, photo, size))
        draw = rng.choice([leaves, leaves, face, writing, landscape])
        return np.clip(light(rng, draw(rng, size, self.photos)), 0, 1)
