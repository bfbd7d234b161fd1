"""Trains the tiny autoencoder on pictures and on their targets.

    python autoencoder.py OUT [--steps N] [--sharpen WEIGHT]

Latents are asked to survive a little noise, so that what the denoiser leaves of it does no harm, and to stay within what
the decoder's soft bound lets through.
"""

import argparse
import json
import time
from multiprocessing import Pool
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderTiny

import measures
from pictures import HELD_OUT, Pictures, held_out
from styles import STYLES, target

SEED = 20261125
CHANNELS = 32
WIDTH = 32
POOL = 128


def network():
    return AutoencoderTiny(
        latent_channels=CHANNELS,
        encoder_block_out_channels=(WIDTH,) * 4,
        decoder_block_out_channels=(WIDTH,) * 4,
        num_encoder_blocks=(0, 2, 3, 4),
        num_decoder_blocks=(5, 4, 2, 0),
    )


def draw(job):
    seed, count = job
    pictures, rng = Pictures(seed), np.random.default_rng(seed)
    names, out = list(STYLES), np.empty((count, POOL, POOL, 3), np.uint8)
    for index in range(count):
        chosen = [] if rng.random() < 0.35 else list(rng.choice(names, 1 if rng.random() < 0.85 else 2, replace=False))
        out[index] = measures.bytes_of(target(pictures.draw(POOL), chosen))
    return out


def crops(rng, pool, count, size):
    """`[count, 3, size, size]` in 0..1, on the grid of 8 that the patterns lie on."""
    out = torch.empty(count, 3, size, size)
    for index in range(count):
        top, left = 8 * rng.integers((POOL - size) // 8 + 1, size=2)
        piece = pool[rng.integers(len(pool)), top : top + size, left : left + size]
        out[index] = torch.from_numpy(piece).permute(2, 0, 1).float() / 255
    return out


def luma(pictures):
    """`[B, 3, H, W]` to `[B, 1, H, W]`, BT.601."""
    return (pictures * pictures.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)


def ssim(one, other):
    """Of `[B, 3, H, W]` in 0..1: of the luma, window 7, mean."""
    a, b = luma(one), luma(other)
    mean = lambda x: F.avg_pool2d(x, 7, 1)
    ma, mb = mean(a), mean(b)
    va, vb, vab = mean(a * a) - ma * ma, mean(b * b) - mb * mb, mean(a * b) - ma * mb
    c1, c2 = 0.01**2, 0.03**2
    return ((2 * ma * mb + c1) * (2 * vab + c2) / ((ma * ma + mb * mb + c1) * (va.clamp(0) + vb.clamp(0) + c2))).mean()


def slopes(one, other):
    """Mean difference of the differences between neighbours."""
    difference = one - other
    return difference.diff(dim=2).abs().mean() + difference.diff(dim=3).abs().mean()


def likeness(made, wanted):
    """The loss of a picture in 0..1."""
    return F.l1_loss(made, wanted) + 0.7 * slopes(made, wanted) + 0.35 * (1 - ssim(made, wanted))


def grain(made, wanted):
    """How far the contrast of the smallest detail differs, in squares of 8 pixels. The likeness alone rewards a blur where
    the place of a detail is unsure."""

    def contrast(pictures):
        light = luma(pictures)
        around = F.avg_pool2d(F.pad(light, (1, 1, 1, 1), mode="replicate"), 3, 1)
        return (F.avg_pool2d((light - around).square(), 8) + 1e-5).sqrt()

    return F.l1_loss(contrast(made), contrast(wanted))


def relief(made, wanted):
    """How far the steepness of the luma differs, whichever way it falls: where edges alone are known, which side of one
    is the lighter is a guess, and the mean of both guesses has no edge at all."""

    def steepness(pictures):
        light = F.avg_pool2d(luma(pictures), 3, 1)
        across, down = light.diff(dim=3)[..., 1:, :], light.diff(dim=2)[..., 1:]
        return F.avg_pool2d((across.square() + down.square() + 1e-5).sqrt(), 3, 1)

    return F.l1_loss(steepness(made), steepness(wanted))


def descend(loss, learning, optimiser, schedule):
    """One step of the optimiser down `loss`."""
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(learning, 1.0)
    optimiser.step()
    schedule.step()


@torch.no_grad()
def round_trip(model, picture):
    tensor = torch.from_numpy(picture).permute(2, 0, 1)[None].float() * 2 - 1
    return (model.decode(model.encode(tensor).latents).sample[0].permute(1, 2, 0).numpy() / 2 + 0.5).clip(0, 1)


def report(model):
    """SSIM, edge F1 and share of the detail of the held-out photographs and their targets: for each style the mean of the
    photographs."""
    table = {}
    for style in [None, *STYLES]:
        wanted = [target(held_out(name, 256), [style] if style else []) for name in HELD_OUT]
        pairs = [(round_trip(model, picture), picture) for picture in wanted]
        table[style or "photograph"] = tuple(
            round(float(np.mean([measure(*pair) for pair in pairs])), 3)
            for measure in (measures.ssim, measures.edge_f1, lambda a, b: measures.detail(a) / measures.detail(b))
        )
    table["mean"] = tuple(np.mean(list(table.values()), axis=0).round(3).tolist())
    return table


def main():
    options = argparse.ArgumentParser()
    options.add_argument("out", type=Path)
    options.add_argument("--steps", type=int, default=9000)
    options.add_argument("--batch", type=int, default=16)
    options.add_argument("--size", type=int, default=64)
    options.add_argument("--rate", type=float, default=1.5e-3)
    options.add_argument("--pool", type=int, default=6000)
    options.add_argument("--seed", type=int, default=SEED)
    options.add_argument("--sharpen", type=float, default=0, help="teach the decoder alone, with so much weight on the finest detail")
    asked = options.parse_args()
    began = time.time()
    torch.manual_seed(asked.seed)
    rng = np.random.default_rng(asked.seed)
    kept = asked.out.with_suffix(".pictures.npy")
    if not kept.exists():
        with Pool(2) as workers:
            jobs = [(asked.seed + 1 + index, asked.pool // 20) for index in range(20)]
            np.save(kept, np.concatenate(workers.map(draw, jobs)))
    pool = np.load(kept)
    print(f"{len(pool)} pictures in {time.time() - began:.0f} s", flush=True)
    model = AutoencoderTiny.from_pretrained(asked.out) if asked.sharpen else network()
    model = model.train().to(memory_format=torch.channels_last)
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters", flush=True)
    if asked.sharpen:
        model.encoder.requires_grad_(False)
    learning = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(learning, lr=asked.rate, weight_decay=1e-4, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, asked.rate, asked.steps, pct_start=0.05, final_div_factor=100)
    log, mean = [], 0.0
    for at in range(1, asked.steps + 1):
        wanted = crops(rng, pool, asked.batch, asked.size).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            latent = model.encode(wanted * 2 - 1).latents
            noisy = latent + torch.randn_like(latent) * torch.rand(len(latent), 1, 1, 1) * 0.12
            made = model.decode(noisy).sample
        made, latent = made.float() / 2 + 0.5, latent.float()
        loss = likeness(made, wanted) + asked.sharpen * grain(made, wanted) + 0.05 * F.relu(latent.abs() - 2.5).square().mean()
        # Each channel around 0 and of unit deviation: then one scaling factor serves them all.
        spread = latent.std(dim=(0, 2, 3))
        loss = loss + 0.01 * (latent.mean(dim=(0, 2, 3)).square().mean() + (spread - 1).square().mean())
        descend(loss, learning, optimiser, schedule)
        mean += (loss.item() - mean) / min(at, 200)
        if at % 250 == 0:
            log.append({"step": at, "loss": round(mean, 5), "seconds": round(time.time() - began)})
            print(json.dumps(log[-1]), f"deviation {spread.min():.2f}..{spread.max():.2f}", flush=True)
        if at % 1500 == 0 or at == asked.steps:
            model.eval()
            model.save_pretrained(asked.out)
            table = report(model)
            print("SSIM, edge F1, detail:", table["mean"], "photograph", table["photograph"], flush=True)
            model.train()
    print(json.dumps(table))
    (asked.out / "log.json").write_text(json.dumps({"options": {**vars(asked), "out": None}, "report": table, "losses": log}, indent=1) + "\n")


if __name__ == "__main__":
    main()
