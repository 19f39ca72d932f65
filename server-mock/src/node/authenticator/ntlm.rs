//! NTLM authentication: the empty token, the answer to the challenge, and signed requests after that.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use homing_core::auth::ntlm::session::{SessionKeys, Side};
use homing_core::auth::security_association::{
    Association, AssociationName, Mechanism, SigningKeys, Verdict, Version,
};
use homing_wire::{Auth, AuthValue, Name};

use super::acceptor::{Accepted, Challenge as Token, Claim, Expected, Refusal};
use super::credentials::Credentials;
use super::dialect::DialectInUse;
use super::failure::AuthFailure;
use super::guessing::{Guessing, Source};
use super::offer::newest_version;
use super::outcome::{
    AuthRequest, AuthState, Challenge, Principal, Received, Refused, ResponseAuth, SchemeOutcome,
};
use super::sessions::{HalfOpen, NewAssociation, SessionId, Sessions};
use crate::node::accounts::Account;
use crate::node::config::{AuthenticationConfig, ExtendedProtection, Identity};
use crate::node::endpoint::Endpoint;

/// Authenticates by NTLM.
pub(super) struct NtlmAuthenticator {
    config: AuthenticationConfig,
    identity: Identity,
}

/// What is wrong with a token, and the same in words.
struct Failed {
    failure: AuthFailure,
    why: Cow<'static, str>,
}

/// A token that proves the password of an account.
struct Proved<'a> {
    account: &'a Account,
    accepted: Accepted,
    /// True where the channel binding could not be checked.
    elsewhere: bool,
}

impl NtlmAuthenticator {
    pub(super) fn new(config: AuthenticationConfig, identity: Identity) -> Self {
        Self { config, identity }
    }

    /// Decides about a request with NTLM credentials for this server (MS-SIPAE 3.3.5).
    pub(super) fn authenticate(
        &self,
        auth_request: &AuthRequest<'_>,
        shown: &Credentials<'_>,
        guessing: &mut Guessing,
        state: &mut AuthState<'_>,
    ) -> SchemeOutcome {
        match (shown.auth.param("gssapi-data"), shown.auth.param("response")) {
            (Some(""), _) => self.open(auth_request, shown, state),
            (Some(_), _) => self.answer(auth_request, shown, guessing, state.sessions),
            (None, Some(_)) => check_signature(auth_request, shown, state.sessions),
            (None, None) => {
                SchemeOutcome::Unproved(AuthFailure::Broken, "credentials without token or signature".into())
            }
        }
    }

    /// The header value of a first challenge.
    pub(super) fn offer(&self, version: Version) -> String {
        let value = AuthValue::new("NTLM")
            .quoted("realm", &self.config.realm)
            .quoted("targetname", &self.identity.fqdn);
        with_version(value, version)
    }

    /// The empty token: a second challenge with the server's token.
    fn open(
        &self,
        auth_request: &AuthRequest<'_>,
        shown: &Credentials<'_>,
        state: &mut AuthState<'_>,
    ) -> SchemeOutcome {
        let now = auth_request.now;
        let Some(version) = self.version(auth_request, &shown.auth) else {
            let why = "this version was not offered";
            return SchemeOutcome::Refuse(Refused::failed(400, AuthFailure::Broken, why));
        };
        let dialect_in_use = DialectInUse { version, style: shown.style };
        let timestamp = self.config.timestamp.then(|| now.wall.filetime());
        let token = Token::new(&self.config.names, state.random.challenge(), timestamp);
        let encoded = STANDARD.encode(token.bytes());
        let (endpoint, flow) = (shown.endpoint.clone(), auth_request.flow);
        let source = match auth_request.source {
            Source::Network(ip) => Some(*ip),
            Source::Behind(_) => None,
        };
        let make = |opaque| HalfOpen { opaque, token, endpoint, flow, source, dialect_in_use };
        let half = state.sessions.open_half(make, &self.config.limits, state.random, now);
        let value = AuthValue::new("NTLM")
            .quoted("opaque", &half.opaque)
            .quoted("gssapi-data", &encoded)
            .quoted("targetname", &self.identity.fqdn)
            .quoted("realm", &self.config.realm);
        SchemeOutcome::Challenge(Challenge {
            style: shown.style,
            values: vec![with_version(value, version)],
            dialect_in_use: Some(dialect_in_use),
            why: "NTLM challenge".into(),
            failure: None,
        })
    }

    /// The version an empty token asks for: what we offered, or an older one. None for a newer one.
    fn version(&self, auth_request: &AuthRequest<'_>, auth: &Auth<'_>) -> Option<Version> {
        let asked = Version::of(auth)?;
        (asked <= newest_version(&self.config, auth_request)).then_some(asked)
    }

    /// The answer to a challenge. In a pause it is not looked at, and the challenge stays open.
    fn answer(
        &self,
        auth_request: &AuthRequest<'_>,
        shown: &Credentials<'_>,
        guessing: &mut Guessing,
        sessions: &mut Sessions,
    ) -> SchemeOutcome {
        let (source, now) = (auth_request.source, auth_request.now);
        let read = ReadToken::of(shown.auth.param("gssapi-data").unwrap_or_default());
        let claimed = read.as_ref().ok().map(|read| {
            let Claim { user, domain, .. } = &read.claim;
            auth_request.accounts.login_address(user, domain, &self.identity.domain)
        });
        let paused = claimed.as_ref().filter(|user| auth_request.bound != Some(user.as_str()));
        if let Some(pause) = paused.and_then(|user| guessing.pause(user, source, now)) {
            return SchemeOutcome::Refuse(Refused::paused(pause));
        }
        let outcome = self.establish(auth_request, shown, read, sessions);
        match (&outcome, claimed) {
            (Ok(SchemeOutcome::Proved(user, _)), _) => guessing.right(user, source),
            (Err(Failed { failure: AuthFailure::Proof, .. }), Some(user)) => {
                guessing.wrong(&user, source, now)
            }
            _ => {}
        }
        outcome.unwrap_or_else(|Failed { failure, why }| SchemeOutcome::FailedAttempt(failure, why))
    }

    /// The answer to a challenge; it is tried once.
    fn establish(
        &self,
        auth_request: &AuthRequest<'_>,
        shown: &Credentials<'_>,
        token: Result<ReadToken, Failed>,
        sessions: &mut Sessions,
    ) -> Result<SchemeOutcome, Failed> {
        let now = auth_request.now;
        let opaque = shown.auth.param("opaque").unwrap_or_default();
        let half = sessions.take_half(opaque, &shown.endpoint, auth_request.flow).ok_or_else(|| {
            let why = "no challenge is open under this opaque, for this endpoint and connection";
            failed(AuthFailure::NoChallenge, why)
        })?;
        let Proved { account, accepted, elsewhere } = self.prove(auth_request, &half.token, &token?)?;
        let name = AssociationName {
            mechanism: Mechanism::Ntlm,
            realm: self.config.realm.as_str().into(),
            targetname: self.identity.fqdn.as_str().into(),
            version: half.dialect_in_use.version,
        };
        let keys = SessionKeys::derive(&accepted.exported_session_key, accepted.flags);
        let signing = SigningKeys::from(keys.clone());
        let mut association = Association::new(name, &half.opaque, shown.style, signing, now);
        let limits = &self.config.limits;
        let most = if auth_request.trusted { limits.associations_of_server } else { limits.associations };
        association.set_lifetime(now.after(limits.association));
        if half.dialect_in_use.version == Version::V4
            && shown.auth.param("response").is_some()
            && !association.verify(auth_request.request, Side::Client, false).is_good()
        {
            return Err(failed(AuthFailure::TokenSignature, "the signature beside the token is wrong"));
        }
        let (user, life) = (account.address.as_str(), limits.association);
        let fresh = NewAssociation { association, keys, user, life, most };
        let id = sessions.establish(half, fresh, now);
        let proof = match (accepted.other_timestamp, elsewhere) {
            (false, false) => "NTLM",
            (true, false) => "NTLM, with a clock of its own",
            (false, true) => "NTLM through a server: its channel binding cannot be checked here",
            (true, true) => {
                "NTLM through a server, with a clock of its own: its channel binding cannot be checked here"
            }
        };
        let (endpoint, response_auth) = (shown.endpoint.clone(), ResponseAuth::Association(id));
        let principal = Principal { endpoint, response_auth, proof };
        Ok(SchemeOutcome::Proved(account.address.clone(), principal))
    }

    /// Whose password a token proves.
    fn prove<'a>(
        &self,
        auth_request: &AuthRequest<'a>,
        challenge: &Token,
        token: &ReadToken,
    ) -> Result<Proved<'a>, Failed> {
        let ReadToken { token, claim } = token;
        let account = auth_request.accounts.find_login(&claim.user, &claim.domain, &self.identity.domain);
        let hash = account.filter(|account| account.enabled).map(|account| account.hash);
        let target = format!("sip/{}", self.identity.fqdn);
        let protect = self.config.extended_protection;
        let checked = protect != ExtendedProtection::Off;
        // Through another server a client binds its login to that server's certificate, which is not known
        // here; who requires bindings has no such clients.
        let elsewhere = auth_request.trusted && protect == ExtendedProtection::Accept;
        let bound = checked && !elsewhere;
        let expect = Expected {
            target: checked.then_some(target.as_str()),
            end_point_hash: self.config.end_point_hash.as_ref().filter(|_| bound).map(<[u8; 32]>::as_slice),
            must_bind: protect == ExtendedProtection::Require,
            now_filetime: auth_request.now.wall.filetime(),
        };
        let accepted = expect.verify(challenge, token, hash)?;
        let account = account.ok_or(Refusal::Password)?;
        Ok(Proved { account, accepted, elsewhere })
    }
}

/// A token with who it claims to come from.
struct ReadToken {
    token: Vec<u8>,
    claim: Claim,
}

impl ReadToken {
    fn of(token: &str) -> Result<Self, Failed> {
        if token.len() > TOKEN_LIMIT {
            return Err(failed(AuthFailure::Token, "the token is too long"));
        }
        let token =
            STANDARD.decode(token).map_err(|_| failed(AuthFailure::Token, "the token is no base64"))?;
        let claim = Claim::read(&token)?;
        Ok(Self { token, claim })
    }
}

/// The association under which a request is signed well; none where it is not.
pub(super) fn good_signer(
    received: Received<'_>,
    shown: &Credentials<'_>,
    sessions: &mut Sessions,
) -> Option<SessionId> {
    if shown.auth.param("gssapi-data").is_some() || shown.auth.param("response").is_none() {
        return None;
    }
    let (id, verdict) = signer(received, shown, sessions)?;
    verdict.is_good().then_some(id)
}

/// What the signature of a client's response is worth, by the association it claims (MS-SIPAE 3.3.5); none where that is
/// not this endpoint's on this flow.
pub(super) fn verify_response(
    response: Received<'_>,
    endpoint: &Endpoint,
    sessions: &mut Sessions,
) -> Option<Verdict> {
    let Received { request: response, flow, now } = response;
    let mut shown =
        [Name::Authorization, Name::ProxyAuthorization].into_iter().flat_map(|name| response.auth(name));
    let opaque =
        shown.find_map(|auth| auth.param("opaque").filter(|_| auth.is("NTLM")).map(str::to_owned))?;
    let (id, session) = sessions.find_established(&opaque, endpoint, flow)?;
    let verdict = session.association.verify(response, Side::Client, false);
    if verdict.is_good() {
        sessions.used(id, now);
    }
    Some(verdict)
}

/// A request under an established association.
fn check_signature(
    auth_request: &AuthRequest<'_>,
    shown: &Credentials<'_>,
    sessions: &mut Sessions,
) -> SchemeOutcome {
    let AuthRequest { request, flow, now, .. } = *auth_request;
    let Some((id, verdict)) = signer(Received { request, flow, now }, shown, sessions) else {
        return SchemeOutcome::Unproved(AuthFailure::NoAssociation, "no such association here".into());
    };
    match verdict {
        Verdict::Good { .. } => SchemeOutcome::Signed(Principal {
            endpoint: shown.endpoint.clone(),
            response_auth: ResponseAuth::Association(id),
            proof: "its signature",
        }),
        Verdict::Replayed | Verdict::BelowWindow => {
            SchemeOutcome::Discard("a counter that was used before, or is too old", AuthFailure::Replay)
        }
        Verdict::BadSignature | Verdict::Unsigned | Verdict::OtherAssociation => {
            SchemeOutcome::Unproved(AuthFailure::Signature, "the signature is wrong".into())
        }
    }
}

/// The association a request claims to be signed under, and whether it is. A good one is in use.
fn signer(
    received: Received<'_>,
    shown: &Credentials<'_>,
    sessions: &mut Sessions,
) -> Option<(SessionId, Verdict)> {
    let opaque = shown.auth.param("opaque").unwrap_or_default();
    let (id, session) = sessions.find_established(opaque, &shown.endpoint, received.flow)?;
    let verdict = session.association.verify(received.request, Side::Client, false);
    if verdict.is_good() {
        sessions.used(id, received.now);
    }
    Some((id, verdict))
}

/// The parameters with which every NTLM header of ours ends.
fn with_version(value: AuthValue, version: Version) -> String {
    let value = value.quoted("qop", "auth");
    match version.number() {
        Some(number) => value.bare("version", number),
        None => value,
    }
    .to_string()
}

fn failed(failure: AuthFailure, why: &'static str) -> Failed {
    Failed { failure, why: why.into() }
}

/// What the journal and the counters say of a refused token; its sender is told none of it.
impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        let failure = if refusal == Refusal::Password { AuthFailure::Proof } else { AuthFailure::Token };
        Self { failure, why: refusal.to_string().into() }
    }
}

/// Longest token in base64 that is decoded: 4 KiB of NTLM.
const TOKEN_LIMIT: usize = 4096 * 4 / 3 + 4;
