//! Answers requests under one challenge: counts the nonce's uses, follows its successor.

use std::fmt;

use homing_wire::{Auth, AuthValue};

use super::algorithm::Qop;
use super::challenge::DigestChallenge;
use super::response::{DigestInput, HashedSecret, Secret, response, userhash, verify};
use crate::secret::Password;

/// A challenge, the secret that answers it, and how often its nonce was used (RFC 7616 3.4).
///
/// The password itself is not kept, only its hash with user and realm.
pub struct DigestSession {
    challenge: DigestChallenge,
    user: Box<str>,
    secret: HashedSecret,
    /// Uses of the current nonce so far.
    count: u32,
    last_cnonce: Box<str>,
    /// `-sess`: `H(A1)`, fixed by the nonces of the first answer.
    bound: Option<HashedSecret>,
}

/// A request that was answered: what the proof of its server covers.
#[derive(Clone, Copy, Debug)]
pub struct AnsweredRequest<'a> {
    /// Its Request-URI.
    pub uri: &'a str,
    /// The body of the response, covered by `auth-int`.
    pub body: &'a [u8],
    /// The nonce it answered.
    pub nonce: &'a str,
    /// Its nonce count, as written.
    pub nc: &'a str,
    /// Its client nonce.
    pub cnonce: &'a str,
    /// `-sess`: the key it was computed with. A challenge that came since began another session.
    pub session_key: Option<&'a HashedSecret>,
}

/// What an Authentication-Info of a Digest server says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InfoVerdict {
    /// It proves that the server knows the secret.
    Proved,
    /// It carries no proof. A successor of the nonce was taken over if there was one.
    Unproved,
    /// Its proof is wrong; nothing was taken over.
    Wrong,
}

impl DigestSession {
    /// A session for `user` under `challenge`.
    pub fn new(challenge: DigestChallenge, user: &str, password: &Password) -> Self {
        let secret = HashedSecret::new(challenge.algorithm(), user, &challenge.realm(), password);
        Self { challenge, user: user.into(), secret, count: 0, last_cnonce: "".into(), bound: None }
    }

    /// The challenge being answered.
    pub fn challenge(&self) -> &DigestChallenge {
        &self.challenge
    }

    /// Takes a new challenge of the same server: the secret at hand answers it if realm and algorithm
    /// are as before.
    ///
    /// # Errors
    /// The challenge, if it asks for another secret.
    pub fn renew(&mut self, challenge: DigestChallenge) -> Result<(), DigestChallenge> {
        let same = challenge.realm_as_written() == self.challenge.realm_as_written()
            && challenge.algorithm() == self.challenge.algorithm();
        if !same {
            return Err(challenge);
        }
        self.challenge = challenge;
        self.count = 0;
        self.last_cnonce = "".into();
        self.bound = None;
        Ok(())
    }

    /// The credentials for one request, to stand in Authorization or Proxy-Authorization.
    ///
    /// `uri` is the Request-URI as sent, `cnonce` a fresh random token. A session under a `-sess`
    /// algorithm keeps to its first `cnonce`: servers differ on whether later ones enter the key.
    pub fn authorization(&mut self, method: &str, uri: &str, body: &[u8], cnonce: &str) -> AuthValue {
        let algorithm = self.challenge.algorithm();
        if algorithm.session {
            if self.bound.is_none() {
                self.bound = Some(self.secret.bound(algorithm, self.challenge.nonce(), cnonce));
                self.last_cnonce = cnonce.into();
            }
        } else {
            self.last_cnonce = cnonce.into();
        }
        self.count = self.count.saturating_add(1);
        let nc = self.nc();
        let answer = response(&self.input(method, uri, &nc, body));
        self.credentials(uri, &nc, &answer)
    }

    /// What the last answer said: `nonce`, `nc` and `cnonce`.
    pub(crate) fn last_answer(&self) -> (&str, String, &str) {
        (self.challenge.nonce(), self.nc(), &self.last_cnonce)
    }

    /// `-sess`: the key of the last answer.
    pub(crate) fn session_key(&self) -> Option<&HashedSecret> {
        self.bound.as_ref()
    }

    fn nc(&self) -> String {
        format!("{:08x}", self.count)
    }

    /// Reads the Authentication-Info of a response to `request`: checks `rspauth` if there is one, by what that
    /// very request said, and follows `nextnonce` (RFC 7616 3.5).
    pub fn handle_info(&mut self, info: &Auth<'_>, request: AnsweredRequest<'_>) -> InfoVerdict {
        let verdict = match info.param("rspauth") {
            None => InfoVerdict::Unproved,
            Some(given) if self.is_proof(given, info, request) => InfoVerdict::Proved,
            Some(_) => return InfoVerdict::Wrong,
        };
        if let Some(next) = info.param("nextnonce").filter(|next| *next != self.challenge.nonce()) {
            self.challenge.rotate(next);
            self.count = 0;
        }
        verdict
    }

    fn is_proof(&self, given: &str, info: &Auth<'_>, request: AnsweredRequest<'_>) -> bool {
        let AnsweredRequest { uri, body, nonce, nc, cnonce, session_key } = request;
        let is_other = |name, own: &str| info.param(name).is_some_and(|said| !said.eq_ignore_ascii_case(own));
        if info.conflicting() || is_other("cnonce", cnonce) || is_other("nc", nc) {
            return false;
        }
        let qop = info.param("qop").map_or(self.challenge.qop(), Qop::choose);
        let secret = session_key.map_or(Secret::Hashed(&self.secret), Secret::Bound);
        verify(&DigestInput { qop, nonce, cnonce, secret, ..self.input("", uri, nc, body) }, given)
    }

    fn input<'a>(&'a self, method: &'a str, uri: &'a str, nc: &'a str, body: &'a [u8]) -> DigestInput<'a> {
        // User and realm are in the hashed secret already.
        DigestInput {
            algorithm: self.challenge.algorithm(),
            user: "",
            realm: "",
            secret: self.bound.as_ref().map_or(Secret::Hashed(&self.secret), Secret::Bound),
            method,
            uri,
            nonce: self.challenge.nonce(),
            nc,
            cnonce: &self.last_cnonce,
            qop: self.challenge.qop(),
            body,
        }
    }

    fn credentials(&self, uri: &str, nc: &str, answer: &str) -> AuthValue {
        let challenge = &self.challenge;
        let value = AuthValue::new("Digest");
        let value = if challenge.userhash() {
            value.quoted("username", userhash(challenge.algorithm(), &self.user, &challenge.realm()))
        } else {
            value.text("username", &self.user)
        };
        let mut value = value
            .quoted("realm", challenge.realm_as_written())
            .quoted("nonce", challenge.nonce())
            .quoted("uri", uri)
            .quoted("response", answer);
        if let Some(algorithm) = challenge.named_algorithm() {
            value = value.bare("algorithm", algorithm.name());
        }
        if let Some(opaque) = challenge.opaque() {
            value = value.quoted("opaque", opaque);
        }
        if let Some(qop) = challenge.qop() {
            value = value.quoted("cnonce", &self.last_cnonce).bare("qop", qop.name()).bare("nc", nc);
        }
        if challenge.userhash() { value.bare("userhash", "true") } else { value }
    }
}

impl fmt::Debug for DigestSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DigestSession")
            .field("challenge", &self.challenge)
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}
