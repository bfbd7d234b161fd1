//! A case's tensors, and how near to them is near enough.

use std::collections::HashMap;
use std::path::Path;

use tch::{Kind, Tensor};

/// The tensors of one case.
pub struct Case(HashMap<String, Tensor>);

impl Case {
    pub fn open(path: &Path) -> Self {
        Self(
            Tensor::read_safetensors(path)
                .unwrap()
                .into_iter()
                .collect(),
        )
    }

    pub fn get(&self, name: &str) -> &Tensor {
        self.0
            .get(name)
            .unwrap_or_else(|| panic!("the case has no `{name}`"))
    }
}

/// max|a-b| / max|b|. Not a number where either holds one that is none.
pub fn distance(ours: &Tensor, theirs: &Tensor) -> f64 {
    assert_eq!(ours.size(), theirs.size());
    let theirs = theirs.to_kind(Kind::Float);
    let largest = |tensor: &Tensor| tensor.abs().max().double_value(&[]);
    largest(&(ours.to_kind(Kind::Float) - &theirs)) / largest(&theirs)
}

/// Asserts that `ours` is `theirs` within `bound` of the largest value of `theirs`.
pub fn assert_near(name: &str, ours: &Tensor, theirs: &Tensor, bound: f64) {
    let distance = distance(ours, theirs);
    println!("{name}: {distance:.2e}");
    assert!(
        distance <= bound,
        "{name}: {distance:.2e} exceeds {bound:.0e}"
    );
}
