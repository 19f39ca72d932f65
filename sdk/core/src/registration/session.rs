//! A registration's dealings with one server: the link, and the numbering of its REGISTERs.

use super::attempt::Attempt;
use super::exchange::ExchangeContext;
use crate::account::Account;
use crate::account::context::Context;
use crate::account::link_context::LinkContext;
use crate::account::request_head::Sequence;
use crate::account::server_link::ServerLink;

/// A link with the registration that goes over it.
pub(super) struct Session {
    pub(super) link: ServerLink,
    sequence: Sequence,
}

impl Session {
    /// A new Call-ID and tag over a link.
    pub(super) fn new(link: ServerLink, cx: &mut Context<'_>) -> Self {
        Self { link, sequence: Sequence::new(cx.random) }
    }

    /// What an exchange over it works with.
    pub(super) fn exchange_cx<'a, 'd>(
        &'a mut self,
        account: &'a mut Account,
        attempt: Option<&'a mut Attempt>,
        cx: &'a mut Context<'d>,
    ) -> ExchangeContext<'a, 'd> {
        let at = LinkContext { link: &mut self.link, account, cx };
        ExchangeContext { at, sequence: &mut self.sequence, attempt }
    }

    /// The registration uses the link no more. A request that is still under way over it keeps it, draining.
    pub(super) fn leave(self, cx: &mut Context<'_>) {
        cx.release(self.link.flow());
        if self.link.is_in_use() {
            cx.tell_requests(self.link.id, false);
            cx.drained.push(self.link);
        }
    }
}
