"""Writes the checkpoint as it ships: `export.py NETWORKS AUTOENCODER OUT`. f16, in diffusers' layout, 20 MB at most."""

import json
import shutil
import sys
from pathlib import Path

import torch

from networks import SCALE, Networks, scheduler

INDEX = {
    "_class_name": "StableDiffusionImg2ImgPipeline",
    "_diffusers_version": "0.42.1",
    "feature_extractor": [None, None],
    "safety_checker": [None, None],
    "requires_safety_checker": False,
    "scheduler": ["diffusers", "DDIMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderTiny"],
}
LIMIT = 20_000_000


def main(source, autoencoder, out):
    networks = Networks(source, autoencoder)
    networks.autoencoder.register_to_config(scaling_factor=SCALE)
    parts = {"text_encoder": networks.text, "unet": networks.unet, "vae": networks.autoencoder, "controlnet": networks.control}
    for name, part in parts.items():
        shutil.rmtree(out / name, ignore_errors=True)
        part.to(torch.float16).save_pretrained(out / name)
        config = json.loads((out / name / "config.json").read_text())
        # Where it was trained is nobody's business.
        config.pop("_name_or_path", None)
        (out / name / "config.json").write_text(json.dumps(config, indent=2) + "\n")
        for file in (out / name).iterdir():
            file.chmod(0o644)
    shutil.rmtree(out / "tokenizer", ignore_errors=True)
    shutil.copytree(source / "tokenizer", out / "tokenizer")
    scheduler().save_pretrained(out / "scheduler")
    (out / "model_index.json").write_text(json.dumps(INDEX, indent=2) + "\n")
    sizes = {name: sum(file.stat().st_size for file in (out / name).iterdir()) for name in [*parts, "tokenizer", "scheduler"]}
    print({name: f"{size / 1e6:.2f} MB" for name, size in sizes.items()}, f"{sum(sizes.values()) / 1e6:.2f} MB in all")
    assert sum(sizes.values()) <= LIMIT


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
