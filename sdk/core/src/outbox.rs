//! The seam to the world: what may come in, what goes out, what is asked and answered.

use std::collections::VecDeque;
use std::net::SocketAddr;

use bytes::Bytes;

use crate::address::windows_login;
use crate::call_event::{CallEvent, CallNotice};
use crate::connect::FlowEvent;
use crate::description::{Description, DescriptionQuestion, DescriptionRefusal};
use crate::dns::{DnsAnswer, DnsError, DnsQuestion};
use crate::event::Event;
use crate::identity::Expected;
use crate::ids::{AccountId, AskId, CallId, FlowId};
use crate::journey::Journey;
use crate::secret::Password;
use crate::server::ServerName;
use crate::time::Moment;
use crate::transport::Transport;

/// What the world tells the agent about its flows and clocks.
#[derive(Clone, Debug)]
pub enum Input {
    /// What happened on a flow.
    Flow(FlowEvent),
    /// The deadline, or a later moment, is reached.
    DeadlineReached,
    /// The monotone and the wall clock ran apart by more than a second (suspend, a set clock).
    ClockJumped,
    /// The network of this machine changed: addresses came or went.
    NetworkChanged {
        /// True if any network is left.
        online: bool,
    },
}

/// What the agent wants of the world.
#[derive(Clone, Debug)]
pub enum Output {
    /// Send these bytes on this flow, after what was sent before.
    Send {
        /// The flow, open or being opened.
        flow: FlowId,
        /// For streams a message or a keep-alive, for UDP one datagram.
        bytes: Bytes,
    },
    /// Open a flow and answer [`FlowEvent::Connected`] or [`FlowEvent::ConnectFailed`].
    Connect {
        /// Its name from now on.
        flow: FlowId,
        /// Address and port to dial.
        address: SocketAddr,
        /// UDP, TCP or TLS.
        transport: Transport,
        /// Whom the certificate must name.
        identity: Expected,
    },
    /// Close a flow after what was sent has gone out; no [`FlowEvent::Closed`] follows.
    Close {
        /// The flow; its name is not used again.
        flow: FlowId,
    },
    /// Answer this question.
    Ask {
        /// Its name.
        id: AskId,
        /// What is asked.
        question: Question,
        /// When the answer comes too late; none while a person is asked.
        until: Option<Moment>,
    },
    /// The answer to this question is no longer wanted.
    Forget {
        /// Its name.
        id: AskId,
    },
    /// Tell the user.
    Event(Event),
    /// Tell the user of a call; none is left out.
    Call(CallNotice),
}

/// What core must know from outside. User traits that answer run in the world, never inside a transition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Ask DNS.
    Resolve(DnsQuestion),
    /// Fetch the credentials of an account for a server that was verified as told.
    Credentials {
        /// The account that signs in.
        account: AccountId,
        /// For which server.
        server: ServerName,
        /// The realm of its challenge; peer text.
        realm: String,
        /// True if an earlier answer was refused by the server.
        refused_before: bool,
    },
    /// Describe the session of a call: an offer, or the answer to one.
    Describe(DescriptionQuestion),
    /// May this redirect be followed? It passed every rule.
    Redirect(RedirectAttempt),
}

/// A redirect that passed every rule and waits for consent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectAttempt {
    /// The account that was redirected.
    pub account: AccountId,
    /// Who sent it.
    pub from: ServerName,
    /// Where it leads, best first.
    pub targets: Vec<ServerName>,
    /// True if a security association signed it.
    pub signed: bool,
    /// The hops so far and the limit.
    pub journey: Journey,
}

/// The answer to a question.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Of DNS.
    Resolved(Result<DnsAnswer, DnsError>),
    /// The credentials, or none.
    Credentials(Option<Credentials>),
    /// Consent to a redirect.
    Redirect(Decision),
    /// The description of a session, or why there is none.
    Described(Result<Description, DescriptionRefusal>),
}

/// User name and password for one account.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Credentials {
    /// The user name as the server knows it; may be `user@domain`.
    pub user: String,
    /// The NTLM (NetBIOS) domain; may be empty.
    pub domain: String,
    /// Never shown, wiped when dropped.
    pub password: Password,
}

impl Credentials {
    /// `domain` is the NTLM (NetBIOS) domain and may be empty; a user of the form `NETWORK\alice` brings it along.
    pub fn new(user: impl Into<String>, domain: impl Into<String>, password: Password) -> Self {
        let (user, domain) = (user.into(), domain.into());
        match windows_login(&user) {
            Some((own, name)) => {
                let domain = if domain.is_empty() { own.to_owned() } else { domain };
                Self { user: name.to_owned(), domain, password }
            }
            None => Self { user, domain, password },
        }
    }
}

/// Consent to a redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// Go there.
    Follow,
    /// Stay; the login fails.
    Stop,
}

/// The queue of outputs every machine writes to: one order of effects.
#[derive(Debug, Default)]
pub struct Outbox {
    queue: VecDeque<Output>,
}

impl Outbox {
    /// Appends an output.
    pub fn push(&mut self, output: Output) {
        self.queue.push_back(output);
    }

    /// Appends bytes for a flow.
    pub fn send(&mut self, flow: FlowId, bytes: Bytes) {
        self.push(Output::Send { flow, bytes });
    }

    /// Appends an event.
    pub fn tell(&mut self, account: AccountId, what: crate::event::AccountEvent) {
        self.push(Output::Event(Event { account, what }));
    }

    /// Appends what happened to a call.
    pub fn tell_call(&mut self, account: AccountId, call: CallId, what: CallEvent) {
        self.push(Output::Call(CallNotice { account, call, what }));
    }

    /// Takes the oldest output.
    pub fn poll(&mut self) -> Option<Output> {
        self.queue.pop_front()
    }

    /// How many outputs wait.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// True when drained.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_windows_login_name_brings_its_domain_along() {
        let read = |user: &str, domain: &str| {
            let credentials = Credentials::new(user, domain, Password::new("x"));
            (credentials.user, credentials.domain)
        };
        let pair = |user: &str, domain: &str| (user.to_owned(), domain.to_owned());
        assert_eq!(read("NETWORK\\alice", ""), pair("alice", "NETWORK"));
        assert_eq!(
            read("NETWORK\\alice", "OTHER"),
            pair("alice", "OTHER"),
            "what is set by itself comes first"
        );
        assert_eq!(read("alice@network.com", ""), pair("alice@network.com", ""));
        assert_eq!(read("\\alice", ""), pair("\\alice", ""));
    }
}
