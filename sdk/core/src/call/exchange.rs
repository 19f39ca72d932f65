//! A request of ours inside a dialog, from what it is to say until its final response: with challenges in between.

use homing_wire::{Builder, Message, Method, Name};

use super::challenged::{self, Demand, Place};
use super::line::{CallContext, Sent};
use crate::account::acceptance::SignatureVerdict;
use crate::account::answerer::Answerer;
use crate::account::server_link::{Proof, Verified};
use crate::description::Description;
use crate::ids::{AskId, TxId};
use crate::outbox::Credentials;

/// A request inside a dialog that has no final response.
pub(crate) struct Exchange {
    pub(crate) draft: Draft,
    phase: Phase,
}

/// What a request says beside what the dialog gives it.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) purpose: Purpose,
    pub(crate) headers: Vec<Field>,
    pub(crate) body: Option<Description>,
}

/// A header line of ours.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: Name<'static>,
    pub(crate) value: String,
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To end the dialog.
    Bye,
    /// To acknowledge a provisional response.
    Prack,
    /// INVITE with an offer that changes the session.
    Reinvite(Change),
    /// UPDATE without an offer: the session goes on.
    Update,
    /// Over another flow: is the dialog still there? UPDATE, or OPTIONS where the peer takes none.
    Probe { update: bool },
    /// A body for the peer's application.
    Info,
}

/// What a new offer of ours changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// This side holds the call, or takes it up again.
    Hold(bool),
    /// Nothing: the session goes on (RFC 4028).
    Refresh,
}

/// How far it is.
enum Phase {
    /// There is no flow to send it over.
    Unsent,
    /// Its answer is waited for.
    Sent(Box<Sent>, Answerer),
    /// Credentials for a challenge are, which is the answer if there are none.
    AwaitingCredentials(Answerer, Box<Message>),
    /// A new association of its link is.
    AwaitingAssociation(Answerer, Box<Message>),
}

/// What a final response comes to.
pub(crate) enum Outcome {
    /// It goes out again with this proof.
    Again(Draft, Answerer, Proof),
    /// It goes on.
    Stays(Exchange),
    /// It goes on once its link has a new association.
    NeedsAssociation(Exchange),
    /// It has its answer.
    Ends(Box<Ended>),
}

/// A request and its answer.
pub(crate) struct Ended {
    pub(crate) draft: Draft,
    pub(crate) response: Message,
    /// As it went out; none if the answer is a challenge of before.
    pub(crate) sent: Option<Box<Sent>>,
    /// The answer was only tolerated: there is an association, and it did not sign this (decision 12).
    pub(crate) is_unsigned: bool,
}

impl Purpose {
    /// The method it takes.
    pub(crate) fn method(self) -> Method<'static> {
        match self {
            Purpose::Bye => Method::Bye,
            Purpose::Prack => Method::Prack,
            Purpose::Reinvite(_) => Method::Invite,
            Purpose::Update | Purpose::Probe { update: true } => Method::Update,
            Purpose::Probe { update: false } => Method::Options,
            Purpose::Info => Method::Info,
        }
    }
}

impl Draft {
    /// Without headers and body of its own.
    pub(crate) fn bare(purpose: Purpose) -> Self {
        Self { purpose, headers: Vec::new(), body: None }
    }

    /// One more header line.
    pub(crate) fn with(mut self, name: Name<'static>, value: impl ToString) -> Self {
        self.headers.push(Field { name, value: value.to_string() });
        self
    }

    /// Puts what it says into a request.
    pub(crate) fn write(&self, head: Builder) -> Message {
        let head = self.headers.iter().fold(head, |head, field| head.header(field.name, &field.value));
        match &self.body {
            Some(body) => head.body(&body.content_type, &body.body).message(),
            None => head.message(),
        }
    }
}

impl Exchange {
    /// One that waits for a flow.
    pub(crate) fn unsent(draft: Draft) -> Self {
        Self { draft, phase: Phase::Unsent }
    }

    /// One that left.
    pub(crate) fn sent(draft: Draft, sent: Sent, answerer: Answerer) -> Self {
        Self { draft, phase: Phase::Sent(Box::new(sent), answerer) }
    }

    /// True if it waits for that transaction.
    pub(crate) fn is_of(&self, tx: TxId) -> bool {
        matches!(&self.phase, Phase::Sent(sent, _) if sent.tx == tx)
    }

    /// True if it waits for the answer to that question.
    pub(crate) fn has_asked(&self, id: AskId) -> bool {
        matches!(&self.phase, Phase::AwaitingCredentials(answerer, _) if answerer.ask() == Some(id))
    }

    /// True while there is no flow to send it over.
    pub(crate) fn is_unsent(&self) -> bool {
        matches!(self.phase, Phase::Unsent)
    }

    /// True while a person is asked for credentials.
    pub(crate) fn awaits_person(&self) -> bool {
        matches!(self.phase, Phase::AwaitingCredentials(..))
    }

    /// True while the link's association is being renewed for it.
    pub(crate) fn awaits_association(&self) -> bool {
        matches!(self.phase, Phase::AwaitingAssociation(..))
    }

    /// True while it makes the handshake for its link.
    pub(crate) fn is_establishing(&self) -> bool {
        match &self.phase {
            Phase::Sent(_, answerer) | Phase::AwaitingCredentials(answerer, _) => answerer.is_establishing(),
            Phase::Unsent | Phase::AwaitingAssociation(..) => false,
        }
    }

    /// The final response, judged and fed.
    pub(crate) fn handle_final(self, response: Verified, cc: &mut CallContext<'_, '_, '_>) -> Outcome {
        let Verified { message, judged } = response;
        let Self { draft, phase } = self;
        let Phase::Sent(sent, answerer) = phase else { return Outcome::Stays(Self { draft, phase }) };
        if matches!(message.status(), Some(401 | 407)) {
            let demand = challenged::judge(&message, answerer, Place::InDialog, cc);
            return Self::follow(draft, demand, message, Some(sent));
        }
        challenged::settle(&answerer, judged, &message, cc);
        cc.is_proved(&message, &sent);
        let is_unsigned = matches!(judged.verdict, SignatureVerdict::Refused(_));
        Outcome::Ends(Box::new(Ended { draft, response: message, sent: Some(sent), is_unsigned }))
    }

    /// The world's answer to the question for credentials.
    pub(crate) fn handle_credentials(
        self,
        credentials: Option<Credentials>,
        cc: &mut CallContext<'_, '_, '_>,
    ) -> Outcome {
        let Self { draft, phase } = self;
        let Phase::AwaitingCredentials(answerer, challenge) = phase else {
            return Outcome::Stays(Self { draft, phase });
        };
        let demand = challenged::answer(answerer, credentials, cc);
        Self::follow(draft, demand, *challenge, None)
    }

    /// The link has a new association, or will not get one. A handshake of its own is over with the first, too.
    pub(crate) fn handle_news(self, granted: bool, cc: &mut CallContext<'_, '_, '_>) -> Outcome {
        let is_renewed = granted && (self.awaits_association() || self.is_establishing());
        if is_renewed {
            let draft = self.draft.clone();
            self.abandon(cc);
            return Outcome::Again(draft, Answerer::answered(), Proof::Current);
        }
        let Self { draft, phase } = self;
        match phase {
            Phase::AwaitingAssociation(_, challenge) => {
                Outcome::Ends(Box::new(Ended { draft, response: *challenge, sent: None, is_unsigned: false }))
            }
            phase => Outcome::Stays(Self { draft, phase }),
        }
    }

    /// No registration renews the association of its link: it makes the handshake itself.
    pub(crate) fn handshake(self, cc: &mut CallContext<'_, '_, '_>) -> Outcome {
        let Self { draft, phase } = self;
        let Phase::AwaitingAssociation(answerer, challenge) = phase else {
            return Outcome::Stays(Self { draft, phase });
        };
        let demand = challenged::handshake(&challenge, answerer, cc);
        Self::follow(draft, demand, *challenge, None)
    }

    /// No answer came in time.
    pub(crate) fn time_out(self, cc: &mut CallContext<'_, '_, '_>) -> Draft {
        let Self { draft, phase } = self;
        if let Phase::Sent(_, answerer) = phase {
            challenged::time_out(answerer, cc);
        }
        draft
    }

    /// Its flow is lost: it waits for another.
    pub(crate) fn rest(self, cc: &mut CallContext<'_, '_, '_>) -> Self {
        let draft = self.draft.clone();
        self.abandon(cc);
        Self::unsent(draft)
    }

    /// Gives it up.
    pub(crate) fn abandon(self, cc: &mut CallContext<'_, '_, '_>) {
        match self.phase {
            Phase::Unsent => {}
            Phase::Sent(sent, answerer) => {
                cc.at.cx.transactions.abandon(sent.tx);
                answerer.abandon(cc.at.link, cc.at.cx);
            }
            Phase::AwaitingCredentials(answerer, _) | Phase::AwaitingAssociation(answerer, _) => {
                answerer.abandon(cc.at.link, cc.at.cx);
            }
        }
    }

    fn follow(draft: Draft, demand: Demand, challenge: Message, sent: Option<Box<Sent>>) -> Outcome {
        match demand {
            Demand::Send(answerer, proof) => Outcome::Again(draft, answerer, proof),
            Demand::Ask(answerer) => {
                let phase = Phase::AwaitingCredentials(answerer, Box::new(challenge));
                Outcome::Stays(Self { draft, phase })
            }
            Demand::Associate(answerer) => {
                let phase = Phase::AwaitingAssociation(answerer, Box::new(challenge));
                Outcome::NeedsAssociation(Self { draft, phase })
            }
            Demand::Refused => {
                Outcome::Ends(Box::new(Ended { draft, response: challenge, sent, is_unsigned: false }))
            }
        }
    }
}
