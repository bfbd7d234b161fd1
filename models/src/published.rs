//! Configurations as published, for networks of full size without a file.
//!
//! Each is the `config.json` of its repository with the keys that change the arithmetic.

/// The denoiser of Stable Diffusion 1.5 (`stable-diffusion-v1-5/stable-diffusion-v1-5`): 860 million weights.
pub const SD15_UNET: &str = include_str!("../configs/sd15-unet.json");

/// The denoiser of SD-Turbo (`stabilityai/sd-turbo`), built like Stable Diffusion 2.1's: 866 million weights.
pub const SD_TURBO_UNET: &str = include_str!("../configs/sd-turbo-unet.json");

/// The denoiser of `SimianLuo/LCM_Dreamshaper_v7`: Stable Diffusion 1.5's with a place for the guidance.
pub const LCM_UNET: &str = include_str!("../configs/lcm-unet.json");

/// The ControlNet `lllyasviel/control_v11p_sd15_canny`.
pub const SD15_CONTROLNET: &str = include_str!("../configs/sd15-controlnet.json");

/// The ControlNet `thibaud/controlnet-sd21-canny-diffusers`.
pub const SD21_CONTROLNET: &str = include_str!("../configs/sd21-controlnet.json");

/// The safety checker `CompVis/stable-diffusion-safety-checker`: CLIP ViT-L/14, 304 million weights.
pub const SAFETY_CHECKER: &str = include_str!("../configs/safety-checker.json");

/// The autoencoder of Stable Diffusion 1.x, 2.x and SD-Turbo.
pub const SD_VAE: &str = include_str!("../configs/sd-vae.json");

/// The tiny autoencoder for the same latents (`madebyollin/taesd`).
pub const TAESD: &str = include_str!("../configs/taesd.json");

/// The text encoder of Stable Diffusion 1.x and LCM_Dreamshaper_v7: CLIP ViT-L/14, 123 million weights.
pub const SD15_TEXT: &str = include_str!("../configs/sd15-text.json");

/// The text encoder of Stable Diffusion 2.x and SD-Turbo: OpenCLIP ViT-H/14 without its last layer, 340 million weights.
pub const SD_TURBO_TEXT: &str = include_str!("../configs/sd-turbo-text.json");
