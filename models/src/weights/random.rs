//! Weights without a file.

use tch::{Device, Kind, Tensor};

use super::WeightsError;

/// Numbers drawn once and dealt round and round. A prime, so that the rows of no matrix repeat each other.
const POOL: usize = 1_048_583;

/// A dealer of weights: deterministic in its seed and in the order of asking.
pub(super) struct Random {
    /// Uniform, mean 0, variance 1, in the kind last asked for; on the CPU.
    pool: Tensor,
    /// Where the next tensor begins.
    at: i64,
}

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        let mut state = seed;
        let half_width = 3f32.sqrt(); // of the uniform distribution whose variance is 1
        let numbers: Vec<f32> = (0..POOL)
            .map(|_| {
                let unit = (split_mix(&mut state) >> 40) as f32 / (1u64 << 24) as f32;
                (2.0 * unit - 1.0) * half_width
            })
            .collect();
        Self {
            pool: Tensor::from_slice(&numbers),
            at: 0,
        }
    }

    pub(super) fn tensor(
        &mut self,
        key: &str,
        shape: &[i64],
        kind: Kind,
    ) -> Result<Tensor, WeightsError> {
        let options = (kind, Device::Cpu);
        if shape.len() < 2 {
            return Ok(if key.ends_with("weight") {
                Tensor::f_ones(shape, options)?
            } else {
                Tensor::f_zeros(shape, options)?
            });
        }
        if self.pool.kind() != kind {
            self.pool = self.pool.f_to_kind(kind)?;
        }
        let numel: i64 = shape.iter().product();
        let flat = Tensor::f_empty([numel], options)?;
        let mut filled = 0;
        while filled < numel {
            let length = (POOL as i64 - self.at).min(numel - filled);
            flat.f_narrow(0, filled, length)?
                .f_copy_(&self.pool.f_narrow(0, self.at, length)?)?;
            filled += length;
            self.at = (self.at + length) % POOL as i64;
        }
        let fan_in: i64 = shape[1..].iter().product();
        let mut scaled = flat.f_view(shape)?;
        let _ = scaled.f_mul_scalar_((fan_in as f64).powf(-0.5))?;
        Ok(scaled)
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matrices_keep_the_variance_of_what_passes_through() {
        let mut random = Random::new(1);
        let matrix = random.tensor("w", &[640, 1280], Kind::Float).unwrap();
        let variance = matrix.var(false).double_value(&[]) * 1280.0;
        assert!((variance - 1.0).abs() < 0.01, "{variance}");
    }

    #[test]
    fn equal_seeds_deal_equal_weights() {
        let draw = |seed| Random::new(seed).tensor("w", &[8, 8], Kind::Half).unwrap();
        assert_eq!(draw(5), draw(5));
        assert_ne!(draw(5), draw(6));
    }

    #[test]
    fn norms_begin_as_the_identity() {
        let mut random = Random::new(1);
        let weight = random.tensor("norm.weight", &[4], Kind::Float).unwrap();
        let bias = random.tensor("norm.bias", &[4], Kind::Float).unwrap();
        assert_eq!(weight.sum(Kind::Float).double_value(&[]), 4.0);
        assert_eq!(bias.sum(Kind::Float).double_value(&[]), 0.0);
    }
}
