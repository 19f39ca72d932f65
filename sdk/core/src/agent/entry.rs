//! One account of an agent: what it knows, its registration, its links.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::account::Account;
use crate::account::server_link::{LinkId, ServerLink};
use crate::config::{AccountConfig, ServerChoice};
use crate::ids::{AccountId, CallId, FlowId};
use crate::registration::Registration;
use crate::time::{Moment, Now};

/// An account and its machines.
#[expect(
    clippy::box_collection,
    reason = "nearly every account has no further link, and ten thousand of them rest"
)]
pub(super) struct Entry {
    pub(super) account: Account,
    pub(super) registration: Registration,
    /// Links that are not the home's and that a request uses: old ones that drain, and those of requests that go
    /// out directly. Nearly every account has none.
    further: Option<Box<Vec<ServerLink>>>,
    /// When the registration is due.
    pub(super) due: Option<Moment>,
    /// Nearly every account has none.
    calls: Option<Box<AccountCalls>>,
}

/// The calls of one account, so that what is asked of one account does not cost what all have.
#[derive(Default)]
struct AccountCalls {
    all: BTreeSet<CallId>,
    ringing: BTreeSet<CallId>,
}

impl Entry {
    /// An account at rest.
    pub(super) fn new(id: AccountId, config: AccountConfig) -> Self {
        let (account, registration) = (Account::new(id, config), Registration::new());
        Self { account, registration, further: None, due: None, calls: None }
    }

    /// The link the registration goes over.
    pub(super) fn home(&mut self) -> Option<(&mut Account, &mut ServerLink)> {
        Some((&mut self.account, self.registration.link()?))
    }

    /// The link of that number: the registration's, or one of the others.
    pub(super) fn link(&mut self, id: LinkId) -> Option<(&mut Account, &mut ServerLink)> {
        let Self { account, registration, further, .. } = self;
        let home = registration.link().filter(|link| link.id == id);
        let link = home.or_else(|| further.as_mut()?.iter_mut().find(|link| link.id == id))?;
        Some((account, link))
    }

    /// The registration's link over that flow.
    pub(super) fn registration_link(&mut self, flow: FlowId) -> Option<(&mut Account, &mut ServerLink)> {
        Some((&mut self.account, self.registration.link_over(flow)?))
    }

    /// The link over that flow.
    pub(super) fn link_on(&mut self, flow: FlowId) -> Option<(&mut Account, &mut ServerLink)> {
        let Self { account, registration, further, .. } = self;
        let own = registration.link_over(flow);
        let link = own.or_else(|| further.as_mut()?.iter_mut().find(|link| link.is_over(flow)))?;
        Some((account, link))
    }

    /// True for a flow to a server that the account signed in at, or calls directly: only those call it.
    pub(super) fn takes_calls_on(&mut self, flow: FlowId) -> bool {
        let is_home = self.registration.home().is_some_and(|home| home.is_over(flow));
        let is_direct = self.account.config.server == ServerChoice::NoRegistrar;
        is_home
            || is_direct
            || self.further.iter().flat_map(|links| links.iter()).any(|link| link.is_over(flow))
    }

    /// A link that is not the home's lives while it has an owner.
    pub(super) fn keep(&mut self, link: ServerLink) {
        self.further.get_or_insert_default().push(link);
    }

    /// A login at a server to which a link drains goes on with that link.
    pub(super) fn resume(&mut self, overlap: Duration, now: Now) {
        let (Some(links), Some(home)) = (&mut self.further, self.registration.home()) else { return };
        if let Some(at) = links.iter().position(|link| link.is_same_server(home)) {
            home.resume(links.swap_remove(at), overlap, now);
        }
        self.further.take_if(|links| links.is_empty());
    }

    /// A request over a link is over; a link that is not the home's ends with its last one.
    pub(super) fn part(&mut self, id: LinkId) {
        if let Some((_, link)) = self.link(id) {
            link.part();
        }
        self.sweep();
    }

    /// A call of it is there, and rings or does not.
    pub(super) fn note_call(&mut self, call: CallId, rings: bool) {
        let calls = self.calls.get_or_insert_default();
        calls.all.insert(call);
        if rings {
            calls.ringing.insert(call);
        } else {
            calls.ringing.remove(&call);
        }
    }

    /// A call of it is gone.
    pub(super) fn forget_call(&mut self, call: CallId) {
        if let Some(calls) = &mut self.calls {
            calls.all.remove(&call);
            calls.ringing.remove(&call);
        }
        self.calls.take_if(|calls| calls.all.is_empty());
    }

    /// Its calls, those that linger after their end included.
    pub(super) fn calls(&self) -> impl Iterator<Item = CallId> + '_ {
        self.calls.iter().flat_map(|calls| calls.all.iter().copied())
    }

    /// Those that came in and are not answered.
    pub(super) fn ringing(&self) -> impl Iterator<Item = CallId> + '_ {
        self.calls.iter().flat_map(|calls| calls.ringing.iter().copied())
    }

    /// Links that nobody uses are gone.
    pub(super) fn sweep(&mut self) {
        if let Some(links) = &mut self.further {
            links.retain(ServerLink::is_in_use);
        }
        self.further.take_if(|links| links.is_empty());
    }

    /// True if it holds a link that is not the home's.
    #[cfg(test)]
    pub(super) fn has_further(&self) -> bool {
        self.further.is_some()
    }
}
