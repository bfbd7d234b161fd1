//! Words that an operator does not want painted.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::refusal::Refusal;

/// One word or phrase a line, in any case; what stands behind a `#` is a comment.
#[derive(Clone, Debug)]
pub struct BlockedWords(Arc<[String]>);

impl BlockedWords {
    /// The words of a file.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(path: &str) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{error}: {path}"))?;
        Ok(Self::of(&text))
    }

    fn of(text: &str) -> Self {
        let lines = text
            .lines()
            .map(|line| line.split('#').next().unwrap_or_default());
        let phrases = lines.map(plain).filter(|phrase| !phrase.trim().is_empty());
        Self(phrases.collect())
    }

    /// Looks at every text of a patch.
    ///
    /// # Errors
    /// If one has such words in it.
    pub fn check(&self, patch: &Map<String, Value>) -> Result<(), Refusal> {
        let texts = patch
            .iter()
            .filter_map(|(name, value)| Some((name, value.as_str()?)));
        for (name, text) in texts {
            let text = plain(text);
            if self.0.iter().any(|phrase| text.contains(phrase.as_str())) {
                let message = format!("`{name}` has words that this server does not paint");
                return Err(Refusal::new("blocked_words", message));
            }
        }
        Ok(())
    }
}

/// Lower case, one blank between words and around them, so that only whole words are found.
fn plain(text: &str) -> String {
    let lower = text.to_lowercase();
    let words = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let words: Vec<_> = words.collect();
    format!(" {} ", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_are_found_in_any_case_and_no_others() {
        let words = BlockedWords::of("gore # blood\n\nBad Thing\n");
        let patch = |text: &str| Map::from_iter([("prompt".to_owned(), Value::from(text))]);
        for text in ["gore", "a GORE, painted", "the bad  thing!", "bad-thing"] {
            let refusal = words.check(&patch(text)).unwrap_err();
            assert_eq!(refusal.code, "blocked_words", "{text}");
            assert!(!refusal.message.contains("gore"), "{}", refusal.message);
        }
        for text in ["", "gorely", "blood", "a bad, a thing"] {
            assert!(words.check(&patch(text)).is_ok(), "{text}");
        }
        let number = Map::from_iter([("steps".to_owned(), Value::from(4))]);
        assert!(words.check(&number).is_ok());
    }
}
