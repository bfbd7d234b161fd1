//! The keys, by their SHA-256: whoever reads the file learns none of them.
//!
//! ```text
//! # right   key                name
//! operator  sha256:9f86d081... desk
//! signing   4355a46b...
//! ```

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};
use subtle::ConstantTimeEq;

use super::{AccessConfig, Right};
use crate::session::lease::Lease;
use crate::session::token::Token;

/// What a key begins with, so that one that has strayed is known for what it is.
const PREFIX: &str = "limn_";

/// How a hash is told from a key.
const HASHED: &str = "sha256:";

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The file cannot be read or written.
    #[error("{0}: {1}")]
    File(PathBuf, std::io::Error),
    /// It holds something else.
    #[error("line {line} of {place} is not `RIGHT KEY [NAME]` or `signing HEX`: {why}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// The file, or the variable.
        place: String,
        /// What is wrong with it; never the line, which may hold a key.
        why: &'static str,
    },
}

/// The keys in force.
#[derive(Default)]
pub struct KeyRing {
    keys: Vec<(Right, Lease)>,
    signing: Option<(Vec<u8>, Lease)>,
}

impl KeyRing {
    /// The keys of the file and of the variable. A file that is not there is made, with nothing but a signing secret.
    ///
    /// # Errors
    /// If one cannot be read.
    pub fn load(config: &AccessConfig) -> Result<Self, KeysError> {
        let mut ring = Self::default();
        if let Some(path) = &config.auth {
            let text = match std::fs::read_to_string(path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => make(path)?,
                text => text.map_err(|error| KeysError::File(path.clone(), error))?,
            };
            ring.read(&text, '\n', &path.display().to_string())?;
        }
        if let Some(text) = &config.keys {
            ring.read(text, ';', "LIMN_KEYS")?;
        }
        Ok(ring)
    }

    /// Adds the keys of a text whose lines end at `separator`; `place` stands in messages.
    ///
    /// # Errors
    /// [`KeysError::Line`] at the first line that is none.
    pub fn read(&mut self, text: &str, separator: char, place: &str) -> Result<(), KeysError> {
        for (number, line) in text.split(separator).enumerate() {
            let wrong = |why| KeysError::Line {
                line: number + 1,
                place: place.to_owned(),
                why,
            };
            let line = line.split('#').next().unwrap_or_default();
            let mut words = line.split_whitespace();
            let Some(first) = words.next() else { continue };
            let second = words.next().ok_or_else(|| wrong("there is one word"))?;
            if first == "signing" {
                let secret = unhex(second).ok_or_else(|| wrong("the secret is no hex"))?;
                let lease = Lease::new(hash(second));
                self.signing = Some((secret, lease));
                continue;
            }
            let right = Right::named(first)
                .ok_or_else(|| wrong("the right is none of viewer, player, operator"))?;
            let hash = match second.strip_prefix(HASHED) {
                Some(hex) => unhex(hex)
                    .and_then(|hash| hash.try_into().ok())
                    .ok_or_else(|| wrong("the hash is not 64 hex digits"))?,
                None => hash(second),
            };
            self.keys.push((right, Lease::new(hash)));
        }
        Ok(())
    }

    /// Whether there is anything that could be shown.
    pub fn is_in_force(&self) -> bool {
        !self.keys.is_empty() || self.signing.is_some()
    }

    /// How many keys there are.
    pub fn count(&self) -> usize {
        self.keys.len()
    }

    /// The right that a key gives. Every hash is looked at, in a time that says nothing about where they differ.
    pub fn right_of(&self, key: &str) -> Option<(Right, &Lease)> {
        let shown = hash(key);
        let known = self.keys.iter();
        known.fold(None, |found, (right, lease)| {
            if bool::from(lease.key().ct_eq(&shown)) {
                Some((*right, lease))
            } else {
                found
            }
        })
    }

    /// What rights are signed with.
    pub fn signing(&self) -> Option<(&[u8], &Lease)> {
        let (secret, lease) = self.signing.as_ref()?;
        Some((secret, lease))
    }

    /// Takes the place of `before`: what both have goes on, and what this one lacks, or has for another right, is revoked.
    pub fn follow(&mut self, before: &Self) {
        hand_on(&mut self.keys, &before.keys);
        hand_on(self.signing.as_mut_slice(), before.signing.as_slice());
    }
}

/// The leases of what is in both go over to `after`, the others end.
fn hand_on<T: PartialEq>(after: &mut [(T, Lease)], before: &[(T, Lease)]) {
    for old in before {
        match after.iter_mut().find(|new| **new == *old) {
            Some((_, lease)) => *lease = old.1.clone(),
            None => old.1.revoke(),
        }
    }
}

/// A new key, and the line that makes it one.
pub fn new_key(right: Right, name: Option<&str>) -> (String, String) {
    let key = format!("{PREFIX}{}", secret());
    let mut line = format!("{} {HASHED}{}", right.name(), hex(&hash(&key)));
    if let Some(name) = name {
        let _ = write!(line, " {name}");
    }
    (key, line)
}

/// Adds a line to a file of keys, which is made if there is none.
///
/// # Errors
/// If it cannot be written.
pub fn append(path: &Path, line: &str) -> Result<(), KeysError> {
    if !path.exists() {
        make(path)?;
    }
    let file = std::fs::OpenOptions::new().append(true).open(path);
    file.and_then(|mut file| writeln!(file, "{line}"))
        .map_err(|error| KeysError::File(path.to_owned(), error))
}

/// A file with a signing secret, for its owner alone; answers what is in it.
fn make(path: &Path) -> Result<String, KeysError> {
    let text = format!(
        "# right key name; `server key new --auth FILE` adds one\nsigning {}{}\n",
        secret(),
        secret()
    );
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| KeysError::File(path.to_owned(), error))?;
    Ok(text)
}

/// As random as what steers a session.
fn secret() -> String {
    Token::new().reveal().to_owned()
}

fn hash(key: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, key.as_bytes()).as_ref());
    hash
}

/// Lowercase.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// `None` for anything but pairs of hex digits.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let pairs = (0..text.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_opens_what_its_line_says_and_the_line_does_not_hold_it() {
        let (key, line) = new_key(Right::Player, Some("stage left"));
        assert!(
            !line.contains(&key) && line.ends_with(" stage left"),
            "{line}"
        );
        let mut ring = KeyRing::default();
        ring.read(
            &format!("# comment\n\n{line}\noperator open-sesame\n"),
            '\n',
            "file",
        )
        .unwrap();
        let right = |key| ring.right_of(key).map(|(right, _)| right);
        assert_eq!(right(&key), Some(Right::Player));
        assert_eq!(right("open-sesame"), Some(Right::Operator));
        assert_eq!(right(&key[..key.len() - 1]), None);
        assert_eq!(right(""), None);
    }

    #[test]
    fn a_key_that_is_taken_away_takes_what_it_gave() {
        let ring = |text| {
            let mut ring = KeyRing::default();
            ring.read(text, ';', "text").unwrap();
            ring
        };
        let before = ring("operator one; player two; player three; signing 00");
        let lease = |ring: &KeyRing, key| ring.right_of(key).unwrap().1.clone();
        let (one, two, three) = (
            lease(&before, "one"),
            lease(&before, "two"),
            lease(&before, "three"),
        );
        let signed = before.signing().unwrap().1.clone();
        let mut after = ring("operator one; viewer two; player four; signing 01");
        after.follow(&before);
        assert_eq!(
            [&one, &two, &three, &signed].map(Lease::is_revoked),
            [false, true, true, true]
        );
        // It lasts on, to be revoked by a later ring.
        ring("").follow(&after);
        assert!(one.is_revoked() && lease(&after, "two").is_revoked());
    }

    #[test]
    fn a_wrong_line_is_named_and_not_quoted() {
        for (text, why) in [
            ("operator limn_x\nemperor limn_secret", "line 2 of file"),
            ("operator sha256:12", "64 hex"),
            ("limn_secret", "one word"),
            ("signing limn_secret", "no hex"),
        ] {
            let error = KeyRing::default().read(text, '\n', "file").unwrap_err();
            let error = error.to_string();
            assert!(error.contains(why) && !error.contains("limn_"), "{error}");
        }
    }

    #[test]
    fn a_file_that_is_missing_is_made_for_its_owner_alone() {
        let path = std::env::temp_dir().join(format!("limn-keys-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let config = AccessConfig {
            auth: Some(path.clone()),
            ..AccessConfig::default()
        };
        let first = KeyRing::load(&config).unwrap();
        let (key, line) = new_key(Right::Operator, None);
        append(&path, &line).unwrap();
        let again = KeyRing::load(&config).unwrap();
        assert_eq!(first.signing(), again.signing());
        assert_eq!(again.right_of(&key).unwrap().0, Right::Operator);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        std::fs::remove_file(path).unwrap();
    }
}
