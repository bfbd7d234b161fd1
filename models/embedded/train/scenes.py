"""Simple pictures that words can say whole: shapes, patterns and scenes. What a caption leaves open is fixed, so that
one caption has nearly one picture. Float32 `[H, W, 3]`, RGB in 0..1."""

import cv2
import numpy as np

from pictures import clouds

COLOURS = {
    "red": (220, 30, 30), "green": (30, 160, 50), "blue": (30, 70, 215), "yellow": (250, 215, 30),
    "orange": (245, 130, 20), "purple": (125, 40, 165), "pink": (250, 130, 185), "white": (248, 248, 248),
    "black": (14, 14, 16), "grey": (128, 128, 128), "turquoise": (40, 205, 200), "brown": (120, 72, 32),
}  # fmt: skip
PLACES = {
    "": (0.5, 0.5), "in the middle": (0.5, 0.5), "on the left": (0.24, 0.5), "on the right": (0.76, 0.5),
    "at the top": (0.5, 0.24), "at the bottom": (0.5, 0.76),
}  # fmt: skip
SHAPES = ["circle", "square", "triangle", "star", "ring", "diamond", "heart", "cross"]


def paint(picture, points_or_mask, tone):
    size = picture.shape[0]
    mask = points_or_mask
    if mask.ndim == 2 and mask.shape[1] == 2:
        mask = np.zeros((size, size), np.uint8)
        cv2.fillPoly(mask, [np.int32(np.round(points_or_mask * size * 16))], 255, cv2.LINE_AA, 4)
    amount = mask.astype(np.float32)[..., None] / 255
    picture[:] = picture * (1 - amount) + np.float32(tone) * amount


def outline(shape):
    """Corners round the origin, radius 1."""
    around = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    ring = np.stack([np.sin(around), -np.cos(around)], 1)
    if shape in ("circle", "ring"):
        return ring
    if shape == "square":
        return np.float64([(-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)])
    if shape == "diamond":
        return np.float64([(0, -1.1), (0.8, 0), (0, 1.1), (-0.8, 0)])
    if shape == "triangle":
        return np.float64([(0, -1), (1, 0.8), (-1, 0.8)])
    if shape == "star":
        turns = np.arange(10) * np.pi / 5
        return np.stack([np.sin(turns), -np.cos(turns)], 1) * np.where(np.arange(10) % 2, 0.45, 1.15)[:, None]
    if shape == "heart":
        x = 16 * np.sin(around) ** 3
        y = 13 * np.cos(around) - 5 * np.cos(2 * around) - 2 * np.cos(3 * around) - np.cos(4 * around)
        return np.stack([x, -y], 1) / 16
    arm = 0.33
    return np.float64([
        (-arm, -1), (arm, -1), (arm, -arm), (1, -arm), (1, arm), (arm, arm), (arm, 1), (-arm, 1), (-arm, arm), (-1, arm), (-1, -arm), (-arm, -arm),
    ])  # fmt: skip


def tone(name, rng):
    return np.clip(np.float32(COLOURS[name]) / 255 + rng.normal(0, 0.015, 3), 0, 1)


def article(words):
    return ("an " if words[0] in "aeiou" else "a ") + words


def shape(rng, size):
    front, back = rng.choice(list(COLOURS), 2, replace=False)
    form, place = rng.choice(SHAPES), rng.choice(list(PLACES), p=[0.3, 0.06, 0.16, 0.16, 0.16, 0.16])
    big = rng.choice(["", "big ", "small "], p=[0.6, 0.2, 0.2])
    radius = {"": 0.23, "big ": 0.36 if place in ("", "in the middle") else 0.27, "small ": 0.12}[big] * rng.uniform(0.97, 1.03)
    picture = np.broadcast_to(tone(back, rng), (size, size, 3)).copy()
    centre = np.float64(PLACES[place])
    paint(picture, centre + radius * outline(form), tone(front, rng))
    if form == "ring":
        paint(picture, centre + 0.6 * radius * outline("circle"), tone(back, rng))
    ground = rng.choice([f" on a {back} background", f" on {back}", f" on a {back} ground", f", {back} background"])
    where = f" {place}" if place else ""
    if rng.random() < 0.15 and back == "white":
        ground = ""
    return picture, article(f"{big}{front} {form}") + (where + ground if rng.random() < 0.7 else ground + where)


def pattern(rng, size):
    first, second = rng.choice(list(COLOURS), 2, replace=False)
    one, other = tone(first, rng), tone(second, rng)
    y, x = np.mgrid[:size, :size].astype(np.float32) / size
    soft = lambda value: np.clip(value * size / 8 + 0.5, 0, 1)
    kind = rng.integers(6)
    if kind == 0:
        amount, words = soft(np.sin(x * 8 * np.pi) / 4), f"{first} and {second} vertical stripes"
    elif kind == 1:
        amount, words = soft(np.sin(y * 8 * np.pi) / 4), f"{first} and {second} horizontal stripes"
    elif kind == 2:
        amount, words = soft(np.sin(x * 4 * np.pi) * np.sin(y * 4 * np.pi) / 2), f"{first} and {second} checkerboard"
    elif kind == 3:
        amount = soft(0.07 - np.hypot((x * 4) % 1 - 0.5, (y * 4) % 1 - 0.5) / 4)
        words = f"{first} dots on {second}"
    elif kind == 4:
        amount, words = 1 - y, f"gradient from {first} at the top to {second} at the bottom"
    else:
        amount, words = 1 - x, f"gradient from {first} on the left to {second} on the right"
    return (other + (one - other) * amount[..., None]).astype(np.float32), words


def ground(size, top, bottom):
    y = np.linspace(0, 1, size, dtype=np.float32)[:, None, None]
    return (np.float32(top) + (np.float32(bottom) - np.float32(top)) * y) / 255 * np.ones((size, size, 1), np.float32)


def disc(picture, x, y, radius, colour):
    paint(picture, np.float64([x, y]) + radius * outline("circle"), np.float32(colour) / 255)


def below(picture, heights, colour, far=None):
    """Fills what lies below a line of heights 0..1 from the top; `colour` darkens to the bottom."""
    size = picture.shape[0]
    y = np.linspace(0, 1, size, dtype=np.float32)[:, None]
    mask = np.clip((y - np.float32(heights)[None]) * size + 0.5, 0, 1)[..., None]
    shade = np.float32(far or colour) / 255 + (np.float32(colour) - np.float32(far or colour)) / 255 * y[..., None]
    picture[:] = picture * (1 - mask) + shade * mask


def ridge(rng, size, middle, height, rough):
    line = clouds(np.random.default_rng(7 + int(middle * 100)), 256, rough)[0]
    line = np.interp(np.linspace(0, 1, size), np.linspace(0, 1, 256), line)
    return middle - height * (line - 0.5) + rng.normal(0, 0.004)


def sea(rng, size):
    picture = ground(size, (90, 160, 235), (205, 228, 245))
    disc(picture, 0.5, 0.3, 0.1, (255, 240, 150))
    below(picture, np.full(size, 0.55), (10, 50, 110), (40, 130, 190))
    y = np.linspace(0, 1, size, dtype=np.float32)[:, None]
    x = np.linspace(0, 1, size, dtype=np.float32)[None]
    glitter = (np.abs(x - 0.5) < 0.09) * (np.sin(y * 110) > 0) * (y > 0.56)
    return picture + 0.25 * glitter[..., None] * np.float32([1, 0.9, 0.5])


def mountains(rng, size):
    picture = ground(size, (80, 150, 230), (210, 230, 245))
    below(picture, ridge(rng, size, 0.45, 0.5, 1.9), (90, 100, 140), (150, 165, 200))
    below(picture, ridge(rng, size, 0.66, 0.3, 1.9), (50, 60, 80), (80, 95, 125))
    below(picture, np.full(size, 0.82), (30, 90, 40), (60, 140, 60))
    return picture


def night(rng, size):
    picture = ground(size, (6, 8, 30), (26, 30, 80))
    stars = np.random.default_rng(3)
    for x, y, radius in stars.uniform(0, 1, (60, 3)):
        disc(picture, x, y * 0.9, 0.003 + 0.006 * radius, (235, 235, 255))
    disc(picture, 0.7, 0.28, 0.12, (250, 245, 215))
    below(picture, ridge(rng, size, 0.86, 0.2, 1.9), (4, 6, 14))
    return picture


def desert(rng, size):
    picture = ground(size, (80, 165, 235), (250, 225, 170))
    disc(picture, 0.75, 0.22, 0.08, (255, 245, 190))
    x = np.linspace(0, 1, size)
    below(picture, 0.62 + 0.06 * np.sin(x * 5), (190, 120, 50), (235, 180, 100))
    below(picture, 0.75 + 0.05 * np.sin(x * 7 + 2), (200, 130, 60), (225, 160, 80))
    return picture


def forest(rng, size):
    picture = ground(size, (150, 200, 225), (180, 210, 180))
    below(picture, np.full(size, 0.78), (30, 70, 25), (50, 110, 40))
    for at in range(9):
        x, tall = 0.06 + at * 0.11, 0.62 + 0.12 * np.sin(at * 2.4)
        paint(picture, np.float64([(x - 0.012, 0.86), (x + 0.012, 0.86), (x + 0.012, 0.8), (x - 0.012, 0.8)]), (0.3, 0.18, 0.08))
        for level in range(3):
            top, wide = 0.82 - tall + level * tall * 0.25, 0.05 + 0.025 * level
            paint(picture, np.float64([(x, top), (x + wide, top + tall * 0.42), (x - wide, top + tall * 0.42)]), (0.06, 0.3 + 0.04 * (at % 3), 0.12))
    return picture


def city(rng, size):
    picture = ground(size, (12, 14, 50), (110, 60, 110))
    for at in range(10):
        x, tall = at * 0.1, 0.35 + 0.3 * abs(np.sin(at * 1.9))
        paint(picture, np.float64([(x, 1), (x + 0.092, 1), (x + 0.092, 1 - tall), (x, 1 - tall)]), (0.05, 0.05, 0.1))
        for row in range(int(tall * 14)):
            for column in range(3):
                if (at * 7 + row * 3 + column * 5) % 4:
                    wx, wy = x + 0.014 + column * 0.026, 1 - tall + 0.03 + row * 0.065
                    paint(picture, np.float64([(wx, wy), (wx + 0.016, wy), (wx + 0.016, wy + 0.032), (wx, wy + 0.032)]), (1, 0.85, 0.4))
    return picture


def house(rng, size):
    picture = ground(size, (110, 180, 240), (210, 232, 245))
    below(picture, np.full(size, 0.7), (50, 130, 40), (90, 180, 70))
    paint(picture, np.float64([(0.3, 0.82), (0.7, 0.82), (0.7, 0.48), (0.3, 0.48)]), (0.85, 0.2, 0.15))
    paint(picture, np.float64([(0.25, 0.5), (0.5, 0.26), (0.75, 0.5)]), (0.35, 0.16, 0.1))
    paint(picture, np.float64([(0.46, 0.82), (0.56, 0.82), (0.56, 0.64), (0.46, 0.64)]), (0.3, 0.18, 0.1))
    for x in (0.34, 0.6):
        paint(picture, np.float64([(x, 0.64), (x + 0.07, 0.64), (x + 0.07, 0.55), (x, 0.55)]), (0.85, 0.93, 1))
    return picture


def snow(rng, size):
    picture = ground(size, (150, 175, 205), (225, 232, 240))
    below(picture, ridge(rng, size, 0.6, 0.25, 2.0), (235, 240, 248), (205, 215, 230))
    flakes = np.random.default_rng(5)
    for x, y, radius in flakes.uniform(0, 1, (50, 3)):
        disc(picture, x, y, 0.005 + 0.007 * radius, (255, 255, 255))
    return picture


def field(rng, size):
    picture = ground(size, (70, 150, 240), (200, 225, 245))
    for x, y in ((0.25, 0.2), (0.7, 0.3)):
        for dx, r in ((-0.07, 0.05), (0, 0.075), (0.08, 0.055)):
            disc(picture, x + dx, y, r, (250, 250, 252))
    below(picture, np.full(size, 0.6), (40, 120, 30), (110, 190, 70))
    return picture


def flower(rng, size):
    picture = ground(size, (150, 205, 240), (200, 230, 200))
    paint(picture, np.float64([(0.485, 0.5), (0.515, 0.5), (0.515, 1), (0.485, 1)]), (0.15, 0.5, 0.15))
    for angle in np.arange(8) * np.pi / 4:
        disc(picture, 0.5 + 0.19 * np.cos(angle), 0.42 + 0.19 * np.sin(angle), 0.105, (235, 60, 130))
    disc(picture, 0.5, 0.42, 0.12, (250, 205, 40))
    return picture


def portrait(rng, size):
    picture = ground(size, (150, 165, 185), (90, 100, 120))
    oval = lambda x, y, a, b, colour: paint(picture, np.float64([x, y]) + np.float64([a, b]) * outline("circle"), np.float32(colour) / 255)
    oval(0.5, 1.0, 0.34, 0.24, (50, 70, 130))
    oval(0.5, 0.44, 0.25, 0.32, (70, 45, 25))
    oval(0.5, 0.72, 0.09, 0.14, (205, 155, 125))
    oval(0.5, 0.48, 0.21, 0.28, (235, 185, 155))
    oval(0.5, 0.25, 0.2, 0.09, (70, 45, 25))
    for x in (0.41, 0.59):
        oval(x, 0.45, 0.045, 0.026, (250, 250, 250))
        oval(x, 0.45, 0.02, 0.022, (50, 35, 30))
        oval(x, 0.39, 0.055, 0.011, (70, 45, 25))
    oval(0.5, 0.54, 0.026, 0.055, (215, 160, 130))
    oval(0.5, 0.65, 0.07, 0.024, (190, 70, 70))
    return picture


SCENES = {
    "sea": (sea, ["the sea", "the ocean under the sun", "a calm sea", "sun over the sea"]),
    "mountains": (mountains, ["mountains", "a mountain landscape", "mountains under a blue sky", "the alps"]),
    "night": (night, ["a night sky", "the moon and stars", "a starry night", "stars and a moon over hills"]),
    "desert": (desert, ["a desert", "sand dunes", "dunes in the desert"]),
    "forest": (forest, ["a forest", "pine trees", "a wood of fir trees", "trees"]),
    "city": (city, ["a city at night", "skyscrapers at night", "a skyline", "a city"]),
    "house": (house, ["a red house", "a house on grass", "a little red house in a meadow"]),
    "snow": (snow, ["snow", "a snowy landscape", "snow falling on hills", "winter landscape"]),
    "field": (field, ["a green field", "a meadow under a blue sky", "clouds over a green field", "grass and sky"]),
    "flower": (flower, ["a flower", "a pink flower", "a blossom"]),
    "portrait": (portrait, ["a portrait", "a face", "a portrait of a person", "a man", "a woman"]),
}  # fmt: skip


def draw(rng, size, simple=False):
    """A picture and its caption; `simple`: of a shape or a pattern."""
    kind = rng.random() * (0.68 if simple else 1)
    if kind < 0.5:
        picture, words = shape(rng, size)
    elif kind < 0.68:
        picture, words = pattern(rng, size)
    else:
        make, captions = SCENES[rng.choice(list(SCENES))]
        picture, words = make(rng, size), str(rng.choice(captions))
    return np.clip(picture, 0, 1).astype(np.float32), words
