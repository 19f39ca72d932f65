//! The proxy (RFC 3261 16): passes requests on to users at home here and elsewhere, and inside dialogs along their Route.
//!
//! Servers speak with each other over mutual TLS. The one that challenged a client owns its association: it takes the
//! client's credentials away, vouches for the user, and signs everything towards the client again (decision 15). What a
//! client answers is believed only under its association.

mod admission;
mod back;
mod branch;
mod destination;
mod finals;
mod forward;
mod media_keys;
mod register;
mod response_context;
mod route;
mod target;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use homing_core::counter::Counter;
use homing_core::ids::{FlowId, TxId};
use homing_core::time::{Deadline, Now, Why};
use homing_wire::{Message, Method, Name};

use super::{Ack, AckWay, Authenticated, BranchEvent, Judged, LookUp, Pending, Routed, Service, Step};
use crate::directory::Lookup;
use crate::journal::{Decision, Verdict};
use crate::node::authenticator::{Principal, ResponseAuth};
use crate::node::context::{BranchId, Context, ServerRequest};
use crate::node::dialogs::DialogKey;
use crate::node::endpoint::{Endpoint, asserted_identity};
use crate::node::reply::Reply;
use crate::node::route_token::RouteToken;
use crate::node::routing::RouteDecision;
use crate::node::timer_map::TimerMap;
use admission::{Admission, CallParties, CountedFor};
use back::Back;
use destination::{Destination, Directions, Refusal, breadth, directions, narrowed};
pub(super) use destination::{ends_here, of_user};
pub(super) use forward::sign_towards;
use forward::{Arrived, Plan, Sender, hops_left, loop_mark, outgoing};
use response_context::{Heard, ResponseContext};
use route::RouteSet;
pub(super) use route::{is_routed_by_token, leads_to, user_named};
pub(super) use target::{Hop, Target, way_to};

/// All requests that are passed on and not answered, and calls that were answered a moment ago.
#[derive(Default)]
pub(crate) struct Proxy {
    contexts: BTreeMap<u64, ResponseContext>,
    by_request: BTreeMap<TxId, u64>,
    /// Contexts that only wait for copies of a 2xx.
    answered: BTreeSet<u64>,
    timers: TimerMap<u64>,
    admission: Admission,
    /// Which contexts wait for an endpoint whose flow is gone.
    lost: BTreeSet<(Endpoint, u64)>,
    /// Endpoints that were heard again: what waits for them is done once their request is.
    returned: BTreeSet<u64>,
    /// Requests whose user the directory is asked for.
    asking: BTreeMap<TxId, Asking>,
    /// INVITEs whose flow went away, by the branch in their Via.
    down: BTreeMap<String, BranchId>,
}

/// A request whose user the directory is asked for.
struct Asking {
    flow: FlowId,
    sender: Principal,
    /// True once its sender took it back.
    cancelled: bool,
}

/// A request with how it is passed on.
struct Passing {
    id: u64,
    request: ServerRequest,
    back: Back,
    plan: Plan,
    groups: VecDeque<Vec<Target>>,
}

impl Service for Proxy {
    fn handle_request(&mut self, cx: &mut Context, step: Step, now: Now) -> Step {
        match step {
            Step::Routed(routed) => self.carry_out(cx, routed, now),
            Step::Ack(ack) => {
                forward_ack(cx, *ack, now);
                Step::Done
            }
            Step::Authenticated(authenticated) => {
                if authenticated.principal.is_proved() {
                    self.heard(&authenticated.principal.endpoint, now);
                }
                match authenticated.request.request.method() {
                    Some(Method::Cancel) => {
                        self.cancel(cx, &authenticated, now);
                        Step::Done
                    }
                    _ => self.pass_on(cx, authenticated, now),
                }
            }
            other => other,
        }
    }

    fn handle_lookup(&mut self, cx: &mut Context, asked: LookUp, found: &Lookup, now: Now) -> Step {
        let LookUp { user, pending: Pending::Authenticated(authenticated) } = asked else {
            return Step::Done;
        };
        let asking = self.asking.remove(&authenticated.request.tx);
        let Some(flow) = cx.flows.find(authenticated.request.flow) else { return Step::Done };
        let principal = &authenticated.principal;
        if asking.is_some_and(|asking| asking.cancelled) {
            refuse(cx, &authenticated, Refusal::new(487, "it was cancelled"), now);
            return Step::Done;
        }
        let read = directions(cx, &authenticated.request.request, principal, flow);
        let targets = read.and_then(|read| {
            let groups = of_user(cx, &user, found, &authenticated.request.request, &principal.endpoint.user)?;
            Ok((read, groups))
        });
        match targets {
            Ok((read, groups)) => {
                self.ring(cx, *authenticated, Callee { user, groups, route: read.route }, now)
            }
            Err(refusal) => refuse(cx, &authenticated, refusal, now),
        }
        Step::Done
    }

    fn judge_response(&mut self, cx: &mut Context, branch: BranchId, response: &Message, now: Now) -> Judged {
        let found = self.contexts.get(&branch.context).and_then(|context| context.branch(branch.number));
        let Some(found) = found else { return Judged::NotMine };
        let arrived = Arrived { request: response, flow: found.flow };
        let session = found.session_now(cx);
        // A 100 is a neighbour's word that nothing is lost; transactions send it by themselves, and it goes no further.
        let believed = response.status() == Some(100) || found.believes(cx, arrived, now);
        if believed { Judged::Believed(found.follow_up(session)) } else { Judged::Dropped }
    }

    fn handle_branch(&mut self, cx: &mut Context, branch: BranchId, event: BranchEvent<'_>, now: Now) {
        let BranchId { context: id, number } = branch;
        let Some(context) = self.contexts.get_mut(&id) else { return };
        match event {
            BranchEvent::Response(response, what) => {
                context.handle_response(cx, Heard { number, response, what }, now);
            }
            BranchEvent::TimedOut => context.handle_failure(cx, number, 408, now),
            BranchEvent::FlowFailed => context.handle_failure(cx, number, 503, now),
            BranchEvent::CancelDue => context.handle_timer_c(cx, number, now),
        }
        self.book(id);
    }

    /// The answer of a callee whose flow went away while it rang, by the one it has now (decision 41).
    fn handle_unmatched(&mut self, cx: &mut Context, flow: FlowId, response: &Message, now: Now) -> bool {
        let named = response.via().ok().and_then(|via| self.down.get(via.branch()?).copied());
        let Some(id) = named else { return false };
        let is_invite = response.cseq().is_ok_and(|cseq| cseq.method == Method::Invite);
        let Some(context) = self.contexts.get_mut(&id.context).filter(|_| is_invite) else { return false };
        context.handle_unmatched(cx, id.number, Arrived { request: response, flow }, now);
        self.book(id.context);
        true
    }

    fn handle_sender_gone(&mut self, cx: &mut Context, request: TxId, now: Now) {
        let Some(id) = self.by_request.get(&request).copied() else { return };
        if let Some(context) = self.contexts.get_mut(&id) {
            context.sender_gone(cx, now);
        }
        self.book(id);
    }

    fn handle_deadline(&mut self, cx: &mut Context, now: Now) {
        let due: Vec<u64> = std::iter::from_fn(|| self.timers.due(now)).collect();
        for id in due {
            let returned = self.returned.remove(&id);
            if let Some(context) = self.contexts.get_mut(&id) {
                if returned {
                    context.endpoint_is_back(cx, now);
                }
                context.handle_deadline(cx, now);
            }
            self.book(id);
        }
        note_lapsed(cx, now);
    }

    fn deadline(&self) -> Option<Deadline> {
        self.timers.next().map(|at| Deadline::new(at, Why::AnswerOverdue))
    }

    fn unanswered_calls(&self) -> usize {
        self.admission.unanswered()
    }

    fn in_hand(&self) -> usize {
        self.contexts.len() - self.answered.len()
    }
}

/// A user with the devices or the server a request for them goes to.
struct Callee {
    user: String,
    groups: VecDeque<Vec<Target>>,
    route: RouteSet,
}

impl Proxy {
    /// Carries out the decision to pass a request on, and passes over every other.
    fn carry_out(&mut self, cx: &mut Context, routed: Box<Routed>, now: Now) -> Step {
        let Routed { request, principal, decision, why } = *routed;
        if let Some(principal) = &principal {
            self.heard(&principal.endpoint, now);
        }
        match (decision, principal) {
            (RouteDecision::Proxy { home }, Some(principal)) => {
                let user = principal.endpoint.user.clone();
                let said = Decision::new(Verdict::Proxied, why).about(&user).towards(&home);
                cx.note(Some(request.flow), said, now);
                cx.unbind(request.flow, &principal, now);
                let plan = Plan { path: true, ..Plan::plain(Sender::Asserted(user)) };
                let (id, back) = (cx.next_id(), Back::Signed(principal));
                let groups = one(Target::server(home));
                self.begin(cx, Passing { id, request, back, plan, groups }, now);
            }
            (RouteDecision::PassOn { home }, _) => {
                let said = Decision::new(Verdict::Proxied, why).towards(&home);
                cx.note(Some(request.flow), said, now);
                let path = request.request.method() == Some(Method::Register);
                let plan = Plan { path, ..Plan::plain(Sender::Unproved) };
                let (id, back) = (cx.next_id(), Back::AsItCame);
                self.begin(cx, Passing { id, request, back, plan, groups: one(Target::server(home)) }, now);
            }
            (RouteDecision::AlongPath { flow }, _) => self.along_path(cx, request, flow, now),
            (decision, principal) => {
                return Step::Routed(Box::new(Routed { request, principal, decision, why }));
            }
        }
        Step::Done
    }

    /// Passes a request of another server on to the client behind `flow`. Where the association is this server's own, so
    /// is a part in the calls of its client.
    fn along_path(&mut self, cx: &mut Context, request: ServerRequest, flow: FlowId, now: Now) {
        if cx.flows.find(flow).is_none() {
            let unsigned = Back::AsItCame;
            return back::reply(cx, &request, &unsigned, Reply::new(430), now);
        }
        cx.note(Some(flow), Decision::new(Verdict::Proxied, "along its Path"), now);
        let calls = request.request.method() == Some(Method::Invite);
        let token = calls.then(|| token_along_path(cx, &request.request, flow)).flatten();
        let plan = Plan { own_routes: 1, ..Plan::plain(Sender::AsItCame) };
        let groups = one(Target { token, ..Target::flow(flow) });
        let id = cx.next_id();
        self.begin(cx, Passing { id, request, back: Back::AsItCame, plan, groups }, now);
    }

    /// A request of a known sender: along its Route, or to a user, whom the directory is asked for.
    fn pass_on(&mut self, cx: &mut Context, authenticated: Box<Authenticated>, now: Now) -> Step {
        let Some(flow) = cx.flows.find(authenticated.request.flow) else { return Step::Done };
        match directions(cx, &authenticated.request.request, &authenticated.principal, flow) {
            Err(refusal) | Ok(Directions { destination: Destination::Nowhere(refusal), .. }) => {
                refuse(cx, &authenticated, refusal, now);
            }
            Ok(Directions { destination: Destination::User(user), .. }) => {
                let ServerRequest { tx, flow, .. } = authenticated.request;
                let sender = authenticated.principal.clone();
                self.asking.insert(tx, Asking { flow, sender, cancelled: false });
                return Step::LookUp(LookUp { user, pending: Pending::Authenticated(authenticated) });
            }
            Ok(Directions { destination: Destination::Along(_), route })
                if is_call(&authenticated.request.request) && !route.tokens.is_empty() =>
            {
                // It would ring uncounted.
                let why = "a route that was recorded leads to no new call";
                refuse(cx, &authenticated, Refusal::new(403, why), now);
            }
            Ok(Directions { destination: Destination::Along(target), route }) => {
                let token = sender_token(cx, &authenticated, &route.tokens);
                let request = &authenticated.request;
                touch(cx, &request.request, token.as_ref(), Some(request.flow), now);
                route.tokens.iter().for_each(|other| touch(cx, &request.request, Some(other), None, now));
                let said = Decision::new(Verdict::Proxied, "along its Route");
                let said = said.about(&authenticated.principal.endpoint.user);
                cx.note(Some(authenticated.request.flow), said, now);
                let plan = Plan {
                    token,
                    named: route.tokens,
                    own_routes: route.own,
                    ..plan_for(&authenticated.principal)
                };
                let way = Way { id: cx.next_id(), plan, rewritten: route.rewritten, groups: one(*target) };
                self.forward(cx, *authenticated, way, now);
            }
        }
        Step::Done
    }

    /// A request for a user whose devices or server are known.
    fn ring(&mut self, cx: &mut Context, authenticated: Authenticated, callee: Callee, now: Now) {
        let Callee { user, groups, route } = callee;
        let breadth = breadth(cx, &authenticated.request.request);
        if breadth == 0 {
            return refuse(cx, &authenticated, Refusal::new(440, "it may become no branch"), now);
        }
        let groups = narrowed(groups, usize::try_from(breadth).unwrap_or(usize::MAX));
        let widest = groups.iter().map(Vec::len).max().and_then(|widest| u32::try_from(widest).ok());
        let share = breadth / widest.unwrap_or(1).max(1);
        let token = sender_token(cx, &authenticated, &route.tokens).map(|token| {
            if route.tokens.is_empty() { RouteToken { peer: user.clone(), ..token } } else { token }
        });
        let plan =
            Plan { token, own_routes: route.own, breadth: Some(share), ..plan_for(&authenticated.principal) };
        let id = cx.next_id();
        let counted = CallParties { from: authenticated.principal.endpoint.user.clone(), to: user.clone() };
        // One that names a dialog rings just as well.
        let rings = authenticated.request.request.method() == Some(Method::Invite);
        if rings && !cx.config.accounts.may_call(&counted.from, &user) {
            let why = "its caller may not call this user";
            return refuse(cx, &authenticated, Refusal::new(403, why), now);
        }
        if rings && let Err(refusal) = self.admission.admit(id, counted, &cx.config.calls) {
            cx.counters.count(Counter::OverCap);
            return refuse(cx, &authenticated, refusal, now);
        }
        note_start(cx, &authenticated, &user, &groups, now);
        let way = Way { id, plan, rewritten: route.rewritten, groups };
        self.forward(cx, authenticated, way, now);
    }

    /// Sends a request of a known sender on.
    fn forward(&mut self, cx: &mut Context, authenticated: Authenticated, way: Way, now: Now) {
        let mark = loop_mark(cx, &authenticated.request.request);
        let Authenticated { mut request, principal, .. } = authenticated;
        let Way { id, plan, rewritten, groups } = way;
        if let Some(rewritten) = rewritten {
            request.request = rewritten;
        }
        let plan = Plan { loop_mark: Some(mark), ..plan };
        self.begin(cx, Passing { id, request, back: Back::Signed(principal), plan, groups }, now);
    }

    fn begin(&mut self, cx: &mut Context, passing: Passing, now: Now) {
        let Passing { id, request, back, plan, groups } = passing;
        let sender = counted_for(cx, &request, &back);
        let entered = if self.in_hand() < cx.config.calls.contexts {
            self.admission.enter(id, sender, &cx.config.calls)
        } else {
            Err(Refusal::new(503, "too many requests are passed on"))
        };
        if let Err(Refusal { status, why }) = entered {
            self.admission.release(id);
            cx.counters.count(Counter::Overload);
            cx.note_rarely(Some(request.flow), Verdict::Refused, why, now);
            let pause = cx.retry_after(OVERLOAD_PAUSE, now);
            return back::reply(cx, &request, &back, Reply::new(status).header(Name::RetryAfter, pause), now);
        }
        if self.answered.len() >= MOST_ANSWERED
            && let Some(oldest) = self.answered.first().copied()
        {
            self.forget(oldest);
        }
        self.by_request.insert(request.tx, id);
        let context =
            self.contexts.entry(id).or_insert(ResponseContext::new(id, request, back, plan, groups));
        context.start(cx, now);
        self.book(id);
    }

    /// A CANCEL for a request in hand. Who signs must have signed it; of others it must come by the way of the INVITE.
    fn cancel(&mut self, cx: &mut Context, authenticated: &Authenticated, now: Now) {
        let Authenticated { request, principal, cancels } = authenticated;
        let id = cancels.and_then(|invite| self.by_request.get(&invite).copied());
        let Some(context) = id.and_then(|id| self.contexts.get_mut(&id)) else {
            let asking = cancels.and_then(|invite| self.asking.get_mut(&invite));
            if let Some(asking) = asking {
                if asking.flow != request.flow || !may_cancel(Some(&asking.sender), principal) {
                    return discard_cancel(cx, request, now);
                }
                asking.cancelled = true;
            }
            let status = if cancels.is_some() { 200 } else { 481 };
            return cx.respond(request, Reply::new(status), &principal.response_auth, now);
        };
        if context.request.flow != request.flow || !may_cancel(context.back.principal(), principal) {
            return discard_cancel(cx, request, now);
        }
        let mut words: Vec<(Name<'static>, String)> = Vec::new();
        let mut take = |name: Name<'static>| {
            let lines = request.request.lines(name).map(|line| String::from_utf8_lossy(line).into_owned());
            words.extend(lines.take(MOST_LINES).map(|line| (name, line)));
        };
        take(Name::Reason);
        // Where another server judges what its client signs, and signs for it, it does so for the CANCEL too.
        if matches!(context.back, Back::AsItCame) {
            let proofs = [
                Name::Authorization,
                Name::ProxyAuthorization,
                Name::AuthenticationInfo,
                Name::ProxyAuthenticationInfo,
            ];
            proofs.into_iter().for_each(&mut take);
        }
        cx.respond(request, Reply::new(200), &principal.response_auth, now);
        context.cancel(cx, &words, now);
        if let Some(id) = id {
            self.book(id);
        }
    }

    /// An endpoint proved who it is: what waits for it is done as soon as its request is.
    fn heard(&mut self, endpoint: &Endpoint, now: Now) {
        if self.lost.is_empty() {
            return;
        }
        let first = (endpoint.clone(), 0);
        let waiting = self.lost.range(first..).take_while(|(lost, _)| lost == endpoint);
        let waiting: Vec<u64> = waiting.map(|(_, id)| *id).collect();
        for id in waiting {
            self.returned.insert(id);
            self.timers.set(id, now.since_start);
        }
    }

    /// Drops a context with all that names it.
    fn forget(&mut self, id: u64) {
        let Some(context) = self.contexts.remove(&id) else { return };
        self.by_request.remove(&context.request.tx);
        self.answered.remove(&id);
        self.admission.release(id);
        self.timers.cancel(&id);
        self.returned.remove(&id);
        self.lost.retain(|(_, waiting)| *waiting != id);
        self.down.retain(|_, branch| branch.context != id);
    }

    /// Brings the tables beside a context up to date.
    fn book(&mut self, id: u64) {
        let Some(context) = self.contexts.get(&id) else { return };
        if !context.is_unanswered() {
            self.admission.release(id);
            self.answered.insert(id);
        }
        if context.is_over() {
            return self.forget(id);
        }
        match context.deadline() {
            Some(at) => self.timers.set(id, at),
            None => self.timers.cancel(&id),
        }
        for endpoint in context.awaited() {
            self.lost.insert((endpoint, id));
        }
        for (number, branch) in context.branches().iter().enumerate() {
            if let Some(name) = branch.name_when_down() {
                self.down.insert(name, BranchId { context: id, number });
            }
        }
    }
}

/// Whom a request in hand is counted for; none where a neighbour asserts nobody.
fn counted_for(cx: &Context, request: &ServerRequest, back: &Back) -> Option<CountedFor> {
    if let Some(endpoint) = back.endpoint() {
        return Some(CountedFor::User(endpoint.user.clone()));
    }
    let from_server = cx.flows.find(request.flow).is_some_and(|flow| flow.trusted.is_some());
    if !from_server {
        return Some(CountedFor::Flow(request.flow));
    }
    asserted_identity(&request.request).map(CountedFor::User)
}

/// A request that becomes one branch.
fn one(target: Target) -> VecDeque<Vec<Target>> {
    VecDeque::from([vec![target]])
}

/// Where a request goes, and how.
struct Way {
    id: u64,
    plan: Plan,
    /// The request, where a strict router had changed it.
    rewritten: Option<Message>,
    groups: VecDeque<Vec<Target>>,
}

/// What the journal says of a request for a user: of a call, that it begins.
fn note_start(
    cx: &mut Context,
    authenticated: &Authenticated,
    user: &str,
    groups: &VecDeque<Vec<Target>>,
    now: Now,
) {
    let branches = match groups.iter().map(Vec::len).sum() {
        1 => "1 branch".to_owned(),
        more => format!("{more} branches"),
    };
    let method = authenticated.request.request.method().map(|method| method.as_str().to_owned());
    let words = format!("{} to {user}: {branches}", method.unwrap_or_default());
    let verdict = if is_call(&authenticated.request.request) { Verdict::Call } else { Verdict::Proxied };
    let said = Decision::new(verdict, words).about(&authenticated.principal.endpoint.user);
    cx.note(Some(authenticated.request.flow), said, now);
}

/// True for an INVITE outside a dialog.
fn is_call(request: &Message) -> bool {
    request.method() == Some(Method::Invite) && request.to().is_ok_and(|to| to.tag().is_none())
}

/// What is said of a sender who proved who it is.
fn plan_for(principal: &Principal) -> Plan {
    Plan::plain(Sender::Asserted(principal.endpoint.user.clone()))
}

/// The endpoint of a sender that is a client of this server: the one its Route names, else a new one.
fn sender_token(cx: &Context, authenticated: &Authenticated, tokens: &[RouteToken]) -> Option<RouteToken> {
    let Authenticated { request, principal, .. } = authenticated;
    if !principal.is_proved_here() {
        return None;
    }
    if let Some(first) = tokens.first() {
        return Some(first.clone());
    }
    let bindings = cx.bindings.of(&principal.endpoint.user);
    let own = bindings.iter().find(|binding| binding.route.flow == request.flow);
    let mut endpoint = principal.endpoint.clone();
    if endpoint.device.is_empty()
        && let Some(own) = own
    {
        // By Digest a request names no device; the flow does.
        endpoint = own.endpoint.clone();
    }
    Some(RouteToken { endpoint, reg_id: own.and_then(|binding| binding.reg_id), peer: String::new() })
}

/// The client behind a flow that a Path named, where its association is this server's.
fn token_along_path(cx: &Context, request: &Message, flow: FlowId) -> Option<RouteToken> {
    let session = forward::client_behind(cx, flow, request, None)?;
    let endpoint = cx.sessions.find(session)?.endpoint.clone();
    Some(RouteToken { endpoint, reg_id: None, peer: asserted_identity(request)? })
}

/// A request of a dialog passed: its endpoint sent it by `flow`, or is its other end.
fn touch(cx: &mut Context, request: &Message, token: Option<&RouteToken>, flow: Option<FlowId>, now: Now) {
    let Some((token, call_id)) = token.zip(request.call_id().ok()) else { return };
    let key = DialogKey { endpoint: token.endpoint.clone(), call_id: call_id.to_owned() };
    cx.dialogs.touch(&key, flow, now);
    cx.keep_association(&key.endpoint, now);
}

/// True for who may take back what `sender` sent, where this server found out who that is: whoever signs must have
/// signed the CANCEL too.
fn may_cancel(sender: Option<&Principal>, by: &Principal) -> bool {
    match sender {
        Some(Principal { endpoint, response_auth: ResponseAuth::Association(_), .. }) => {
            matches!(by.response_auth, ResponseAuth::Association(_)) && by.endpoint == *endpoint
        }
        _ => true,
    }
}

fn discard_cancel(cx: &mut Context, cancel: &ServerRequest, now: Now) {
    cx.counters.count(Counter::Unsigned);
    cx.discard_accepted(cancel, "a CANCEL of somebody else", now);
}

fn refuse(cx: &mut Context, authenticated: &Authenticated, refusal: Refusal, now: Now) {
    let Authenticated { request, principal, .. } = authenticated;
    let Refusal { status, why } = refusal;
    let said = Decision::new(Verdict::Refused, format!("{status}: {why}"));
    cx.note(Some(request.flow), said.about(&principal.endpoint.user), now);
    let mut reply = Reply::new(status);
    if status == 503 || status == 486 {
        reply = reply.header(Name::RetryAfter, cx.retry_after(OVERLOAD_PAUSE, now));
    }
    let id = match status {
        403 => 4003,
        404 => 1003,
        480 => 1004,
        _ => 1000,
    };
    let reply = reply.diagnostics(id, why, &cx.config.identity.fqdn);
    cx.respond(request, reply, &principal.response_auth, now);
}

/// The ACK for a 2xx goes on without a transaction, or nowhere.
fn forward_ack(cx: &mut Context, ack: Ack, now: Now) {
    let Ack { flow, request, way } = ack;
    let ways = match way {
        AckWay::AlongPath(to) => {
            Some((request, Plan { own_routes: 1, ..Plan::plain(Sender::AsItCame) }, Target::flow(to)))
        }
        AckWay::Untouched(server) => Some((request, Plan::plain(Sender::Unproved), Target::server(server))),
        AckWay::ByRoute(principal) => by_route(cx, request, flow, &principal, now),
    };
    let Some((request, plan, target)) = ways else {
        return cx.discard(flow, "an ACK for a call this server does not have", now);
    };
    let Some(hops) = hops_left(&request) else { return cx.discard(flow, "an ACK with too many hops", now) };
    let arrived = Arrived { request: &request, flow };
    let Some(out) = outgoing(cx, arrived, &plan, &target, hops) else {
        return cx.discard(flow, "an ACK that cannot be passed on", now);
    };
    let endpoint = target.token.as_ref().map(|token| &token.endpoint);
    let signed = sign_towards(cx, out.flow, out.message, &request, endpoint);
    if let Some(server) = out.dial {
        cx.connect(out.flow, server, out.transport);
    }
    if let Some(signed) = signed {
        cx.send(out.flow, signed.request.into_message().into(), now);
    }
}

/// Where the Route of an ACK leads. Who has an association must have signed it; whoever has none must come by the flow
/// its endpoint has, or by the one that it proved itself on in this call.
fn by_route(
    cx: &mut Context,
    request: Message,
    flow: FlowId,
    principal: &Principal,
    now: Now,
) -> Option<(Message, Plan, Target)> {
    let found = cx.flows.find(flow)?;
    let from_client = principal.is_proved_here();
    let read = directions(cx, &request, principal, found).ok()?;
    let Destination::Along(target) = read.destination else { return None };
    if from_client && !matches!(principal.response_auth, ResponseAuth::Association(_)) {
        let own = read.route.tokens.first()?;
        let signs = cx.sessions.of_endpoint(&own.endpoint).is_some();
        let call_id = request.call_id().unwrap_or_default();
        let key = DialogKey { endpoint: own.endpoint.clone(), call_id: call_id.to_owned() };
        let ways = [way_to(cx, own, call_id).map(|(way, _)| way), cx.dialogs.flow_of(&key)];
        if signs || !ways.contains(&Some(flow)) {
            cx.counters.count(Counter::Unsigned);
            return None;
        }
    }
    let own = read.route.tokens.first().filter(|_| from_client);
    touch(cx, &request, own, Some(flow), now);
    read.route.tokens.iter().for_each(|other| touch(cx, &request, Some(other), None, now));
    let plan = Plan { own_routes: read.route.own, ..plan_for(principal) };
    Some((read.route.rewritten.unwrap_or(request), plan, *target))
}

/// Calls that ended by silence, and what was forgotten for others.
fn note_lapsed(cx: &mut Context, now: Now) {
    while let Some((key, answered)) = cx.dialogs.due(now) {
        cx.keep_association(&key.endpoint, now);
        if answered {
            let said = Decision::new(Verdict::Call, "ended: nothing passed for too long");
            cx.note(None, said.about(&key.endpoint.user), now);
        }
    }
    for _ in 0..cx.dialogs.take_evicted() {
        cx.counters.count(Counter::Evicted);
        cx.note_rarely(None, Verdict::Discarded, "a call was forgotten: its endpoint has too many", now);
    }
}

/// Answered calls whose copies of the 2xx are still passed on; of one more the oldest is forgotten.
const MOST_ANSWERED: usize = 50_000;
/// Lines of one header that a CANCEL passes on.
const MOST_LINES: usize = 4;
/// Seconds.
const OVERLOAD_PAUSE: u32 = 5;
