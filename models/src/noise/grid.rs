//! Where the inference steps lie on the training timesteps.

use super::{NoiseError, Spacing};

/// The grid of Euler, highest first, before rounding: `steps` values in 0..train. numpy computes them in `f64`, so do we.
pub(super) fn spaced(
    spacing: Spacing,
    steps: usize,
    train: usize,
    offset: usize,
) -> Result<Vec<f64>, NoiseError> {
    let grid: Vec<f64> = match spacing {
        Spacing::Linspace => {
            let last = (train - 1) as f64;
            let step = if steps > 1 {
                last / (steps - 1) as f64
            } else {
                0.0
            };
            let mut up: Vec<f64> = (0..steps).map(|i| i as f64 * step).collect();
            if steps > 1 {
                up[steps - 1] = last;
            }
            up.into_iter().rev().collect()
        }
        Spacing::Leading => {
            let ratio = train / steps;
            (0..steps)
                .rev()
                .map(|i| (i * ratio).saturating_add(offset) as f64)
                .collect()
        }
        Spacing::Trailing => {
            let train = train as f64;
            // numpy's arange takes the difference of its first two values as the step, rounding included. It also runs
            // one value too far for some step counts from 61 on, to timestep -1: those have `steps` values here.
            let delta = (train - train / steps as f64) - train;
            (0..steps)
                .map(|i| (train + i as f64 * delta).round_ties_even() - 1.0)
                .collect()
        }
    };
    match grid.first() {
        Some(&first) if first < train as f64 => Ok(grid),
        first => Err(NoiseError::Invalid {
            field: "steps_offset",
            value: offset.to_string(),
            why: if first.is_some() {
                "it moves the first step beyond the last training timestep"
            } else {
                "no step"
            },
        }),
    }
}

/// How many of `steps` are left out at the beginning at this strength.
pub(super) fn skipped(steps: usize, strength: f64) -> Result<usize, NoiseError> {
    let run = ((steps as f64 * strength) as usize).min(steps);
    if run == 0 {
        return Err(NoiseError::Nothing { steps, strength });
    }
    Ok(steps - run)
}
