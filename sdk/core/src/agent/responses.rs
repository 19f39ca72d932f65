//! Responses: find the transaction, verify by the link of its owner, feed, and only then tell the owner. The order
//! is law.

use homing_wire::{Excerpt, Message, ParseError};

use super::{Agent, calls, pump, requests};
use crate::account::acceptance::Acceptance;
use crate::account::challenge::printable;
use crate::account::server_link::{Judgement, LinkSigner, Verified};
use crate::auth::security_association::SignError;
use crate::counter::Counter;
use crate::error::{ResponseFault, SignatureFault};
use crate::event::AccountEvent;
use crate::ids::{CallId, FlowId, Owner, TxId};
use crate::time::Now;
use crate::transaction::Response;

/// A response on a flow.
pub(super) fn handle_response(agent: &mut Agent, flow: FlowId, message: Message, now: Now) {
    let found = agent.tables.transactions.peek_client(&message).map(|(tx, owner, by)| (tx, *owner, by));
    let Some((tx, owner, _)) = found.filter(|(_, _, by)| *by == flow) else {
        return agent.tables.counters.count(Counter::StrayResponse);
    };
    if let Some(why) = fault(agent, flow, owner, tx, &message) {
        agent.tables.counters.count(Counter::UnusableResponse);
        return drop_response(agent, owner, Dropped { flow, tx, why }, now);
    }
    message.skipped().for_each(|_| agent.tables.counters.count(Counter::SkippedLine));
    if agent.tables.transactions.is_copy(tx, &message) {
        // A copy brings stored bytes again, or is a 2xx whose ACK the dialog stored; nothing is signed for it.
        let mut nothing = |_| Err(SignError::UsedUp);
        let what = agent.tables.transactions.feed_response(tx, &message, &mut nothing, now);
        return tell(agent, owner, what, Fed { tx, message, judged: None }, now);
    }
    let reason = calls::reason(agent, owner);
    let Some((account, link, tables)) = agent.link_of(owner, flow) else {
        return agent.tables.counters.count(Counter::StrayResponse);
    };
    if link.is_foreign_challenge(&message, flow) {
        tables.counters.count(Counter::RefusedChallenge);
        return refuse(agent, owner, &message, SignatureFault::OtherAssociation, now);
    }
    let judged = link.verify(&message, account.config.auth.signature_places, now);
    match Acceptance::of(&message, judged.verdict) {
        Acceptance::Believed => {}
        Acceptance::Tolerated => tables.counters.count(Counter::UnsignedTolerated),
        Acceptance::Refused(why) => {
            tables.counters.count(Counter::of_refusal(why));
            return refuse(agent, owner, &message, why, now);
        }
    }
    let mut signer = LinkSigner { link, flow, reason, random: tables.random.as_mut() };
    let what = tables.transactions.feed_response(tx, &message, &mut signer, now);
    tell(agent, owner, what, Fed { tx, message, judged: Some(judged) }, now);
}

/// A response that cannot be taken. Where an association should have signed it, it may be anybody's: it is dropped, and
/// its fault becomes the reason of the timeout. Else what waits for it ends at once.
pub(super) fn handle_unreadable(
    agent: &mut Agent,
    flow: FlowId,
    excerpt: Excerpt,
    error: ParseError,
    now: Now,
) {
    let Excerpt { message, excess } = excerpt;
    let found = agent.tables.transactions.peek_client(&message).map(|(tx, owner, by)| (tx, *owner, by));
    let Some((tx, owner, _)) = found.filter(|(_, _, by)| *by == flow) else {
        return agent.tables.counters.count(Counter::StrayResponse);
    };
    let why = match (error, excess) {
        (ParseError::TooLarge(_), Some(excess)) => ResponseFault::TooLarge(excess),
        (error, _) => ResponseFault::Unreadable(error),
    };
    let is_signed = agent.link_of(owner, flow).is_some_and(|(_, link, _)| link.association().is_some());
    if is_signed || message.status().is_none_or(|status| status < 200) {
        return drop_response(agent, owner, Dropped { flow, tx, why }, now);
    }
    tell_dropped(agent, owner, flow, why.clone(), now);
    agent.tables.transactions.abandon(tx);
    match owner {
        Owner::Registration(account) => agent.registration(account, now, |registration, account, cx| {
            registration.handle_unreadable(tx, why, account, cx);
        }),
        Owner::Request(request) => {
            requests::feed_sent(agent, request, now, |request, at| request.handle_silence(at.cx));
        }
        Owner::Call(call) => calls::feed(agent, call, now, |call, at| call.handle_timeout(tx, at)),
    }
    pump::pump(agent, now);
}

/// What is wrong with a response by RFC 3261 sections 8.1.3.3 and 18.1.2, if anything is.
fn fault(agent: &Agent, flow: FlowId, owner: Owner, tx: TxId, response: &Message) -> Option<ResponseFault> {
    let via = response.via().ok()?;
    let local = agent.tables.flows.find(flow)?.opened()?.local;
    let is_ours = via.host.ip() == Some(local.ip()) && via.port == Some(local.port());
    let tag = response.from().ok().and_then(|from| from.tag());
    match response.via_count() {
        _ if !response.is_sip_2() => Some(ResponseFault::Version),
        _ if !response.has_sound_length() => Some(ResponseFault::Length),
        _ if !is_ours => {
            let port = via.port.map(|port| format!(":{port}")).unwrap_or_default();
            Some(ResponseFault::ForeignVia(printable(&format!("{}{port}", via.host), VIA_SHOWN)))
        }
        1 => (tag != agent.caller_tag(owner, tx)).then_some(ResponseFault::OtherFromTag),
        count => Some(ResponseFault::ManyVias(count)),
    }
}

/// Nothing changes but the reason that is given if no better response comes.
fn drop_response(agent: &mut Agent, owner: Owner, dropped: Dropped, now: Now) {
    let Dropped { flow, tx, why } = dropped;
    if let Owner::Registration(account) = owner {
        let fault = why.clone();
        agent.registration(account, now, |registration, _, _| registration.handle_unusable(tx, fault));
    }
    tell_dropped(agent, owner, flow, why, now);
}

fn tell_dropped(agent: &mut Agent, owner: Owner, flow: FlowId, why: ResponseFault, now: Now) {
    let Some((id, server)) =
        agent.link_of(owner, flow).map(|(account, link, _)| (account.id, link.server.clone()))
    else {
        return;
    };
    agent.registration(id, now, |_, account, cx| {
        if account.refusals.admit(MOST_TOLD, cx.now) {
            cx.tell(AccountEvent::ResponseDropped { server, why });
        }
    });
}

/// A response that is dropped.
struct Dropped {
    flow: FlowId,
    tx: TxId,
    why: ResponseFault,
}

/// A response that its transaction took.
struct Fed {
    tx: TxId,
    message: Message,
    /// What its signature proved; none for a copy, which is not judged again.
    judged: Option<Judgement>,
}

/// The owner of a transaction hears what its response is, after what the transaction wants was carried out.
fn tell(agent: &mut Agent, owner: Owner, what: Response, fed: Fed, now: Now) {
    pump::pump(agent, now);
    let Fed { tx, message, judged } = fed;
    match (what, owner, judged) {
        (Response::Provisional, Owner::Registration(account), _) => {
            agent.registration(account, now, |registration, account, cx| {
                registration.handle_provisional(tx, account, cx);
            });
        }
        (Response::Final, Owner::Registration(account), Some(judged)) => {
            let response = Verified { message, judged };
            agent.registration(account, now, |registration, account, cx| {
                registration.handle_final(tx, response, account, cx);
            });
        }
        (Response::Final, Owner::Request(request), Some(judged)) => {
            let response = Verified { message, judged };
            requests::feed_sent(agent, request, now, |request, at| request.handle_final(tx, response, at));
        }
        (what, Owner::Call(call), judged) => tell_call(agent, call, what, Fed { tx, message, judged }, now),
        // A copy is of a final response that was told. Neither owner sends INVITE, so neither has a dialog that
        // acknowledges a 2xx, again or at all.
        (
            Response::Final | Response::Another2xx | Response::Copied2xx | Response::Absorbed,
            Owner::Registration(_),
            _,
        )
        | (
            Response::Provisional
            | Response::Final
            | Response::Another2xx
            | Response::Copied2xx
            | Response::Absorbed,
            Owner::Request(_),
            _,
        ) => {}
    }
    pump::pump(agent, now);
}

/// A call hears a response: it alone has dialogs that acknowledge a 2xx, again or anew.
fn tell_call(agent: &mut Agent, call: CallId, what: Response, fed: Fed, now: Now) {
    let Fed { tx, message, judged } = fed;
    match (what, judged) {
        (Response::Provisional, Some(Judgement { verdict, .. })) => {
            calls::feed(agent, call, now, |call, at| call.handle_provisional(tx, &message, verdict, at));
        }
        (Response::Final, Some(judged)) => {
            let response = Verified { message, judged };
            calls::feed(agent, call, now, |call, at| call.handle_final(tx, response, at));
        }
        (Response::Another2xx, Some(_)) => {
            calls::feed(agent, call, now, |call, at| call.handle_success_again(tx, &message, at));
        }
        (Response::Copied2xx, _) => {
            calls::feed(agent, call, now, |call, at| call.handle_copied_success(tx, &message, at));
        }
        (Response::Provisional | Response::Final | Response::Another2xx, None) | (Response::Absorbed, _) => {}
    }
}

/// A response is not believed: a counter and the last refusal change, nothing else.
fn refuse(agent: &mut Agent, owner: Owner, message: &Message, why: SignatureFault, now: Now) {
    let status = message.status().unwrap_or_default();
    let Some(id) = agent.account_of(owner) else { return };
    agent.registration(id, now, |registration, account, cx| {
        match owner {
            Owner::Registration(_) if status >= 200 => registration.handle_refused(status, why, cx),
            // Nothing changes for a request: it goes on waiting, and its timeout is the answer.
            Owner::Registration(_) | Owner::Request(_) | Owner::Call(_) => {}
        }
        if let Some(server) = registration.link().map(|link| link.server.clone())
            && account.refusals.admit(MOST_TOLD, cx.now)
        {
            cx.tell(AccountEvent::MessageRefused { server, why });
        }
    });
}

/// Refused messages told in a minute.
const MOST_TOLD: u8 = 10;
/// Characters of a foreign Via that are shown.
const VIA_SHOWN: usize = 64;
