//! One request outside a dialog: sent over a link, challenged, answered, or given up (RFC 3261 section 8.1).
//!
//! ```text
//!  start ──► Sent ──final──► answered
//!             │ ▲
//!         401 │ │ what it takes is there
//!             ▼ │
//!          AwaitingCredentials, AwaitingAssociation ──► the challenge is the answer
//! ```
//!
//! An account without registrar asks directly: first the server of the URI is looked for ([`Locating`]).
//!
//! It is an owner of its own: it uses the flow and the link of its account's home server, and keeps both, draining,
//! if the registration leaves them first. An association is renewed by the registration's REGISTER; a request that
//! was challenged for one waits for that.

mod locating;

use homing_wire::{Message, Method, Name, Uri};

use crate::account::answerer::{Answerer, Next};
use crate::account::challenge::{self, Offer};
use crate::account::context::Context;
use crate::account::link_context::LinkContext;
use crate::account::request_head::Sequence;
use crate::account::server_link::{LinkId, Proof, Verified};
use crate::answer::Answered;
use crate::counter::Counter;
use crate::error::Misuse;
use crate::event::AccountEvent;
use crate::ids::{AccountId, AskId, FlowId, TxId};
use crate::outbox::Credentials;
use crate::server::ServerName;
use crate::time::Moment;

pub(crate) use locating::{Locating, Step as LocatingStep};

/// A request outside a dialog under way: an OPTIONS (RFC 3261 section 11).
pub(crate) struct Request {
    subject: Subject,
    state: State,
}

/// Who asks whom, and over which link.
pub(crate) struct Subject {
    /// Whose request it is.
    pub(crate) account: AccountId,
    /// The link it goes over.
    pub(crate) link: LinkId,
    /// The flow it keeps.
    pub(crate) flow: FlowId,
    /// The server of the link, as dialled.
    pub(crate) server: ServerName,
    /// Whom it asks; none: the server itself.
    uri: Option<Box<str>>,
    sequence: Sequence,
    sent: Moment,
}

/// What a request waits for.
enum State {
    /// Its answer.
    Sent(TxId, Answerer),
    /// Credentials for a challenge, which is the answer if there are none.
    AwaitingCredentials(Answerer, Box<Answered>),
    /// A new association of its link: this challenge was the answer.
    AwaitingAssociation(Box<Message>),
}

/// What becomes of a request after an input.
pub(crate) enum Step {
    /// It goes on.
    Stays(Request),
    /// It goes on once its link has a new association.
    NeedsAssociation(Request),
    /// It is over.
    Ends(Subject, Answered),
}

impl Request {
    /// True for what an OPTIONS may ask.
    pub(crate) fn accepts(uri: &str) -> bool {
        Uri::parse(uri).is_ok_and(|uri| uri.is_sip() || uri.is_sips())
    }

    /// Asks the server of a link whether it is there, or through it the owner of `uri`. The answer's time counts
    /// from `began`.
    ///
    /// # Errors
    /// [`Misuse::Limit`] if the agent has too many requests under way; [`Misuse::WrongState`] if the link cannot
    /// sign.
    pub(crate) fn start(
        uri: Option<&str>,
        began: Moment,
        mut at: LinkContext<'_, '_>,
    ) -> Result<Self, Misuse> {
        let mut subject = Subject {
            account: at.account.id,
            link: at.link.id,
            flow: at.link.flow(),
            server: at.link.server.clone(),
            uri: uri.map(Into::into),
            sequence: Sequence::new(at.cx.random),
            sent: began,
        };
        let tx = subject.send(Proof::Current, &mut at)?;
        at.link.join();
        at.cx.flows.join(subject.flow, at.cx.owner);
        Ok(Self { subject, state: State::Sent(tx, Answerer::new()) })
    }

    /// Who asks whom.
    pub(crate) fn subject(&self) -> &Subject {
        &self.subject
    }

    /// True while a person is asked for credentials.
    pub(crate) fn awaits_person(&self) -> bool {
        matches!(self.state, State::AwaitingCredentials(..))
    }

    /// The final answer, judged and fed.
    pub(crate) fn handle_final(self, tx: TxId, response: Verified, mut at: LinkContext<'_, '_>) -> Step {
        let Verified { message, judged } = response;
        match self.state {
            State::Sent(own, answerer) if own == tx => {
                if matches!(message.status(), Some(401 | 407)) {
                    return self.subject.handle_challenge(message, answerer, &mut at);
                }
                answerer.settle(judged.by_pending, &mut at);
                let proved = at.link.follow_nonce(&message, &self.subject.uri(&at));
                if !proved {
                    at.cx.counters.count(Counter::WrongProof);
                    at.cx.tell(AccountEvent::ProofWrong { server: at.link.server.clone() });
                }
                self.subject.ends_with(&message, at.cx)
            }
            state => Step::Stays(Self { state, ..self }),
        }
    }

    /// Nobody answers: in time, or because the flow is gone.
    pub(crate) fn handle_silence(self, cx: &Context<'_>) -> Step {
        let answered = Answered::nobody(self.subject.millis(cx));
        Step::Ends(self.subject, answered)
    }

    /// The world's answer to the question for credentials.
    pub(crate) fn handle_credentials(
        self,
        id: AskId,
        credentials: Option<Credentials>,
        mut at: LinkContext<'_, '_>,
    ) -> Step {
        match self.state {
            State::AwaitingCredentials(answerer, challenged) if answerer.ask() == Some(id) => {
                let next = answerer.handle_credentials(credentials, &mut at);
                self.subject.go_on(next, *challenged, &mut at)
            }
            state => Step::Stays(Self { state, ..self }),
        }
    }

    /// The registration's REGISTER brought what the link needs, or did not.
    pub(crate) fn handle_news(mut self, granted: bool, mut at: LinkContext<'_, '_>) -> Step {
        let State::AwaitingAssociation(challenge) = &self.state else { return Step::Stays(self) };
        let sent = if granted { self.subject.send(Proof::Current, &mut at) } else { Err(Misuse::WrongState) };
        match sent {
            Ok(tx) => Step::Stays(Self { state: State::Sent(tx, Answerer::answered()), ..self }),
            Err(_) => {
                let challenge = challenge.clone();
                self.subject.ends_with(&challenge, at.cx)
            }
        }
    }

    /// Gives it up without a word, as when its account is removed. Link and flow are still to be given back.
    pub(crate) fn abandon(self, cx: &mut Context<'_>) -> Subject {
        match self.state {
            State::Sent(tx, _) => cx.transactions.abandon(tx),
            State::AwaitingCredentials(answerer, _) => {
                if let Some(ask) = answerer.ask() {
                    cx.forget(ask);
                }
            }
            State::AwaitingAssociation(_) => {}
        }
        self.subject
    }
}

impl Subject {
    fn handle_challenge(self, challenge: Message, answerer: Answerer, at: &mut LinkContext<'_, '_>) -> Step {
        let Ok(answerer) = answerer.challenged(at) else { return self.ends_with(&challenge, at.cx) };
        match challenge::choose(&challenge, at.link, at.account, at.cx.now) {
            // A handshake is the registration's: its REGISTER renews the association of the home link.
            Ok(Offer::Signing(..)) if answerer.is_first() => {
                let state = State::AwaitingAssociation(Box::new(challenge));
                Step::NeedsAssociation(Request { subject: self, state })
            }
            Ok(Offer::Signing(..)) => self.ends_with(&challenge, at.cx),
            Ok(offer @ Offer::Digest(_)) => {
                let answered = Answered::of(&challenge, self.millis(at.cx));
                let next = answerer.answer(offer, at);
                self.go_on(next, answered, at)
            }
            Err(_) => {
                at.cx.counters.count(Counter::RefusedChallenge);
                self.ends_with(&challenge, at.cx)
            }
        }
    }

    /// Goes out again, or waits, or ends with `answered`.
    fn go_on(mut self, next: Next, answered: Answered, at: &mut LinkContext<'_, '_>) -> Step {
        match next {
            Next::Send(answerer, proof) => match self.send(proof, at) {
                Ok(tx) => Step::Stays(Request { subject: self, state: State::Sent(tx, answerer) }),
                Err(_) => Step::Ends(self, answered),
            },
            Next::Wait(answerer) => {
                let state = State::AwaitingCredentials(answerer, Box::new(answered));
                Step::Stays(Request { subject: self, state })
            }
            Next::Failed(_) => Step::Ends(self, answered),
        }
    }

    fn ends_with(self, answer: &Message, cx: &Context<'_>) -> Step {
        let answered = Answered::of(answer, self.millis(cx));
        Step::Ends(self, answered)
    }

    fn send(&mut self, proof: Proof, at: &mut LinkContext<'_, '_>) -> Result<TxId, Misuse> {
        let uri = self.uri(at);
        let head = self.sequence.head(Method::Options, &uri, at);
        let request = head.header(Name::Accept, "application/sdp").message();
        let LinkContext { link, cx, .. } = at;
        let Ok(signed) = link.prove(request, proof, cx.random) else {
            cx.counters.count(Counter::NotSigned);
            return Err(Misuse::WrongState);
        };
        cx.transactions.request(&signed, link.flow_ref, cx.owner, cx.now)
    }

    fn uri(&self, at: &LinkContext<'_, '_>) -> String {
        self.uri.as_deref().map_or_else(|| format!("sip:{}", at.account.config.aor.domain), str::to_owned)
    }

    fn millis(&self, cx: &Context<'_>) -> u32 {
        u32::try_from(cx.now.since_start.since(self.sent).as_millis()).unwrap_or(u32::MAX)
    }
}
