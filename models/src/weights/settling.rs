//! Moving a network to its device, part by part.

use tch::{Device, Tensor};

use super::WeightsError;

/// The tensors of a finished network that are not on their device yet.
///
/// It holds shallow clones: [`Tensor::set_data`] exchanges the storage under the network's own handles too, so no
/// network needs code for moving. The network must not run before [`Settling::step`] has said `true`.
pub struct Settling {
    /// In reverse, so that the next one is popped.
    pending: Vec<Tensor>,
    device: Device,
}

impl Settling {
    pub(super) fn new(mut given: Vec<Tensor>, device: Device) -> Self {
        given.retain(|tensor| tensor.device() != device);
        given.reverse();
        Self {
            pending: given,
            device,
        }
    }

    /// Moves the next tensors, about `budget_bytes` of them and at least one; `true` when none is left.
    ///
    /// On the device thread, between frames. On the CPU nothing moves and the first answer is `true`.
    ///
    /// # Errors
    ///
    /// [`WeightsError::Torch`] when the device has no room; what was moved before stays moved.
    pub fn step(&mut self, budget_bytes: usize) -> Result<bool, WeightsError> {
        let mut moved = 0;
        while moved < budget_bytes.max(1) {
            let Some(mut tensor) = self.pending.pop() else {
                break;
            };
            moved += tensor.numel() * tensor.kind().elt_size_in_bytes();
            let there = tensor.f_to_device(self.device)?;
            tensor.f_set_data(&there)?;
        }
        Ok(self.pending.is_empty())
    }

    /// Bytes that still have to move.
    #[must_use]
    pub fn pending_bytes(&self) -> usize {
        self.pending
            .iter()
            .map(|tensor| tensor.numel() * tensor.kind().elt_size_in_bytes())
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::*;

    #[test]
    fn nothing_moves_from_the_cpu_to_the_cpu() {
        let tensor = Tensor::ones([4], (Kind::Float, Device::Cpu));
        let mut settling = Settling::new(vec![tensor], Device::Cpu);
        assert_eq!(settling.pending_bytes(), 0);
        assert!(settling.step(1).unwrap());
    }

    // What `step` relies on; no second device is needed to see it.
    #[test]
    fn new_data_shows_through_every_shallow_clone() {
        let network = Tensor::ones([2, 3], (Kind::Float, Device::Cpu));
        let mut clone = network.shallow_clone();
        clone.set_data(&Tensor::zeros([2, 3], (Kind::Float, Device::Cpu)));
        assert_eq!(network.sum(Kind::Float).double_value(&[]), 0.0);
    }
}
