//! NTLM at the gate: the empty token, the answer to the challenge, and signed requests after that.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use homing_core::auth::ntlm::session::{SessionKeys, Side};
use homing_core::auth::security_association::{
    Association, AssociationName, Mechanism, SigningKeys, Style, Verdict, Version,
};
use homing_core::ids::FlowId;
use homing_core::time::Now;
use homing_wire::{Auth, Message};

use super::acceptor::{Challenge as Token, Claim, Expectation, Refusal};
use super::offer::Spoken;
use super::sessions::{HalfOpen, Proven, SessionId};
use super::{Admission, Challenge, Credentials, Flaw, Gate, Passport, Refused, Seal, Visit};
use crate::node::config::ExtendedProtection;
use crate::node::draws::Draws;
use crate::node::endpoint::Endpoint;

/// NTLM credentials for this server, as a request shows them.
pub(super) struct Shown<'m> {
    pub(super) style: Style,
    pub(super) auth: Auth<'m>,
    pub(super) endpoint: Endpoint,
}

impl Gate {
    /// Decides about a request with NTLM credentials for this server (MS-SIPAE 3.3.5).
    pub(super) fn admit_ntlm(
        &mut self,
        visit: &Visit<'_>,
        shown: Shown<'_>,
        draws: &mut dyn Draws,
    ) -> Admission {
        match (shown.auth.param("gssapi-data"), shown.auth.param("response")) {
            (Some(""), _) => self.open(visit, &shown, draws),
            (Some(token), _) => match self.establish(visit, &shown, token) {
                Ok((user, passport)) => self.entitled(visit, &user, passport),
                Err(flawed) => self.failed_attempt(visit, flawed, draws),
            },
            (None, Some(_)) => self.check_signature(visit, &shown, draws),
            (None, None) => {
                let why = "credentials without token or signature".into();
                self.challenge_or_discard(visit, (Some(Flaw::Broken), why), draws)
            }
        }
    }

    /// What a refusal is sealed with that needs no gate: a client believes no unsigned answer to what it signed
    /// (MS-SIPAE 3.2.5).
    pub(in crate::node) fn seal_of_signer(&mut self, request: &Message, flow: FlowId, now: Now) -> Seal {
        let Some(endpoint) = Endpoint::of(request) else { return Seal::None };
        let Ok(Some(Credentials::Ntlm(style, auth))) = self.credentials(request) else { return Seal::None };
        if auth.param("gssapi-data").is_some() || auth.param("response").is_none() {
            return Seal::None;
        }
        let shown = Shown { style, auth, endpoint };
        match self.signer((request, flow), &shown, now) {
            Some((id, verdict)) if verdict.is_good() => Seal::Association(id),
            _ => Seal::None,
        }
    }

    /// The empty token: a second challenge with the server's token.
    fn open(&mut self, visit: &Visit<'_>, shown: &Shown<'_>, draws: &mut dyn Draws) -> Admission {
        let now = visit.now;
        let Some(version) = self.version(visit, &shown.auth) else {
            let why = "this version was not offered";
            return Admission::Refuse(Refused::flawed(400, Flaw::Broken, why));
        };
        if self.sessions.half_open() >= self.config.limits.half_open_count {
            return Admission::Refuse(Refused::new(503, "too many logins in progress"));
        }
        let spoken = Spoken { version, style: shown.style };
        let timestamp = self.config.timestamp.then(|| now.wall.filetime());
        let token = Token::new(&self.config.names, draws.challenge(), timestamp);
        let encoded = STANDARD.encode(token.bytes());
        let (endpoint, flow) = (shown.endpoint.clone(), visit.flow);
        let make = |opaque| HalfOpen { opaque, token, endpoint, flow, spoken };
        let opaque = self.sessions.open_half(make, self.config.limits.half_open, draws, now).opaque.clone();
        let value = self.named("NTLM", Some((&opaque, &encoded)), version).to_string();
        Admission::Challenge(Challenge {
            style: shown.style,
            values: vec![value],
            spoken: Some(spoken),
            why: "NTLM challenge".into(),
            flaw: None,
        })
    }

    /// The version an empty token asks for: what we offered, or an older one. None for a newer one.
    fn version(&self, visit: &Visit<'_>, auth: &Auth<'_>) -> Option<Version> {
        let asked = Version::of(auth)?;
        (asked <= self.offered(visit)).then_some(asked)
    }

    /// The answer to a challenge. Tried once; gives the address of who proved to be themselves.
    fn establish(
        &mut self,
        visit: &Visit<'_>,
        shown: &Shown<'_>,
        token: &str,
    ) -> Result<(String, Passport), Flawed> {
        let now = visit.now;
        let opaque = shown.auth.param("opaque").unwrap_or_default();
        let half = self.sessions.take_half(opaque, &shown.endpoint, visit.flow).ok_or((
            Flaw::NoChallenge,
            "no challenge is open under this opaque, for this endpoint and connection".into(),
        ))?;
        if token.len() > TOKEN_LIMIT {
            return Err((Flaw::Token, "the token is too long".into()));
        }
        let token = STANDARD.decode(token).map_err(|_| (Flaw::Token, "the token is no base64".into()))?;
        let claim = Claim::read(&token).map_err(said)?;
        let account = visit.accounts.find_login(&claim.user, &claim.domain, &self.identity.domain);
        let hash = account.filter(|account| account.enabled).map(|account| account.hash);
        let target = format!("sip/{}", self.identity.fqdn);
        let protect = self.config.extended_protection;
        let checked = protect != ExtendedProtection::Off;
        // Through another server a client binds its login to that server's certificate, which is not known
        // here; who requires bindings has no such clients.
        let elsewhere = visit.trusted && protect == ExtendedProtection::Accept;
        let bound = checked && !elsewhere;
        let expect = Expectation {
            target: checked.then_some(target.as_str()),
            end_point_hash: self.config.end_point_hash.as_ref().filter(|_| bound).map(<[u8; 32]>::as_slice),
            must_bind: protect == ExtendedProtection::Require,
            now_filetime: now.wall.filetime(),
        };
        let accepted = half.token.verify(&token, hash, &expect).map_err(said)?;
        let account = account.ok_or_else(|| said(Refusal::Password))?;

        let name = AssociationName {
            mechanism: Mechanism::Ntlm,
            realm: self.config.realm.as_str().into(),
            targetname: self.identity.fqdn.as_str().into(),
            version: half.spoken.version,
        };
        let keys = SessionKeys::derive(&accepted.exported_session_key, accepted.flags);
        let signing = SigningKeys::from(keys.clone());
        let mut association = Association::new(name, &half.opaque, shown.style, signing, now);
        let limits = &self.config.limits;
        let most = if visit.trusted { limits.associations_of_server } else { limits.associations };
        let proven = Proven { user: &account.address, life: limits.association, most };
        association.set_lifetime(now.after(proven.life));
        if half.spoken.version == Version::V4
            && shown.auth.param("response").is_some()
            && !association.verify(visit.request, Side::Client, false).is_good()
        {
            return Err((Flaw::TokenSignature, "the signature beside the token is wrong".into()));
        }
        let id = self.sessions.establish(half, (association, keys), proven, now);
        let proof = match (accepted.other_timestamp, elsewhere) {
            (false, false) => "NTLM",
            (true, false) => "NTLM, with a clock of its own",
            (false, true) => "NTLM through a server: its channel binding cannot be checked here",
            (true, true) => {
                "NTLM through a server, with a clock of its own: its channel binding cannot be checked here"
            }
        };
        let passport = Passport { endpoint: shown.endpoint.clone(), seal: Seal::Association(id), proof };
        Ok((account.address.clone(), passport))
    }

    /// A request under an established association.
    fn check_signature(&mut self, visit: &Visit<'_>, shown: &Shown<'_>, draws: &mut dyn Draws) -> Admission {
        let Some((id, verdict)) = self.signer((visit.request, visit.flow), shown, visit.now) else {
            let flawed = (Some(Flaw::NoAssociation), "no such association here".into());
            return self.challenge_or_discard(visit, flawed, draws);
        };
        match verdict {
            Verdict::Good { .. } => self.pass(id, shown),
            Verdict::Replayed | Verdict::BelowWindow => {
                Admission::Discard("a counter that was used before, or is too old", Some(Flaw::Replay))
            }
            Verdict::BadSignature | Verdict::Unsigned | Verdict::OtherAssociation => {
                let flawed = (Some(Flaw::Signature), "the signature is wrong".into());
                self.challenge_or_discard(visit, flawed, draws)
            }
        }
    }

    /// The association a request claims to be signed under, and whether it is. A good one is in use.
    fn signer(
        &mut self,
        (request, flow): (&Message, FlowId),
        shown: &Shown<'_>,
        now: Now,
    ) -> Option<(SessionId, Verdict)> {
        let opaque = shown.auth.param("opaque").unwrap_or_default();
        let (id, session) = self.sessions.find_established(opaque, &shown.endpoint, flow)?;
        let verdict = session.association.verify(request, Side::Client, false);
        if verdict.is_good() {
            self.sessions.used(id, now);
        }
        Some((id, verdict))
    }

    fn pass(&self, id: SessionId, shown: &Shown<'_>) -> Admission {
        Admission::Admitted(Passport {
            endpoint: shown.endpoint.clone(),
            seal: Seal::Association(id),
            proof: "its signature",
        })
    }
}

/// What the journal and the counters say of a refused token; its sender is told none of it.
fn said(refusal: Refusal) -> Flawed {
    let flaw = if refusal == Refusal::Password { Flaw::Proof } else { Flaw::Token };
    (flaw, refusal.to_string().into())
}

/// What is wrong, and the same in words.
type Flawed = (Flaw, Cow<'static, str>);

/// Longest token in base64 that is decoded: 4 KiB of NTLM.
const TOKEN_LIMIT: usize = 4096 * 4 / 3 + 4;
