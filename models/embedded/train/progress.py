"""How far the networks are: the measures of the held-out photographs in every style, and pictures to look at."""

import cv2
import numpy as np
import torch

import measures
from networks import arrays, tensor
from pictures import HELD_OUT, held_out
from styles import STYLES, target

SIZE = 256
TIMESTEP = 299
SEEN = [
    "a red circle on a blue background", "a yellow star on the left on black", "green and white vertical stripes", "the sea",
    "a night sky", "a red house, pencil sketch", "a city at night, neon", "a portrait, oil painting",
]  # fmt: skip


def edges(picture):
    return tensor(np.repeat(cv2.Canny(measures.grey(picture), 100, 200)[None, ..., None], 3, -1))


def report(networks, folder):
    photographs = {name: held_out(name, SIZE) for name in HELD_OUT}
    nearest, details, ratios, held, rows = [], [], [], [], []
    for picture in photographs.values():
        latent = networks.encode(tensor(picture[None])).detach()
        targets = {style: target(picture, [style]) for style in STYLES}
        row, row_control = [picture], [arrays(edges(picture))[0]]
        made = arrays(networks.paint(latent, [""], [TIMESTEP]))[0]
        copy = arrays(networks.decode(latent).detach())[0].clip(0, 1)
        row[0] = made
        empty = measures.ssim(made, copy)
        for style, wanted in targets.items():
            made = arrays(networks.paint(latent, [style], [TIMESTEP]))[0]
            to = {other: measures.distance(made, t) for other, t in targets.items()}
            mine = to.pop(style)
            best = measures.edge_f1(arrays(networks.decode(networks.encode(tensor(wanted[None]))).detach())[0], wanted)
            nearest.append(mine < min(to.values()) and mine < measures.distance(picture, wanted))
            details.append(measures.detail(made) / measures.detail(wanted))
            ratios.append(measures.edge_f1(made, wanted) / max(best, 1e-3))
            row.append(made)
            if networks.control is not None:
                made = arrays(networks.paint(latent.shape, [style], [999], edges=edges(picture)))[0]
                held.append(measures.edge_f1(made, wanted) / max(best, 1e-3))
                row_control.append(made)
        rows += [row] + ([row_control] if networks.control is not None else [])
    count = len(rows[0])
    shape = (len(SEEN), networks.autoencoder.config.latent_channels, SIZE // 8, SIZE // 8)
    seen = list(arrays(networks.paint(shape, SEEN, [999, 759, 499, 259])))
    rows.append(seen + [np.zeros_like(seen[0])] * (count - len(seen)))
    sheet = np.concatenate([np.concatenate([cv2.resize(p, (160, 160), interpolation=cv2.INTER_AREA) for p in row], 1) for row in rows])
    cv2.imwrite(str(folder / "progress.png"), measures.bytes_of(sheet)[..., ::-1])
    by_style = np.array(ratios).reshape(len(photographs), -1)
    return {
        "nearest": round(float(np.mean(nearest)), 3),
        "empty": round(float(empty), 3),
        "detail within": round(float(np.mean([0.4 <= d <= 2.5 for d in details])), 3),
        "edges within": round(float(np.mean([r >= 0.6 for r in ratios])), 3),
        "edges": dict(zip(STYLES, by_style.mean(0).round(2).tolist())),
        "detail": dict(zip(STYLES, np.array(details).reshape(len(photographs), -1).mean(0).round(2).tolist())),
        "control": [round(float(np.mean(held)), 3), round(float(np.mean([h >= 0.6 for h in held])), 3)] if held else None,
    }
