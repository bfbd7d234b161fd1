//! Picture to latent and back, by the checkpoint's own autoencoder or the tiny one that stands in for it.

use limn_models::taesd::AutoencoderTiny;
use limn_models::vae::AutoencoderKl;
use tch::{TchError, Tensor};

/// Either autoencoder, in the denoiser's scale on the latent's side.
pub enum Autoencoder {
    /// The checkpoint's own: slow and exact.
    Large(Box<AutoencoderKl>),
    /// TAESD: a tenth of the time.
    Tiny(Box<AutoencoderTiny>),
}

impl Autoencoder {
    /// Whether [`Autoencoder::encode`] takes a draw of noise: the large one gives a distribution, of which diffusers
    /// draws a sample before it draws anything else.
    pub fn samples(&self) -> bool {
        matches!(self, Self::Large(_))
    }

    /// `picture` `[B, 3, H, W]`, RGB in -1..1, to a latent `[B, 4, H/8, W/8]`. `noise` of the latent's shape, if
    /// [`Autoencoder::samples`]; without it the likeliest latent is taken.
    ///
    /// # Errors
    /// What torch refuses.
    pub fn encode(&self, picture: &Tensor, noise: Option<&Tensor>) -> Result<Tensor, TchError> {
        match self {
            Self::Tiny(tiny) => tiny.scale(&tiny.encode(picture)?),
            Self::Large(large) => {
                let moments = large.encode(picture)?;
                let latent = match noise {
                    Some(noise) => moments.sample(&noise.f_to_kind(moments.mean.kind())?)?,
                    None => moments.mode(),
                };
                large.scale(&latent)
            }
        }
    }

    /// `latent` `[B, 4, H/8, W/8]` to a picture `[B, 3, H, W]`, RGB in about -1..1.
    ///
    /// # Errors
    /// What torch refuses.
    pub fn decode(&self, latent: &Tensor) -> Result<Tensor, TchError> {
        match self {
            Self::Tiny(tiny) => tiny.decode(&tiny.unscale(latent)?),
            Self::Large(large) => large.decode(&large.unscale(latent)?),
        }
    }
}
