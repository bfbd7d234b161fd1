"""Gives the denoiser and its ControlNet one more, coarser level: `deepen.py NETWORKS`.

At an eighth of the latents' size the borders are a few pixels from everywhere: that is where a picture from noise alone
gets its composition. All weights whose place is still there stay; the middle and the new level begin anew.
"""

import sys
from pathlib import Path

import torch
from diffusers import ControlNetModel, UNet2DConditionModel

from networks import CHANNELS, denoiser, side_network


def keep(made, old, name_of=lambda name: name):
    """Copies from `old` what fits into `made`; `name_of` says what a weight was called there."""
    kept, weights = old.state_dict(), made.state_dict()
    fitting = {
        name: kept[name_of(name)]
        for name, weight in weights.items()
        if not name.startswith("mid_block") and name_of(name) in kept and kept[name_of(name)].shape == weight.shape
    }
    made.load_state_dict(fitting, strict=False)
    print(f"{type(made).__name__}: {len(fitting)} of {len(weights)} stay")


def before(name):
    """The way up begins one block earlier now."""
    if not name.startswith("up_blocks."):
        return name
    _, level, rest = name.split(".", 2)
    return f"up_blocks.{int(level) - 1}.{rest}"


def main(folder):
    torch.manual_seed(31)
    old = UNet2DConditionModel.from_pretrained(folder / "unet")
    unet = denoiser(old.config.in_channels, old.config.cross_attention_dim, CHANNELS)
    keep(unet, old, before)
    control = side_network(unet)
    keep(control, ControlNetModel.from_pretrained(folder / "controlnet"))
    unet.save_pretrained(folder / "unet")
    control.save_pretrained(folder / "controlnet")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
