//! Requests from servers: find copies, find the account, verify by its link, and only then refuse, answer and act.
//!
//! Inside an association a request without a good signature is as if it had never come, and every refusal is
//! signed (decision 34). Outside one a request is answered as RFC 3261 section 8.2 has it.

use homing_wire::{Message, Method, ParseError, Uri};

use super::calls::Invited;
use super::{Agent, calls, pump};
use crate::account::acceptance::SignatureVerdict;
use crate::counter::Counter;
use crate::ids::{AccountId, CallId, FlowId, Owner, TxId};
use crate::registration_notify::{RegistrationNotify, is_registration_notify};
use crate::time::Now;
use crate::transaction::{FlowRef, Incoming};
use crate::uas::{self, Refusal, WITHOUT_CALLS};

/// A request and the flow it came by.
#[derive(Clone, Copy)]
struct Received<'m> {
    flow: FlowId,
    request: &'m Message,
    part: Part,
}

/// What a request is to a call.
#[derive(Clone, Copy)]
enum Part {
    /// Nothing.
    None,
    /// A request inside one of its dialogs.
    Inside(CallId),
    /// The CANCEL of an INVITE of it, by its transaction if that is still there.
    Cancels(CallId, Option<TxId>),
    /// The ACK for a 2xx of it.
    Acknowledges(CallId),
}

/// A request on a flow.
pub(super) fn handle_request(agent: &mut Agent, flow: FlowId, request: &Message, now: Now) {
    let is_ack = request.method() == Some(Method::Ack);
    if is_ack && !is_good_ack(agent, flow, request, now) {
        return;
    }
    let incoming = agent.tables.transactions.feed_request(request, flow, now);
    pump::pump(agent, now);
    let refusal = match incoming {
        Incoming::New | Incoming::Ack { .. } | Incoming::Cancel { .. } => None,
        Incoming::Merged => Some(Refusal::new(482, "")),
        Incoming::Overload => return refuse_statelessly(agent, flow, request, Refusal::new(503, "")),
        Incoming::Unusable => return refuse_unusable(agent, flow, request),
        Incoming::Retransmission | Incoming::Acknowledged { .. } => return,
    };
    let part = part_of(agent, flow, request, incoming);
    let refusal = refusal.or_else(|| answer_to_cancel(agent, flow, part, incoming));
    if is_ack && matches!(part, Part::None) {
        return;
    }
    let Some(account) = part.account(agent).or_else(|| account_of(agent, flow, request)) else {
        return refuse_stranger(agent, flow, request);
    };
    // An ACK with the branch of its INVITE was judged with that.
    let is_judged = matches!(incoming, Incoming::Ack { of: Some(_) });
    let verdict = match is_judged {
        true => SignatureVerdict::Signed,
        false => match verify(agent, account, flow, request, now) {
            Some(verdict) => verdict,
            None => return,
        },
    };
    // What is unsigned ends no registration, by whichever transport it came.
    let is_unsigned_notify = verdict != SignatureVerdict::Signed && is_registration_notify(request);
    let refusal = refusal.or_else(|| is_unsigned_notify.then(|| Refusal::new(403, "it is not signed")));
    serve(agent, account, &Received { flow, request, part }, refusal, now);
    let notify = RegistrationNotify::read(request).filter(|_| verdict == SignatureVerdict::Signed);
    if let Some(notify) = notify {
        agent.registration(account, now, |registration, account, cx| {
            registration.handle_notify(&notify, verdict, account, cx);
        });
        pump::pump(agent, now);
    }
}

/// What a CANCEL that matches an INVITE by its branch is answered with (RFC 3261 section 9.2): 200, whether or not the INVITE
/// has its final response already; 481 where it comes from elsewhere than that, because a branch is no secret.
fn answer_to_cancel(agent: &Agent, flow: FlowId, part: Part, incoming: Incoming) -> Option<Refusal> {
    let Incoming::Cancel { of } = incoming else { return None };
    let is_refused_here = matches!(agent.tables.transactions.user(of), Some(Owner::Registration(_)))
        && agent.tables.transactions.flow(of) == Some(flow);
    let matches = is_refused_here || matches!(part, Part::Cancels(..));
    Some(Refusal::new(if matches { 200 } else { 481 }, ""))
}

/// The call that a request is for, and what it is to it.
fn part_of(agent: &mut Agent, flow: FlowId, request: &Message, incoming: Incoming) -> Part {
    let found = match incoming {
        Incoming::Cancel { of } => match agent.tables.transactions.user(of).copied() {
            Some(Owner::Call(call)) => {
                calls::hears(agent, call, flow).filter(|hears| *hears).map(|_| Part::Cancels(call, Some(of)))
            }
            Some(Owner::Registration(_) | Owner::Request(_)) | None => None,
        },
        Incoming::Ack { .. } => calls::find(agent, flow, request).map(Part::Acknowledges),
        Incoming::New if request.method() == Some(Method::Cancel) => {
            calls::find_ring(agent, flow, request).map(|call| Part::Cancels(call, None))
        }
        Incoming::New => calls::find(agent, flow, request).map(Part::Inside),
        _ => None,
    };
    found.unwrap_or(Part::None)
}

/// A request that proved good goes to its call, becomes a call, or is answered for what it is.
fn serve(agent: &mut Agent, account: AccountId, received: &Received<'_>, refusal: Option<Refusal>, now: Now) {
    let Received { flow, request, part } = *received;
    match part {
        Part::Acknowledges(call) => calls::feed(agent, call, now, |call, at| call.handle_ack(request, at)),
        Part::Cancels(call, of) => {
            let refusal = refusal.unwrap_or(Refusal::new(200, ""));
            respond(agent, account, received, Some(refusal), now);
            calls::feed(agent, call, now, |call, at| call.handle_cancel(of, request, at));
        }
        Part::Inside(_) | Part::None => {
            let abilities = agent.abilities(account);
            match refusal.or_else(|| uas::objection(request, abilities)) {
                None if let Part::Inside(call) = part => feed_inside(agent, call, received, now),
                None if agent.is_called(account, request) => {
                    let invited = Invited { account, flow, invite: request };
                    if let Err(refusal) = calls::receive(agent, &invited, now) {
                        respond(agent, account, received, Some(refusal), now);
                    }
                }
                refusal => respond(agent, account, received, refusal, now),
            }
        }
    }
    pump::pump(agent, now);
}

/// A request inside a dialog, in a transaction of its call.
fn feed_inside(agent: &mut Agent, call: CallId, received: &Received<'_>, now: Now) {
    let Received { flow, request, .. } = *received;
    let Some(transport) = agent.tables.flows.find(flow).map(|flow| flow.destination().transport) else {
        return;
    };
    let (flow_ref, owner) = (FlowRef::new(flow, transport), Owner::Call(call));
    match agent.tables.transactions.accept_request(request, flow_ref, owner, now) {
        Ok(tx) => calls::feed(agent, call, now, |call, at| call.handle_request(tx, request, at)),
        Err(_) => agent.tables.counters.count(Counter::RefusedRequest),
    }
}

impl Part {
    fn account(self, agent: &Agent) -> Option<AccountId> {
        match self {
            Part::None => None,
            Part::Inside(call) | Part::Cancels(call, _) | Part::Acknowledges(call) => {
                agent.account_of(Owner::Call(call))
            }
        }
    }
}

/// The account a request on this flow is for: by address and epid, else the only one there. A flow that its peer opened
/// leads to the accounts that listen.
fn account_of(agent: &Agent, flow: FlowId, request: &Message) -> Option<AccountId> {
    let found = agent.tables.flows.find(flow)?;
    let to = request.to().ok()?;
    let epid = to.param("epid").flatten();
    let mut users: Vec<AccountId> = found.users().filter_map(|owner| agent.account_of(owner)).collect();
    if found.is_accepted() {
        users = agent.listeners.clone();
    }
    let named = [Some(to.uri_str()), request.request_uri()].into_iter().flatten().find_map(|uri| {
        let uri = Uri::parse(uri).ok()?;
        let bare = format!("sip:{}@{}", uri.user()?, uri.host()).to_ascii_lowercase();
        let namesakes = agent.by_aor.get(bare.as_str())?;
        let same_device = |account: &&AccountId| {
            let own = agent.accounts.get(account).map(|entry| entry.account.config.epid.as_str());
            epid.is_none() || own == epid
        };
        namesakes.iter().filter(|account| users.contains(account)).find(same_device).copied()
    });
    let only = || users.first().filter(|first| users.iter().all(|user| user == *first)).copied();
    // Who is called directly is called by an address, and its user part tells whom it means.
    let by_user = || {
        let uri = Uri::parse(request.request_uri()?).ok()?;
        let user = uri.user().filter(|_| found.is_accepted())?;
        let is_it = |id: &&AccountId| {
            agent.accounts.get(id).is_some_and(|entry| entry.account.config.aor.user == user)
        };
        users.iter().find(is_it).copied()
    };
    named.or_else(by_user).or_else(only)
}

/// Judges a request by the link it came over; none: it is as if it had never come (decision 12).
fn verify(
    agent: &mut Agent,
    account: AccountId,
    flow: FlowId,
    request: &Message,
    now: Now,
) -> Option<SignatureVerdict> {
    let entry = agent.accounts.get_mut(&account)?;
    let Some((account, link)) = entry.link_on(flow) else { return Some(SignatureVerdict::Unsignable) };
    let verdict = link.verify(request, account.config.auth.signature_places, now).verdict;
    if let SignatureVerdict::Refused(why) = verdict {
        agent.tables.counters.count(Counter::of_refusal(why));
        return None;
    }
    Some(verdict)
}

/// An ACK for a refusal of ours ends its transaction only if the server signed it, where it signs.
fn is_good_ack(agent: &mut Agent, flow: FlowId, ack: &Message, now: Now) -> bool {
    let owner = agent.tables.transactions.peek_server(ack).map(|(_, owner, _)| *owner);
    let account = owner.and_then(|owner| agent.account_of(owner));
    account.is_none_or(|account| verify(agent, account, flow, ack, now).is_some())
}

/// Answers a request that proved good, within a transaction: refusals as well, because a copy of a request that
/// was judged would be a replay.
fn respond(
    agent: &mut Agent,
    account: AccountId,
    received: &Received<'_>,
    refusal: Option<Refusal>,
    now: Now,
) {
    let Received { flow, request, .. } = *received;
    let tag = agent.tables.random.answer_tag();
    let abilities = agent.abilities(account);
    let answer = match refusal {
        Some(refusal) => uas::refuse(request, refusal, &tag, abilities),
        None => uas::answer(request, &tag, abilities),
    };
    let Some(response) = answer else { return };
    let Some(transport) = agent.tables.flows.find(flow).map(|flow| flow.destination().transport) else {
        return;
    };
    let owner = Owner::Registration(account);
    let accepted =
        agent.tables.transactions.accept_request(request, FlowRef::new(flow, transport), owner, now);
    let Ok(tx) = accepted else { return agent.tables.counters.count(Counter::RefusedRequest) };
    if refusal.is_some() {
        agent.tables.counters.count(Counter::RefusedRequest);
    }
    let status = response.status().unwrap_or_default();
    let signed = match agent.accounts.get_mut(&account).and_then(|entry| entry.link_on(flow)) {
        Some((_, link)) => link.sign_response(response, flow, agent.tables.random.as_mut()),
        None => Ok(response.bytes().clone()),
    };
    match signed {
        Ok(bytes) => agent.tables.transactions.respond(tx, bytes, status, now),
        // Without an answer nothing is left of the request; the server asks again.
        Err(_) => {
            agent.tables.transactions.abandon(tx);
            agent.tables.counters.count(Counter::NotSigned);
        }
    }
    pump::pump(agent, now);
}

/// A request that lacks what identifies a transaction. It is dropped where an association is, and answered
/// where a Via says to whom.
fn refuse_unusable(agent: &mut Agent, flow: FlowId, request: &Message) {
    agent.tables.counters.count(Counter::Malformed);
    refuse_unsigned(agent, flow, request, Refusal::new(400, "Via, From, Call-ID or CSeq cannot be read"));
}

/// A request that is over a limit or broken, as far as it could be read.
pub(super) fn refuse_unreadable(agent: &mut Agent, flow: FlowId, request: &Message, error: ParseError) {
    let refusal = match error {
        ParseError::TooLarge(bound) => Refusal::new(bound.status(), "it is over a limit"),
        _ => Refusal::new(400, "a line is no header"),
    };
    refuse_unsigned(agent, flow, request, refusal);
}

/// The request at which a stream could not be cut any more.
pub(super) fn refuse_malformed(agent: &mut Agent, flow: FlowId, request: &Message) {
    if request.is_request() {
        refuse_unsigned(agent, flow, request, Refusal::new(400, "Content-Length is missing or wrong"));
    }
}

/// Refuses what no association could have signed.
fn refuse_unsigned(agent: &mut Agent, flow: FlowId, request: &Message, refusal: Refusal) {
    let Some(found) = agent.tables.flows.find(flow) else { return };
    let users: Vec<AccountId> = found.users().filter_map(|owner| agent.account_of(owner)).collect();
    let signs = users.iter().any(|account| {
        let link = agent.accounts.get_mut(account).and_then(|entry| entry.link_on(flow));
        link.is_some_and(|(_, link)| link.association().is_some())
    });
    if request.via().is_ok() && !signs {
        refuse_statelessly(agent, flow, request, refusal);
    }
}

/// A request for no account of this agent: a server that proved who it is gets an answer.
fn refuse_stranger(agent: &mut Agent, flow: FlowId, request: &Message) {
    let opened = agent.tables.flows.find(flow).and_then(|flow| flow.opened());
    if opened.is_some_and(|opened| opened.proof.is_some()) {
        refuse_statelessly(agent, flow, request, Refusal::new(404, ""));
    } else {
        agent.tables.counters.count(Counter::RefusedRequest);
    }
}

/// Refuses a request without keeping state, and unsigned: overload, and what belongs to no association. An ACK is
/// never answered.
fn refuse_statelessly(agent: &mut Agent, flow: FlowId, request: &Message, refusal: Refusal) {
    agent.tables.counters.count(Counter::RefusedRequest);
    let tag = agent.tables.random.answer_tag();
    if let Some(response) = uas::refuse(request, refusal, &tag, &WITHOUT_CALLS) {
        agent.tables.outbox.send(flow, response.bytes().clone());
    }
}
