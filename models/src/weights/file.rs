//! Files of tensors, mapped into memory.
//!
//! Torch maps the file itself (`at::from_file`, private mapping), and a tensor of it is a view into that one storage:
//! the mapping lives as long as the last view, and no `unsafe` of ours is involved.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use safetensors::tensor::{Dtype, Metadata};
use serde::Deserialize;
use tch::{Device, Kind, Tensor};

use super::{WeightsError, rename};
use crate::folder::Folder;

/// What diffusers and transformers call a component's weights.
const STEMS: [&str; 2] = ["diffusion_pytorch_model", "model"];

/// One tensor in a mapped file.
pub(super) struct Entry {
    file_key: String,
    shape: Vec<i64>,
    dtype: Dtype,
    /// In the file, from its first byte.
    start: i64,
    bytes: i64,
    mapped: Tensor,
    path: Arc<PathBuf>,
}

impl Entry {
    /// The key as the file spells it.
    pub(super) fn file_key(&self) -> &str {
        &self.file_key
    }

    pub(super) fn shape(&self) -> &[i64] {
        &self.shape
    }

    /// The tensor in the file's own kind: a view of the mapped pages, or a copy where the file has it off alignment.
    pub(super) fn tensor(&self) -> Result<Tensor, WeightsError> {
        let kind = match self.dtype {
            Dtype::F32 => Kind::Float,
            Dtype::F16 => Kind::Half,
            Dtype::BF16 => Kind::BFloat16,
            other => {
                return Err(WeightsError::Dtype {
                    key: self.file_key.clone(),
                    dtype: format!("{other:?}"),
                    path: self.path.to_path_buf(),
                });
            }
        };
        let bytes = self.mapped.f_narrow(0, self.start, self.bytes)?;
        let aligned = self.start % kind.elt_size_in_bytes() as i64 == 0;
        let bytes = if aligned {
            bytes
        } else {
            let mut copy = bytes.f_empty_like()?;
            copy.f_copy_(&bytes)?;
            copy
        };
        Ok(bytes.f_view_dtype(kind)?.f_view(&self.shape[..])?)
    }
}

/// All tensors of the component in `folder`, by today's key.
pub(super) fn open_component(
    folder: &Folder,
    variant: Option<&str>,
) -> Result<BTreeMap<String, Entry>, WeightsError> {
    let mut entries = BTreeMap::new();
    for name in component_files(folder, variant)? {
        open_file(folder, &name, &mut entries)?;
    }
    Ok(entries)
}

/// The files to read: the variant before the plain name, one file before shards.
fn component_files(folder: &Folder, variant: Option<&str>) -> Result<Vec<String>, WeightsError> {
    let mut looked_for = Vec::new();
    for ending in variant
        .map(|name| format!(".{name}"))
        .iter()
        .map(String::as_str)
        .chain([""])
    {
        for stem in STEMS {
            let single = format!("{stem}{ending}.safetensors");
            if folder.has(&single) {
                return Ok(vec![single]);
            }
            let index = format!("{stem}.safetensors.index{ending}.json");
            if folder.has(&index) {
                return shards(folder, &index);
            }
            looked_for.push(single);
        }
    }
    Err(WeightsError::NotFound {
        looked_for,
        found: what_lies_in(folder),
        folder: folder.path(""),
    })
}

fn what_lies_in(folder: &Folder) -> String {
    let mut names: Vec<String> = std::fs::read_dir(folder.path(""))
        .into_iter()
        .flatten()
        .flatten()
        .map(|item| format!("`{}`", item.file_name().to_string_lossy()))
        .collect();
    names.sort();
    match names.len() {
        0 => "nothing".to_owned(),
        _ => names.join(", "),
    }
}

/// The files that an index names. A name that leads out of the folder is refused: the index came from a stranger.
fn shards(folder: &Folder, index: &str) -> Result<Vec<String>, WeightsError> {
    #[derive(Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let path = folder.path(index);
    let malformed = |reason| WeightsError::Malformed {
        reason,
        path: path.clone(),
    };
    let text = folder
        .read_text(index)
        .map_err(|source| WeightsError::Unreadable {
            source,
            path: path.clone(),
        })?;
    let index: Index =
        serde_json::from_str(&text).map_err(|error| malformed(format!("not an index: {error}")))?;
    let files: BTreeSet<String> = index.weight_map.into_values().collect();
    files
        .into_iter()
        .map(|name| {
            if name.contains(['/', '\\']) {
                return Err(malformed(format!("shard `{name}` lies in another folder")));
            }
            Ok(name)
        })
        .collect()
}

fn open_file(
    folder: &Folder,
    name: &str,
    entries: &mut BTreeMap<String, Entry>,
) -> Result<(), WeightsError> {
    let path = folder.path(name);
    let (header, metadata, mapped) = match folder {
        Folder::Disk(_) => map(&path)?,
        Folder::Inside(_) => {
            let bytes = folder
                .read(name)
                .map_err(|source| WeightsError::Unreadable {
                    source,
                    path: path.clone(),
                })?;
            let (header, metadata) = read_header(&path, &*bytes, bytes.len() as u64)?;
            // Copied once: a tensor that borrowed from the program would need `unsafe`.
            (header, metadata, Tensor::f_from_slice(&bytes)?)
        }
    };
    let path = Arc::new(path);
    for (key, info) in metadata.tensors() {
        let (start, end) = info.data_offsets;
        let entry = Entry {
            shape: info.shape.iter().map(|&size| size as i64).collect(),
            dtype: info.dtype,
            start: header as i64 + start as i64,
            bytes: (end - start) as i64,
            mapped: mapped.shallow_clone(),
            path: Arc::clone(&path),
            file_key: key,
        };
        let key = rename::today(&entry.file_key);
        if let Some(twin) = entries.insert(key.clone(), entry) {
            return Err(WeightsError::Malformed {
                reason: format!("tensor `{key}` comes twice, once as `{}`", twin.file_key),
                path: path.to_path_buf(),
            });
        }
    }
    Ok(())
}

/// A file's header and its mapped bytes.
fn map(path: &Path) -> Result<(u64, Metadata, Tensor), WeightsError> {
    let unreadable = |source| WeightsError::Unreadable {
        source,
        path: path.to_owned(),
    };
    let file = File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    let (header, metadata) = read_header(path, file, length)?;
    let length = header + metadata.data_len() as u64;
    let name = path.to_str().ok_or_else(|| WeightsError::Malformed {
        reason: "the path is not UTF-8".to_owned(),
        path: path.to_owned(),
    })?;
    let mapped = Tensor::f_from_file(name, false, length as i64, (Kind::Uint8, Device::Cpu))?;
    Ok((header, metadata, mapped))
}

/// The header's length in bytes, with the eight of its own length, and what it says, held against the file's length.
fn read_header(
    path: &Path,
    mut file: impl Read,
    length: u64,
) -> Result<(u64, Metadata), WeightsError> {
    let unreadable = |source| WeightsError::Unreadable {
        source,
        path: path.to_owned(),
    };
    let malformed = |reason| WeightsError::Malformed {
        reason,
        path: path.to_owned(),
    };
    let mut head = [0; 8];
    if length < 8 {
        return Err(malformed(format!(
            "cut short: {length} bytes, less than a header"
        )));
    }
    file.read_exact(&mut head).map_err(unreadable)?;
    let header = u64::from_le_bytes(head).saturating_add(8);
    if header > length {
        return Err(malformed(format!(
            "cut short or no safetensors file: {length} bytes, and the header alone says {header}"
        )));
    }
    let mut buffer = vec![0; header as usize - 8];
    file.read_exact(&mut buffer).map_err(unreadable)?;
    // Deserialising checks that the tensors lie end to end and are as long as their shapes say.
    let metadata: Metadata = serde_json::from_slice(&buffer)
        .map_err(|error| malformed(format!("not a safetensors header: {error}")))?;
    let promised = header.saturating_add(metadata.data_len() as u64);
    if promised > length {
        return Err(malformed(format!(
            "cut short: {length} bytes of the {promised} that the header promises"
        )));
    }
    Ok((header, metadata))
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    #[test]
    fn a_header_that_promises_more_than_there_are_numbers_is_cut_short() {
        // Eight tensors of the most bytes that safetensors counts for one: with the header they are more than 64 bits say.
        let each = u64::MAX / 8;
        let tensors = (0..8).map(|at| {
            let info = json!({"dtype": "U8", "shape": [each], "data_offsets": [at * each, (at + 1) * each]});
            (format!("tensor {at}"), info)
        });
        let text = json!(tensors.collect::<Map<_, _>>()).to_string();
        let mut file = (text.len() as u64).to_le_bytes().to_vec();
        file.extend(text.bytes());
        let error = read_header(Path::new("file"), &file[..], file.len() as u64).unwrap_err();
        assert!(error.to_string().starts_with("cut short"), "{error}");
    }
}
