//! The requests outside dialogs that are under way: each is looked up, gets its input, and what follows is done.

use super::Agent;
use super::outgoing::Outgoing;
use crate::account::context::Context;
use crate::account::link_context::LinkContext;
use crate::account::server_link::ServerLink;
use crate::error::LoginError;
use crate::event::{AccountEvent, RequestOutcome};
use crate::ids::{AccountId, Owner, RequestId};
use crate::registration::Registration;
use crate::request::{Locating, LocatingStep, Request, Step};
use crate::time::Now;

/// One input of a search for the server of a request; another request takes no such input.
pub(super) fn feed_locating(
    agent: &mut Agent,
    id: RequestId,
    now: Now,
    act: impl FnOnce(Locating, &mut Context<'_>) -> LocatingStep,
) {
    if !is_locating(agent, id) {
        return;
    }
    let Some(Outgoing::Locating(locating, mut due)) = agent.requests.remove(&id) else { return };
    agent.due.set(Owner::Request(id), &mut due, None);
    let account = locating.account;
    let step = act(*locating, &mut agent.tables.context(account, Owner::Request(id), now));
    follow(agent, id, account, step, now);
}

/// What becomes of a request after a step of the search for its server.
pub(super) fn follow(agent: &mut Agent, id: RequestId, account: AccountId, step: LocatingStep, now: Now) {
    let owner = Owner::Request(id);
    match step {
        LocatingStep::Stays(locating) => {
            let (at, mut due) = (locating.deadline().map(|deadline| deadline.at), None);
            agent.due.set(owner, &mut due, at);
            agent.requests.insert(id, Outgoing::Locating(locating, due));
        }
        LocatingStep::Found(asked, connection) => {
            let Some(entry) = agent.accounts.get_mut(&account) else { return };
            let mut link = ServerLink::new(entry.account.next_link(), connection.into_flow());
            let cx = &mut agent.tables.context(account, owner, now);
            let at = LinkContext { link: &mut link, account: &mut entry.account, cx };
            match Request::start(asked, at) {
                Ok(request) => {
                    entry.keep(link);
                    agent.requests.insert(id, Outgoing::Sent(Box::new(request)));
                }
                Err(_) => {
                    let outcome = RequestOutcome::Unreachable(LoginError::NoAnswer { server: link.server });
                    cx.release(link.flow_ref.flow);
                    cx.tell(AccountEvent::RequestEnded { request: id, outcome });
                }
            }
        }
        LocatingStep::Failed(error) => {
            let outcome = RequestOutcome::Unreachable(error);
            let cx = &mut agent.tables.context(account, owner, now);
            cx.tell(AccountEvent::RequestEnded { request: id, outcome });
        }
    }
}

/// True while the server of a request is looked for.
pub(super) fn is_locating(agent: &Agent, id: RequestId) -> bool {
    matches!(agent.requests.get(&id), Some(Outgoing::Locating(..)))
}

/// One input of a request that goes over a link; one whose link is gone is over.
pub(super) fn feed_sent(
    agent: &mut Agent,
    id: RequestId,
    now: Now,
    act: impl FnOnce(Request, LinkContext<'_, '_>) -> Step,
) {
    if !matches!(agent.requests.get(&id), Some(Outgoing::Sent(_))) {
        return;
    }
    let Some(Outgoing::Sent(request)) = agent.requests.remove(&id) else { return };
    let (account, link) = (request.subject().account, request.subject().link);
    let Some(entry) = agent.accounts.get_mut(&account) else { return };
    let cx = &mut agent.tables.context(account, Owner::Request(id), now);
    let step = match entry.link(link) {
        Some((account, link)) => act(*request, LinkContext { link, account, cx }),
        None => request.handle_silence(cx),
    };
    match step {
        Step::Stays(request) => {
            agent.requests.insert(id, Outgoing::Sent(Box::new(request)));
        }
        Step::NeedsAssociation(request) => {
            agent.requests.insert(id, Outgoing::Sent(Box::new(request)));
            if entry.home().is_some_and(|(_, home)| home.id == link) {
                agent.registration(account, now, Registration::renew_for_request);
            } else {
                cx.tell_requests(link, false);
            }
        }
        Step::Redirected(subject) => {
            cx.release(subject.flow);
            entry.part(link);
            let step = Locating::start(subject.asked, &entry.account, cx)
                .unwrap_or_else(|_| LocatingStep::Failed(LoginError::NoAnswer { server: subject.server }));
            follow(agent, id, account, step, now);
        }
        Step::Ends(subject, answer) => {
            let server = subject.server;
            let outcome = RequestOutcome::Answered { server, answer };
            cx.release(subject.flow);
            cx.tell(AccountEvent::RequestEnded { request: id, outcome });
            entry.part(link);
        }
    }
}
