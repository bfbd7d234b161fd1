"""Draws what the denoiser learns from, once, into a folder: sources, their targets, and scenes with captions.

    python pool.py OUT [--size 128] [--sources 4500] [--scenes 5000]

    sources.npy  uint8 [N, S, S, 3]
    targets.npy  uint8 [M, S, S, 3]     of_source.npy [M]     styles.json: M lists of names
    scenes.npy   uint8 [K, S, S, 3]     captions.json: K of [caption, styles]
"""

import argparse
import json
from multiprocessing import Pool
from pathlib import Path

import numpy as np

import scenes
from measures import bytes_of
from pictures import Pictures
from styles import STYLES, target

NAMES = list(STYLES)
# How often a source also has a mixture of two styles.
MIXED = 0.6


def draw_sources(job):
    seed, count, size, singles = job
    pictures, rng = Pictures(seed), np.random.default_rng(seed)
    sources, targets, of, styles = [], [], [], []
    for index in range(count):
        # A part of the sources are scenes, so that they too can be repainted.
        source = scenes.draw(rng, size)[0] if rng.random() < 0.1 else pictures.draw(size)
        sources.append(bytes_of(source))
        source = sources[-1].astype(np.float32) / 255
        chosen = [[name] for name in rng.choice(NAMES, singles, replace=False)]
        if rng.random() < MIXED:
            chosen.append(list(rng.choice(NAMES, 2, replace=False)))
        for names in chosen:
            targets.append(bytes_of(target(source, names)))
            of.append(index)
            styles.append([str(name) for name in names])
    return np.stack(sources), np.stack(targets), of, styles


def draw_scenes(job):
    seed, count, size, simple = job
    rng = np.random.default_rng(seed)
    pictures, captions = [], []
    for _ in range(count):
        picture, caption = scenes.draw(rng, size, simple)
        styles = [] if simple or rng.random() < 0.55 else [str(rng.choice(NAMES))]
        pictures.append(bytes_of(target(picture, styles)))
        captions.append([caption, styles])
    return np.stack(pictures), captions


def main():
    options = argparse.ArgumentParser()
    options.add_argument("out", type=Path)
    options.add_argument("--size", type=int, default=128)
    options.add_argument("--sources", type=int, default=4500)
    options.add_argument("--styles", type=int, default=5, help="single styles of each source")
    options.add_argument("--scenes", type=int, default=5000)
    options.add_argument("--simple", action="store_true", help="of the scenes only shapes and patterns, in no style")
    options.add_argument("--seed", type=int, default=100)
    asked = options.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    with Pool(2) as workers:
        jobs = [(asked.seed + part, asked.sources // 20, asked.size, asked.styles) for part in range(20)]
        parts = workers.map(draw_sources, jobs)
        jobs = [(asked.seed + 50 + part, asked.scenes // 20, asked.size, asked.simple) for part in range(20)]
        drawn = workers.map(draw_scenes, jobs)
    first = np.cumsum([0] + [len(part[0]) for part in parts[:-1]])
    np.save(asked.out / "sources.npy", np.concatenate([part[0] for part in parts]))
    np.save(asked.out / "targets.npy", np.concatenate([part[1] for part in parts]))
    of = np.concatenate([start + np.array(part[2]) for start, part in zip(first, parts)])
    np.save(asked.out / "of_source.npy", of)
    (asked.out / "styles.json").write_text(json.dumps([styles for part in parts for styles in part[3]]))
    np.save(asked.out / "scenes.npy", np.concatenate([part[0] for part in drawn]))
    (asked.out / "captions.json").write_text(json.dumps([caption for part in drawn for caption in part[1]]))


if __name__ == "__main__":
    main()
