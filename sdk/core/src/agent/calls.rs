//! The calls of an agent: each is looked up, gets its input, and what follows is done.

use homing_wire::Message;
use homing_wire::header::AssertedIdentity;

use super::Agent;
use super::call_entry::{CallEntry, CallStage};
use crate::account::context::{Context, LinkChange, LinkNews};
use crate::account::link_context::LinkContext;
use crate::account::server_link::{LinkId, Named, OpenFlow, ServerLink};
use crate::call::{Call, Handshake, Invitation, Line, Plan, Step, admit};
use crate::call_event::{CallEnd, CallEvent, EndReason, EndedBy};
use crate::call_request::CallRequest;
use crate::config::{DoNotDisturb, OnMove, ServerChoice};
use crate::counter::Counter;
use crate::dialog::{DialogName, Listed};
use crate::error::{LoginError, Misuse};
use crate::ids::{AccountId, CallId, FlowId, Owner};
use crate::outbox::Answer;
use crate::request::{Locating, LocatingStep};
use crate::server::ServerName;
use crate::time::Now;
use crate::transaction::FlowRef;
use crate::uas::Refusal;

/// An INVITE outside a dialog, by which flow, and for whom.
pub(super) struct Invited<'m> {
    pub(super) account: AccountId,
    pub(super) flow: FlowId,
    pub(super) invite: &'m Message,
}

/// Places a call.
pub(super) fn place(
    agent: &mut Agent,
    account: AccountId,
    request: CallRequest,
    now: Now,
) -> Result<CallId, Misuse> {
    if !Call::accepts(&request.to) || !request.is_usable() {
        return Err(Misuse::BadMessage);
    }
    let entry = agent.accounts.get_mut(&account).ok_or(Misuse::UnknownAccount)?;
    if entry.account.config.calls.is_none() {
        return Err(Misuse::WrongState);
    }
    if agent.calls.len() >= agent.tables.config.limits.calls {
        return Err(Misuse::Limit);
    }
    let id = CallId(agent.next_call);
    let cx = &mut agent.tables.context(account, Owner::Call(id), now);
    let plan = Plan::new(id, request, &entry.account, now);
    if entry.account.config.server == ServerChoice::NoRegistrar {
        let step = Locating::start(plan.asked.clone(), &entry.account, cx)?;
        agent.next_call = agent.next_call.wrapping_add(1);
        follow(agent, account, Box::new(plan), step, now);
    } else {
        let link = entry.registration.home().ok_or(Misuse::WrongState)?;
        let step = Call::place(plan, LinkContext { link, account: &mut entry.account, cx });
        agent.next_call = agent.next_call.wrapping_add(1);
        settle(agent, Placed::new(id, account), step, now);
    }
    Ok(id)
}

/// Where a call stands in the table while it is out for an input.
pub(super) struct Placed {
    id: CallId,
    account: AccountId,
    listed: Listed,
}

impl Placed {
    fn new(id: CallId, account: AccountId) -> Self {
        Self { id, account, listed: Listed::default() }
    }
}

/// One input of a call that goes over a link; another takes no such input.
pub(super) fn feed(
    agent: &mut Agent,
    id: CallId,
    now: Now,
    act: impl FnOnce(Call, LinkContext<'_, '_>) -> Step,
) {
    if let Some(fed) = feed_alone(agent, id, now, act) {
        share_handshake(agent, fed, now);
    }
}

/// What an input of one call means for the others over its link.
struct Fed {
    account: AccountId,
    link: LinkId,
    /// A request of it waits for an association.
    waits: bool,
    /// What came of a handshake of it.
    handshake: Option<Handshake>,
}

fn feed_alone(
    agent: &mut Agent,
    id: CallId,
    now: Now,
    act: impl FnOnce(Call, LinkContext<'_, '_>) -> Step,
) -> Option<Fed> {
    agent.calls.get(&id)?.call()?;
    let Some((placed, CallStage::Linked(call))) = take(agent, id) else { return None };
    let account = placed.account;
    let entry = agent.accounts.get_mut(&account)?;
    let cx = &mut agent.tables.context(account, Owner::Call(id), now);
    let link = call.line().link;
    let Some((account_of, at)) = entry.link(link) else {
        // A link lives as long as it is used.
        unlist(agent, placed);
        return None;
    };
    let mut step = act(*call, LinkContext { link: at, account: account_of, cx });
    let handshake = step.line().handshake.take();
    let waits = matches!(step, Step::NeedsAssociation(_));
    settle(agent, placed, step, now);
    Some(Fed { account, link, waits, handshake })
}

/// Brings about the association that requests of calls wait for. Over the link of a registration that renews it. Over
/// another, one request at a time makes the handshake: of two at once, each would take the other's for a refusal. The
/// others go on with what it brings, or fail with it (decision 39).
fn share_handshake(agent: &mut Agent, fed: Fed, now: Now) {
    let Fed { account, link, waits, mut handshake } = fed;
    if !waits && handshake.is_none() {
        return;
    }
    let home = agent.accounts.get_mut(&account).and_then(|entry| entry.registration.home());
    if home.is_some_and(|home| home.id == link) {
        if waits {
            agent.registration(account, now, crate::registration::Registration::renew_for_request);
        }
        return;
    }
    loop {
        let over_it: Vec<CallId> = of_account(agent, account)
            .into_iter()
            .filter(|id| call(agent, *id).is_some_and(|call| call.line().link == link))
            .collect();
        let waits = |id: &CallId| call(agent, *id).is_some_and(Call::awaits_association);
        let waiting: Vec<CallId> = over_it.iter().copied().filter(waits).collect();
        if let Some(Handshake::Granted | Handshake::Refused) = handshake {
            let granted = handshake == Some(Handshake::Granted);
            for id in waiting {
                feed_alone(agent, id, now, |call, at| call.handle_news(granted, at));
            }
            return;
        }
        let is_establishing = over_it.iter().any(|id| call(agent, *id).is_some_and(Call::is_establishing));
        let Some(next) = waiting.first().copied().filter(|_| !is_establishing) else { return };
        handshake = feed_alone(agent, next, now, Call::handshake).and_then(|fed| fed.handshake);
    }
}

/// What the CANCEL of a call that was given up says of it (RFC 3326).
pub(super) fn reason(agent: &Agent, owner: Owner) -> Option<&'static str> {
    match owner {
        Owner::Call(id) => call(agent, id)?.line().reason,
        Owner::Registration(_) | Owner::Request(_) => None,
    }
}

fn call(agent: &Agent, id: CallId) -> Option<&Call> {
    agent.calls.get(&id)?.call()
}

/// What the application wants of a call that goes over a link.
///
/// # Errors
/// [`Misuse::UnknownCall`], or what `may` says.
pub(super) fn command(
    agent: &mut Agent,
    id: CallId,
    now: Now,
    may: impl FnOnce(&Call) -> bool,
    act: impl FnOnce(Call, LinkContext<'_, '_>) -> Step,
) -> Result<(), Misuse> {
    let entry = agent.calls.get(&id).filter(|entry| entry.counts()).ok_or(Misuse::UnknownCall)?;
    if !entry.call().is_some_and(may) {
        return Err(Misuse::WrongState);
    }
    feed(agent, id, now, act);
    Ok(())
}

/// Answers a call that came in.
///
/// # Errors
/// [`Misuse`]: no such call, or it does not ring.
pub(super) fn answer(agent: &mut Agent, id: CallId, now: Now) -> Result<(), Misuse> {
    let waits = signs_in(agent, id);
    command(agent, id, now, Call::is_ringing, |call, at| call.answer(waits, at))
}

/// True if the account of a call is on its way to a registration.
fn signs_in(agent: &Agent, id: CallId) -> bool {
    let account = agent.calls.get(&id).map(|entry| entry.account);
    let entry = account.and_then(|account| agent.accounts.get(&account));
    entry.is_some_and(|entry| entry.registration.is_signing_in())
}

/// Ends a call, whatever it is.
///
/// # Errors
/// [`Misuse::UnknownCall`].
pub(super) fn hang_up(agent: &mut Agent, id: CallId, end: CallEnd, now: Now) -> Result<(), Misuse> {
    let entry = agent.calls.get(&id).filter(|entry| entry.counts()).ok_or(Misuse::UnknownCall)?;
    match &entry.stage {
        CallStage::Linked(_) => feed(agent, id, now, |call, at| call.hang_up(end, at)),
        CallStage::Locating(..) => stop_locating(agent, id, end, now),
    }
    Ok(())
}

fn stop_locating(agent: &mut Agent, id: CallId, end: CallEnd, now: Now) {
    if let Some((placed, CallStage::Locating(locating, _))) = take(agent, id) {
        let cx = &mut agent.tables.context(placed.account, Owner::Call(id), now);
        locating.stop(cx);
        cx.tell_call(id, CallEvent::Ended(Box::new(end)));
        unlist(agent, placed);
    }
}

/// One input of a search for the server of a call.
pub(super) fn feed_locating(
    agent: &mut Agent,
    id: CallId,
    now: Now,
    act: impl FnOnce(Locating, &mut Context<'_>) -> LocatingStep,
) {
    if !is_locating(agent, id) {
        return;
    }
    let Some((placed, CallStage::Locating(locating, plan))) = take(agent, id) else { return };
    let step = act(*locating, &mut agent.tables.context(placed.account, Owner::Call(id), now));
    follow(agent, placed.account, plan, step, now);
}

/// True while the server of a call is looked for.
pub(super) fn is_locating(agent: &Agent, id: CallId) -> bool {
    agent.calls.get(&id).is_some_and(|entry| matches!(entry.stage, CallStage::Locating(..)))
}

/// What becomes of a call after a step of the search for its server.
fn follow(agent: &mut Agent, account: AccountId, plan: Box<Plan>, step: LocatingStep, now: Now) {
    let id = plan.call;
    match step {
        LocatingStep::Stays(locating) => {
            let stage = CallStage::Locating(locating, plan);
            put(agent, Placed::new(id, account), stage);
        }
        LocatingStep::Found(_, connection) => {
            let Some(entry) = agent.accounts.get_mut(&account) else { return };
            let mut link = ServerLink::new(entry.account.next_link(), connection.into_flow());
            let cx = &mut agent.tables.context(account, Owner::Call(id), now);
            let step = Call::place(*plan, LinkContext { link: &mut link, account: &mut entry.account, cx });
            entry.keep(link);
            settle(agent, Placed::new(id, account), step, now);
        }
        LocatingStep::Failed(error) => {
            let end = CallEnd::of(EndedBy::Network, EndReason::Unreachable(error));
            let cx = &mut agent.tables.context(account, Owner::Call(id), now);
            cx.tell_call(id, CallEvent::Ended(Box::new(end)));
            unlist(agent, Placed::new(id, account));
        }
    }
}

/// What becomes of a call after an input.
fn settle(agent: &mut Agent, placed: Placed, step: Step, now: Now) {
    let (id, account) = (placed.id, placed.account);
    match step {
        Step::Stays(call) | Step::NeedsAssociation(call) => put(agent, placed, CallStage::Linked(call)),
        Step::Locate(line, plan) => {
            unlist(agent, placed);
            part(agent, account, &line);
            let Some(entry) = agent.accounts.get_mut(&account) else { return };
            let cx = &mut agent.tables.context(account, Owner::Call(id), now);
            let step = Locating::start(plan.asked.clone(), &entry.account, cx).unwrap_or_else(|_| {
                LocatingStep::Failed(LoginError::NoAnswer { server: line.server.clone() })
            });
            follow(agent, account, plan, step, now);
        }
        Step::Ends(line) => {
            unlist(agent, placed);
            part(agent, account, &line);
        }
    }
}

fn part(agent: &mut Agent, account: AccountId, line: &Line) {
    if let Some(entry) = agent.accounts.get_mut(&account) {
        entry.part(line.link);
    }
}

fn put(agent: &mut Agent, placed: Placed, stage: CallStage) {
    let Placed { id, account, mut listed } = placed;
    let now = match &stage {
        CallStage::Linked(call) => call.listed(),
        CallStage::Locating(..) => Listed::default(),
    };
    agent.dialogs.list(id, &mut listed, now);
    let mut entry = CallEntry { account, stage, listed, due: None };
    let due = entry.deadline().map(|deadline| deadline.at);
    agent.due.set(Owner::Call(id), &mut entry.due, due);
    let rings = entry.call().is_some_and(Call::is_ringing);
    if let Some(entry) = agent.accounts.get_mut(&account) {
        entry.note_call(id, rings);
    }
    agent.calls.insert(id, entry);
}

/// Takes a call out of the table for an input; it stays listed.
fn take(agent: &mut Agent, id: CallId) -> Option<(Placed, CallStage)> {
    let CallEntry { account, stage, listed, mut due } = agent.calls.remove(&id)?;
    agent.due.set(Owner::Call(id), &mut due, None);
    Some((Placed { id, account, listed }, stage))
}

/// A call is gone.
fn unlist(agent: &mut Agent, placed: Placed) {
    if let Some(entry) = agent.accounts.get_mut(&placed.account) {
        entry.forget_call(placed.id);
    }
    let mut listed = placed.listed;
    agent.dialogs.list(placed.id, &mut listed, Listed::default());
}

/// Does what is due.
pub(super) fn handle_deadline(agent: &mut Agent, id: CallId, now: Now) {
    let is_overdue = match agent.calls.get(&id).map(|entry| &entry.stage) {
        Some(CallStage::Locating(_, plan)) => now.reached(plan.until),
        Some(CallStage::Linked(_)) | None => false,
    };
    if is_overdue {
        stop_locating(agent, id, CallEnd::of(EndedBy::Rule, EndReason::NoAnswer), now);
    } else if is_locating(agent, id) {
        feed_locating(agent, id, now, Locating::handle_deadline);
    } else {
        feed(agent, id, now, Call::handle_deadline);
    }
}

/// The world's answer to a question of a call.
pub(super) fn handle_answer(
    agent: &mut Agent,
    owner: CallId,
    id: crate::ids::AskId,
    answer: Answer,
    now: Now,
) {
    match answer {
        Answer::Resolved(records) if is_locating(agent, owner) => {
            feed_locating(agent, owner, now, |locating, cx| locating.handle_answer(id, records, cx));
        }
        Answer::Redirect(_) => agent.tables.counters.count(Counter::LateAnswer),
        answer @ (Answer::Credentials(_) | Answer::Described(_) | Answer::Resolved(_)) => {
            feed(agent, owner, now, |call, at| call.handle_answer(id, answer, at));
        }
    }
}

/// A flow is gone under a call.
pub(super) fn handle_lost(agent: &mut Agent, id: CallId, lost: &crate::flow::LostFlow, now: Now) {
    if is_locating(agent, id) {
        let why = lost.why.clone();
        return feed_locating(agent, id, now, |locating, cx| locating.handle_lost(lost.flow, why, cx));
    }
    let waits = signs_in(agent, id);
    feed(agent, id, now, |call, at| call.handle_lost(lost, waits, at));
}

/// The server sees this side at another address than before. A dialog is refreshed by it: at once, or, over the link of a
/// registration, once the server knows the account there.
pub(super) fn handle_moved(agent: &mut Agent, id: CallId, now: Now) {
    let Some((account, link)) = call(agent, id).map(|call| (call.line().account, call.line().link)) else {
        return;
    };
    let home = agent.accounts.get_mut(&account).and_then(|entry| entry.registration.home());
    let waits = home.is_some_and(|home| home.id == link);
    feed(agent, id, now, |call, at| call.handle_moved(waits, at));
}

/// A registration says what became of its REGISTER to the calls over its link, and to those that wait for a login. Calls
/// over a link whose server sent the account away end, where the account wants that (decision 8).
pub(super) fn handle_news(agent: &mut Agent, id: CallId, news: LinkNews, now: Now) {
    let Some(call) = agent.calls.get(&id).and_then(CallEntry::call) else { return };
    let (is_over_it, awaits_login) = (call.line().link == news.link, call.line().awaits_login());
    let rule = agent.accounts.get(&news.account).map(|entry| entry.account.config.call_rules().on_move);
    match news.what {
        LinkChange::Registered(granted) => {
            if granted && (is_over_it || awaits_login) {
                feed(agent, id, now, Call::handle_login);
            }
            if is_over_it {
                feed(agent, id, now, |call, at| call.handle_news(granted, at));
            }
        }
        LinkChange::Moved if is_over_it && rule == Some(OnMove::End) => {
            let end = CallEnd::of(EndedBy::Rule, EndReason::Moved);
            feed(agent, id, now, |call, at| call.hang_up(end, at));
        }
        LinkChange::Moved => {}
    }
}

/// The calls of an account.
pub(super) fn of_account(agent: &Agent, account: AccountId) -> Vec<CallId> {
    agent.accounts.get(&account).map_or_else(Vec::new, |entry| entry.calls().collect())
}

/// Hangs up every call of an account that is not over.
pub(super) fn end_all(agent: &mut Agent, account: AccountId, why: &EndReason, now: Now) {
    for id in of_account(agent, account) {
        // What is over already stays as it ended.
        let _ = hang_up(agent, id, CallEnd::ours(why.clone()), now);
    }
}

/// An account is removed: what is left of its calls waits for nothing any more.
pub(super) fn abandon(agent: &mut Agent, account: AccountId, now: Now) {
    for id in of_account(agent, account) {
        let Some((placed, stage)) = take(agent, id) else { continue };
        let Some(entry) = agent.accounts.get_mut(&account) else { continue };
        let cx = &mut agent.tables.context(account, Owner::Call(id), now);
        match stage {
            CallStage::Locating(locating, _) => {
                locating.stop(cx);
                cx.tell_call(id, CallEvent::Ended(Box::new(CallEnd::ours(EndReason::Cancelled))));
            }
            CallStage::Linked(call) => {
                let number = call.line().link;
                if let Some((account, link)) = entry.link(number) {
                    call.abandon(LinkContext { link, account, cx });
                }
                entry.part(number);
            }
        }
        unlist(agent, placed);
    }
}

/// The call that a request inside a dialog belongs to, if it comes from who may speak there (decision 43).
pub(super) fn find(agent: &mut Agent, flow: FlowId, request: &Message) -> Option<CallId> {
    let to = request.to().ok()?;
    let id = agent.dialogs.find(&DialogName::new(request.call_id().ok()?, to.tag()?))?;
    hears(agent, id, flow)?.then_some(id)
}

/// True if who speaks to a call may do so over that flow: its link's, or, where no association tells its server from
/// another, any flow of the same peer (decision 43). An association that ended with its connection still does.
pub(super) fn hears(agent: &mut Agent, id: CallId, flow: FlowId) -> Option<bool> {
    let peer = agent.tables.flows.find(flow)?.opened()?.peer.ip();
    let entry = agent.calls.get(&id)?;
    let call = entry.call()?;
    let speaks = call.may_speak(peer) || call.line().is_over_flow(flow);
    let (_, link) = agent.accounts.get_mut(&entry.account)?.link(call.line().link)?;
    let is_signed = link.association().is_some() || link.is_lapsed();
    Some(link.is_over(flow) || speaks && !is_signed)
}

/// The call that rings for the INVITE that a CANCEL is for, when no transaction tells it any more. The branch that would
/// have told it is gone, so what the CANCEL says and where it comes from must do.
pub(super) fn find_ring(agent: &mut Agent, flow: FlowId, cancel: &Message) -> Option<CallId> {
    let from = cancel.from().ok()?;
    let name = DialogName::new(cancel.call_id().ok()?, from.tag().unwrap_or_default());
    let id = agent.dialogs.find_ring(&name)?;
    let call = agent.calls.get(&id)?.call()?;
    let is_its = call.ringing()?.cseq().ok()?.seq == cancel.cseq().ok()?.seq;
    (call.is_without_flow() && is_its && hears(agent, id, flow)?).then_some(id)
}

/// Takes an INVITE outside a dialog that nothing is objected to: a call, or the reason why not.
///
/// # Errors
/// [`Refusal`].
pub(super) fn receive(agent: &mut Agent, invited: &Invited<'_>, now: Now) -> Result<(), Refusal> {
    let Invited { account, flow, invite } = *invited;
    check_room(agent, invited)?;
    let transport = agent.tables.flows.find(flow).map(|flow| flow.destination().transport);
    let transport = transport.ok_or(Refusal::new(480, ""))?;
    let id = CallId(agent.next_call);
    let owner = Owner::Call(id);
    let tag = agent.tables.random.answer_tag();
    let fresh = fresh_link(agent, account, flow);
    let Some(entry) = agent.accounts.get_mut(&account) else { return Err(Refusal::new(404, "")) };
    if !entry.takes_calls_on(flow) {
        return Err(Refusal::new(480, ""));
    }
    let own = fresh.as_ref().map(|link| link.id);
    if let Some(link) = fresh {
        entry.keep(link);
    }
    let mut cx = agent.tables.context(account, owner, now);
    let found = match own {
        Some(own) => entry.link(own),
        None => entry.link_on(flow),
    };
    let Some((account_of, link)) = found else { return Err(Refusal::new(480, "")) };
    let vouched = link.proof.is_some() && account_of.config.server != ServerChoice::NoRegistrar;
    let at = LinkContext { link, account: account_of, cx: &mut cx };
    let admitted = admit(invite, &tag, &at).and_then(|(dialog, offer)| {
        let tx = at.cx.transactions.accept_request(invite, FlowRef::new(flow, transport), owner, now);
        let tx = tx.map_err(|_| Refusal::new(503, ""))?;
        Ok(Invitation { invite, tx, offer, dialog, vouched })
    });
    let call = match admitted {
        Ok(invitation) => Call::receive(id, invitation, at),
        Err(refusal) => {
            entry.sweep();
            return Err(refusal);
        }
    };
    agent.next_call = agent.next_call.wrapping_add(1);
    put(agent, Placed::new(id, account), CallStage::Linked(call));
    Ok(())
}

/// The limits on calls that come in (T20), and do-not-disturb.
fn check_room(agent: &Agent, invited: &Invited<'_>) -> Result<(), Refusal> {
    let Some(entry) = agent.accounts.get(&invited.account) else { return Err(Refusal::new(404, "")) };
    let rules = entry.account.config.call_rules();
    match rules.do_not_disturb {
        DoNotDisturb::Off => {}
        DoNotDisturb::Unavailable => return Err(Refusal::new(480, "")),
        DoNotDisturb::Busy => return Err(Refusal::new(486, "")),
    }
    let counts = |id: &CallId| agent.calls.get(id).is_some_and(CallEntry::counts);
    let most = usize::from(rules.most_calls);
    let caller = caller(agent, invited, invited.invite, invited.flow);
    let same = |id: &CallId| {
        let Some(call) = agent.calls.get(id).and_then(CallEntry::call) else { return false };
        let Some(invite) = call.ringing() else { return false };
        self::caller(agent, invited, invite, call.line().flow) == caller
    };
    let is_full = entry.calls().nth(most.saturating_sub(1)).is_some()
        && entry.calls().filter(counts).count() >= most
        || entry.ringing().filter(same).count() >= usize::from(rules.most_ringing_per_caller)
        || most == 0
        || agent.calls.len() >= agent.tables.config.limits.calls;
    if is_full { Err(Refusal::new(486, "")) } else { Ok(()) }
}

/// By what calls of one caller are counted (decision 46): the identity that the server asserts, else the address of a
/// direct caller, else what From says.
fn caller(agent: &Agent, invited: &Invited<'_>, invite: &Message, flow: FlowId) -> String {
    let is_behind = agent.has_registrar(invited.account);
    let opened = agent.tables.flows.find(flow).and_then(|flow| flow.opened());
    let asserted = || Some(invite.all::<AssertedIdentity<'_>>().next()?.ok()?.uri_str().to_ascii_lowercase());
    let is_proved = is_behind && opened.is_some_and(|opened| opened.proof.is_some());
    let is_accepted = agent.tables.flows.find(flow).is_some_and(|flow| flow.is_accepted());
    let said = || invite.from().map_or_else(|_| String::new(), |from| from.uri_str().to_ascii_lowercase());
    match (is_proved, is_accepted, opened) {
        (true, _, _) => asserted().unwrap_or_else(said),
        (false, true, Some(opened)) => opened.peer.ip().to_string(),
        _ => said(),
    }
}

/// A link to a peer that called an account without registrar: each such call has its own, because it may go on over a flow
/// of its own (decision 43). None where an account has a home server: its link is over that flow.
fn fresh_link(agent: &mut Agent, account: AccountId, flow: FlowId) -> Option<ServerLink> {
    let found = agent.tables.flows.find(flow)?;
    let (transport, opened) = (found.destination().transport, found.opened()?.clone());
    let expected = found.destination().expected.clone();
    let entry = agent.accounts.get_mut(&account)?;
    if entry.account.config.server != ServerChoice::NoRegistrar {
        return None;
    }
    let host = opened.peer.ip().to_string();
    let named = Named::new(&host, Some(opened.peer.port()), &expected);
    let server = ServerName::new(&host, opened.peer.port());
    let flow_ref = FlowRef::new(flow, transport);
    let flow = OpenFlow { server, named, flow_ref, proof: opened.proof.clone(), local: opened.local };
    Some(ServerLink::new(entry.account.next_link(), flow))
}
