//! What Digest realms offered so far: a realm that offered better is not answered with less.

use crate::auth::digest::{DigestChallenge, Hash};

/// The best that each realm offered since the account signed in, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct RealmOffers(Vec<Offered>);

#[derive(Clone, Debug)]
struct Offered {
    realm: Box<str>,
    /// It offered SHA-256 or SHA-512/256.
    sha: bool,
    /// It offered a quality of protection.
    qop: bool,
}

impl RealmOffers {
    /// Notes a challenge; false if its realm offered better before, so that an attacker may be weakening it.
    pub(crate) fn admit(&mut self, challenge: &DigestChallenge) -> bool {
        let realm = challenge.realm_as_written();
        let (sha, qop) = (challenge.algorithm().hash != Hash::Md5, challenge.qop().is_some());
        match self.0.iter_mut().find(|known| *known.realm == *realm) {
            Some(known) if known.sha && !sha || known.qop && !qop => false,
            Some(known) => {
                (known.sha, known.qop) = (sha, qop);
                true
            }
            None => {
                if self.0.len() == MOST_REALMS {
                    self.0.remove(0);
                }
                // Nearly every account knows one realm.
                self.0.reserve_exact(1);
                self.0.push(Offered { realm: realm.into(), sha, qop });
                true
            }
        }
    }

    /// The account signed out.
    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }
}

/// Realms of one account that are remembered.
const MOST_REALMS: usize = 16;

#[cfg(test)]
mod tests {
    use homing_wire::Auth;

    use super::*;

    #[test]
    fn no_realm_steps_down_before_the_account_signs_out() {
        let mut offers = RealmOffers::default();
        let challenge = |more: &str| {
            let text = format!("Digest realm=\"r\", nonce=\"n\"{more}");
            DigestChallenge::parse(&Auth::parse(text.as_bytes()).unwrap()).unwrap()
        };
        let (bare, qop, sha) =
            (challenge(""), challenge(", qop=\"auth\""), challenge(", qop=\"auth\", algorithm=SHA-256"));
        assert!(offers.admit(&bare) && offers.admit(&qop) && !offers.admit(&bare));
        assert!(offers.admit(&sha) && !offers.admit(&qop) && offers.admit(&sha));
        offers.forget();
        assert!(offers.admit(&bare));
    }
}
