//! What the networks' configurations have in common.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::weights::WeightsError;

/// Far more channels, or layers, than any network has: what is reckoned from fewer fits an `i64`.
const MOST: i64 = 1 << 20;

/// A number for all blocks, or one for each.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum PerBlock {
    /// The same everywhere.
    All(i64),
    /// From the outermost block to the innermost.
    Each(Vec<i64>),
}

impl PerBlock {
    /// The numbers for `blocks` blocks; `key` stands in the message.
    pub(crate) fn each(&self, blocks: usize, key: &str) -> Result<Vec<i64>, WeightsError> {
        let all = match self {
            Self::All(number) => vec![*number; blocks],
            Self::Each(list) => list.clone(),
        };
        if all.len() != blocks {
            let reason = format!("where {blocks} blocks want one number each");
            return Err(WeightsError::config(key, all, reason));
        }
        sane(&all, key)?;
        Ok(all)
    }
}

/// Refuses a key that is present with another value than the one that is built. Each option of diffusers' classes
/// that changes the arithmetic stands in some network's list, so that none is passed over in silence.
pub(crate) fn built_only(
    rest: &Map<String, Value>,
    built: &[(&str, Value)],
) -> Result<(), WeightsError> {
    for (key, only) in built {
        let Some(value) = rest.get(*key) else {
            continue;
        };
        let equal_numbers = value.is_number() && value.as_f64() == only.as_f64();
        if value != only && !value.is_null() && !equal_numbers {
            return Err(WeightsError::config(
                key,
                value,
                format!("only {only} is built"),
            ));
        }
    }
    Ok(())
}

/// Refuses numbers of channels or layers that are none; `key` names the culprit.
pub(crate) fn sane(numbers: &[i64], key: &str) -> Result<(), WeightsError> {
    if numbers.iter().any(|number| !(1..=MOST).contains(number)) {
        let reason = format!("where each number lies in 1..={MOST}");
        return Err(WeightsError::config(key, numbers, reason));
    }
    Ok(())
}

/// A `channels` that cannot be divided into `parts`; `key` names the culprit.
pub(crate) fn divisible(channels: i64, parts: i64, key: &str) -> Result<(), WeightsError> {
    if parts < 1 || channels % parts != 0 {
        return Err(WeightsError::config(
            key,
            parts,
            format!("which does not divide {channels} channels"),
        ));
    }
    Ok(())
}
