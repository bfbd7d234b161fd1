"""The networks of the small checkpoint, how noisy latents are made for them, and how they paint.

What they predict is v (<https://arxiv.org/abs/2202.00512>) of latents scaled by SCALE: at unit variance the noise of the
timesteps in use would drown the picture, and one step could only give a blur.
"""

import numpy as np
import torch
from diffusers import AutoencoderTiny, ControlNetModel, DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextModel

import words

SCALE = 5.0
# The third level came last: `deepen.py`.
CHANNELS = (96, 128, 96)
HINT_CHANNELS = (16, 16, 32, 64)
LAST = 999


def scheduler():
    return DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", prediction_type="v_prediction",
        timestep_spacing="trailing", clip_sample=False, set_alpha_to_one=False, steps_offset=1,
    )  # fmt: skip


ABAR = scheduler().alphas_cumprod


def denoiser(latent_channels, width, channels=CHANNELS[:2]):
    """Attention everywhere but at the finest level and at the third, which has it in the middle block alone."""
    levels = len(channels)
    attends = ["", "CrossAttn", ""][:levels]
    return UNet2DConditionModel(
        sample_size=32,
        in_channels=latent_channels,
        out_channels=latent_channels,
        block_out_channels=channels,
        layers_per_block=1,
        down_block_types=tuple(f"{kind}DownBlock2D" for kind in attends),
        up_block_types=tuple(f"{kind}UpBlock2D" for kind in reversed(attends)),
        cross_attention_dim=width,
        # The number of heads, whatever its name says.
        attention_head_dim=(2, 4, 4)[:levels],
        norm_num_groups=16,
        use_linear_projection=True,
    )


def side_network(unet):
    """Begins as the denoiser's half. What diffusers makes zero at first is small here: edges are few pixels of many, and
    through zeros and its first kernels they would take a long training to be heard."""
    made = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=HINT_CHANNELS)
    for name, weight in made.named_parameters():
        if name.startswith("controlnet_cond_embedding") and weight.ndim > 1:
            torch.nn.init.kaiming_normal_(weight, nonlinearity="relu")
        elif name.startswith("controlnet_") and weight.ndim > 1:
            torch.nn.init.normal_(weight, std=0.02)
    return made


class Networks(torch.nn.Module):
    """All that learns, and the autoencoder, which has learnt."""

    def __init__(self, folder, autoencoder):
        super().__init__()
        self.folder = folder
        self.autoencoder = AutoencoderTiny.from_pretrained(autoencoder).eval().requires_grad_(False)
        if (folder / "unet/config.json").exists():
            self.text = CLIPTextModel.from_pretrained(folder / "text_encoder")
            self.unet = UNet2DConditionModel.from_pretrained(folder / "unet")
        else:
            self.text = words.text_encoder(words.write_tokenizer(folder / "tokenizer"))
            self.unet = denoiser(self.autoencoder.config.latent_channels, self.text.config.hidden_size)
        self.tokenizer = words.tokenizer(folder / "tokenizer")
        self.control = None
        if (folder / "controlnet/config.json").exists():
            self.control = ControlNetModel.from_pretrained(folder / "controlnet")

    def save(self):
        self.text.save_pretrained(self.folder / "text_encoder")
        self.unet.save_pretrained(self.folder / "unet")
        if self.control is not None:
            self.control.save_pretrained(self.folder / "controlnet")

    def learning(self):
        return [p for part in (self.text, self.unet, self.control) if part is not None for p in part.parameters()]

    def encode(self, pictures):
        """`[B, 3, H, W]` in 0..1 to latents of about unit variance."""
        return self.autoencoder.encode(pictures * 2 - 1).latents

    def decode(self, latents):
        return self.autoencoder.decode(latents).sample / 2 + 0.5

    def read(self, prompts):
        """`[B, 77, D]`."""
        return self.text(words.ids(self.tokenizer, prompts))[0]

    def clean(self, noisy, timesteps, conditioning, edges=None, scale=1.0):
        """The clean latents, of unit variance, that the denoiser sees in `noisy` (scaled, `[B, C, H, W]`)."""
        residuals = {}
        if edges is not None:
            down, middle = self.control(
                noisy, timesteps, conditioning, edges, conditioning_scale=scale, return_dict=False
            )
            residuals = {"down_block_additional_residuals": down, "mid_block_additional_residual": middle}
        v = self.unet(noisy, timesteps, conditioning, **residuals).sample
        signal, noise = levels(timesteps)
        return (signal * noisy.float() - noise * v.float()) / SCALE

    @torch.no_grad()
    def paint(self, latents, prompts, timesteps, seed=0, edges=None, scale=1.0):
        """From latents of unit variance (or a shape, to begin with noise) through `timesteps`, as LCM steps do."""
        draws = torch.Generator().manual_seed(seed)
        conditioning = self.read(prompts)
        shape = latents.shape if isinstance(latents, torch.Tensor) else latents
        for at in timesteps:
            noise = torch.randn(shape, generator=draws)
            at = torch.full((shape[0],), at)
            noisy = noised(latents, at, noise) if isinstance(latents, torch.Tensor) else noise
            latents = self.clean(noisy, at, conditioning, edges, scale)
        return self.decode(latents).clamp(0, 1)


def levels(timesteps):
    """Shares of signal and noise, `[B, 1, 1, 1]` each."""
    abar = ABAR[timesteps].view(-1, 1, 1, 1)
    return abar.sqrt(), (1 - abar).sqrt()


def noised(latents, timesteps, noise):
    """What the denoiser sees of clean latents of unit variance."""
    signal, rest = levels(timesteps)
    return signal * SCALE * latents + rest * noise


def tensor(pictures):
    """`[B, H, W, 3]` of bytes, or of 0..1, to `[B, 3, H, W]` in 0..1."""
    pictures = np.asarray(pictures)
    scale = 255 if pictures.dtype == np.uint8 else 1
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / scale


def arrays(pictures):
    return pictures.permute(0, 2, 3, 1).numpy()
