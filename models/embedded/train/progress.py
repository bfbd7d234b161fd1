"""How far the networks are: the measures of the held-out photographs in every style, and pictures to look at."""

import cv2
import numpy as np

import measures
from autoencoder import round_trip
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
    return tensor(np.repeat(measures.edges(picture)[None, ..., None], 3, -1))


def report(networks, folder):
    lines, held, rows = [], [], []
    for name in HELD_OUT:
        picture = held_out(name, SIZE)
        latent = networks.encode(tensor(picture[None])).detach()
        targets = {style: target(picture, [style]) for style in STYLES}
        labs = {style: measures.lab(each) for style, each in targets.items()}
        row, row_control = [arrays(networks.paint(latent, [""], [TIMESTEP]))[0]], [arrays(edges(picture))[0]]
        empty = measures.ssim(row[0], round_trip(networks.autoencoder, picture))
        for style, wanted in targets.items():
            copy = round_trip(networks.autoencoder, wanted)
            row.append(arrays(networks.paint(latent, [style], [TIMESTEP]))[0])
            lines.append(measures.standing(row[-1], style, picture, targets, labs, copy))
            if networks.control is not None:
                row_control.append(arrays(networks.paint(latent.shape, [style], [999], edges=edges(picture)))[0])
                held.append(measures.standing(row_control[-1], style, picture, targets, labs, copy))
        rows += [row] + ([row_control] if networks.control is not None else [])
    shape = (len(SEEN), networks.autoencoder.config.latent_channels, SIZE // 8, SIZE // 8)
    seen = list(arrays(networks.paint(shape, SEEN, [999, 759, 499, 259])))
    rows.append(seen + [np.zeros_like(seen[0])] * (len(rows[0]) - len(seen)))
    sheet = np.concatenate([np.concatenate([cv2.resize(p, (160, 160), interpolation=cv2.INTER_AREA) for p in row], 1) for row in rows])
    cv2.imwrite(str(folder / "progress.png"), measures.bytes_of(sheet)[..., ::-1])
    rounded = lambda table: {style: round(value, 2) for style, value in table.items()}
    return {
        "nearest": round(measures.share(lines, "nearest"), 3),
        "empty": round(float(empty), 3),
        "detail within": round(measures.share(lines, "detailed"), 3),
        "edges within": round(measures.share(lines, "edged"), 3),
        "edges": rounded(measures.by_style(lines, "edges")),
        "detail": rounded(measures.by_style(lines, "detail")),
        "control": [round(measures.share(held, field), 3) for field in ("edges", "edged")] if held else None,
    }
