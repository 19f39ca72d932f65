//! Digest authentication: nonces that need no memory until they are used, and counters that may not repeat.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Write;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use homing_core::auth::digest::{Algorithm, DigestInput, Hash, HashedSecret, Qop, Secret, response, verify};
use homing_core::auth::security_association::Style;
use homing_core::ids::Seed;
use homing_core::secret::Password;
use homing_core::time::{Moment, Now};
use homing_wire::{Auth, AuthValue, Message, Method, Name, Uri};
use sha2::Sha256;

use super::credentials::Credentials;
use super::failure::AuthFailure;
use super::guessing::{Guessing, Source};
use super::outcome::{AuthRequest, Challenge, Principal, Refused, ResponseAuth, SchemeOutcome};
use crate::node::config::AuthenticationConfig;
use crate::node::random::Random;

/// Makes and checks nonces.
pub(super) struct DigestAuthenticator {
    realm: String,
    algorithms: Vec<Hash>,
    life: Duration,
    /// Keyed; what a nonce is made for goes in.
    mac: Hmac<Sha256>,
    unknown: Password,
    /// Counts of every nonce that was used and is still good.
    used: BTreeMap<NonceId, Used>,
    most: usize,
    /// Nonces up to this one are stale: their counts were given up.
    stale_up_to: Option<NonceId>,
    evicted: u64,
}

/// Which of its own nonces one is: the milliseconds of its birth, then its MAC. The oldest comes first.
type NonceId = (u64, u64);

/// What is known of a nonce that was used.
struct Used {
    /// The address of who proved a password with it.
    user: String,
    counts: Counts,
}

/// Nonce counts seen: the highest, and which of the 64 below it.
#[derive(Default)]
struct Counts {
    highest: u32,
    below: u64,
}

/// What a nonce is worth to the one who shows it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nonce {
    Good(NonceId),
    Lapsed,
    /// It was not given to this source.
    Foreign,
}

impl DigestAuthenticator {
    pub(super) fn new(realm: &str, config: &AuthenticationConfig, seed: &Seed) -> Self {
        let mut algorithms = Vec::new();
        // Clients that know only MD5 look no further than the first; all others find the strongest in any order.
        if config.schemes.md5() {
            algorithms.push(Hash::Md5);
        }
        if config.schemes.sha2() {
            algorithms.extend([Hash::Sha512Slash256, Hash::Sha256]);
        }
        Self {
            realm: realm.to_owned(),
            algorithms,
            life: config.limits.nonce,
            mac: Hmac::new_from_slice(&seed.rng("nonce key").bytes::<32>())
                .expect("HMAC takes keys of any length"),
            unknown: Password::new(seed.rng("password of nobody").token(16)),
            used: BTreeMap::new(),
            most: config.limits.nonces.max(1),
            stale_up_to: None,
            evicted: 0,
        }
    }

    /// One challenge for each algorithm, MD5 before those of RFC 8760. A client that gives up at an algorithm is offered
    /// the others alone, where there are any.
    pub(super) fn challenges(
        &self,
        stale: bool,
        auth_request: &AuthRequest<'_>,
        random: &mut dyn Random,
    ) -> impl Iterator<Item = String> + use<'_> {
        let nonce = self.nonce(auth_request, random);
        let unknown = gives_up_at(auth_request.request);
        // Where nothing else is offered, it is told so.
        let knows_one = self.algorithms.iter().any(|hash| !unknown.contains(hash));
        let offered = self.algorithms.iter().filter(move |hash| !knows_one || !unknown.contains(hash));
        offered.map(move |hash| {
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

    /// How many nonces turned stale since the last call because too many are in use.
    pub(super) fn take_evicted(&mut self) -> u64 {
        std::mem::take(&mut self.evicted)
    }

    fn nonce(&self, auth_request: &AuthRequest<'_>, random: &mut dyn Random) -> String {
        let born = u64::try_from(auth_request.now.since_start.0.as_millis()).unwrap_or(u64::MAX);
        let mut nonce = String::with_capacity(48);
        // Writing to a String cannot fail.
        let _ = write!(nonce, "{born:012x}{}", random.nonce());
        let mac = self.mac(&nonce, auth_request.source);
        let _ = write!(nonce, "{mac:016x}");
        nonce
    }

    /// A nonce is good only for the source it was given to.
    fn mac(&self, head: &str, source: &Source) -> u64 {
        let mut mac = self.mac.clone();
        mac.update(head.as_bytes());
        match source {
            Source::Network(ip) => mac.update(ip.to_string().as_bytes()),
            Source::Behind(endpoint) => mac.update(endpoint.to_string().as_bytes()),
        }
        mac.finalize().into_bytes()[..8].iter().fold(0, |all, byte| all << 8 | u64::from(*byte))
    }

    fn judge(&self, nonce: &str, auth_request: &AuthRequest<'_>) -> Nonce {
        let Some((head, mac)) = nonce.len().checked_sub(16).and_then(|at| nonce.split_at_checked(at)) else {
            return Nonce::Foreign;
        };
        let born = head.get(..12).and_then(|digits| u64::from_str_radix(digits, 16).ok());
        let tag = u64::from_str_radix(mac, 16).ok();
        match born.zip(tag) {
            Some((born, tag)) if self.mac(head, auth_request.source) == tag => {
                let given_up = self.stale_up_to.is_some_and(|last| (born, tag) <= last);
                let lapsed = given_up || auth_request.now.reached(Self::end(born, self.life));
                if lapsed { Nonce::Lapsed } else { Nonce::Good((born, tag)) }
            }
            _ => Nonce::Foreign,
        }
    }

    /// When a nonce lapses that was born so many milliseconds after the start.
    fn end(born: u64, life: Duration) -> Moment {
        Moment(Duration::from_millis(born).saturating_add(life))
    }

    /// Books a count; false if it was used before or is too old to tell. Counts live as long as their nonce: where there
    /// are too many, the oldest nonce turns stale with its counts.
    fn count(&mut self, nonce: NonceId, nc: u32, user: &str, now: Now) -> bool {
        self.handle_deadline(now);
        if let Entry::Vacant(fresh) = self.used.entry(nonce) {
            fresh.insert(Used { user: user.to_owned(), counts: Counts::default() });
            if self.used.len() > self.most
                && let Some((oldest, _)) = self.used.pop_first()
            {
                self.stale_up_to = Some(oldest);
                self.evicted += 1;
            }
        }
        self.used.get_mut(&nonce).is_some_and(|used| used.counts.admit(nc))
    }

    /// Decides about a request with Digest credentials for this realm.
    pub(super) fn authenticate(
        &mut self,
        auth_request: &AuthRequest<'_>,
        credentials: Credentials<'_>,
        guessing: &mut Guessing,
        random: &mut dyn Random,
    ) -> SchemeOutcome {
        let Credentials { style, auth, endpoint } = credentials;
        let Some(shown) = DigestCredentials::read(&auth, auth_request) else {
            let why = "the Digest credentials lack a parameter, or are for another request";
            return SchemeOutcome::Refuse(Refused::failed(400, AuthFailure::Broken, why));
        };
        if !self.algorithms.contains(&shown.algorithm.hash) || shown.algorithm.session {
            return SchemeOutcome::Unproved(AuthFailure::Broken, "an algorithm that was not offered".into());
        }
        let (source, now) = (auth_request.source, auth_request.now);
        let claimed = auth_request.accounts.login_address(shown.user, "", &self.realm);
        let nonce = self.judge(shown.nonce, auth_request);
        if nonce == Nonce::Foreign {
            // Whether the password is right is not said: the answer could not be counted.
            return self.stale(auth_request, style, "the nonce was not given to this source", random);
        }
        if !self.is_holder(nonce, &claimed)
            && auth_request.bound != Some(claimed.as_str())
            && let Some(pause) = guessing.pause(&claimed, source, now)
        {
            return SchemeOutcome::Refuse(Refused::paused(pause));
        }
        let account = auth_request.accounts.find(&claimed).filter(|account| account.enabled);
        let password = account.map_or(&self.unknown, |account| &account.password);
        let secret = HashedSecret::new(shown.algorithm, shown.user, &self.realm, password);
        let input = shown.input(&self.realm, &secret, auth_request.request.body());
        let proved = verify(&input, shown.response);
        let rspauth = response(&DigestInput { method: "", body: &[], ..input });
        let Some(account) = account.filter(|_| proved) else {
            guessing.wrong(&claimed, source, now);
            return SchemeOutcome::FailedAttempt(AuthFailure::Proof, "wrong user or password".into());
        };
        // ACK and CANCEL copy the credentials of the INVITE, count and all (RFC 3261 section 22.1).
        if !matches!(auth_request.request.method(), Some(Method::Ack | Method::Cancel)) {
            if !self.is_holder(nonce, &account.address) {
                guessing.right(&account.address, source);
            }
            let fresh = match nonce {
                Nonce::Good(nonce) if self.count(nonce, shown.count, &account.address, now) => None,
                Nonce::Good(_) => Some("the nonce count was used before"),
                Nonce::Lapsed | Nonce::Foreign => Some("the nonce has lapsed"),
            };
            if let Some(why) = fresh {
                return self.stale(auth_request, style, why, random);
            }
        }
        let principal = Principal {
            endpoint,
            response_auth: ResponseAuth::Digest(shown.info(&rspauth)),
            proof: "Digest",
        };
        SchemeOutcome::Proved(account.address.clone(), principal)
    }

    /// True if that user proved a password with that nonce already: no pause concerns them.
    fn is_holder(&self, nonce: Nonce, user: &str) -> bool {
        matches!(nonce, Nonce::Good(id) if self.used.get(&id).is_some_and(|used| used.user == user))
    }

    fn stale(
        &self,
        auth_request: &AuthRequest<'_>,
        style: Style,
        why: &'static str,
        random: &mut dyn Random,
    ) -> SchemeOutcome {
        if matches!(auth_request.request.method(), Some(Method::Ack | Method::Cancel)) {
            return SchemeOutcome::Discard(why, AuthFailure::Nonce);
        }
        let values = self.challenges(true, auth_request, random).collect();
        let (dialect_in_use, failure) = (auth_request.dialect_in_use, Some(AuthFailure::Nonce));
        SchemeOutcome::Challenge(Challenge { style, values, dialect_in_use, why: why.into(), failure })
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

/// The parameters of Digest credentials that are answered with `qop=auth`.
struct DigestCredentials<'m> {
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

impl<'m> DigestCredentials<'m> {
    /// Reads them. None if one is missing, malformed, or the URI is not that of the request.
    fn read(auth: &Auth<'m>, auth_request: &AuthRequest<'m>) -> Option<Self> {
        let algorithm = auth.param("algorithm").map_or(Some(Algorithm::MD5), Algorithm::parse)?;
        let nc = auth.param("nc").filter(|nc| nc.len() == 8)?;
        auth.param("qop").filter(|qop| qop.eq_ignore_ascii_case("auth"))?;
        let method = auth_request.request.method()?.as_str();
        let uri = auth.param("uri").filter(|uri| names_target(uri, auth_request))?;
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

    /// Authentication-Info of the response.
    fn info(&self, rspauth: &str) -> String {
        let cnonce = self.cnonce.replace('"', "");
        format!("qop=auth, rspauth=\"{rspauth}\", cnonce=\"{cnonce}\", nc={:08x}", self.count)
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

/// The algorithms at which a client gives up, whatever else is offered: baresip and linphone, in the versions that
/// Debian 12 ships.
fn gives_up_at(request: &Message) -> &'static [Hash] {
    let agent = request.text(Name::UserAgent).unwrap_or_default();
    if agent.starts_with("baresip") {
        &[Hash::Sha512Slash256, Hash::Sha256]
    } else if agent.starts_with("Linphone") {
        &[Hash::Sha512Slash256]
    } else {
        &[]
    }
}

/// True if `uri` means where the request goes: the Request-URI or one equivalent to it, the domain, this server, or the
/// address and port it came in on. Clients write one and ask the other.
fn names_target(uri: &str, auth_request: &AuthRequest<'_>) -> bool {
    let asked = auth_request.request.request_uri();
    if asked == Some(uri) {
        return true;
    }
    // SIPp writes a host and port without a scheme.
    let schemed = uri.starts_with("sip:") || uri.starts_with("sips:");
    let text = if schemed { uri.to_owned() } else { format!("sip:{uri}") };
    let Ok(named) = Uri::parse(&text) else { return false };
    if asked.and_then(|asked| Uri::parse(asked).ok()).is_some_and(|asked| asked.equivalent(&named)) {
        return true;
    }
    let host = named.host().to_string();
    let host = host.trim_end_matches('.');
    let here = auth_request.here;
    let is_address = named.host().ip() == Some(here.local.ip()) && named.port() == Some(here.local.port());
    named.user().is_none()
        && (host.eq_ignore_ascii_case(&here.identity.domain)
            || host.eq_ignore_ascii_case(&here.identity.fqdn)
            || is_address)
}

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
