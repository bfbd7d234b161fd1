//! Names that cannot be guessed: session keys, and the token that steers a session.

use rand::RngExt;
use subtle::ConstantTimeEq;

/// 128 random bits; whoever has them steers the session.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// A new one, from the system's random numbers by way of rand's thread generator.
    pub fn new() -> Self {
        Self(format!("{:032x}", rand::rng().random::<u128>()))
    }

    /// To give it to its owner, once.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Compares in a time that says nothing about where they differ.
    pub fn matches(&self, other: &str) -> bool {
        self.0.as_bytes().ct_eq(other.as_bytes()).into()
    }
}

impl Default for Token {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(..)")
    }
}

/// A random version 4 UUID (RFC 9562), for a session that the server names.
pub fn new_key() -> String {
    let bits = rand::rng().random::<u128>();
    let bits = bits & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-")
}

/// Whether a client may name a session so: what is in a UUID, 16 to 64 of it.
pub fn is_key(text: &str) -> bool {
    (16..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_uuids_of_version_4() {
        let key = new_key();
        assert!(is_key(&key));
        assert_eq!((key.len(), &key[14..15]), (36, "4"));
        assert!("89ab".contains(&key[19..20]));
        assert_ne!(key, new_key());
        assert!(!is_key("../../etc/passwd") && !is_key("short"));
    }

    #[test]
    fn a_token_matches_itself_and_is_not_printed() {
        let token = Token::new();
        assert!(token.matches(token.reveal()));
        assert!(!token.matches(""));
        assert!(!format!("{token:?}").contains(token.reveal()));
    }
}
