//! What is kept of credentials to know them again: sixteen octets that tell equal from different.

use std::fmt;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::outbox::Credentials;

/// Half a SHA-256 over user, domain and password. It does not print and is wiped on drop.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct CredentialsHash(Zeroizing<[u8; 16]>);

impl CredentialsHash {
    pub(crate) fn new(credentials: &Credentials) -> Self {
        let Credentials { user, domain, password } = credentials;
        let mut hash = Sha256::new();
        for part in [user, domain, password.reveal()] {
            // Each with its length: "ab" and "c" are not "a" and "bc".
            hash.update(part.len().to_be_bytes());
            hash.update(part.as_bytes());
        }
        let full = Zeroizing::new(<[u8; 32]>::from(hash.finalize()));
        let mut half = Zeroizing::new([0; 16]);
        half.copy_from_slice(&full[..16]);
        Self(half)
    }
}

impl fmt::Debug for CredentialsHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CredentialsHash(•••)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Password;

    #[test]
    fn credentials_are_the_same_only_in_every_part() {
        let hash = |user: &str, domain: &str, password: &str| {
            let (user, domain) = (user.into(), domain.into());
            CredentialsHash::new(&Credentials { user, domain, password: Password::new(password) })
        };
        let first = hash("alice", "NETWORK", "canary-7f3a");
        assert_eq!(first, hash("alice", "NETWORK", "canary-7f3a"));
        for other in [
            hash("alicE", "NETWORK", "canary-7f3a"),
            hash("aliceN", "ETWORK", "canary-7f3a"),
            hash("alice", "NETWORKc", "anary-7f3a"),
            hash("alice", "NETWORK", ""),
        ] {
            assert_ne!(first, other);
        }
        assert_eq!(format!("{first:?}"), "CredentialsHash(•••)");
    }
}
