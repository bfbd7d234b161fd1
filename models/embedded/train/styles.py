"""The styles that a prompt can name: image operators, their words, and how two of them mix.

A picture is float32 `[H, W, 3]`, RGB in 0..1. Every operator is a function of the picture alone, so that one picture has
one target; patterns (tiles, scan lines) lie on a grid of 8 pixels that begins at the top left corner, as latents do.
"""

import cv2
import numpy as np


def luma(picture):
    """BT.601 luma, `[H, W]`."""
    return picture @ np.float32([0.299, 0.587, 0.114])


def blur(picture, sigma):
    return cv2.GaussianBlur(picture, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)


def step(value, middle, softness):
    """0 below `middle`, 1 above it, with a soft edge."""
    return 1 / (1 + np.exp(np.clip((middle - value) / softness, -30, 30)))


def saturate(picture, factor):
    grey = luma(picture)[..., None]
    return np.clip(grey + (picture - grey) * factor, 0, 1)


def contrast(value, factor):
    return np.clip((value - 0.5) * factor + 0.5, 0, 1)


def gradient(grey, sigma):
    """Length of the gradient of the blurred luma; an edge from black to white has about 1."""
    soft = blur(grey, sigma)
    across = cv2.Sobel(soft, cv2.CV_32F, 1, 0, ksize=3, borderType=cv2.BORDER_REFLECT)
    down = cv2.Sobel(soft, cv2.CV_32F, 0, 1, ksize=3, borderType=cv2.BORDER_REFLECT)
    return np.hypot(across, down) / 2


def lines(picture, sigma=1.0, middle=0.1, softness=0.025):
    """Outlines, 0..1."""
    channels = [gradient(np.ascontiguousarray(picture[..., c]), sigma) for c in range(3)]
    return step(np.max(channels, axis=0), middle, softness)


def kuwahara(picture, radius):
    """The mean of the calmest of four quadrants (Kuwahara 1976): flat strokes with sharp borders."""
    side = radius + 1
    padded = cv2.copyMakeBorder(picture, radius, radius, radius, radius, cv2.BORDER_REFLECT)
    height, width = picture.shape[:2]
    mean = cv2.boxFilter(padded, -1, (side, side), anchor=(0, 0), borderType=cv2.BORDER_REFLECT)
    square = cv2.boxFilter(padded * padded, -1, (side, side), anchor=(0, 0), borderType=cv2.BORDER_REFLECT)
    spread = (square - mean * mean).sum(2)
    best, least = None, None
    for top, left in ((0, 0), (0, radius), (radius, 0), (radius, radius)):
        here, how = (
            mean[top : top + height, left : left + width],
            spread[top : top + height, left : left + width],
        )
        if best is None:
            best, least = here.copy(), how.copy()
        else:
            calmer = how < least
            best[calmer], least[calmer] = here[calmer], how[calmer]
    return best


def ramp(grey, *stops):
    """A gradient map: `stops` are (luma, (r, g, b) of 255)."""
    places = [place for place, _ in stops]
    return np.stack([np.interp(grey, places, [colour[c] / 255 for _, colour in stops]) for c in range(3)], -1).astype(
        np.float32
    )


def over(ground, colour, amount):
    return ground * (1 - amount[..., None]) + np.float32(colour) * amount[..., None]


def neon(picture):
    colours = picture / np.maximum(picture.max(2, keepdims=True), 0.05)
    colours = np.clip(saturate(colours, 2.2), 0, 1)
    tubes = lines(picture, 1.0, 0.14, 0.03)[..., None] * (0.2 + 0.8 * blur(colours, 2))
    night = np.float32([0.04, 0.01, 0.1]) + 0.08 * picture
    return night + tubes + 0.5 * blur(tubes, 4)


def pencil(picture):
    grey = luma(picture)
    dodged = grey / np.maximum(blur(grey, 5), 0.04)
    shade = 0.82 + 0.18 * blur(grey, 3)
    return np.repeat((np.clip(dodged, 0, 1) ** 2.2 * shade)[..., None], 3, 2)


def oil(picture):
    strokes = kuwahara(kuwahara(blur(picture, 1), 4), 3)
    return blur(contrast(saturate(strokes, 1.9), 1.35), 0.7)


def watercolour(picture):
    """Line and wash: pale colours that run into each other and leave the paper white where it is light, under a pen's lines."""
    washes = blur(saturate(picture, 2.4), 2.5)
    thin = 1 - (1 - washes) * (0.55 - 0.3 * step(luma(washes), 0.62, 0.06))[..., None]
    return over(thin * np.float32([1.0, 0.985, 0.95]), (0.14, 0.1, 0.26), 0.8 * lines(picture, 1.2, 0.12, 0.025))


def comic(picture):
    """Bright flat colours, shadows in one blue, and outlines of black."""
    flat = kuwahara(picture, 3)
    grey = luma(flat)
    levels = (0.45 + sum(step(grey, middle, 0.03) for middle in (0.42, 0.66)) * 0.26)[..., None]
    coloured = saturate(flat / np.maximum(grey, 0.06)[..., None] * levels, 2.2)
    shaded = over(coloured, (0.1, 0.12, 0.36), 0.85 * step(-grey, -0.22, 0.03))
    return over(shaded, (0, 0, 0), lines(picture, 1.3, 0.11, 0.02))


def sunset(picture):
    return ramp(
        luma(picture), (0, (22, 4, 50)), (0.3, (120, 26, 90)), (0.55, (228, 78, 50)), (0.8, (255, 176, 62)), (1, (255, 242, 180))
    )


def ice(picture):
    return ramp(contrast(luma(picture), 1.15), (0, (2, 12, 44)), (0.4, (24, 96, 160)), (0.7, (120, 204, 240)), (1, (246, 254, 255)))


def pop_art(picture):
    """Four inks, laid by how light it is, and a black key for the lines."""
    grey = luma(kuwahara(picture, 3))
    out = np.broadcast_to(np.float32([0.13, 0.05, 0.45]), picture.shape)
    for middle, colour in ((0.25, (0.92, 0.02, 0.5)), (0.48, (0.0, 0.72, 0.78)), (0.7, (1.0, 0.86, 0.0))):
        out = over(out, colour, step(grey, middle, 0.03))
    return over(blur(out.astype(np.float32), 0.7), (0.05, 0.0, 0.12), 0.9 * lines(picture, 1.1, 0.12, 0.025))


def mosaic(picture):
    height, width = picture.shape[:2]
    tiles = cv2.resize(picture, (max(1, width // 8), max(1, height // 8)), interpolation=cv2.INTER_AREA)
    tiles = cv2.resize(saturate(tiles, 1.6), (width, height), interpolation=cv2.INTER_NEAREST)
    y, x = np.mgrid[:height, :width] % 8
    light = np.where((y == 1) | (x == 1), 1.25, 1.0) * np.where((y == 0) | (x == 0), 0.0, 1.0)
    return np.where(light[..., None] > 0, tiles * light[..., None], 0.16).astype(np.float32)


def blueprint(picture):
    grey = luma(picture)
    ground = np.float32([0.03, 0.2, 0.55]) * (0.65 + 0.6 * blur(grey, 2))[..., None]
    return over(ground, (0.92, 0.97, 1.0), 0.95 * lines(picture, 1.0, 0.09, 0.03))


def night_vision(picture):
    bright = np.clip(luma(picture), 0, 1) ** 0.75
    scan = np.where(np.arange(picture.shape[0]) % 4 < 2, 1.0, 0.72).astype(np.float32)[:, None]
    return np.stack([0.12 * bright**2, 0.06 + 0.9 * bright, 0.16 * bright], -1) * scan[..., None]


def ink(picture):
    grey = blur(luma(picture), 0.8)
    brush = step(grey - 0.93 * blur(grey, 6), -0.012, 0.012)
    wash = step(grey, 0.24, 0.03)
    return over(np.broadcast_to(np.float32([0.06, 0.05, 0.06]), picture.shape), (0.97, 0.94, 0.86), brush * wash)


def thermal(picture):
    return ramp(
        blur(luma(picture), 0.7),
        (0, (0, 0, 70)), (0.25, (20, 50, 235)), (0.45, (0, 165, 205)), (0.6, (60, 205, 40)), (0.75, (250, 225, 0)), (0.9, (255, 150, 60)), (1, (255, 235, 235)),
    )  # fmt: skip


def vintage(picture):
    grey = 0.12 + 0.76 * luma(picture)
    return ramp(grey, (0, (30, 18, 8)), (0.5, (150, 112, 72)), (1, (255, 240, 208)))


def x_ray(picture):
    grey = 1 - contrast(luma(blur(picture, 0.5)), 1.2)
    return ramp(grey, (0, (0, 2, 8)), (0.5, (70, 106, 124)), (1, (226, 250, 255)))


# Name: (operator, what else people call it, whether it is about line and surface (0) or about colour (1)).
STYLES = {
    "neon": (neon, ["neon lights", "neon glow", "cyberpunk", "glowing lines", "tron", "synthwave"], 0),
    "pencil sketch": (pencil, ["pencil", "pencil drawing", "sketch", "graphite drawing", "charcoal sketch", "hand drawn"], 0),
    "oil painting": (oil, ["oil", "oil on canvas", "painting", "impasto", "painted in oils", "impressionist painting"], 0),
    "watercolour": (watercolour, ["watercolor", "watercolour painting", "watercolor painting", "aquarelle", "gouache"], 0),
    "comic": (comic, ["comic book", "cartoon", "cel shaded", "graphic novel", "anime", "toon"], 0),
    "sunset": (sunset, ["at sunset", "golden hour", "sunset light", "dusk", "warm evening light", "sundown"], 1),
    "ice": (ice, ["frozen", "icy", "frost", "winter cold", "glacier", "made of ice"], 1),
    "pop art": (pop_art, ["pop-art", "warhol", "screen print", "silkscreen", "andy warhol poster", "poster"], 0),
    "mosaic": (mosaic, ["tiles", "mosaic tiles", "roman mosaic", "tesserae", "pixel art", "tiled"], 0),
    "blueprint": (blueprint, ["technical drawing", "architect's plan", "cyanotype", "schematic", "construction plan"], 0),
    "night vision": (night_vision, ["night-vision", "green goggles", "nightvision camera", "infrared goggles", "surveillance camera"], 1),
    "ink": (ink, ["ink drawing", "black ink", "sumi-e", "pen and ink", "linocut", "woodcut", "brush and ink"], 0),
    "thermal": (thermal, ["thermal camera", "heat map", "infrared", "thermography", "heat vision"], 1),
    "vintage": (vintage, ["sepia", "old photograph", "daguerreotype", "antique photo", "nostalgic"], 1),
    "x-ray": (x_ray, ["xray", "x ray", "radiograph", "negative", "inverted"], 1),
}  # fmt: skip


def target(picture, names):
    """`picture` in the styles `names`: none, one or two. Of two, the one about lines works first and the one about
    colours on its result; two of a kind are mixed half and half."""
    picture = picture.astype(np.float32)
    if len(names) == 2 and STYLES[names[0]][2] == STYLES[names[1]][2]:
        return (target(picture, names[:1]) + target(picture, names[1:])) / 2
    for name in sorted(names, key=lambda name: STYLES[name][2]):
        picture = np.clip(STYLES[name][0](picture), 0, 1).astype(np.float32)
    return picture
