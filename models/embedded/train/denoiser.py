"""Trains the denoiser and the text encoder together; with --control also the ControlNet, beside them.

    python denoiser.py OUT --autoencoder DIR --pool DIR [--control] [--steps N] [--batch B]

A step mixes three lessons. Repaint: a noisy latent of a picture, words for a style, the latent of the picture in that
style; now and then the picture is in that style already, for a run of several steps sees its own work. Scenes: a
noisy latent, or noise alone, a caption, the scene. Edges (--control): the same two from noise and a map of edges.
Losses are L1 + L2 of the clean latent, and for a part of the batch the likeness of the decoded picture.
"""

import argparse
import json
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

import words
from autoencoder import descend, grain, likeness, relief
from networks import LAST, Networks, noised, side_network, tensor
from progress import report


@torch.no_grad()
def encoded(networks, pictures):
    """Latents of bytes `[N, H, W, 3]`."""
    with torch.autocast("cpu", torch.bfloat16):
        parts = [networks.encode(tensor(pictures[at : at + 64])).half() for at in range(0, len(pictures), 64)]
    return torch.cat(parts)


class Lessons:
    """Pictures and their latents, by pool."""

    def __init__(self, networks, folder, seed):
        self.rng = np.random.default_rng(seed)
        load = lambda name: np.load(folder / f"{name}.npy")
        self.sources, self.targets, self.scenes, self.of = map(load, ("sources", "targets", "scenes", "of_source"))
        self.styles = json.loads((folder / "styles.json").read_text())
        self.captions = json.loads((folder / "captions.json").read_text())
        kept = folder / "latents.pt"
        if not kept.exists():
            torch.save({name: encoded(networks, getattr(self, name)) for name in ("sources", "targets", "scenes")}, kept)
        self.latents = torch.load(kept)
        everything = self.latents["targets"].float()
        print("latents: deviation", everything.std().item(), "mean", everything.mean().item(), flush=True)

    def repaint(self):
        rng = self.rng
        if rng.random() < 0.14:
            index = rng.integers(len(self.sources))
            source = self.latents["sources"][index]
            return source, source, self.sources[index], self.sources[index], words.prompt(rng, [])
        index = rng.integers(len(self.targets))
        of = self.of[index]
        target = self.latents["targets"][index]
        source = target if rng.random() < 0.15 else self.latents["sources"][of]
        return source, target, self.targets[index], self.sources[of], words.prompt(rng, self.styles[index])

    def scene(self):
        index = self.rng.integers(len(self.scenes))
        latent = self.latents["scenes"][index]
        caption, styles = self.captions[index]
        return latent, latent, self.scenes[index], self.scenes[index], words.prompt(self.rng, styles, caption)

    def batch(self, size, scenes, edges, alone):
        """Noisy latents, timesteps, prompts, clean latents, pictures, maps of edges (where asked for)."""
        rng = self.rng
        chosen = [self.scene() if rng.random() < scenes else self.repaint() for _ in range(size)]
        sources, targets, pictures, plain, prompts = zip(*chosen)
        from_scene = np.array([source is target for source, target in zip(sources, targets)])
        # Half of the repainting is at the strengths that people use.
        repaint = np.where(rng.random(size) < 0.5, rng.uniform(150, 450, size), 40 + 950 * rng.beta(1.3, 1.4, size))
        timesteps = np.where(from_scene, rng.integers(60, LAST, size), repaint).astype(int)
        # Noise alone, as where painting starts from words; and the little that is left of a picture at full strength.
        chance = rng.random(size)
        pure = chance < (0.25 if edges else alone * from_scene)
        faint = ~pure & (chance > (0.5 if edges else 0.97))
        timesteps = torch.from_numpy(np.where(pure | faint, LAST, timesteps))
        sources, targets = torch.stack(sources).float(), torch.stack(targets).float()
        noise = torch.randn_like(sources)
        noisy = torch.where(torch.from_numpy(pure).view(-1, 1, 1, 1), noise, noised(sources, timesteps, noise))
        maps = None
        if edges:
            maps = [cv2.Canny(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), 100, 200) for picture in plain]
            maps = torch.from_numpy(np.stack(maps)).float()[:, None].expand(-1, 3, -1, -1) / 255
        return noisy, timesteps, list(prompts), targets, pictures, maps


def main():
    options = argparse.ArgumentParser()
    options.add_argument("out", type=Path)
    options.add_argument("--autoencoder", type=Path, required=True)
    options.add_argument("--pool", type=Path, required=True)
    options.add_argument("--steps", type=int, default=10000)
    options.add_argument("--stop", type=int, help="end after this step of the schedule")
    options.add_argument("--batch", type=int, default=24)
    options.add_argument("--rate", type=float, default=8e-4)
    options.add_argument("--warm", type=float, default=0.05)
    options.add_argument("--decoded", type=int, default=3, help="pictures of a batch that are decoded for the loss")
    options.add_argument("--latent", type=float, default=1.0, help="weight of the latents' loss")
    options.add_argument("--pure", type=float, default=0.3, help="scenes that are painted from noise alone")
    options.add_argument("--weight", type=float, default=0.5, help="of the decoded pictures' loss")
    options.add_argument("--grain", type=float, default=2.0, help="of the contrast of small detail in that")
    options.add_argument("--relief", type=float, default=0.0, help="of the steepness where edges are given")
    options.add_argument("--scenes", type=float, default=0.3)
    options.add_argument("--control", action="store_true")
    options.add_argument("--control-every", type=int, default=2, help="one step of so many is about edges")
    options.add_argument("--control-rate", type=float, default=2.0, help="of the ControlNet, as a multiple of --rate")
    options.add_argument("--average", type=float, default=0.998)
    options.add_argument("--seed", type=int, default=7)
    options.add_argument("--look", type=int, default=1500)
    asked = options.parse_args()
    began = time.time()
    torch.manual_seed(asked.seed)
    networks = Networks(asked.out, asked.autoencoder)
    if asked.control and networks.control is None:
        networks.control = side_network(networks.unet)
    for name in ("text", "unet", "control"):
        if (part := getattr(networks, name)) is not None:
            print(name, f"{sum(p.numel() for p in part.parameters()) / 1e6:.2f} M", flush=True)
    lessons = Lessons(networks, asked.pool, asked.seed)
    networks.train()
    networks.autoencoder.eval()
    networks.to(memory_format=torch.channels_last)
    learning = networks.learning()
    average = [p.detach().clone() for p in learning]
    side = set(networks.control.parameters()) if networks.control is not None else set()
    groups = [{"params": [p for p in learning if p not in side]}, {"params": [p for p in learning if p in side]}]
    groups = [group for group in groups if group["params"]]
    # The ControlNet is younger than the rest, and learns faster.
    rates = [asked.rate, asked.rate * asked.control_rate][: len(groups)]
    optimiser = torch.optim.AdamW(groups, lr=asked.rate, weight_decay=1e-3, betas=(0.9, 0.99), fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rates, asked.steps, pct_start=asked.warm, final_div_factor=50)
    print(f"ready after {time.time() - began:.0f} s", flush=True)
    log, means = [], np.zeros(2)
    end = asked.stop or asked.steps
    for at in range(1, end + 1):
        edges = asked.control and at % asked.control_every == 0
        noisy, timesteps, prompts, targets, pictures, maps = lessons.batch(asked.batch, asked.scenes / 2 if edges else asked.scenes, edges, asked.pure)
        noisy = noisy.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            made = networks.clean(noisy, timesteps, networks.read(prompts), maps)
            # Where noise is nearly all there is, no detail can be asked, unless edges say where it lies.
            clear = torch.arange(len(timesteps)) if edges else (timesteps < 700).nonzero().flatten()
            decoded = clear[: asked.decoded]
            shown = networks.decode(made[decoded]).float() if len(decoded) else None
        error = made - targets
        latent = (error.abs() + error.square()).mean()
        seen = torch.zeros(())
        if shown is not None:
            wanted = tensor(np.stack([pictures[i] for i in decoded]))
            seen = likeness(shown, wanted) + asked.grain * grain(shown, wanted)
            if edges:
                seen = seen + asked.relief * relief(shown, wanted)
        descend(asked.latent * latent + asked.weight * seen, learning, optimiser, schedule)
        torch._foreach_lerp_(average, [p.detach() for p in learning], 1 - min(asked.average, at / (at + 20)))
        means += (np.array([latent.item(), seen.item()]) - means) / min(at, 200)
        if at % 250 == 0:
            log.append({"step": at, "latent": round(means[0], 4), "decoded": round(means[1], 4), "seconds": round(time.time() - began)})
            print(json.dumps(log[-1]), flush=True)
        if at % asked.look == 0 or at == end:
            kept = [p.detach().clone() for p in learning]
            with torch.no_grad():
                for p, mean in zip(learning, average):
                    p.copy_(mean)
            networks.eval()
            networks.save()
            print(json.dumps(report(networks, asked.out)), flush=True)
            networks.train()
            networks.autoencoder.eval()
            if at < end:
                with torch.no_grad():
                    for p, old in zip(learning, kept):
                        p.copy_(old)
    history = asked.out / "log.json"
    entries = json.loads(history.read_text()) if history.exists() else []
    entries.append({"options": {k: str(v) if isinstance(v, Path) else v for k, v in vars(asked).items()}, "losses": log})
    history.write_text(json.dumps(entries, indent=1) + "\n")


if __name__ == "__main__":
    # Faster than the flash kernels on a CPU, where the sequences are this short.
    with sdpa_kernel(SDPBackend.MATH):
        main()
