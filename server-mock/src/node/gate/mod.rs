//! Who may pass: challenges, credentials, security associations (protocol of MS-SIPAE, MS-SIP, RFC 7616).

pub mod acceptor;
mod digest;
mod flaw;
mod ntlm;
mod offer;
mod sessions;

use std::borrow::Cow;

use homing_core::auth::security_association::Style;
use homing_core::ids::{FlowId, Seed};
use homing_core::time::{Deadline, Now};
use homing_wire::{Auth, Message, Method, Name};

use super::accounts::Accounts;
use super::config::{GateConfig, Identity};
use super::draws::Draws;
use super::endpoint::{Endpoint, address};
use digest::DigestGate;
pub use flaw::Flaw;
pub use offer::Spoken;
pub use sessions::{Session, SessionId, Sessions};

/// The gate of one node.
pub struct Gate {
    config: GateConfig,
    identity: Identity,
    digest: DigestGate,
    sessions: Sessions,
}

/// A request at the gate, with what is known of the flow it came by.
#[derive(Clone, Copy)]
pub struct Visit<'v> {
    /// The request.
    pub request: &'v Message,
    /// Its flow.
    pub flow: FlowId,
    /// How that flow is spoken to, if that was settled.
    pub spoken: Option<Spoken>,
    /// Wrong credentials on that flow so far.
    pub attempts: u8,
    /// True if the other end is a server of the estate, which brings many clients.
    pub trusted: bool,
    /// Who may sign in.
    pub accounts: &'v Accounts,
    /// When.
    pub now: Now,
}

/// What the gate says.
pub enum Admission {
    /// It may pass.
    Admitted(Passport),
    /// It must show credentials.
    Challenge(Challenge),
    /// It is refused.
    Refuse(Refused),
    /// It is dropped, with the reason, and what was wrong with what it showed.
    Discard(&'static str, Option<Flaw>),
}

/// Who passed, and what answers to them are sealed with.
#[derive(Clone, Debug)]
pub struct Passport {
    /// Who.
    pub endpoint: Endpoint,
    /// The seal.
    pub seal: Seal,
    /// How they proved it, in words.
    pub proof: &'static str,
}

/// What is put on an answer so that its receiver knows whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seal {
    /// Nothing.
    None,
    /// The signature of an association.
    Association(SessionId),
    /// This value of Authentication-Info (Digest).
    Digest(String),
}

/// A demand for credentials.
pub struct Challenge {
    /// 401 or 407.
    pub style: Style,
    /// Header values, one for each scheme and algorithm.
    pub values: Vec<String>,
    /// How this flow is spoken to from now on.
    pub spoken: Option<Spoken>,
    /// Why.
    pub why: Cow<'static, str>,
    /// What was wrong with the credentials that were shown, if any were.
    pub flaw: Option<Flaw>,
}

/// A refusal that is no challenge.
pub struct Refused {
    /// 400 or 403.
    pub status: u16,
    /// Seal of the answer: a signed 403 for somebody who is known but not entitled.
    pub seal: Seal,
    /// Why; also what ms-diagnostics says.
    pub why: &'static str,
    /// What was wrong with the credentials that were shown, if any were.
    pub flaw: Option<Flaw>,
}

/// One usable set of credentials in a request.
enum Credentials<'m> {
    Ntlm(Style, Auth<'m>),
    Digest(Style, Auth<'m>),
}

impl Gate {
    /// A gate.
    pub fn new(config: GateConfig, identity: Identity, seed: &Seed) -> Self {
        let digest = DigestGate::new(&identity.domain, &config, &seed.stream("digest", &[]));
        Self { digest, sessions: Sessions::new(&mut seed.rng("opaque hash")), config, identity }
    }

    /// Decides about a request.
    pub fn admit(&mut self, visit: &Visit<'_>, draws: &mut dyn Draws) -> Admission {
        let Some(endpoint) = Endpoint::of(visit.request) else {
            return Admission::Refuse(Refused::new(400, "From names no SIP user"));
        };
        if !self.config.schemes.ntlm() && !self.config.schemes.digest() {
            return Admission::Admitted(Passport {
                endpoint,
                seal: Seal::None,
                proof: "nobody is asked here",
            });
        }
        match self.credentials(visit.request) {
            Err(refused) => Admission::Refuse(refused),
            Ok(Some(Credentials::Ntlm(style, auth))) => {
                let shown = ntlm::Shown { style, auth, endpoint };
                self.admit_ntlm(visit, shown, draws)
            }
            Ok(Some(Credentials::Digest(style, auth))) => {
                self.admit_digest(visit, (style, auth, endpoint), draws)
            }
            Ok(None) => {
                let shown = foreign(visit.request);
                self.challenge_or_discard(visit, (shown, "no credentials for this server".into()), draws)
            }
        }
    }

    /// A first challenge; ACK and CANCEL cannot be challenged and are dropped (MS-SIPAE 3.3.5).
    fn challenge_or_discard(
        &mut self,
        visit: &Visit<'_>,
        (flaw, why): (Option<Flaw>, Cow<'static, str>),
        draws: &mut dyn Draws,
    ) -> Admission {
        if matches!(visit.request.method(), Some(Method::Ack | Method::Cancel)) {
            return Admission::Discard("ACK or CANCEL without valid credentials", flaw);
        }
        Admission::Challenge(Challenge { flaw, ..self.first_challenge(visit, why, draws) })
    }

    /// The answer to a failed attempt: a fresh challenge, the same whatever was wrong, until there were too
    /// many.
    fn failed_attempt(
        &mut self,
        visit: &Visit<'_>,
        (flaw, why): (Flaw, Cow<'static, str>),
        draws: &mut dyn Draws,
    ) -> Admission {
        if visit.attempts.saturating_add(1) >= self.config.limits.attempts {
            let why = "too many wrong credentials on this connection";
            return Admission::Refuse(Refused::flawed(403, flaw, why));
        }
        self.challenge_or_discard(visit, (Some(flaw), why), draws)
    }

    /// A fresh challenge for somebody who did nothing wrong: a fault.
    pub(in crate::node) fn refuse_for_fun(&mut self, visit: &Visit<'_>, draws: &mut dyn Draws) -> Admission {
        Admission::Challenge(self.first_challenge(visit, "good credentials refused on purpose".into(), draws))
    }

    /// Lets somebody pass who proved to be `user`, if From is theirs.
    fn entitled(&self, visit: &Visit<'_>, user: &str, passport: Passport) -> Admission {
        let register = visit.request.method() == Some(Method::Register);
        let to_is_from = || {
            visit.request.to().ok().and_then(|to| address(&to)).is_some_and(|to| to == passport.endpoint.user)
        };
        if passport.endpoint.user != user || (register && !to_is_from()) {
            let why = "the user may not act for this address";
            let refused = Refused::flawed(403, Flaw::Entitlement, why);
            return Admission::Refuse(Refused { seal: passport.seal, ..refused });
        }
        Admission::Admitted(passport)
    }

    /// The first credentials that are for this server: NTLM before Digest.
    fn credentials<'m>(&self, request: &'m Message) -> Result<Option<Credentials<'m>>, Refused> {
        let mut digest = None;
        for style in [Style::Registrar, Style::Proxy] {
            for auth in request.auth(style.credentials()) {
                let ours = self.is_ntlm_for_us(&auth);
                if (ours || self.is_digest_for_us(&auth)) && auth.conflicting() {
                    let why = "the credentials contradict themselves";
                    return Err(Refused::flawed(400, Flaw::Broken, why));
                }
                if ours {
                    return Ok(Some(Credentials::Ntlm(style, auth)));
                }
                if digest.is_none() && self.is_digest_for_us(&auth) {
                    digest = Some(Credentials::Digest(style, auth));
                }
            }
        }
        Ok(digest)
    }

    fn is_ntlm_for_us(&self, auth: &Auth<'_>) -> bool {
        self.config.schemes.ntlm()
            && auth.is("NTLM")
            && auth.param("realm") == Some(self.config.realm.as_str())
            && auth.param("targetname").is_some_and(|name| name.eq_ignore_ascii_case(&self.identity.fqdn))
    }

    fn is_digest_for_us(&self, auth: &Auth<'_>) -> bool {
        self.config.schemes.digest()
            && auth.is("Digest")
            && auth.param("realm").is_some_and(|realm| realm.eq_ignore_ascii_case(&self.identity.domain))
    }

    /// The associations, half-open ones too.
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// The associations, to sign with.
    pub fn sessions_mut(&mut self) -> &mut Sessions {
        &mut self.sessions
    }

    /// How it was set up.
    pub fn config(&self) -> &GateConfig {
        &self.config
    }

    /// A flow is gone, and with it every association bound to it.
    pub fn flow_gone(&mut self, flow: FlowId) {
        self.sessions.flow_gone(flow);
    }

    /// Drops what has lapsed.
    pub fn handle_deadline(&mut self, now: Now) {
        self.sessions.handle_deadline(now);
        self.digest.handle_deadline(now);
    }

    /// When something lapses next.
    pub fn deadline(&self) -> Option<Deadline> {
        self.sessions.deadline()
    }
}

impl Refused {
    /// An unsealed refusal.
    pub fn new(status: u16, why: &'static str) -> Self {
        Self { status, seal: Seal::None, why, flaw: None }
    }

    /// An unsealed refusal of credentials that were shown.
    pub fn flawed(status: u16, flaw: Flaw, why: &'static str) -> Self {
        Self { flaw: Some(flaw), ..Self::new(status, why) }
    }
}

impl Challenge {
    /// The header its values stand in.
    pub fn header(&self) -> Name<'static> {
        self.style.challenge()
    }
}

/// What to say of credentials none of which are for this server; none where there are none at all.
fn foreign(request: &Message) -> Option<Flaw> {
    let styles = [Style::Registrar, Style::Proxy].into_iter();
    let mut shown = styles.flat_map(|style| request.auth(style.credentials())).peekable();
    shown.peek()?;
    let known = |auth: &Auth<'_>| ["NTLM", "Digest", "Kerberos", "TLS-DSK"].iter().any(|name| auth.is(name));
    let unnamed = shown.any(|auth| known(&auth) && auth.param("realm").is_none());
    Some(if unnamed { Flaw::Broken } else { Flaw::Foreign })
}
