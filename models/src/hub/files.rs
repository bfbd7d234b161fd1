//! Which files of a checkpoint are needed.

use std::path::Path;

use super::{HubError, Wants};

/// The files that say what a part is, wherever they are there.
const CONFIGS: [&str; 8] = [
    "config.json",
    "preprocessor_config.json",
    "scheduler_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.json",
    "merges.txt",
];

/// Names of weights, by diffusers and by transformers.
const STEMS: [&str; 2] = ["diffusion_pytorch_model", "model"];

/// What a list of files lacks.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Lack {
    Part(String),
    Safetensors { part: String, found: String },
}

impl Lack {
    pub(super) fn of(self, name: &str) -> HubError {
        let name = name.to_owned();
        match self {
            Self::Part(part) => HubError::NoPart { name, part },
            Self::Safetensors { part, found } => HubError::NoSafetensors { name, part, found },
        }
    }
}

/// Of the files that are `there`, relative and with `/`, those that `wants` names.
pub(super) fn wanted(there: &[String], wants: &Wants<'_>) -> Result<Vec<String>, Lack> {
    let mut needed: Vec<String> = there
        .iter()
        .filter(|file| *file == "model_index.json")
        .cloned()
        .collect();
    for &part in wants.parts {
        let prefix = if part.is_empty() {
            String::new()
        } else {
            format!("{part}/")
        };
        let inside: Vec<&str> = there
            .iter()
            .filter_map(|file| file.strip_prefix(&prefix))
            .filter(|file| !file.contains('/'))
            .collect();
        let configs: Vec<&str> = inside
            .iter()
            .copied()
            .filter(|file| CONFIGS.contains(file))
            .collect();
        if configs.is_empty() {
            return Err(Lack::Part(part.to_owned()));
        }
        // A schedule and a tokenizer have no `config.json`, and no weights.
        if configs.contains(&"config.json") {
            let Some(weights) = weights(&inside, wants.variant) else {
                let mut found: Vec<String> = inside
                    .iter()
                    .filter(|file| {
                        [".bin", ".ckpt", ".pth", ".msgpack", ".onnx"]
                            .iter()
                            .any(|end| file.ends_with(end))
                    })
                    .map(|file| format!("`{file}`"))
                    .collect();
                found.sort();
                let found = if found.is_empty() {
                    "a config".to_owned()
                } else {
                    found.join(", ")
                };
                return Err(Lack::Safetensors {
                    part: part.to_owned(),
                    found,
                });
            };
            needed.extend(weights.into_iter().map(|file| format!("{prefix}{file}")));
        }
        needed.extend(configs.into_iter().map(|file| format!("{prefix}{file}")));
    }
    needed.sort();
    needed.dedup();
    Ok(needed)
}

/// In the order in which `weights` opens them: the variant before the plain name, one file before shards.
fn weights<'a>(inside: &[&'a str], variant: Option<&str>) -> Option<Vec<&'a str>> {
    let find = |name: String| inside.iter().copied().find(|file| **file == name);
    for ending in variant
        .map(|variant| format!(".{variant}"))
        .iter()
        .map(String::as_str)
        .chain([""])
    {
        for stem in STEMS {
            if let Some(single) = find(format!("{stem}{ending}.safetensors")) {
                return Some(vec![single]);
            }
            if let Some(index) = find(format!("{stem}.safetensors.index{ending}.json")) {
                let shards = inside
                    .iter()
                    .copied()
                    .filter(|file| is_shard(file, stem, ending));
                return Some(std::iter::once(index).chain(shards).collect());
            }
        }
    }
    None
}

/// `model-00001-of-00002.safetensors`, and with a variant `model.fp16-00001-of-00002.safetensors` or
/// `model-00001-of-00002.fp16.safetensors`: both are found on the hub.
fn is_shard(file: &str, stem: &str, ending: &str) -> bool {
    let counted = |middle: &str| {
        middle
            .strip_prefix('-')
            .and_then(|rest| rest.split_once("-of-"))
            .is_some_and(|(one, all)| {
                [one, all]
                    .iter()
                    .all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
            })
    };
    let Some(middle) = file
        .strip_prefix(stem)
        .and_then(|rest| rest.strip_suffix(".safetensors"))
    else {
        return false;
    };
    middle.strip_prefix(ending).is_some_and(counted)
        || middle.strip_suffix(ending).is_some_and(counted)
}

/// Of an index, whether all files that it names are there; true for every other file.
pub(super) fn shards_are_whole(root: &Path, file: &str) -> bool {
    if !file.contains(".safetensors.index") {
        return true;
    }
    let path = root.join(file);
    let Some(map) = std::fs::read_to_string(&path)
        .ok()
        .and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok())
        .and_then(|index| index.get("weight_map")?.as_object().cloned())
    else {
        return false;
    };
    map.values().all(|shard| {
        shard.as_str().is_some_and(|shard| {
            path.parent()
                .is_some_and(|folder| folder.join(shard).is_file())
        })
    })
}

/// The files of a folder and of the folders in it, relative and with `/`; none where there is no such folder.
pub(super) fn listed(root: &Path) -> Vec<String> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(root).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        // By metadata that follows links: the hub's cache is links into its blobs, and one into nothing does not count.
        if entry.path().is_file() {
            files.push(name);
        } else if entry.path().is_dir() {
            let inner = std::fs::read_dir(entry.path())
                .into_iter()
                .flatten()
                .flatten();
            files.extend(
                inner
                    .filter(|file| file.path().is_file())
                    .map(|file| format!("{name}/{}", file.file_name().to_string_lossy())),
            );
        }
    }
    files
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn pick(there: &[&str], parts: &[&str], variant: Option<&str>) -> Result<Vec<String>, Lack> {
        let there: Vec<String> = there.iter().map(ToString::to_string).collect();
        wanted(&there, &Wants { parts, variant })
    }

    #[test]
    fn only_what_is_needed_is_taken() {
        let there = [
            "model_index.json",
            "README.md",
            "sd_turbo.safetensors",
            "unet/config.json",
            "unet/diffusion_pytorch_model.safetensors",
            "unet/diffusion_pytorch_model.fp16.safetensors",
            "unet/diffusion_pytorch_model.bin",
            "vae/config.json",
            "vae/diffusion_pytorch_model.safetensors",
            "scheduler/scheduler_config.json",
            "tokenizer/vocab.json",
            "tokenizer/merges.txt",
            "safety_checker/model.safetensors",
        ];
        let parts = ["unet", "vae", "scheduler", "tokenizer"];
        let needed = [
            "model_index.json",
            "scheduler/scheduler_config.json",
            "tokenizer/merges.txt",
            "tokenizer/vocab.json",
            "unet/config.json",
            "unet/diffusion_pytorch_model.fp16.safetensors",
            "vae/config.json",
            "vae/diffusion_pytorch_model.safetensors",
        ];
        assert_eq!(pick(&there, &parts, Some("fp16")).unwrap(), needed);
        assert!(
            pick(&there, &parts, None)
                .unwrap()
                .contains(&"unet/diffusion_pytorch_model.safetensors".to_owned())
        );
    }

    #[test]
    fn a_safety_checker_comes_with_its_image_processor() {
        let there = [
            "README.md",
            "config.json",
            "model.safetensors",
            "preprocessor_config.json",
            "pytorch_model.bin",
        ];
        let needed = [
            "config.json",
            "model.safetensors",
            "preprocessor_config.json",
        ];
        assert_eq!(pick(&there, &[""], None).unwrap(), needed);
    }

    #[test]
    fn shards_come_with_their_index_and_their_variant() {
        let there = [
            "config.json",
            "diffusion_pytorch_model.safetensors.index.json",
            "diffusion_pytorch_model-00001-of-00002.safetensors",
            "diffusion_pytorch_model-00002-of-00002.safetensors",
            "diffusion_pytorch_model.safetensors.index.fp16.json",
            "diffusion_pytorch_model.fp16-00001-of-00001.safetensors",
            "diffusion_pytorch_model-00001-of-00001.fp16.safetensors",
        ];
        assert_eq!(pick(&there, &[""], None).unwrap().len(), 4);
        let half = pick(&there, &[""], Some("fp16")).unwrap();
        assert!(
            half.iter()
                .all(|file| file.contains("fp16") || file == "config.json"),
            "{half:?}"
        );
        assert_eq!(half.len(), 4);
    }

    #[test]
    fn other_weights_are_named_and_missing_parts_too() {
        let there = ["unet/config.json", "unet/diffusion_pytorch_model.bin"];
        assert_eq!(
            pick(&there, &["unet"], None),
            Err(Lack::Safetensors {
                part: "unet".into(),
                found: "`diffusion_pytorch_model.bin`".into()
            })
        );
        assert_eq!(pick(&there, &["vae"], None), Err(Lack::Part("vae".into())));
    }
}
