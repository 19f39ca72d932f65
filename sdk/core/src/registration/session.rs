//! A registration's dealings with one server: the link, the numbering of its REGISTERs, and a new connection for one
//! that the server closed after its challenge.

use super::attempt::Attempt;
use super::exchange::ExchangeContext;
use crate::account::Account;
use crate::account::context::Context;
use crate::account::link_context::LinkContext;
use crate::account::request_head::Sequence;
use crate::account::server_link::ServerLink;
use crate::flow::{Destination, Flow};
use crate::ids::FlowId;
use crate::time::{Deadline, Moment, Why};
use crate::transaction::FlowRef;

/// A link with the registration that goes over it.
pub(super) struct Session {
    pub(super) link: ServerLink,
    sequence: Sequence,
    /// The connection the server closed. Nearly no session has it.
    closed: Option<Box<Closed>>,
}

/// A connection that the server closed, and the one in its place.
struct Closed {
    /// Where both lead.
    destination: Destination,
    dial: Option<Dial>,
}

/// A connection that is being opened.
struct Dial {
    flow: FlowId,
    until: Moment,
}

impl Session {
    /// A new Call-ID and tag over a link.
    pub(super) fn new(link: ServerLink, cx: &mut Context<'_>) -> Self {
        Self { link, sequence: Sequence::new(cx.random), closed: None }
    }

    /// The From tag of its REGISTERs.
    pub(super) fn caller_tag(&self) -> &str {
        self.sequence.caller_tag()
    }

    /// What an exchange over it works with.
    pub(super) fn exchange_cx<'a, 'd>(
        &'a mut self,
        account: &'a mut Account,
        attempt: Option<&'a mut Attempt>,
        cx: &'a mut Context<'d>,
    ) -> ExchangeContext<'a, 'd> {
        let is_connected = self.is_connected();
        let at = LinkContext { link: &mut self.link, account, cx };
        ExchangeContext { at, sequence: &mut self.sequence, attempt, is_connected }
    }

    /// False while the server closed the connection and there is no other.
    pub(super) fn is_connected(&self) -> bool {
        self.closed.is_none()
    }

    /// The server closed the connection: what follows goes over a new one, opened when there is something to send.
    pub(super) fn close(&mut self, destination: Destination) {
        self.closed = Some(Box::new(Closed { destination, dial: None }));
    }

    /// Opens the connection in place of the closed one, unless it is being opened. True if one can be used already.
    pub(super) fn reconnect(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(closed) = self.closed.as_mut().filter(|closed| closed.dial.is_none()) else { return false };
        let flow = cx.flows.claim(cx.owner, &closed.destination, cx.now);
        closed.dial = Some(Dial { flow, until: cx.now.after(cx.agent.limits.connect) });
        self.handle_connected(flow, cx)
    }

    /// A connection stands. True if it is the one in place of the closed one.
    pub(super) fn handle_connected(&mut self, flow: FlowId, cx: &Context<'_>) -> bool {
        let Some(opened) = cx.flows.find(flow).and_then(Flow::opened) else { return false };
        let transport = self.link.flow_ref.transport;
        let is_own = |closed: &mut Box<Closed>| closed.dial.as_ref().is_some_and(|dial| dial.flow == flow);
        if self.closed.take_if(is_own).is_none() {
            return false;
        }
        self.link.move_to(FlowRef::new(flow, transport), opened);
        true
    }

    /// True if the loss of that flow ends it.
    pub(super) fn hangs_on(&self, flow: FlowId) -> bool {
        match &self.closed {
            Some(closed) => closed.dial.as_ref().is_some_and(|dial| dial.flow == flow),
            None => self.link.flow() == flow,
        }
    }

    /// Until when the connection in place of the closed one must stand.
    pub(super) fn deadline(&self) -> Option<Deadline> {
        let dial = self.closed.as_ref()?.dial.as_ref()?;
        Some(Deadline::new(dial.until, Why::ConnectOverdue))
    }

    /// The registration uses the link no more. A request that is still under way over it keeps it, draining.
    pub(super) fn leave(self, cx: &mut Context<'_>) {
        if let Some(dial) = self.closed.and_then(|closed| closed.dial) {
            cx.release(dial.flow);
        }
        cx.release(self.link.flow());
        if self.link.is_in_use() {
            cx.tell_requests(self.link.id, false);
            cx.drained.push(self.link);
        }
    }
}
