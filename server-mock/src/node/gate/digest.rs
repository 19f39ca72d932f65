//! Digest at the gate: nonces that need no memory until they are used, and counters that may not repeat.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use homing_core::auth::digest::{Algorithm, DigestInput, Hash, HashedSecret, Qop, Secret, response, verify};
use homing_core::auth::security_association::Style;
use homing_core::ids::Seed;
use homing_core::secret::Password;
use homing_core::time::{Moment, Now};
use homing_wire::{Auth, AuthValue, Method};
use sha2::Sha256;

use super::{Admission, Challenge, Flaw, Gate, Passport, Refused, Seal, Visit};
use crate::node::config::GateConfig;
use crate::node::draws::Draws;
use crate::node::endpoint::Endpoint;

/// Makes and checks nonces.
pub(super) struct DigestGate {
    realm: String,
    algorithms: Vec<Hash>,
    life: Duration,
    secret: [u8; 32],
    nobody: Password,
    used: BTreeMap<NonceId, Counts>,
}

/// Which of its own nonces one is: the milliseconds of its birth, then its seal. The oldest comes first.
type NonceId = (u64, u64);

/// Nonce counts seen: the highest, and which of the 64 below it.
#[derive(Default)]
struct Counts {
    highest: u32,
    below: u64,
}

/// What a nonce is worth.
#[derive(PartialEq, Eq)]
enum Nonce {
    Good(NonceId),
    Lapsed,
    Foreign,
}

impl DigestGate {
    pub(super) fn new(realm: &str, config: &GateConfig, seed: &Seed) -> Self {
        let mut algorithms = Vec::new();
        if config.schemes.sha2() {
            algorithms.extend([Hash::Sha512Slash256, Hash::Sha256]);
        }
        if config.schemes.md5() {
            algorithms.push(Hash::Md5);
        }
        Self {
            realm: realm.to_owned(),
            algorithms,
            life: config.limits.nonce,
            secret: seed.rng("nonce key").bytes(),
            nobody: Password::new(seed.rng("password of nobody").token(16)),
            used: BTreeMap::new(),
        }
    }

    /// One challenge for each algorithm, strongest first (RFC 8760).
    pub(super) fn challenges(
        &self,
        stale: bool,
        draws: &mut dyn Draws,
        now: Now,
    ) -> impl Iterator<Item = String> + use<'_> {
        let nonce = self.nonce(draws, now);
        self.algorithms.iter().map(move |hash| {
            let name = Algorithm { hash: *hash, session: false }.name();
            let value = AuthValue::new("Digest")
                .quoted("realm", &self.realm)
                .quoted("nonce", &nonce)
                .quoted("qop", "auth")
                .bare("algorithm", name);
            if stale { value.bare("stale", "true") } else { value }.to_string()
        })
    }

    /// Forgets counters of nonces that have lapsed anyway.
    pub(super) fn handle_deadline(&mut self, now: Now) {
        let lapsed = |nonce: &NonceId| now.reached(Self::end(nonce.0, self.life));
        while let Some(oldest) = self.used.first_entry().filter(|oldest| lapsed(oldest.key())) {
            oldest.remove();
        }
    }

    fn nonce(&self, draws: &mut dyn Draws, now: Now) -> String {
        let born = u64::try_from(now.since_start.0.as_millis()).unwrap_or(u64::MAX);
        let mut nonce = String::with_capacity(48);
        // Writing to a String cannot fail.
        let _ = write!(nonce, "{born:012x}{}", draws.nonce());
        let mac = self.mac(&nonce);
        let _ = write!(nonce, "{mac:016x}");
        nonce
    }

    fn mac(&self, head: &str) -> u64 {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).expect("HMAC takes keys of any length");
        mac.update(head.as_bytes());
        mac.finalize().into_bytes()[..8].iter().fold(0, |all, byte| all << 8 | u64::from(*byte))
    }

    fn judge(&self, nonce: &str, now: Now) -> Nonce {
        let Some((head, mac)) = nonce.len().checked_sub(16).and_then(|at| nonce.split_at_checked(at)) else {
            return Nonce::Foreign;
        };
        let born = head.get(..12).and_then(|digits| u64::from_str_radix(digits, 16).ok());
        let seal = u64::from_str_radix(mac, 16).ok();
        match born.zip(seal) {
            Some((born, seal)) if self.mac(head) == seal => {
                let lapsed = now.reached(Self::end(born, self.life));
                if lapsed { Nonce::Lapsed } else { Nonce::Good((born, seal)) }
            }
            _ => Nonce::Foreign,
        }
    }

    /// When a nonce lapses that was born so many milliseconds after the start.
    fn end(born: u64, life: Duration) -> Moment {
        Moment(Duration::from_millis(born).saturating_add(life))
    }

    /// Books a count; false if it was used before or is too old to tell.
    fn count(&mut self, nonce: NonceId, nc: u32, now: Now) -> bool {
        self.handle_deadline(now);
        if self.used.len() >= MOST_NONCES && !self.used.contains_key(&nonce) {
            self.used.pop_first();
        }
        self.used.entry(nonce).or_default().admit(nc)
    }
}

impl Counts {
    fn admit(&mut self, nc: u32) -> bool {
        if nc > self.highest {
            let shift = nc - self.highest;
            self.below = self.below.checked_shl(shift).unwrap_or(0);
            if self.highest > 0 && shift <= 64 {
                self.below |= 1 << (shift - 1);
            }
            self.highest = nc;
            return true;
        }
        let behind = self.highest - nc;
        if nc == 0 || behind == 0 || behind > 64 || self.below & (1 << (behind - 1)) != 0 {
            return false;
        }
        self.below |= 1 << (behind - 1);
        true
    }
}

impl Gate {
    /// Decides about a request with Digest credentials for this realm.
    pub(super) fn admit_digest<'m>(
        &mut self,
        visit: &Visit<'m>,
        (style, auth, endpoint): (Style, Auth<'m>, Endpoint),
        draws: &mut dyn Draws,
    ) -> Admission {
        let now = visit.now;
        let Some(shown) = Shown::read(&auth, visit) else {
            let why = "the Digest credentials lack a parameter, or are for another request";
            return Admission::Refuse(Refused::flawed(400, Flaw::Broken, why));
        };
        if !self.digest.algorithms.contains(&shown.algorithm.hash) || shown.algorithm.session {
            let why = "an algorithm that was not offered".into();
            return self.challenge_or_discard(visit, (Some(Flaw::Broken), why), draws);
        }
        let account = visit
            .accounts
            .find_login(shown.user, "", &self.identity.domain)
            .filter(|account| account.enabled);
        let password = account.map_or(&self.digest.nobody, |account| &account.password);
        let secret = HashedSecret::new(shown.algorithm, shown.user, &self.digest.realm, password);
        let input = shown.input(&self.digest.realm, &secret, visit.request.body());
        let proved = verify(&input, shown.response);
        let rspauth = response(&DigestInput { method: "", body: &[], ..input });
        let Some(account) = account.filter(|_| proved) else {
            return self.failed_attempt(visit, (Flaw::Proof, "wrong user or password".into()), draws);
        };
        let method = visit.request.method();
        if matches!(method, Some(Method::Ack | Method::Cancel)) {
            // Credentials copied from the INVITE, count and all (RFC 3261 section 22.1).
        } else {
            let Nonce::Good(nonce) = self.digest.judge(shown.nonce, now) else {
                return self.stale(visit, style, "the nonce has lapsed".into(), draws);
            };
            if !self.digest.count(nonce, shown.count, now) {
                return self.stale(visit, style, "the nonce count was used before".into(), draws);
            }
        }
        let info = format!(
            "qop=auth, rspauth=\"{rspauth}\", cnonce=\"{}\", nc={:08x}",
            shown.cnonce.replace('"', ""),
            shown.count
        );
        let passport = Passport { endpoint, seal: Seal::Digest(info), proof: "Digest" };
        self.entitled(visit, &account.address, passport)
    }

    fn stale(
        &mut self,
        visit: &Visit<'_>,
        style: Style,
        why: Cow<'static, str>,
        draws: &mut dyn Draws,
    ) -> Admission {
        let values = self.digest.challenges(true, draws, visit.now).collect();
        let (spoken, flaw) = (visit.spoken, Some(Flaw::Nonce));
        Admission::Challenge(Challenge { style, values, spoken, why, flaw })
    }
}

/// The parameters of Digest credentials that are answered with `qop=auth`.
struct Shown<'m> {
    algorithm: Algorithm,
    user: &'m str,
    method: &'m str,
    uri: &'m str,
    nonce: &'m str,
    nc: &'m str,
    count: u32,
    cnonce: &'m str,
    response: &'m str,
}

impl<'m> Shown<'m> {
    /// Reads them. None if one is missing, malformed, or the URI is not that of the request.
    fn read(auth: &Auth<'m>, visit: &Visit<'m>) -> Option<Self> {
        let algorithm = auth.param("algorithm").map_or(Some(Algorithm::MD5), Algorithm::parse)?;
        let nc = auth.param("nc").filter(|nc| nc.len() == 8)?;
        auth.param("qop").filter(|qop| qop.eq_ignore_ascii_case("auth"))?;
        let method = visit.request.method()?.as_str();
        let uri = auth.param("uri").filter(|uri| Some(*uri) == visit.request.request_uri())?;
        Some(Self {
            algorithm,
            user: auth.param("username")?,
            method,
            uri,
            nonce: auth.param("nonce")?,
            nc,
            count: u32::from_str_radix(nc, 16).ok()?,
            cnonce: auth.param("cnonce")?,
            response: auth.param("response")?,
        })
    }

    fn input<'i>(&'i self, realm: &'i str, secret: &'i HashedSecret, body: &'i [u8]) -> DigestInput<'i> {
        DigestInput {
            algorithm: self.algorithm,
            user: self.user,
            realm,
            secret: Secret::Hashed(secret),
            method: self.method,
            uri: self.uri,
            nonce: self.nonce,
            nc: self.nc,
            cnonce: self.cnonce,
            qop: Some(Qop::Auth),
            body,
        }
    }
}

/// Nonces whose counts are remembered.
const MOST_NONCES: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_count_is_good_once_and_only_within_sixty_four() {
        let mut counts = Counts::default();
        assert!(!counts.admit(0));
        for fresh in [1, 3, 2, 70, 69, 6, 7] {
            assert!(counts.admit(fresh), "{fresh}");
        }
        for used in [1, 3, 2, 70, 69, 6, 7, 5] {
            assert!(!counts.admit(used), "{used}");
        }
        assert!(counts.admit(u32::MAX) && !counts.admit(u32::MAX) && counts.admit(u32::MAX - 64));
    }
}
