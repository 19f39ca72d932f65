//! Answers the challenges that one request meets, whatever its method: which scheme, with whose credentials,
//! and when to stop (RFC 3261 section 22; MS-SIPAE 3.2.4).
//!
//! ```text
//!  Plain ──401──► Asking ──credentials──► Opening ──401──► Establishing ──► final, signed
//!                   │ Digest                 ▲                  │
//!                   └──► Answering ──► final │                  └──401──► rejected
//!                            ├─ another realm or a stale nonce: Answering, or Asking
//!                            └─ credentials that came late: Refreshing ──401──► Answering
//! ```
//!
//! The answerer decides what the next sending of the request proves; the request is its owner's to send. What a
//! handshake brings (an association whose token is out, Digest sessions) belongs to the link.

use std::time::Duration;

use homing_wire::Message;

use super::Account;
use super::challenge::{Offer, RealmChallenge, printable};
use super::context::Context;
use super::link_context::LinkContext;
use super::prompt::{Prompt, Reply};
use super::server_link::{Proof, ServerLink};
use crate::auth::digest::{DigestChallenge, DigestSession};
use crate::auth::ntlm::client::{self, MicPolicy};
use crate::auth::ntlm::{Binding, ClientRandom, NtlmError, NtlmIdentity, SessionKeys};
use crate::auth::security_association::{Association, SigningChallenge, Style};
use crate::config::{ExtendedProtection, RememberedLogin};
use crate::counter::Counter;
use crate::error::{AuthError, TokenFault};
use crate::ids::AskId;
use crate::outbox::{Credentials, Question};
use crate::time::{Moment, Now};

/// Where one request stands with its challenges.
pub(crate) struct Answerer {
    phase: Phase,
    /// Challenges and other demands met so far.
    rounds: u8,
    /// Digest realms answered for this request: one that challenges again refused what it was given.
    answered: Vec<AnsweredRealm>,
    /// Answers that were right and too old.
    stale: u8,
    repeats: Repeats,
    /// True where the first challenge is asked for, as by a renewal: it is not held against the server's rate.
    invited: bool,
    /// When the last challenge came.
    challenged: Option<Moment>,
    /// True once an answer went over a new connection, because the server closed the one of its challenge.
    moved: bool,
}

/// What the request went out again for, each once.
#[derive(Clone, Copy, Default)]
struct Repeats {
    /// Without its answers, because a refusal of them named no challenge.
    bared: bool,
    /// For a longer lifetime, because the server demanded it.
    extended: bool,
}

/// What the request that is out proves, or what it waits for.
enum Phase {
    /// What the link had: a signature, Digest credentials, or nothing.
    Plain,
    /// The world is asked for credentials.
    Asking { ask: AskId, offer: Offer, since: Moment },
    /// The empty token is out. Without credentials it was sent on memory alone.
    Opening { credentials: Option<Credentials> },
    /// The token is out.
    Establishing,
    /// Digest credentials for every realm that demanded them are out.
    Answering,
    /// The request is out once more for a fresh challenge, because these credentials came late.
    Refreshing { credentials: Credentials, realm: Box<str> },
}

/// A realm that was answered, and the nonce of its challenge.
struct AnsweredRealm {
    realm: Box<str>,
    nonce: Box<str>,
}

/// What follows from a challenge or from credentials.
pub(crate) enum Next {
    /// The request goes out again.
    Send(Answerer, Proof),
    /// Credentials are waited for.
    Wait(Answerer),
    /// There is no answer to give.
    Failed(AuthError),
}

impl Answerer {
    /// For a request that goes out with what the link has.
    pub(crate) fn new() -> Self {
        Self::at(Phase::Plain)
    }

    /// For a request that goes out with nothing, to be challenged.
    pub(crate) fn inviting() -> Self {
        Self { invited: true, ..Self::at(Phase::Plain) }
    }

    /// For a request that opens a handshake with the empty token on memory alone.
    pub(crate) fn opening() -> Self {
        Self::at(Phase::Opening { credentials: None })
    }

    /// For a request that goes out again with what a new handshake brought: it is answered for already.
    pub(crate) fn answered() -> Self {
        Self { rounds: 1, ..Self::at(Phase::Answering) }
    }

    /// True for the first challenge to a request that went out with what the link had.
    pub(crate) fn is_first(&self) -> bool {
        self.rounds == 1 && matches!(self.phase, Phase::Plain)
    }

    /// The question that is waited for.
    pub(crate) fn ask(&self) -> Option<AskId> {
        if let Phase::Asking { ask, .. } = &self.phase { Some(*ask) } else { None }
    }

    /// True once the server demanded a proof.
    pub(crate) fn is_authenticating(&self) -> bool {
        !matches!(self.phase, Phase::Plain)
    }

    /// True while a request is out that a server is known to challenge, or is asked to: it grants nothing yet.
    pub(crate) fn draws_challenge(&self) -> bool {
        self.invited && self.rounds == 0
            || matches!(self.phase, Phase::Opening { .. } | Phase::Refreshing { .. })
    }

    /// True while a handshake is under way by it that is to bring an association.
    pub(crate) fn is_establishing(&self) -> bool {
        match &self.phase {
            Phase::Opening { .. } | Phase::Establishing => true,
            Phase::Asking { offer, .. } => matches!(offer, Offer::Signing(..)),
            Phase::Plain | Phase::Answering | Phase::Refreshing { .. } => false,
        }
    }

    /// True once it was challenged, or met another demand.
    pub(crate) fn was_demanded(&self) -> bool {
        self.rounds > 0
    }

    /// True if the request went out again for a longer lifetime already.
    pub(crate) fn is_extended(&self) -> bool {
        self.repeats.extended
    }

    /// The request goes out again for a longer lifetime.
    pub(crate) fn extended(self) -> Self {
        Self { repeats: Repeats { extended: true, ..self.repeats }, ..self.again() }
    }

    /// The request met a demand other than a challenge and goes out again with what the link has.
    pub(crate) fn again(self) -> Self {
        Self { phase: Phase::Plain, rounds: self.rounds + 1, ..self }
    }

    /// A 401 or 407 came: counts it, and judges what needs no choice among its challenges. The offer that is
    /// then chosen goes to [`answer`](Self::answer).
    ///
    /// # Errors
    /// The demand is one too many, or says that the credentials are wrong.
    pub(crate) fn challenged(mut self, at: &mut LinkContext<'_, '_>) -> Result<Self, AuthError> {
        self.rounds += 1;
        self.challenged = Some(at.cx.now.since_start);
        if self.rounds > MOST_ROUNDS {
            return Err(goes_round(at));
        }
        if matches!(self.phase, Phase::Establishing) {
            at.link.forget_pending();
            return Err(token_refused(at));
        }
        Ok(self)
    }

    /// Answers the offer chosen from a challenge.
    pub(crate) fn answer(self, offer: Offer, at: &mut LinkContext<'_, '_>) -> Next {
        let Self { phase, .. } = &self;
        match (phase, offer) {
            (Phase::Plain, offer) => self.begin(offer, at),
            (Phase::Opening { credentials: None }, offer) => {
                if !matches!(&offer, Offer::Signing(challenge, _) if challenge.token.is_some()) {
                    at.account.memory.forget_login(&at.link.named.host);
                }
                self.ask_or_answer(offer, at)
            }
            (Phase::Opening { credentials: Some(_) }, Offer::Signing(challenge, style)) => {
                let Phase::Opening { credentials: Some(credentials) } = self.phase else {
                    return Next::Failed(goes_round(at));
                };
                let round = Self { phase: Phase::Establishing, ..Self { phase: Phase::Plain, ..self } };
                match &challenge.token {
                    Some(_) => round.establish(&challenge, style, &credentials, at),
                    None => Next::Failed(goes_round(at)),
                }
            }
            (Phase::Opening { .. }, Offer::Digest(_)) => Next::Failed(goes_round(at)),
            (Phase::Answering, Offer::Digest(realms)) => self.answer_again(realms, at),
            (Phase::Answering, Offer::Signing(..)) => Next::Failed(rejected(at, None)),
            (Phase::Refreshing { .. }, Offer::Digest(realms)) => self.answer_refreshed(realms, at),
            (Phase::Refreshing { .. }, Offer::Signing(..)) => Next::Failed(goes_round(at)),
            (Phase::Asking { .. } | Phase::Establishing, _) => Next::Wait(self),
        }
    }

    /// The world's answer to the question for credentials.
    pub(crate) fn handle_credentials(
        self,
        credentials: Option<Credentials>,
        at: &mut LinkContext<'_, '_>,
    ) -> Next {
        match self.phase {
            Phase::Asking { offer, since, .. } => {
                Self { phase: Phase::Plain, ..self }.answer_with(offer, since, credentials, at)
            }
            phase => Next::Wait(Self { phase, ..self }),
        }
    }

    /// Keeps what the handshake brought, once a final answer came that is no challenge. `by_pending`: the
    /// association whose token was out signed it. A final that only the one before signed says that the server
    /// stays with that one (decision 13).
    pub(crate) fn settle(&self, by_pending: bool, response: &Message, at: &mut LinkContext<'_, '_>) {
        let is_granted = matches!(response.status(), Some(200..=299));
        match self.phase {
            Phase::Establishing if by_pending => {
                at.account.memory.note_accepted();
                at.account.memory.doubted = false;
                let overlap = at.cx.agent.timers.t1 * 64;
                let host = at.link.named.host.clone();
                if let Some(fresh) = at.link.adopt_pending(overlap, at.cx.now) {
                    at.account.memory.learn_login(&host, remembered(fresh));
                }
            }
            Phase::Establishing => at.link.forget_pending(),
            Phase::Answering if is_granted => at.account.memory.note_accepted(),
            Phase::Answering => at.account.memory.refused_before = false,
            Phase::Plain | Phase::Opening { .. } | Phase::Asking { .. } | Phase::Refreshing { .. } => {}
        }
    }

    /// A 401 or 407 that names no challenge refused what the request carried: it may go out once more without that,
    /// to be challenged.
    pub(crate) fn bare(self) -> Option<Self> {
        let is_open = !self.repeats.bared && self.rounds < MOST_ROUNDS;
        is_open.then(|| Self { repeats: Repeats { bared: true, ..self.repeats }, ..self.again() })
    }

    /// True if the server's close of the connection at that time goes with its challenge, whose answer does not hang on
    /// the connection: Digest credentials, or the token that opens a handshake. It is answered over a new one, once.
    pub(crate) fn may_move(&self, now: Now) -> bool {
        let is_recent = self.challenged.is_some_and(|at| now.since_start.since(at) < DIGEST_FRESH);
        let is_free = match &self.phase {
            Phase::Asking { offer, .. } => matches!(offer, Offer::Digest(_)),
            Phase::Opening { credentials } => credentials.is_some(),
            Phase::Answering => true,
            Phase::Plain | Phase::Establishing | Phase::Refreshing { .. } => false,
        };
        is_recent && is_free && !self.moved
    }

    /// The request goes over a new connection. One that only asks for a fresh challenge answers none.
    pub(crate) fn moves(self) -> Self {
        Self { moved: !matches!(self.phase, Phase::Refreshing { .. }), ..self }
    }

    /// Gives up what is waited for.
    pub(crate) fn abandon(self, link: &mut ServerLink, cx: &mut Context<'_>) {
        match self.phase {
            Phase::Asking { ask, .. } => cx.forget(ask),
            Phase::Establishing => link.forget_pending(),
            Phase::Plain | Phase::Opening { .. } | Phase::Answering | Phase::Refreshing { .. } => {}
        }
    }

    /// Gives up because the flow is gone; a question to a person stays open for the next attempt.
    pub(crate) fn interrupt(self, link: &mut ServerLink, account: &mut Account, cx: &mut Context<'_>) {
        match &self.phase {
            Phase::Asking { ask, offer, .. } => {
                let realm = shown_realm(offer);
                let reply = Reply::Open(*ask);
                account.prompt = Some(Box::new(Prompt { server: link.server.clone(), realm, reply }));
            }
            _ => self.abandon(link, cx),
        }
    }

    fn at(phase: Phase) -> Self {
        Self {
            phase,
            rounds: 0,
            answered: Vec::new(),
            stale: 0,
            repeats: Repeats::default(),
            invited: false,
            challenged: None,
            moved: false,
        }
    }

    /// The first challenge to a request that proved what there was to prove.
    fn begin(self, offer: Offer, at: &mut LinkContext<'_, '_>) -> Next {
        if at.link.association().is_some() && !self.invited {
            let most = at.cx.agent.limits.challenges_per_minute;
            if !at.account.handshakes.admit(most, at.cx.now) {
                at.cx.counters.count(Counter::ChallengeRate);
                return Next::Failed(goes_round(at));
            }
        }
        self.ask_or_answer(offer, at)
    }

    fn ask_or_answer(self, offer: Offer, at: &mut LinkContext<'_, '_>) -> Next {
        match offer {
            Offer::Digest(realms) => self.answer_digest(realms, at),
            offer @ Offer::Signing(..) => self.ask_for(offer, at),
        }
    }

    /// Credentials were out and the server demands more: another realm's, or its own again. What it asks again it
    /// refused, unless it says that the nonce was too old, names another, and has not said so too often.
    fn answer_again(
        mut self,
        realms: smallvec::SmallVec<[RealmChallenge; 1]>,
        at: &mut LinkContext<'_, '_>,
    ) -> Next {
        for one in &realms {
            let realm = one.challenge.realm_as_written();
            let Some(known) = self.answered.iter().rev().find(|known| *known.realm == *realm) else {
                continue;
            };
            if !one.challenge.stale() {
                return Next::Failed(rejected(at, Some(one)));
            }
            self.stale += 1;
            if *known.nonce == *one.challenge.nonce() || self.stale > MOST_STALE {
                return Next::Failed(goes_round(at));
            }
        }
        self.answer_digest(realms, at)
    }

    /// The fresh challenge that late credentials wait for. Another realm than theirs is asked for by itself.
    fn answer_refreshed(
        self,
        mut realms: smallvec::SmallVec<[RealmChallenge; 1]>,
        at: &mut LinkContext<'_, '_>,
    ) -> Next {
        let Self { phase: Phase::Refreshing { credentials, realm }, .. } = &self else {
            return Next::Failed(goes_round(at));
        };
        let credentials = credentials.clone();
        let own = realms.iter().position(|one| one.challenge.realm_as_written() == &**realm);
        let Some(own) = own else { return self.answer_digest(realms, at) };
        realms.swap(0, own);
        let since = at.cx.now.since_start;
        Self { phase: Phase::Plain, ..self }.answer_with(Offer::Digest(realms), since, Some(credentials), at)
    }

    /// Answers the realms whose secret is at hand (a nonce that was used for long is challenged again), and
    /// asks for the first that is not.
    fn answer_digest(
        mut self,
        mut realms: smallvec::SmallVec<[RealmChallenge; 1]>,
        at: &mut LinkContext<'_, '_>,
    ) -> Next {
        let mut unknown = smallvec::SmallVec::new();
        for RealmChallenge { challenge, style } in realms.drain(..) {
            let name = AnsweredRealm::of(&challenge);
            let renewed = match at.link.digest() {
                Some(sessions) => sessions.renew(challenge, style),
                None => Err(challenge),
            };
            match renewed {
                Ok(()) => self.answered.push(name),
                Err(challenge) => unknown.push(RealmChallenge { challenge, style }),
            }
        }
        if unknown.is_empty() {
            return Next::Send(Self { phase: Phase::Answering, ..self }, Proof::Current);
        }
        self.ask_for(Offer::Digest(unknown), at)
    }

    fn ask_for(self, offer: Offer, at: &mut LinkContext<'_, '_>) -> Next {
        let realm = shown_realm(&offer);
        let since = at.cx.now.since_start;
        let ask = match at.account.take_prompt(&at.link.server, &realm, at.cx) {
            Some(Reply::Open(ask)) => ask,
            Some(Reply::Given(given)) => return self.answer_with(offer, since, given, at),
            None => {
                let question = Question::Credentials {
                    account: at.account.id,
                    server: at.link.server.clone(),
                    realm,
                    refused_before: at.account.memory.refused_before,
                };
                at.cx.ask(question, None)
            }
        };
        Next::Wait(Self { phase: Phase::Asking { ask, offer, since }, ..self })
    }

    /// Answers a challenge that came at `since` with what the world gave. A server forgets a handshake
    /// that is not ended; a person may be slower than that, so a CHALLENGE that grew old is asked for again.
    /// It is never tried first: a wrong password would count twice.
    fn answer_with(
        mut self,
        offer: Offer,
        since: Moment,
        credentials: Option<Credentials>,
        at: &mut LinkContext<'_, '_>,
    ) -> Next {
        let Some(credentials) = credentials else {
            let server = at.link.server.clone();
            // Who gave a password and has no other is told that it was refused, not that none was given.
            let was_refused = at.account.memory.refused_before;
            let why = if was_refused {
                AuthError::Rejected { server }
            } else {
                AuthError::NoCredentials { server }
            };
            return Next::Failed(why);
        };
        at.account.memory.note_given(&credentials);
        let age = at.cx.now.since_start.since(since);
        let is_fresh = age < FRESH;
        match offer {
            Offer::Signing(challenge, style) if challenge.token.is_some() && is_fresh => {
                self.establish(&challenge, style, &credentials, at)
            }
            Offer::Signing(challenge, style) => {
                let phase = Phase::Opening { credentials: Some(credentials) };
                Next::Send(Self { phase, ..self }, Proof::Opening(challenge.name, style))
            }
            Offer::Digest(realms) if age >= DIGEST_FRESH => {
                let realm = realms.first().map(|one| one.challenge.realm_as_written().into());
                let phase = Phase::Refreshing { credentials, realm: realm.unwrap_or_default() };
                Next::Send(Self { phase, ..self }, Proof::Current)
            }
            Offer::Digest(mut realms) => {
                let RealmChallenge { challenge, style } = realms.remove(0);
                self.answered.push(AnsweredRealm::of(&challenge));
                let session = DigestSession::new(challenge, &credentials.user, &credentials.password);
                let added = at.link.digest().is_some_and(|sessions| sessions.add(session, style));
                if !added {
                    return Next::Failed(goes_round(at));
                }
                self.answer_digest(realms, at)
            }
        }
    }

    /// Answers a CHALLENGE with the token that establishes the association.
    fn establish(
        self,
        challenge: &SigningChallenge,
        style: Style,
        credentials: &Credentials,
        at: &mut LinkContext<'_, '_>,
    ) -> Next {
        let (made, keys) = match token(at, challenge, credentials) {
            Ok(made) => made,
            Err(why) => {
                at.cx.counters.count(Counter::RefusedChallenge);
                return Next::Failed(AuthError::BadToken { server: at.link.server.clone(), why });
            }
        };
        let opaque = challenge.opaque.as_deref().unwrap_or_default();
        let name = challenge.name.clone();
        let fresh = Box::new(Association::new(name, opaque, style, keys.into(), at.cx.now));
        Next::Send(Self { phase: Phase::Establishing, ..self }, Proof::Token(fresh, made))
    }
}

impl AnsweredRealm {
    fn of(challenge: &DigestChallenge) -> Self {
        Self { realm: challenge.realm_as_written().into(), nonce: challenge.nonce().into() }
    }
}

fn token(
    at: &mut LinkContext<'_, '_>,
    challenge: &SigningChallenge,
    credentials: &Credentials,
) -> Result<(Vec<u8>, SessionKeys), TokenFault> {
    let spn = format!("sip/{}", challenge.name.targetname);
    let channel = at.link.proof.as_ref().map(|proof| client::channel_binding(&proof.end_point_hash));
    let binding = match at.account.config.auth.extended_protection {
        ExtendedProtection::Off => Binding::plain(),
        ExtendedProtection::Accept => Binding::protected(&spn, channel),
        ExtendedProtection::Require if channel.is_none() => return Err(TokenFault::NoProtection),
        ExtendedProtection::Require => {
            Binding { mic: MicPolicy::Always, ..Binding::protected(&spn, channel) }
        }
    };
    let who = NtlmIdentity {
        user: &credentials.user,
        domain: &credentials.domain,
        workstation: &at.cx.agent.workstation,
        password: &credentials.password,
    };
    let random = ClientRandom {
        client_challenge: at.cx.random.client_challenge(),
        exported_session_key: at.cx.random.session_key(),
    };
    let offered = challenge.token.as_deref().unwrap_or_default();
    client::authenticate(offered, &who, &binding, &random, at.cx.now.wall.filetime()).map_err(fault)
}

/// The token was not accepted. Over UDP a server whose peer's address changed half-way says the same
/// of a good token, so there only the second refusal is held against the password.
fn token_refused(at: &mut LinkContext<'_, '_>) -> AuthError {
    let steady = at.link.flow_ref.transport.is_reliable();
    if steady || std::mem::replace(&mut at.account.memory.doubted, true) {
        return rejected(at, None);
    }
    goes_round(at)
}

/// The credentials were not accepted; the session of the realm that says so is forgotten.
fn rejected(at: &mut LinkContext<'_, '_>, realm: Option<&RealmChallenge>) -> AuthError {
    at.account.memory.refused_before = true;
    if let (Some(realm), Some(sessions)) = (realm, at.link.digest()) {
        sessions.forget(&realm.challenge);
    }
    AuthError::Rejected { server: at.link.server.clone() }
}

/// The server demands what it was given.
fn goes_round(at: &LinkContext<'_, '_>) -> AuthError {
    AuthError::ChallengeLoop { server: at.link.server.clone() }
}
/// The realm a person is asked about: of several the first that has no session.
fn shown_realm(offer: &Offer) -> String {
    let realm = match offer {
        Offer::Signing(challenge, _) => challenge.name.realm.to_string(),
        Offer::Digest(realms) => {
            realms.first().map(|one| one.challenge.realm().into_owned()).unwrap_or_default()
        }
    };
    printable(&realm, REALM_SHOWN)
}

fn remembered(association: &Association) -> RememberedLogin {
    let name = association.name();
    RememberedLogin {
        realm: name.realm.to_string(),
        targetname: name.targetname.to_string(),
        version: name.version.number().and_then(|number| u8::try_from(number).ok()).unwrap_or(2),
        proxy_headers: association.style() == Style::Proxy,
    }
}

fn fault(error: NtlmError) -> TokenFault {
    match error {
        NtlmError::Missing(_) => TokenFault::Weak,
        NtlmError::Unnamed => TokenFault::NoNames,
        NtlmError::NotAChallenge | NtlmError::BrokenAttributes | NtlmError::NameTooLong => {
            TokenFault::Structure
        }
    }
}

/// A CHALLENGE older than this is not answered: no server need hold one for long.
const FRESH: Duration = Duration::from_secs(5);
/// A nonce older than this is not answered with credentials that only now came: servers differ in how long they take
/// one, and few say that it was too old.
const DIGEST_FRESH: Duration = Duration::from_secs(2);
/// Answers of one request that may be right and too old.
const MOST_STALE: u8 = 3;
/// Challenges, fall-backs and demands one request meets before it is given up.
const MOST_ROUNDS: u8 = 6;
/// Characters of a realm that are shown to the person who is asked for the password.
const REALM_SHOWN: usize = 128;
