"""How near a picture is to its target. Pictures are float `[H, W, 3]`, RGB in 0..1."""

import cv2
import numpy as np
from skimage.color import rgb2lab
from skimage.metrics import structural_similarity


def bytes_of(picture):
    return np.uint8(np.clip(np.asarray(picture) * 255 + 0.5, 0, 255))


def grey(picture):
    return cv2.cvtColor(bytes_of(picture), cv2.COLOR_RGB2GRAY)


def ssim(one, other):
    """Structural similarity of the luma, window 7."""
    return structural_similarity(grey(one), grey(other), data_range=255)


def lab(picture):
    return rgb2lab(bytes_of(picture))


def distance(one, other, labs=None):
    """D = (1 - SSIM) + the mean Lab distance / 50; `labs` if somebody has them already."""
    first, second = labs or (lab(one), lab(other))
    return 1 - ssim(one, other) + np.linalg.norm(first - second, axis=-1).mean() / 50


def edges(picture):
    """Canny's (100, 200), bytes: what a ControlNet sees."""
    return cv2.Canny(grey(picture), 100, 200)


def edge_f1(one, other, within=2):
    """How well the Canny edges (100, 200) of two pictures meet: F1, a pixel counting when the other has one `within`."""
    maps = [edges(picture) > 0 for picture in (one, other)]
    if not maps[0].any() or not maps[1].any():
        return float(not maps[0].any() and not maps[1].any())
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * within + 1, 2 * within + 1))
    near = [cv2.dilate(np.uint8(each), disc) > 0 for each in maps]
    precision, recall = (maps[0] & near[1]).sum() / maps[0].sum(), (maps[1] & near[0]).sum() / maps[1].sum()
    return 2 * precision * recall / max(precision + recall, 1e-9)


def detail(picture):
    """Variance of the Laplacian of the luma."""
    return cv2.Laplacian(grey(picture), cv2.CV_64F).var()


def standing(made, style, picture, targets, labs, copy):
    """How `made` of `picture` stands among the `targets` of all styles (`labs` are theirs), when `style` was asked for:
    whether it is nearest to its own, how much of that target's detail it has, and how much of the edge F1 that the
    autoencoder's `copy` of the target reaches; and whether it is right in all three."""
    wanted, own = targets[style], lab(made)
    near = {other: distance(made, each, (own, labs[other])) for other, each in targets.items()}
    mine = near.pop(style)
    line = {
        "style": style,
        "distance": mine,
        "next": min(near, key=near.get),
        "nearest": mine < min(near.values()) and mine < distance(picture, wanted),
        "detail": detail(made) / max(detail(wanted), 1e-9),
        "edges": edge_f1(made, wanted) / max(edge_f1(copy, wanted), 1e-9),
    }
    line["detailed"] = 0.4 <= line["detail"] <= 2.5
    line["edged"] = line["edges"] >= 0.6
    line["right"] = line["nearest"] and line["detailed"] and line["edged"]
    return line


def share(lines, field):
    return float(np.mean([line[field] for line in lines]))


def by_style(lines, field):
    """The mean of `field` for each style."""
    styles = dict.fromkeys(line["style"] for line in lines)
    return {style: share([line for line in lines if line["style"] == style], field) for style in styles}
