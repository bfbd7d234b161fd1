//! A name that people give a session: others see it on the desk, in lists of NDI sources and in answers of OSC.

use std::borrow::Cow;
use std::str::FromStr;

use crate::refusal::Refusal;

/// Longer than any name on a desk, and short enough for every list that shows it.
const LONGEST: usize = 100;

/// At most 100 characters, none of them a control character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label(Cow<'static, str>);

impl Label {
    /// One that the server gives by itself.
    pub const fn ours(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    pub(super) fn into_text(self) -> String {
        self.0.into_owned()
    }
}

impl FromStr for Label {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let length = text.chars().count();
        if length > LONGEST {
            let message =
                format!("a label of {length} characters is over the limit of {LONGEST} characters");
            return Err(Refusal::new("bad_label", message));
        }
        if let Some(control) = text.chars().find(|letter| letter.is_control()) {
            let message =
                format!("a label has no control characters, and this one has {control:?}");
            return Err(Refusal::new("bad_label", message));
        }
        Ok(Self(Cow::Owned(text.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_a_short_line() {
        for text in ["", "left camera", "Bühne 2 🎥", &"ü".repeat(LONGEST)] {
            let label: Label = text.parse().unwrap();
            assert_eq!(label.into_text(), text);
        }
        let said = |text: &str| text.parse::<Label>().unwrap_err().message;
        assert!(said(&"ü".repeat(101)).contains("101 characters is over the limit of 100"));
        for text in ["a\nb", "a\u{1b}[2J", "a\0", "\u{85}"] {
            assert!(said(text).contains("no control characters"), "{text:?}");
        }
    }
}
