//! Who sent a request: challenges, credentials, security associations (MS-SIPAE, MS-SIP, RFC 7616).

pub mod acceptor;
mod credentials;
mod dialect;
mod digest;
mod failure;
mod guessing;
mod ntlm;
mod offer;
mod outcome;
mod sessions;

use std::borrow::Cow;

use homing_core::counter::Counter;
use homing_core::ids::Seed;
use homing_core::time::Now;
use homing_wire::Method;

use super::config::{AuthenticationConfig, Identity, NodeConfig};
use super::endpoint::{Endpoint, address};
use credentials::{Recognition, Scheme, foreign};
pub use dialect::DialectInUse;
use digest::DigestAuthenticator;
pub use failure::AuthFailure;
use guessing::Guessing;
pub use guessing::Source;
use ntlm::{NtlmAuthenticator, good_signer};
use offer::Offer;
use outcome::SchemeOutcome;
pub use outcome::{
    AuthOutcome, AuthRequest, AuthState, Challenge, Here, Principal, Received, Refused, ResponseAuth,
    Unsigned,
};
pub use sessions::{Evicted, Session, SessionId, Sessions};

/// Authenticates the requests of one node; the associations themselves belong to the node.
pub struct Authenticator {
    config: AuthenticationConfig,
    identity: Identity,
    digest: DigestAuthenticator,
    ntlm: NtlmAuthenticator,
    guessing: Guessing,
}

impl Authenticator {
    /// Without nonces yet.
    pub fn new(config: AuthenticationConfig, identity: Identity, seed: &Seed) -> Self {
        let digest = DigestAuthenticator::new(&identity.domain, &config, &seed.stream("digest", &[]));
        let ntlm = NtlmAuthenticator::new(config.clone(), identity.clone());
        let guessing = Guessing::new(config.limits.wrong_answers);
        Self { config, identity, digest, ntlm, guessing }
    }

    /// Decides who sent a request.
    pub fn authenticate(&mut self, auth_request: &AuthRequest<'_>, state: &mut AuthState<'_>) -> AuthOutcome {
        let Some(endpoint) = Endpoint::of(auth_request.request) else {
            return AuthOutcome::Refuse(Refused::new(400, "From names no SIP user"));
        };
        if !self.config.schemes.ntlm() && !self.config.schemes.digest() {
            let response_auth = ResponseAuth::Unsigned(Unsigned::OpenNetwork);
            let proof = "this server asks for no credentials";
            return AuthOutcome::Authenticated(Principal { endpoint, response_auth, proof });
        }
        let outcome = match self.recognition().find(auth_request.request, &endpoint) {
            Err(refused) => SchemeOutcome::Refuse(refused),
            Ok(Some((Scheme::Ntlm, credentials))) => {
                self.ntlm.authenticate(auth_request, &credentials, &mut self.guessing, state)
            }
            Ok(Some((Scheme::Digest, credentials))) => {
                self.digest.authenticate(auth_request, credentials, &mut self.guessing, state.random)
            }
            Ok(None) => {
                let failure = foreign(auth_request.request);
                if cannot_be_challenged(auth_request) {
                    return AuthOutcome::Discard("ACK or CANCEL without valid credentials", failure);
                }
                let why = "no credentials for this server".into();
                let challenge = self.first_challenge(auth_request, why, state);
                return AuthOutcome::Challenge(Challenge { failure, ..challenge });
            }
        };
        self.conclude(auth_request, outcome, state)
    }

    /// Drops what has lapsed.
    pub fn handle_deadline(&mut self, now: Now) {
        self.digest.handle_deadline(now);
        self.guessing.handle_deadline(now);
    }

    /// How many nonces turned stale since the last call because too many are in use.
    pub fn take_evicted(&mut self) -> u64 {
        self.digest.take_evicted()
    }

    /// What follows from a scheme's outcome; the challenge is the same whatever was wrong.
    fn conclude(
        &self,
        auth_request: &AuthRequest<'_>,
        outcome: SchemeOutcome,
        state: &mut AuthState<'_>,
    ) -> AuthOutcome {
        let (failure, why) = match outcome {
            SchemeOutcome::Proved(user, principal) => return entitled(auth_request, &user, principal),
            SchemeOutcome::Signed(principal) => return AuthOutcome::Authenticated(principal),
            SchemeOutcome::Challenge(challenge) => return AuthOutcome::Challenge(challenge),
            SchemeOutcome::Refuse(refused) => return AuthOutcome::Refuse(refused),
            SchemeOutcome::Discard(why, failure) => return AuthOutcome::Discard(why, Some(failure)),
            SchemeOutcome::FailedAttempt(failure, _)
                if auth_request.attempts.saturating_add(1) >= self.config.limits.attempts =>
            {
                let why = "too many wrong credentials on this connection";
                return AuthOutcome::Refuse(Refused::failed(403, failure, why));
            }
            SchemeOutcome::FailedAttempt(failure, why) | SchemeOutcome::Unproved(failure, why) => {
                (failure, why)
            }
        };
        if cannot_be_challenged(auth_request) {
            return AuthOutcome::Discard("ACK or CANCEL without valid credentials", Some(failure));
        }
        let challenge = self.first_challenge(auth_request, why, state);
        AuthOutcome::Challenge(Challenge { failure: Some(failure), ..challenge })
    }

    /// The challenge for a request without credentials that count.
    fn first_challenge(
        &self,
        auth_request: &AuthRequest<'_>,
        why: Cow<'static, str>,
        state: &mut AuthState<'_>,
    ) -> Challenge {
        let offer = Offer::of(&self.config, auth_request);
        let mut values = Vec::new();
        if offer.ntlm {
            values.push(self.ntlm.offer(offer.dialect.version));
        }
        if offer.digest {
            values.extend(self.digest.challenges(false, auth_request, state.random));
        }
        let style = offer.dialect.style;
        Challenge { style, values, dialect_in_use: Some(offer.dialect), why, failure: None }
    }

    fn recognition(&self) -> Recognition<'_> {
        Recognition { config: &self.config, identity: &self.identity }
    }
}

/// What a refusal before authentication is signed with: a client believes no unsigned answer to what it signed
/// (MS-SIPAE 3.2.5).
pub(super) fn signer_of(
    config: &NodeConfig,
    received: Received<'_>,
    sessions: &mut Sessions,
) -> ResponseAuth {
    let unsigned = ResponseAuth::Unsigned(Unsigned::Unauthenticated);
    let Some(endpoint) = Endpoint::of(received.request) else { return unsigned };
    let recognition = Recognition { config: &config.authentication, identity: &config.identity };
    match recognition.find(received.request, &endpoint) {
        Ok(Some((Scheme::Ntlm, shown))) => {
            let signer = good_signer(received, &shown, sessions);
            signer.map_or(unsigned, ResponseAuth::Association)
        }
        _ => unsigned,
    }
}

/// Judges the response of a client to what was signed for it: it is believed only under an association of that endpoint.
///
/// # Errors
/// What it counts as, where it is dropped.
pub(super) fn judge_response(
    response: Received<'_>,
    endpoint: &Endpoint,
    sessions: &mut Sessions,
) -> Result<(), Counter> {
    match ntlm::verify_response(response, endpoint, sessions) {
        Some(verdict) => verdict.fault().map_or(Ok(()), |fault| Err(Counter::of_refusal(fault))),
        None => Err(Counter::Unsigned),
    }
}

/// Accepts who proved to be `user`, if From is theirs.
fn entitled(auth_request: &AuthRequest<'_>, user: &str, principal: Principal) -> AuthOutcome {
    let request = auth_request.request;
    let register = request.method() == Some(Method::Register);
    let to_is_from =
        || request.to().ok().and_then(|to| address(&to)).is_some_and(|to| to == principal.endpoint.user);
    if principal.endpoint.user != user || (register && !to_is_from()) {
        let why = "the user may not act for this address";
        let refused = Refused::failed(403, AuthFailure::Entitlement, why);
        return AuthOutcome::Refuse(Refused { response_auth: principal.response_auth, ..refused });
    }
    AuthOutcome::Authenticated(principal)
}

/// ACK and CANCEL cannot be challenged and are dropped (MS-SIPAE 3.3.5).
fn cannot_be_challenged(auth_request: &AuthRequest<'_>) -> bool {
    matches!(auth_request.request.method(), Some(Method::Ack | Method::Cancel))
}
