//! A Digest challenge, read and checked, and the choice among several (RFC 8760 section 2.4).

use std::borrow::Cow;

use homing_wire::Auth;
use thiserror::Error;

use super::algorithm::{Algorithm, Hash, Qop};

/// One Digest challenge that we can answer, in our own storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestChallenge {
    /// Realm, nonce and opaque as they stand between the quotes, escapes and all: so they go back.
    realm: Box<str>,
    nonce: Box<str>,
    opaque: Option<Box<str>>,
    algorithm: Algorithm,
    /// Whether the challenge said its algorithm; a silent one is answered silently.
    named_algorithm: bool,
    qop: Option<Qop>,
    flags: ChallengeFlags,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct ChallengeFlags {
    stale: bool,
    userhash: bool,
}

/// Which challenges are answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DigestRules {
    /// Those with MD5, too.
    pub allow_md5: bool,
    /// Only those that offer a quality of protection.
    pub require_qop: bool,
}

impl DigestRules {
    /// Without `qop` an answer covers no nonce of the client and can be replayed: many servers know no other form with
    /// MD5, and none has a reason to offer it with SHA-2.
    fn admit(self, challenge: &DigestChallenge) -> bool {
        let is_md5 = challenge.algorithm.hash == Hash::Md5;
        (self.allow_md5 || !is_md5) && (challenge.qop.is_some() || is_md5 && !self.require_qop)
    }
}

/// Why a challenge cannot be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DigestError {
    /// Another scheme.
    #[error("not a Digest challenge")]
    OtherScheme,
    /// Realm or nonce is missing.
    #[error("the Digest challenge has no realm or no nonce")]
    Incomplete,
    /// An algorithm we do not know.
    #[error("the Digest challenge asks for an unknown algorithm")]
    UnknownAlgorithm,
    /// None of the offered qualities of protection is known, or a `-sess` algorithm comes without.
    #[error("the Digest challenge offers no quality of protection we know")]
    UnknownQop,
    /// One of the parameters that matter stands there twice with different values.
    #[error("the Digest challenge contradicts itself")]
    Conflicting,
}

/// Of each realm the strongest challenge that can be answered, in the order the realms come; among equals the
/// first.
///
/// Servers list the strongest first (RFC 8760 2.3); the order is not relied upon. Challenges that are malformed, of
/// other schemes, or not allowed by `rules` are passed over.
pub fn strongest_of_each_realm<'m>(
    challenges: impl Iterator<Item = Auth<'m>>,
    rules: DigestRules,
) -> Vec<DigestChallenge> {
    let mut best: Vec<DigestChallenge> = Vec::new();
    for challenge in challenges.filter_map(|auth| DigestChallenge::parse(&auth).ok()) {
        if !rules.admit(&challenge) {
            continue;
        }
        match best.iter_mut().find(|known| known.realm == challenge.realm) {
            Some(known) if challenge.algorithm.hash > known.algorithm.hash => *known = challenge,
            Some(_) => {}
            None => best.push(challenge),
        }
    }
    best
}

impl DigestChallenge {
    /// Reads one challenge.
    ///
    /// # Errors
    /// [`DigestError`]; try the next challenge of the same response.
    pub fn parse(challenge: &Auth<'_>) -> Result<Self, DigestError> {
        if !challenge.scheme.eq_ignore_ascii_case("Digest") {
            return Err(DigestError::OtherScheme);
        }
        if challenge.conflicting() {
            return Err(DigestError::Conflicting);
        }
        let named = challenge.param("algorithm");
        let algorithm =
            named.map_or(Some(Algorithm::MD5), Algorithm::parse).ok_or(DigestError::UnknownAlgorithm)?;
        let qop = match challenge.param("qop") {
            None | Some("") => None,
            Some(list) => Some(Qop::choose(list).ok_or(DigestError::UnknownQop)?),
        };
        // The session form needs a client nonce, which only goes out beside a qop.
        if algorithm.session && qop.is_none() {
            return Err(DigestError::UnknownQop);
        }
        let (Some(realm), Some(nonce)) = (challenge.param("realm"), challenge.param("nonce")) else {
            return Err(DigestError::Incomplete);
        };
        // What no quoted text can repeat cannot be answered: the server would not know its own words.
        if [Some(realm), Some(nonce), challenge.param("opaque")].into_iter().flatten().any(is_unspeakable) {
            return Err(DigestError::Incomplete);
        }
        let is_true = |name| challenge.param(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        Ok(Self {
            realm: realm.into(),
            nonce: nonce.into(),
            opaque: challenge.param("opaque").map(Into::into),
            algorithm,
            named_algorithm: named.is_some(),
            qop,
            flags: ChallengeFlags { stale: is_true("stale"), userhash: is_true("userhash") },
        })
    }

    /// The realm whose password is asked for, as a person reads it; it enters the hash like this.
    pub fn realm(&self) -> Cow<'_, str> {
        unescape(&self.realm)
    }

    /// The realm as the challenge writes it, to be returned unchanged.
    pub fn realm_as_written(&self) -> &str {
        &self.realm
    }

    /// The server's nonce, as the challenge writes it.
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// As the challenge writes it, to be returned unchanged.
    pub fn opaque(&self) -> Option<&str> {
        self.opaque.as_deref()
    }

    /// Hash function and form.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The algorithm as the challenge named it; `None` if it did not.
    pub fn named_algorithm(&self) -> Option<Algorithm> {
        self.named_algorithm.then_some(self.algorithm)
    }

    /// The quality of protection that will be used.
    pub fn qop(&self) -> Option<Qop> {
        self.qop
    }

    /// The password was right but the nonce too old: answer again without asking the user.
    pub fn stale(&self) -> bool {
        self.flags.stale
    }

    /// The user name is to be sent hashed.
    pub fn userhash(&self) -> bool {
        self.flags.userhash
    }

    /// Takes over a nonce the server announced.
    pub(super) fn rotate(&mut self, nonce: &str) {
        self.nonce = nonce.into();
    }
}

/// True for a value with a quote of its own or a control character, as only a careless bare value has.
fn is_unspeakable(value: &str) -> bool {
    let mut escaped = false;
    value.chars().any(|c| {
        let bare_quote = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        bare_quote || c.is_control()
    }) || escaped
}

/// Undoes the backslash escapes of a quoted string (RFC 3261 25.1).
pub fn unescape(quoted: &str) -> Cow<'_, str> {
    if !quoted.contains('\\') {
        return Cow::Borrowed(quoted);
    }
    let mut plain = String::with_capacity(quoted.len());
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        plain.push(if c == '\\' { chars.next().unwrap_or(c) } else { c });
    }
    Cow::Owned(plain)
}
