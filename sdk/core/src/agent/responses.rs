//! Responses: find the transaction, verify by the link of its owner, feed, and only then tell the owner. The order
//! is law.

use homing_wire::Message;

use super::{Agent, pump};
use crate::account::acceptance::Acceptance;
use crate::account::server_link::{Judgement, LinkSigner, Verified};
use crate::auth::security_association::SignError;
use crate::counter::Counter;
use crate::error::SignatureFault;
use crate::event::AccountEvent;
use crate::ids::{FlowId, Owner, TxId};
use crate::time::Now;
use crate::transaction::Response;

/// A response on a flow.
pub(super) fn handle_response(agent: &mut Agent, flow: FlowId, message: Message, now: Now) {
    let found = agent.tables.transactions.peek_client(&message).map(|(tx, owner, by)| (tx, *owner, by));
    let Some((tx, owner, _)) = found.filter(|(_, _, by)| *by == flow) else {
        return agent.tables.counters.count(Counter::StrayResponse);
    };
    if agent.tables.transactions.is_copy(tx, &message) {
        // A copy brings stored bytes again, or is a 2xx whose ACK the dialog stored; nothing is signed for it.
        let mut nothing = |_| Err(SignError::UsedUp);
        let what = agent.tables.transactions.feed_response(tx, &message, &mut nothing, now);
        return tell(agent, owner, what, Fed { tx, message, judged: None }, now);
    }
    let Some((account, link, tables)) = agent.link_of(owner) else {
        return agent.tables.counters.count(Counter::StrayResponse);
    };
    if link.is_foreign_challenge(&message) {
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
    let mut signer = LinkSigner { link, random: tables.random.as_mut() };
    let what = tables.transactions.feed_response(tx, &message, &mut signer, now);
    tell(agent, owner, what, Fed { tx, message, judged: Some(judged) }, now);
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
            agent.registration(account, now, |registration, _, _| registration.handle_provisional(tx));
        }
        (Response::Final, Owner::Registration(account), Some(judged)) => {
            let response = Verified { message, judged };
            agent.registration(account, now, |registration, account, cx| {
                registration.handle_final(tx, response, account, cx);
            });
        }
        (Response::Final, Owner::Request(request), Some(judged)) => {
            let response = Verified { message, judged };
            agent.request(request, now, |request, at| request.handle_final(tx, response, at));
        }
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

/// A response is not believed: a counter and the last refusal change, nothing else.
fn refuse(agent: &mut Agent, owner: Owner, message: &Message, why: SignatureFault, now: Now) {
    let status = message.status().unwrap_or_default();
    let Some(id) = agent.account_of(owner) else { return };
    agent.registration(id, now, |registration, account, cx| {
        match owner {
            Owner::Registration(_) if status >= 200 => registration.handle_refused(status, why, cx),
            // Nothing changes for a request: it goes on waiting, and its timeout is the answer.
            Owner::Registration(_) | Owner::Request(_) => {}
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
