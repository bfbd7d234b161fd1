"""Teaches the decoder what the denoiser really leaves: `decoder.py NETWORKS AUTOENCODER POOL`.

What one step predicts is smoother than what the encoder makes of a picture. The decoder alone learns to give both their
detail; encoder and denoiser stay as they are.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

from autoencoder import descend, grain, likeness, report
from denoiser import Lessons
from networks import Networks, noised, tensor


@torch.no_grad()
def predicted(networks, lessons, count, size=8):
    """Latents as one step leaves them at the strengths in use, and the pictures they stand for."""
    latents, pictures = [], []
    for _ in range(count // size):
        sources, _, wanted, _, prompts = zip(*(lessons.repaint() for _ in range(size)))
        timesteps = torch.from_numpy(lessons.rng.integers(190, 450, size))
        sources = torch.stack(sources).float()
        noisy = noised(sources, timesteps, torch.randn_like(sources))
        with torch.autocast("cpu", torch.bfloat16):
            made = networks.clean(noisy, timesteps, networks.read(list(prompts)))
        latents.append(made.half())
        pictures += wanted
    return torch.cat(latents), np.stack(pictures)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("networks", type=Path)
    options.add_argument("autoencoder", type=Path)
    options.add_argument("pool", type=Path)
    options.add_argument("--steps", type=int, default=1800)
    options.add_argument("--batch", type=int, default=8)
    options.add_argument("--side", type=int, default=12, help="of a piece, in latents")
    options.add_argument("--rate", type=float, default=6e-4)
    options.add_argument("--sharpen", type=float, default=8)
    options.add_argument("--count", type=int, default=1600)
    options.add_argument("--seed", type=int, default=11)
    asked = options.parse_args()
    began = time.time()
    torch.manual_seed(asked.seed)
    networks = Networks(asked.networks, asked.autoencoder).eval().to(memory_format=torch.channels_last)
    lessons = Lessons(networks, asked.pool, asked.seed)
    latents, pictures = predicted(networks, lessons, asked.count)
    print(f"{len(latents)} predictions after {time.time() - began:.0f} s", flush=True)
    decoder, rng = networks.autoencoder.decoder.train().requires_grad_(True), lessons.rng
    learning = list(decoder.parameters())
    optimiser = torch.optim.AdamW(learning, lr=asked.rate, weight_decay=1e-4, betas=(0.9, 0.98), fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, asked.rate, asked.steps, pct_start=0.05, final_div_factor=100)
    log, mean = [], 0.0
    for at in range(1, asked.steps + 1):
        given, wanted = [], []
        for _ in range(asked.batch):
            index = rng.integers(len(latents))
            whole, picture = latents[index], pictures[index]
            if rng.random() < 0.3:
                index = rng.integers(len(lessons.targets))
                whole, picture = lessons.latents["targets"][index], lessons.targets[index]
            top, left = rng.integers(whole.shape[-1] - asked.side + 1, size=2)
            given.append(whole[:, top : top + asked.side, left : left + asked.side])
            wanted.append(picture[8 * top : 8 * (top + asked.side), 8 * left : 8 * (left + asked.side)])
        given = torch.stack(given).float().contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            made = networks.decode(given)
        made, wanted = made.float(), tensor(np.stack(wanted))
        loss = likeness(made, wanted) + asked.sharpen * grain(made, wanted)
        descend(loss, learning, optimiser, schedule)
        mean += (loss.item() - mean) / min(at, 200)
        if at % 250 == 0:
            log.append({"step": at, "loss": round(mean, 5), "seconds": round(time.time() - began)})
            print(json.dumps(log[-1]), flush=True)
    networks.autoencoder.eval()
    networks.autoencoder.save_pretrained(asked.autoencoder)
    table = report(networks.autoencoder)
    print("SSIM, edge F1, detail of the copies:", json.dumps(table), flush=True)
    asked = {name: str(value) if isinstance(value, Path) else value for name, value in vars(asked).items()}
    entry = {"options": asked, "report": table, "losses": log}
    (networks.folder / "decoder.json").write_text(json.dumps(entry, indent=1) + "\n")


if __name__ == "__main__":
    main()
