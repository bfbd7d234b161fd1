"""`server bench` beside diffusers painting the same: SD-Turbo's image-to-image, one step, 512x512, prompt cached.

Both build the full-size networks with random weights (SD-Turbo's denoiser, TAESD), both use the same threads, and they
take turns; a row is the median of the pairs. Less than 1 means that Limn is faster. At most 10 GB of memory.
"""

import argparse
import json
import os
import statistics
import subprocess
import time

import diffusers
import torch
from diffusers import AutoencoderTiny, EulerDiscreteScheduler, StableDiffusionImg2ImgPipeline, UNet2DConditionModel
from PIL import Image
from skimage import data

from server import BINARY, ROOT

SIDE = 512
# As stabilityai/sd-turbo's unet/config.json has it, where it differs from diffusers' defaults.
TURBO = {
    "sample_size": 64,
    "attention_head_dim": [5, 10, 20, 20],
    "cross_attention_dim": 1024,
    "use_linear_projection": True,
}
# One of two steps is one step at strength 0.5, timestep 499: what Limn runs by default.
STEPS = 2
STRENGTH = 0.5
TOKENS = 77
DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}


class Diffusers:
    """diffusers' own pipeline with random weights, `channels_last` its better memory format."""

    def __init__(self, dtype, channels_last, device):
        torch.manual_seed(0)
        unet = UNet2DConditionModel(**TURBO).eval().requires_grad_(False)
        # As scheduler/scheduler_config.json has it.
        scheduler = EulerDiscreteScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", timestep_spacing="trailing",
            steps_offset=1,
        )
        self.pipe = StableDiffusionImg2ImgPipeline(
            vae=AutoencoderTiny().eval().requires_grad_(False), unet=unet, scheduler=scheduler, text_encoder=None,
            tokenizer=None, safety_checker=None, feature_extractor=None, requires_safety_checker=False,
        ).to(device, DTYPES[dtype])
        if channels_last:
            self.pipe.unet.to(memory_format=torch.channels_last)
            self.pipe.vae.to(memory_format=torch.channels_last)
        self.pipe.set_progress_bar_config(disable=True)
        self.prompt = torch.randn(1, TOKENS, TURBO["cross_attention_dim"]).to(device, DTYPES[dtype])
        self.picture = Image.fromarray(data.astronaut()).resize((SIDE, SIDE))
        self.generator = torch.Generator()
        self.frame()

    def frame(self):
        """One frame, from a picture to a picture."""
        # The default seed of a session, drawn on the CPU anew for each frame, as Limn's noise is the same for each.
        self.generator.manual_seed(0)
        self.pipe(
            prompt_embeds=self.prompt, image=self.picture, strength=STRENGTH, num_inference_steps=STEPS,
            guidance_scale=0.0, generator=self.generator, output_type="pil",
        )

    def millis(self, seconds):
        """Milliseconds of a frame, the median of those that fit."""
        times, end = [], time.perf_counter() + seconds
        while not times or time.perf_counter() < end:
            start = time.perf_counter()
            self.frame()
            times.append(1000 * (time.perf_counter() - start))
        return statistics.median(times)


def limn(dtype, device, seconds):
    """Milliseconds of a frame by `server bench`: one in so many a second, everything included."""
    done = subprocess.run(
        [BINARY, "bench", "--pipeline", "img2img", "--size", f"{SIDE}x{SIDE}", "--random-weights", "--json",
         "--seconds", str(seconds), "--dtype", dtype, "--device", device],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )
    if done.returncode:
        raise RuntimeError(f"server bench ended with {done.returncode}:\n{done.stderr}")
    return 1000 / json.loads(done.stdout)["fps"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10, help="of each half of a pair")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--only", help="one comparison, as limn's dtype: f32, bf16, f16 or default")
    args = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(args.threads)
    torch.set_num_threads(args.threads)
    diffusers.logging.set_verbosity_error()
    half = "bf16" if args.device == "cpu" else "f16"
    comparisons = {
        "bf16": ("bf16", "bf16", True, 1.0),
        "f32": ("f32", "f32", True, 1.0),
        "default": (half, "f32", False, 0.5),
    }
    if args.device != "cpu":
        comparisons["f16"] = ("f16", "f16", True, 1.0)
    print("| limn | diffusers | limn ms | diffusers ms | limn / diffusers | wanted |")
    print("|---|---|---|---|---|---|")
    for name, (ours, theirs, channels_last, most) in comparisons.items():
        if args.only not in (None, name):
            continue
        peer = Diffusers(theirs, channels_last, args.device)
        pairs = [(limn(ours, args.device, args.seconds), peer.millis(args.seconds)) for _ in range(args.pairs)]
        mine, other = (statistics.median(side) for side in zip(*pairs))
        ratio = statistics.median(one / two for one, two in pairs)
        layout = "channels last" if channels_last else "as it comes"
        print(f"| {ours} | {theirs}, {layout} | {mine:.0f} | {other:.0f} | {ratio:.2f} | ≤ {most} |", flush=True)
        del peer


if __name__ == "__main__":
    main()
