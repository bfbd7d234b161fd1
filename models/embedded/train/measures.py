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


def edge_f1(one, other, within=2):
    """How well the Canny edges (100, 200) of two pictures meet: F1, a pixel counting when the other has one `within`."""
    maps = [cv2.Canny(grey(picture), 100, 200) > 0 for picture in (one, other)]
    if not maps[0].any() or not maps[1].any():
        return float(not maps[0].any() and not maps[1].any())
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * within + 1, 2 * within + 1))
    near = [cv2.dilate(np.uint8(edges), disc) > 0 for edges in maps]
    precision, recall = (maps[0] & near[1]).sum() / maps[0].sum(), (maps[1] & near[0]).sum() / maps[1].sum()
    return 2 * precision * recall / max(precision + recall, 1e-9)


def detail(picture):
    """Variance of the Laplacian of the luma."""
    return cv2.Laplacian(grey(picture), cv2.CV_64F).var()
