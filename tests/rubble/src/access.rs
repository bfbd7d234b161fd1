//! A file of keys, and what callers show as keys and as signed rights.

use std::sync::LazyLock;

use limn_server::access::keys::KeyRing;
use limn_server::access::signed::{Scope, after, sign, verify};
use limn_server::access::{Grant, Right};

use crate::text;

const SECRET: &[u8] = b"a secret of the test";

static SIGNED: LazyLock<String> = LazyLock::new(|| {
    let grant = Grant {
        right: Right::Viewer,
        scope: Scope::Program,
    };
    sign(SECRET, &grant, after(1 << 30))
});

/// # Panics
/// If a right is granted that nobody signed, or a refusal quotes what may be a key.
pub fn read(input: &[u8]) {
    let text = text::of(input);
    // Whoever shows the one that was signed has it; nobody else has any.
    assert_eq!(verify(SECRET, text).is_some(), text == *SIGNED);
    let altered = format!("{text}{}", *SIGNED);
    assert_eq!(verify(SECRET, &altered).is_some(), text.is_empty());
    for separator in ['\n', ';'] {
        let mut ring = KeyRing::default();
        if let Err(error) = ring.read(text, separator, "file") {
            let error = error.to_string();
            let words = text.split_whitespace().filter(|word| word.len() > 20);
            assert!(words.into_iter().all(|word| !error.contains(word)));
        }
        ring.right_of(text);
    }
}
