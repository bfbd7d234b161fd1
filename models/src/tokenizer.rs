//! Prompt to token ids, as CLIP was taught to read.
//!
//! Lower case, split into words, runs of letters, single digits and runs of other signs; then byte pairs. From
//! `tokenizer.json` where a checkpoint has one, else from `vocab.json` and `merges.txt`, which is all that many of them
//! ship. Reference: `CLIPTokenizer` of transformers.

use std::collections::HashMap;
use std::panic::catch_unwind;
use std::path::PathBuf;

use serde_json::Value;
use tch::Tensor;
use tokenizers::Tokenizer as Inner;
use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::normalizers::{Lowercase, NFC, Replace, Sequence as Normalizers};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence as PreTokenizers;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::tokenizer::{AddedToken, SplitDelimiterBehavior};

use crate::folder::Folder;

/// How CLIP's tokenizer finds the words of a prompt, before byte pairs are merged inside each.
const WORDS: &str =
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";

/// Tokens of a prompt where the checkpoint does not say: CLIP has 77 position embeddings.
const LENGTH: usize = 77;

/// Why a tokenizer cannot be made, or a prompt not be read.
#[derive(Debug, thiserror::Error)]
pub enum TokenizerError {
    /// A file is missing or cannot be read.
    #[error("cannot read: {source}: {}", .path.display())]
    Unreadable {
        /// What the system said.
        source: std::io::Error,
        /// The file.
        path: PathBuf,
    },
    /// A file is not what its name says.
    #[error("{reason}: {}", .path.display())]
    Malformed {
        /// What is wrong.
        reason: String,
        /// The file or folder.
        path: PathBuf,
    },
    /// The tokenizer refuses a prompt; with a whole vocabulary of bytes it never does.
    #[error("prompt cannot be tokenized: {0}")]
    Prompt(String),
}

/// A prompt as the text encoder takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// Start, the prompt's tokens, end, padding: always the encoder's whole length, 77.
    pub ids: Vec<i64>,
    /// The end of the prompt that found no room, in the words of the prompt; to be said out loud.
    pub left_out: Option<String>,
}

/// A checkpoint's tokenizer.
pub struct Tokenizer {
    inner: Inner,
    start: i64,
    end: i64,
    pad: i64,
    length: usize,
}

impl Tokenizer {
    /// Reads the folder `tokenizer/` of a checkpoint.
    ///
    /// # Errors
    /// When neither `tokenizer.json` nor both of `vocab.json` and `merges.txt` are there, a file is malformed, or the
    /// vocabulary lacks the start, end or padding token.
    pub fn open(folder: impl Into<Folder>) -> Result<Self, TokenizerError> {
        let folder = &folder.into();
        let config = read_object(folder, "tokenizer_config.json")?;
        let map = read_object(folder, "special_tokens_map.json")?;
        let token = |name: &str, default: &str| {
            let named = |file: &Value| {
                let value = file.get(name)?;
                value
                    .as_str()
                    .or_else(|| value.get("content")?.as_str())
                    .map(str::to_owned)
            };
            named(&config)
                .or_else(|| named(&map))
                .unwrap_or_else(|| default.to_owned())
        };
        let end = token("eos_token", "<|endoftext|>");
        let start = token("bos_token", "<|startoftext|>");
        let pad = token("pad_token", "<|endoftext|>");
        let unknown = token("unk_token", "<|endoftext|>");

        let mut inner = if folder.has("tokenizer.json") {
            from_whole(folder)?
        } else {
            from_parts(folder, &unknown)?
        };
        // As transformers does it: written in a prompt, a special token is itself, also the `!` that SD 2.x pads with.
        let specials =
            [&start, &end, &unknown, &pad].map(|token| AddedToken::from(token.clone(), true));
        let malformed = |reason: String| TokenizerError::Malformed {
            reason,
            path: folder.path(""),
        };
        inner
            .add_special_tokens(specials)
            .map_err(|error| malformed(error.to_string()))?;
        let id = |token: &str| {
            inner
                .token_to_id(token)
                .filter(|&id| (id as usize) < inner.get_vocab_size(false))
                .map(i64::from)
                .ok_or_else(|| malformed(format!("vocabulary lacks the token `{token}`")))
        };
        let (start, end, pad) = (id(&start)?, id(&end)?, id(&pad)?);
        // transformers writes a number beyond all bounds where it knows of no limit.
        let length = config
            .get("model_max_length")
            .and_then(Value::as_u64)
            .filter(|&length| length <= 1000);
        let length = length.map_or(LENGTH, |length| length as usize);
        if length < 2 {
            return Err(malformed(format!(
                "model_max_length `{length}` leaves no room for a start and an end"
            )));
        }
        Ok(Self {
            inner,
            start,
            end,
            pad,
            length,
        })
    }

    /// The ids of a prompt. What does not fit into the encoder's length comes back in [`Tokens::left_out`].
    ///
    /// # Errors
    /// [`TokenizerError::Prompt`].
    pub fn encode(&self, prompt: &str) -> Result<Tokens, TokenizerError> {
        let encoding = self
            .inner
            .encode(prompt, false)
            .map_err(|error| TokenizerError::Prompt(error.to_string()))?;
        let room = self.length - 2;
        let read = encoding.get_ids();
        let left_out = encoding.get_offsets().get(room).map(|&(from, _)| {
            // Offsets are bytes of the prompt; one inside a character, of which another token holds a part, goes back to
            // its beginning.
            let from = (0..=from)
                .rev()
                .find(|&at| prompt.is_char_boundary(at))
                .unwrap_or(0);
            prompt[from..].trim().to_owned()
        });
        let mut ids = Vec::with_capacity(self.length);
        ids.push(self.start);
        ids.extend(read.iter().take(room).map(|&id| i64::from(id)));
        ids.push(self.end);
        ids.resize(self.length, self.pad);
        Ok(Tokens { ids, left_out })
    }

    /// Tokens of every encoded prompt, start, end and padding included.
    pub fn length(&self) -> usize {
        self.length
    }
}

impl Tokens {
    /// Several prompts as one batch `[B, N]`, int64, on the CPU. All from one tokenizer.
    pub fn batch(prompts: &[Self]) -> Tensor {
        let rows: Vec<Tensor> = prompts
            .iter()
            .map(|tokens| Tensor::from_slice(&tokens.ids))
            .collect();
        Tensor::stack(&rows, 0)
    }
}

/// An object from a file that a checkpoint may lack.
fn read_object(folder: &Folder, name: &str) -> Result<Value, TokenizerError> {
    match folder.read_text(name) {
        Ok(text) => serde_json::from_str(&text).map_err(|error| TokenizerError::Malformed {
            reason: error.to_string(),
            path: folder.path(name),
        }),
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => Ok(Value::Null),
        Err(source) => Err(unreadable(folder, name, source)),
    }
}

fn unreadable(folder: &Folder, name: &str, source: std::io::Error) -> TokenizerError {
    TokenizerError::Unreadable {
        source,
        path: folder.path(name),
    }
}

fn from_whole(folder: &Folder) -> Result<Inner, TokenizerError> {
    let name = "tokenizer.json";
    let malformed = |error: tokenizers::Error| TokenizerError::Malformed {
        reason: format!("not a tokenizer: {error}"),
        path: folder.path(name),
    };
    let text = folder
        .read_text(name)
        .map_err(|source| unreadable(folder, name, source))?;
    // As JSON first: the crate panics at some of what is none.
    let mut file: Value = serde_json::from_str(&text).map_err(|error| malformed(error.into()))?;
    if let Some(parts) = file.as_object_mut() {
        // The file may cut and pad by itself, and then nobody learns what was left out; nobody asks for words of ids.
        for part in ["truncation", "padding", "decoder"] {
            parts.insert(part.to_owned(), Value::Null);
        }
    }
    // And behind a fence: it panics at parts that are JSON and no parts.
    catch_unwind(|| Inner::from_bytes(file.to_string()))
        .unwrap_or_else(|_| Err("a part of it is not what it says".into()))
        .map_err(malformed)
}

fn from_parts(folder: &Folder, unknown: &str) -> Result<Inner, TokenizerError> {
    let read = |name| {
        folder
            .read_text(name)
            .map_err(|source| unreadable(folder, name, source))
    };
    let (vocab, merges) = (read("vocab.json")?, read("merges.txt")?);
    let malformed = |error: tokenizers::Error| TokenizerError::Malformed {
        reason: format!("not CLIP's vocabulary and merges: {error}"),
        path: folder.path(""),
    };
    let vocab: HashMap<String, u32> =
        serde_json::from_str(&vocab).map_err(|error| malformed(error.into()))?;
    // A line is two tokens; the first line may tell the version.
    let merges = merges
        .lines()
        .filter(|line| !line.starts_with("#version") && !line.is_empty())
        .map(|line| {
            let pair = line
                .split_once(' ')
                .ok_or_else(|| format!("`{line}` in merges.txt is no pair"))?;
            // The crate would panic where two long ones are merged to nothing.
            if !vocab.contains_key(&format!("{}{}", pair.0, pair.1)) {
                return Err(format!("`{line}` in merges.txt gives no token of vocab.json").into());
            }
            Ok((pair.0.to_owned(), pair.1.to_owned()))
        })
        .collect::<Result<Vec<_>, tokenizers::Error>>()
        .map_err(malformed)?;
    let model = BPE::builder()
        .vocab_and_merges(vocab.into_iter().collect::<Vocab>(), merges)
        .unk_token(unknown.to_owned())
        .continuing_subword_prefix(String::new())
        .end_of_word_suffix("</w>".to_owned())
        .build()
        .map_err(malformed)?;
    let words = Split::new(
        SplitPattern::Regex(WORDS.to_owned()),
        SplitDelimiterBehavior::Removed,
        true,
    );
    let mut inner = Inner::new(model);
    inner
        .with_normalizer(Some(Normalizers::new(vec![
            NFC.into(),
            Replace::new(
                tokenizers::normalizers::replace::ReplacePattern::Regex(r"\s+".to_owned()),
                " ",
            )
            .map_err(malformed)?
            .into(),
            Lowercase.into(),
        ])))
        .map_err(malformed)?
        .with_pre_tokenizer(Some(PreTokenizers::new(vec![
            words.map_err(malformed)?.into(),
            ByteLevel::new(false, true, true).into(),
        ])));
    Ok(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_merged_is_in_the_vocabulary() {
        let folder = tempfile::tempdir().unwrap();
        let vocab = r#"{"a": 0, "b</w>": 1, "<|startoftext|>": 2, "<|endoftext|>": 3}"#;
        let long = r#"{"a": 0, "b</w>": 1}"#;
        std::fs::write(folder.path().join("merges.txt"), "#version: 0.2\na b</w>").unwrap();
        for vocab in [vocab, long] {
            std::fs::write(folder.path().join("vocab.json"), vocab).unwrap();
            let error = Tokenizer::open(folder.path()).err().unwrap().to_string();
            assert!(error.contains("`a b</w>` in merges.txt"), "{error}");
        }
    }

    #[test]
    fn a_torn_tokenizer_is_an_error_wherever_it_is_torn() {
        let whole = r#"{"version":"1.0","added_tokens":[],"normalizer":{"type":"NFC"},"pre_tokenizer":null,"post_processor":null,"decoder":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true},"model":{"type":"BPE","vocab":{"<|startoftext|>":0,"<|endoftext|>":1},"merges":[]}}"#;
        let folder = tempfile::tempdir().unwrap();
        let open = |text: &str| {
            std::fs::write(folder.path().join("tokenizer.json"), text).unwrap();
            Tokenizer::open(folder.path())
        };
        assert!(open(whole).is_ok());
        let parts = r#""normalizer":{"type":"Precompiled","precompiled_charsmap":"AAAA"}"#;
        assert!(open(&whole.replace(r#""normalizer":{"type":"NFC"}"#, parts)).is_err());
        for cut in 0..whole.len() {
            let (head, tail) = whole.split_at(cut);
            assert!(open(head).is_err(), "{head}");
            // Within a name that is what it becomes; elsewhere it is an error, and no panic of the crate.
            let _ = open(&format!("{head}x{tail}"));
        }
    }
}
