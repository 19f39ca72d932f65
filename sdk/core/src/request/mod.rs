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
//! A 3xx changes its Request-URI ([`Asked`]); it goes out again over the same link.
//!
//! An account without registrar asks directly: first the server of the URI is looked for ([`Locating`]).
//!
//! It is an owner of its own: it uses the flow and the link of its account's home server, and keeps both, draining,
//! if the registration leaves them first. An association is renewed by the registration's REGISTER; a request that
//! was challenged for one waits for that.

mod asked;
mod locating;

use homing_wire::{Message, Method, Name, Uri};

use crate::account::acceptance::SignatureVerdict;
use crate::account::answerer::{Answerer, Next};
use crate::account::challenge::{self, Offer};
use crate::account::context::Context;
use crate::account::digest_realms::SentAnswer;
use crate::account::link_context::LinkContext;
use crate::account::request_head::Sequence;
use crate::account::server_link::{LinkId, Proof, SentRequest, Verified};
use crate::answer::Answered;
use crate::config::ServerChoice;
use crate::counter::Counter;
use crate::error::Misuse;
use crate::event::AccountEvent;
use crate::ids::{AccountId, AskId, FlowId, TxId};
use crate::outbox::Credentials;
use crate::server::ServerName;

pub(crate) use asked::{Asked, Redirector};
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
    /// Whom it asks.
    pub(crate) asked: Asked,
    sequence: Sequence,
}

/// What a request waits for.
enum State {
    /// Its answer.
    Sent(TxId, Answerer, Vec<SentAnswer>),
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
    /// It goes on at the server of its new Request-URI.
    Redirected(Subject),
    /// It is over.
    Ends(Subject, Answered),
}

impl Request {
    /// True for what an OPTIONS may ask.
    pub(crate) fn accepts(uri: &str) -> bool {
        Uri::parse(uri).is_ok_and(|uri| uri.is_sip() || uri.is_sips())
    }

    /// Asks the server of a link whether it is there, or through it the URI that is `asked`.
    ///
    /// # Errors
    /// [`Misuse::Limit`] if the agent has too many requests under way; [`Misuse::WrongState`] if the link cannot
    /// sign.
    pub(crate) fn start(asked: Asked, mut at: LinkContext<'_, '_>) -> Result<Self, Misuse> {
        let mut subject = Subject {
            account: at.account.id,
            link: at.link.id,
            flow: at.link.flow(),
            server: at.link.server.clone(),
            asked,
            sequence: Sequence::new(at.cx.random),
        };
        let (tx, answers) = subject.send(Proof::Current, &mut at)?;
        at.link.join();
        at.cx.flows.join(subject.flow, at.cx.owner);
        Ok(Self { subject, state: State::Sent(tx, Answerer::new(), answers) })
    }

    /// Who asks whom.
    pub(crate) fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The From tag of what it sends.
    pub(crate) fn caller_tag(&self) -> &str {
        self.subject.sequence.caller_tag()
    }

    /// True while a person is asked for credentials.
    pub(crate) fn awaits_person(&self) -> bool {
        matches!(self.state, State::AwaitingCredentials(..))
    }

    /// The final answer, judged and fed.
    pub(crate) fn handle_final(self, tx: TxId, response: Verified, mut at: LinkContext<'_, '_>) -> Step {
        let Verified { message, judged } = response;
        match self.state {
            State::Sent(own, answerer, answers) if own == tx => {
                if matches!(message.status(), Some(401 | 407)) {
                    return self.subject.handle_challenge(message, answerer, &mut at);
                }
                answerer.settle(judged.by_pending, &message, &mut at);
                let request =
                    SentRequest { uri: self.subject.asked.uri(), flow: self.subject.flow, answers: &answers };
                let proved = at.link.follow_nonce(&message, request);
                if !proved {
                    at.cx.counters.count(Counter::WrongProof);
                    at.cx.tell(AccountEvent::ProofWrong { server: at.link.server.clone() });
                }
                match message.status() {
                    // Whoever gives a wrong proof leads nowhere.
                    Some(300..=399) if proved => {
                        self.subject.handle_redirect(&message, judged.verdict, &mut at)
                    }
                    _ => self.subject.ends_with(&message, at.cx),
                }
            }
            state => Step::Stays(Self { state, ..self }),
        }
    }

    /// No answer comes: in time, or because the flow is gone.
    pub(crate) fn handle_silence(self, cx: &Context<'_>) -> Step {
        let answered = Answered::nobody(self.subject.asked.millis(cx.now));
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
            Ok((tx, answers)) => {
                Step::Stays(Self { state: State::Sent(tx, Answerer::answered(), answers), ..self })
            }
            Err(_) => {
                let challenge = challenge.clone();
                self.subject.ends_with(&challenge, at.cx)
            }
        }
    }

    /// Gives it up without a word, as when its account is removed. Link and flow are still to be given back.
    pub(crate) fn abandon(self, cx: &mut Context<'_>) -> Subject {
        match self.state {
            State::Sent(tx, ..) => cx.transactions.abandon(tx),
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
    /// A 3xx: it goes on with another Request-URI, or the redirect is the answer.
    fn handle_redirect(
        mut self,
        redirect: &Message,
        verdict: SignatureVerdict,
        at: &mut LinkContext<'_, '_>,
    ) -> Step {
        let transport = at.link.flow_ref.transport;
        let by = Redirector { server: &self.server, transport, verdict };
        if self.asked.follow(redirect, &by, &at.account.config).is_err() {
            at.cx.counters.count(Counter::RedirectRefused);
            return self.ends_with(redirect, at.cx);
        }
        at.cx.counters.count(Counter::RedirectFollowed);
        if at.account.config.server == ServerChoice::NoRegistrar {
            return Step::Redirected(self);
        }
        let proof = if at.link.association().is_some() { Proof::Current } else { Proof::Nothing };
        match self.send(proof, at) {
            Ok((tx, answers)) => {
                let state = State::Sent(tx, Answerer::new(), answers);
                Step::Stays(Request { subject: self, state })
            }
            Err(_) => self.ends_with(redirect, at.cx),
        }
    }

    fn handle_challenge(self, challenge: Message, answerer: Answerer, at: &mut LinkContext<'_, '_>) -> Step {
        let Ok(answerer) = answerer.challenged(at) else { return self.ends_with(&challenge, at.cx) };
        match challenge::choose(&challenge, at.link, at.account, at.cx.now) {
            // A handshake is the registration's: its REGISTER renews the association of the home link.
            // After a redirect it may be that of a stranger, for whom no credentials go out: only what the home
            // server's association proves is renewed.
            Ok(Offer::Signing(..))
                if answerer.is_first()
                    && (at.link.association().is_some() || !self.asked.is_redirected()) =>
            {
                let state = State::AwaitingAssociation(Box::new(challenge));
                Step::NeedsAssociation(Request { subject: self, state })
            }
            Ok(Offer::Signing(..)) => self.ends_with(&challenge, at.cx),
            Ok(Offer::Digest(_)) if self.asked.is_redirected() => self.ends_with(&challenge, at.cx),
            Ok(offer @ Offer::Digest(_)) => {
                let answered = Answered::of(&challenge, self.asked.millis(at.cx.now));
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
                Ok((tx, answers)) => {
                    Step::Stays(Request { subject: self, state: State::Sent(tx, answerer, answers) })
                }
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
        let answered = Answered::of(answer, self.asked.millis(cx.now));
        Step::Ends(self, answered)
    }

    fn send(
        &mut self,
        proof: Proof,
        at: &mut LinkContext<'_, '_>,
    ) -> Result<(TxId, Vec<SentAnswer>), Misuse> {
        let head = self.sequence.head(Method::Options, self.asked.uri(), self.asked.to(), at);
        let head = at.link.service_route.hops().fold(head, |head, hop| head.header(Name::Route, hop));
        let request = head.header(Name::Accept, "application/sdp").message();
        let LinkContext { link, cx, .. } = at;
        let Ok(signed) = link.prove(request, proof, cx.random) else {
            cx.counters.count(Counter::NotSigned);
            return Err(Misuse::WrongState);
        };
        // A new login at the same server may have given the link another flow meanwhile.
        if link.flow() != self.flow {
            cx.flows.join(link.flow(), cx.owner);
            cx.release(std::mem::replace(&mut self.flow, link.flow()));
        }
        let tx = cx.transactions.request(&signed, link.flow_ref, cx.owner, cx.now)?;
        Ok((tx, link.answers_in(&signed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::server_link::ServerLink;
    use crate::tests::act_over;

    /// Decision 11: signing fails closed.
    #[test]
    fn a_request_that_cannot_be_signed_is_misuse_and_does_not_leave() {
        let mut link = ServerLink::used_up();
        let started = act_over(&mut link, |at| {
            let asked = Asked::new(None, &at.account.config, at.cx.now);
            Request::start(asked, at)
        });
        assert_eq!(started.result.err(), Some(Misuse::WrongState));
        assert!(started.sent.is_empty() && !link.is_in_use(), "it left all the same");
        assert_eq!(started.counters.of(Counter::NotSigned), 1);
    }
}
