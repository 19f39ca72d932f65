//! The services of a server: each handles a request in turn, and passes on what is not its own.
//!
//! A request is [received](Step::Received), then [authenticated](Step::Authenticated), then
//! [routed](Step::Routed). A service takes the step it is for and returns the next one; every other step it
//! returns as it came. Where the next step depends on the directory, it returns the question, and is given the answer. A new service is a file here and a line in the [list](super::composition) of each role
//! that has it.

pub(super) mod authentication;
pub(super) mod home_authentication;
pub(super) mod options;
pub(super) mod party;
pub(super) mod proxy;
pub(super) mod redirect_server;
pub(super) mod register_response;
pub(super) mod registrar;
pub(super) mod registration_notifier;
pub(super) mod router;
pub(super) mod validation;

use std::borrow::Cow;

use homing_core::ids::{FlowId, TxId};
use homing_core::server::ServerName;
use homing_core::time::{Deadline, Now};
use homing_core::transaction::Response;
use homing_wire::{Message, Method, Name};

use super::authenticator::{Principal, SessionId};
use super::context::{BranchId, Context, ServerRequest};
use super::io::NodeCommand;
use super::party::{Manners, Party};
use super::routing::RouteDecision;
use super::sound::SoundPorts;
use crate::directory::Lookup;

/// Where a request stands on its way through the services. What is known of it is boxed: each service hands it on.
pub(super) enum Step {
    /// It is new, and nothing is known of its sender.
    Received(Box<Received>),
    /// Its sender is known, and a transaction waits for the response.
    Authenticated(Box<Authenticated>),
    /// It is decided which server handles it.
    Routed(Box<Routed>),
    /// The ACK for a 2xx, which has no transaction: it only goes on.
    Ack(Box<Ack>),
    /// The directory is asked first.
    LookUp(LookUp),
    /// It is answered, dropped, or kept by a service until something else comes.
    Done,
}

/// A question to the directory, and what waits for its answer.
pub(super) struct LookUp {
    /// The address of record without scheme, lower case.
    pub(super) user: String,
    pub(super) pending: Pending,
}

/// What waits for an answer of the directory, until the service that asked is told.
pub(super) enum Pending {
    /// A request of a sender who is not known yet.
    Received(Box<Received>),
    /// A request whose sender is known.
    Authenticated(Box<Authenticated>),
    /// No request: an assignment may have changed.
    Assignment,
    /// No request: a party is to make a call.
    Errand(Box<Errand>),
}

/// A call that a party is to make.
pub(super) struct Errand {
    pub(super) party: Party,
    pub(super) manners: Manners,
}

/// A request that arrived.
pub(super) struct Received {
    pub(super) flow: FlowId,
    pub(super) request: Message,
    /// The INVITE in hand that it cancels.
    pub(super) cancels: Option<TxId>,
}

/// The ACK for a 2xx.
pub(super) struct Ack {
    pub(super) flow: FlowId,
    pub(super) request: Message,
    pub(super) way: AckWay,
}

/// Where an ACK goes.
pub(super) enum AckWay {
    /// Where its Route leads: its sender is known.
    ByRoute(Principal),
    /// To the client behind a flow of this server, named by the token in Path.
    AlongPath(FlowId),
    /// As it is to the server that owns the association it is signed under.
    Untouched(ServerName),
}

/// What happened in a branch.
pub(super) enum BranchEvent<'m> {
    /// A response that is believed, and what it is.
    Response(&'m Message, Response),
    /// The other end gave no answer in time.
    TimedOut,
    /// The flow is gone.
    FlowFailed,
    /// It rang for so long that it is to be given up (timer C).
    CancelDue,
}

/// What a response is worth.
pub(super) enum Judged {
    /// Another service sent the request, or none that is known any more.
    NotMine,
    /// It is not what it says it is, and counted.
    Dropped,
    /// It is told, and what follows from it leaves like this.
    Believed(FollowUp),
}

/// How the ACK or CANCEL that follows from a response leaves.
#[derive(Default)]
pub(super) struct FollowUp {
    /// Signed by this association.
    pub(super) session: Option<SessionId>,
    /// A CANCEL says this too.
    pub(super) cancel: Vec<(Name<'static>, String)>,
}

/// A request whose sender is known.
pub(super) struct Authenticated {
    pub(super) request: ServerRequest,
    pub(super) principal: Principal,
    /// The INVITE in hand that it cancels.
    pub(super) cancels: Option<TxId>,
}

/// A request with the decision where it is handled.
pub(super) struct Routed {
    pub(super) request: ServerRequest,
    /// None where the server that handles the request authenticates its sender.
    pub(super) principal: Option<Principal>,
    pub(super) decision: RouteDecision,
    /// For the journal.
    pub(super) why: Cow<'static, str>,
}

/// One capability of a server, with the state that only it needs.
pub(super) trait Service: Send {
    /// Takes the step it is for and returns the next one.
    fn handle_request(&mut self, cx: &mut Context, step: Step, now: Now) -> Step;

    /// Takes the directory's answer to a question of its own.
    fn handle_lookup(&mut self, _cx: &mut Context, _asked: LookUp, _found: &Lookup, _now: Now) -> Step {
        Step::Done
    }

    /// Says what the response to a request of its own is worth, and how what follows from it is signed.
    fn judge_response(
        &mut self,
        _cx: &mut Context,
        _branch: BranchId,
        _response: &Message,
        _now: Now,
    ) -> Judged {
        Judged::NotMine
    }

    /// Takes what happened in a branch of its own.
    fn handle_branch(&mut self, _cx: &mut Context, _branch: BranchId, _event: BranchEvent<'_>, _now: Now) {}

    /// Takes a response that came by `flow` and belongs to no transaction. True if it was one of its own.
    fn handle_unmatched(&mut self, _cx: &mut Context, _flow: FlowId, _response: &Message, _now: Now) -> bool {
        false
    }

    /// Learns that the flow is gone by which a request came that it did not answer yet.
    fn handle_sender_gone(&mut self, _cx: &mut Context, _request: TxId, _now: Now) {}

    /// Learns where a call of its own receives sound; none where there is no room for it.
    fn handle_sound(&mut self, _cx: &mut Context, _call: u64, _ports: Option<&SoundPorts>, _now: Now) {}

    /// Takes a command of an operator or a test.
    fn handle_command(&mut self, _cx: &mut Context, _command: &NodeCommand, _now: Now) -> Step {
        Step::Done
    }

    /// Does what is due at or before `now`.
    fn handle_deadline(&mut self, _cx: &mut Context, _now: Now) {}

    /// The next moment something is due.
    fn deadline(&self) -> Option<Deadline> {
        None
    }

    /// Calls that it passed on and nobody answered yet.
    fn unanswered_calls(&self) -> usize {
        0
    }

    /// Requests that wait inside for something else than the directory.
    fn in_hand(&self) -> usize {
        0
    }
}

impl FollowUp {
    /// The ACK or CANCEL with all it is to say.
    pub(super) fn complete(&self, request: Message) -> Message {
        if request.method() != Some(Method::Cancel) {
            return request;
        }
        self.cancel.iter().fold(request, |request, (name, value)| request.with_header(*name, value))
    }
}
