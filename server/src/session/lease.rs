//! How long a right lasts: as long as the key that gave it is in force.

use tokio_util::sync::CancellationToken;

/// Handed on with every right that a key gave, to whatever goes on for long.
#[derive(Clone, Debug)]
pub struct Lease {
    /// The SHA-256 of the key, or of the secret that signed the right.
    key: [u8; 32],
    revoked: CancellationToken,
}

impl Lease {
    /// Of a key that has just come into force.
    pub fn new(key: [u8; 32]) -> Self {
        Self {
            key,
            revoked: CancellationToken::new(),
        }
    }

    /// The key's SHA-256.
    pub fn key(&self) -> &[u8; 32] {
        &self.key
    }

    /// The key is in force no more.
    pub fn revoke(&self) {
        self.revoked.cancel();
    }

    /// Whether it is not.
    pub fn is_revoked(&self) -> bool {
        self.revoked.is_cancelled()
    }

    /// Resolves when it is not.
    pub fn revoked(&self) -> impl Future<Output = ()> + use<> {
        self.revoked.clone().cancelled_owned()
    }
}

/// The same key.
impl PartialEq for Lease {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}
