//! Rights that an address carries, for readers that can send no header: `RIGHT.SCOPE.EXPIRY.MAC`, with the HMAC-SHA256
//! (RFC 2104) of what stands before it. They end by themselves, and with the secret that signed them.

use std::time::{SystemTime, UNIX_EPOCH};

use ring::hmac::{HMAC_SHA256, Key};

use super::keys::{hex, unhex};
use super::{Grant, Right};

/// What a right is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All there is.
    All,
    /// The program.
    Program,
    /// One session.
    Session(String),
}

impl Scope {
    fn name(&self) -> &str {
        match self {
            Self::All => "all",
            Self::Program => "program",
            Self::Session(key) => key,
        }
    }

    fn named(name: &str) -> Self {
        match name {
            "all" => Self::All,
            "program" => Self::Program,
            key => Self::Session(key.to_owned()),
        }
    }
}

/// The Unix time in so many seconds.
pub fn after(seconds: u64) -> u64 {
    now().saturating_add(seconds)
}

/// A grant that `secret` answers for until `expiry`, a Unix time.
pub fn sign(secret: &[u8], grant: &Grant, expiry: u64) -> String {
    let claim = format!("{}.{}.{expiry}", grant.right.name(), grant.scope.name());
    let mac = ring::hmac::sign(&Key::new(HMAC_SHA256, secret), claim.as_bytes());
    format!("{claim}.{}", hex(mac.as_ref()))
}

/// The grant, if nothing in it was altered and it has not ended.
pub fn verify(secret: &[u8], signed: &str) -> Option<Grant> {
    let (claim, mac) = signed.rsplit_once('.')?;
    let key = Key::new(HMAC_SHA256, secret);
    // Compares in a time that says nothing about where they differ.
    ring::hmac::verify(&key, claim.as_bytes(), &unhex(mac)?).ok()?;
    let mut parts = claim.splitn(3, '.');
    let (right, scope, expiry) = (parts.next()?, parts.next()?, parts.next()?);
    let expiry: u64 = expiry.parse().ok()?;
    (now() < expiry).then_some(Grant {
        right: Right::named(right)?,
        scope: Scope::named(scope),
    })
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    // A clock before 1970 makes every signature one that has ended.
    since.map_or(u64::MAX, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"a secret of the test";

    #[test]
    fn what_was_signed_is_granted_until_it_ends() {
        let grant = Grant {
            right: Right::Viewer,
            scope: Scope::Session("4f3c2b1a-0000-4000-8000-000000000000".to_owned()),
        };
        let signed = sign(SECRET, &grant, after(60));
        assert_eq!(verify(SECRET, &signed), Some(grant.clone()));
        assert_eq!(verify(b"another secret", &signed), None);
        assert_eq!(verify(SECRET, &sign(SECRET, &grant, now())), None);
    }

    #[test]
    fn nothing_of_it_can_be_altered() {
        let grant = Grant {
            right: Right::Viewer,
            scope: Scope::Program,
        };
        let signed = sign(SECRET, &grant, after(60));
        let (claim, mac) = signed.rsplit_once('.').unwrap();
        for forged in [
            signed.replace("viewer", "operator"),
            signed.replace("program", "all"),
            format!("{claim}0.{mac}"),
            format!("{claim}.{}", mac.replace(&mac[..2], "00")),
            format!("{claim}."),
            claim.to_owned(),
            String::new(),
        ] {
            if forged != signed {
                assert_eq!(verify(SECRET, &forged), None, "{forged}");
            }
        }
    }
}
