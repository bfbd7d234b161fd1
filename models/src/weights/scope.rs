//! A place in the tree of keys.

use std::fmt::Display;

use tch::{Kind, Tensor};

use super::{Weights, WeightsError};

/// The keys that begin with one prefix. The tree of Rust modules asks along the tree of the checkpoint's keys.
#[derive(Clone)]
pub struct Scope<'a> {
    weights: &'a Weights,
    prefix: String,
}

impl<'a> Scope<'a> {
    pub(super) fn root(weights: &'a Weights) -> Self {
        Self {
            weights,
            prefix: String::new(),
        }
    }

    /// The scope below: `sub("down_blocks").sub(0)` is `down_blocks.0`.
    #[must_use]
    pub fn sub(&self, name: impl Display) -> Self {
        Self {
            weights: self.weights,
            prefix: self.key(name),
        }
    }

    /// The tensor `name` of exactly this shape, in the kind of the [`Weights`], on the CPU until it is settled.
    /// Four-dimensional ones are channels-last by strides. Each tensor is given once.
    ///
    /// # Errors
    ///
    /// [`WeightsError::Missing`], also for the second time of asking; [`WeightsError::Shape`];
    /// [`WeightsError::Dtype`]; [`WeightsError::Torch`] when the copy finds no memory.
    pub fn tensor(&self, name: impl Display, shape: &[i64]) -> Result<Tensor, WeightsError> {
        self.weights.take(&self.key(name), shape, self.kind())
    }

    /// The same in f32, whatever the kind of the [`Weights`]: for the few numbers that are compared and not multiplied.
    ///
    /// # Errors
    ///
    /// As [`Scope::tensor`].
    pub fn exact(&self, name: impl Display, shape: &[i64]) -> Result<Tensor, WeightsError> {
        self.weights.take(&self.key(name), shape, Kind::Float)
    }

    /// Whether the files still hold `name`. Random weights have everything: branch on the configuration where you can.
    #[must_use]
    pub fn has(&self, name: impl Display) -> bool {
        self.weights.has(&self.key(name))
    }

    /// The kind of every tensor that [`Scope::tensor`] hands out.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.weights.kind()
    }

    fn key(&self, name: impl Display) -> String {
        if self.prefix.is_empty() {
            name.to_string()
        } else {
            format!("{}.{name}", self.prefix)
        }
    }
}
