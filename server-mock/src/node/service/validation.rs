//! Request validation (RFC 3261 16.3): what is malformed, served elsewhere or too much is refused first.

use homing_core::counter::Counter;
use homing_core::ids::FlowId;
use homing_core::time::Now;
use homing_wire::header::Route;
use homing_wire::{Host, Message, Method, Name, Uri};

use super::options::with_allow;
use super::proxy::ends_here;
use super::{Ack, AckWay, Received, Routed, Service, Step};
use crate::node::context::{Context, Objection};
use crate::node::rate_limit::RateLimit;
use crate::node::reply::Reply;
use crate::node::routing::RouteDecision;

/// Refuses what cannot be served, and recognises what came along this server's own Path.
#[derive(Default)]
pub(crate) struct Validation {
    rate_limit: RateLimit,
}

impl Service for Validation {
    fn handle_request(&mut self, cx: &mut Context, step: Step, now: Now) -> Step {
        let Step::Received(received) = step else { return step };
        let Received { flow, request, cancels } = &*received;
        let found = cx.flows.find(*flow);
        let ends_here = ends_here(cx, request, found);
        // What method it is concerns only who serves it (RFC 3261 16.3).
        let finding = request.validate().into_iter().find(|finding| ends_here || finding.status != 501);
        if let Some(finding) = finding {
            let reply = Reply::new(finding.status).reason(finding.why);
            let reply = if finding.status == 501 { with_allow(reply) } else { reply };
            return refuse(cx, received, Objection { reply, why: finding.why }, now);
        }
        let trusted = found.is_some_and(|flow| flow.trusted.is_some());
        // A CANCEL goes where its INVITE went, and no further.
        let is_cancel = request.method() == Some(Method::Cancel);
        if let Some(to) = own_route(cx, request).filter(|_| trusted && !is_cancel) {
            return along_path(cx, received, to, now);
        }
        if let Some(objection) = objection(cx, request, ends_here).filter(|_| cancels.is_none()) {
            return refuse(cx, received, objection, now);
        }
        if !trusted && self.is_over_limit(cx, *flow, request, now) {
            cx.counters.count(Counter::OverCap);
            let reply = Reply::new(503).header(Name::RetryAfter, RATE_LIMIT_PAUSE);
            let why = "too much comes through servers that are not configured";
            return refuse(cx, received, Objection { reply, why }, now);
        }
        Step::Received(received)
    }
}

impl Validation {
    /// True if a request came through a proxy of others once too often this minute (decision 7).
    fn is_over_limit(&mut self, cx: &Context, flow: FlowId, request: &Message, now: Now) -> bool {
        let Some(found) = cx.flows.find(flow) else { return false };
        request.via_count() > 1 && !self.rate_limit.admit(found.peer.ip(), cx.config.routing.rate_limit, now)
    }
}

fn refuse(cx: &mut Context, received: Box<Received>, objection: Objection, now: Now) -> Step {
    cx.refuse(received.flow, received.request, objection, now);
    Step::Done
}

/// A request of another server for the client behind one of our flows.
fn along_path(cx: &mut Context, received: Box<Received>, to: FlowId, now: Now) -> Step {
    if received.request.method() == Some(Method::Ack) {
        let Received { flow, request, .. } = *received;
        return Step::Ack(Box::new(Ack { flow, request, way: AckWay::AlongPath(to) }));
    }
    let Some(request) = cx.accept(received.flow, received.request, now) else { return Step::Done };
    let decision = RouteDecision::AlongPath { flow: to };
    Step::Routed(Box::new(Routed { request, principal: None, decision, why: "along its Path".into() }))
}

/// What is wrong with where a request goes and what it demands. What is only passed on may require what it likes of the
/// other end, and go by its Route to an address that nobody knows here.
fn objection(cx: &Context, request: &Message, ends_here: bool) -> Option<Objection> {
    let of = |reply, why| Some(Objection { reply, why });
    let Some(uri) = request.request_uri().and_then(|uri| Uri::parse(uri).ok()) else {
        return of(Reply::new(400), "the Request-URI cannot be read");
    };
    if !uri.is_sip() && !uri.is_sips() {
        return of(Reply::new(416), "the Request-URI is no SIP URI");
    }
    let judged: &[Name<'_>] =
        if ends_here { &[Name::ProxyRequire, Name::Require] } else { &[Name::ProxyRequire] };
    for name in judged.iter().copied() {
        let mut unknown = request.unsupported(name, EXTENSIONS).peekable();
        if unknown.peek().is_some() {
            let list = unknown.collect::<Vec<_>>().join(", ");
            let reply = Reply::new(420).header(Name::Unsupported, list);
            return of(reply, "an unknown extension");
        }
    }
    if ends_here && !is_served(cx, &uri) {
        return of(Reply::new(404), "this domain is served elsewhere");
    }
    None
}

/// True for the domain, the servers of the estate (clients may have named the one that passed their request on),
/// and addresses (which only clients of this server would write).
fn is_served(cx: &Context, uri: &Uri<'_>) -> bool {
    let Host::Name(name) = uri.host() else { return true };
    let (name, identity) = (name.trim_end_matches('.'), &cx.config.identity);
    name.eq_ignore_ascii_case(&identity.domain)
        || name.eq_ignore_ascii_case(&identity.fqdn)
        || cx.config.peer(name).is_some()
}

/// The flow our token in the topmost Route names, if that Route is this server's.
fn own_route(cx: &Context, request: &Message) -> Option<FlowId> {
    let route = request.all::<Route<'_>>().next()?.ok()?;
    let uri = route.uri().ok()?;
    let own = uri.host().to_string().eq_ignore_ascii_case(&cx.config.identity.fqdn);
    cx.path_tokens.flow(uri.user().filter(|_| own)?)
}

/// Option tags that may be required of this server.
const EXTENSIONS: &[&str] = &["path", "outbound", "gruu", "gruu-10", "adhoclist", "ms-benotify", "keep"];
/// Seconds.
const RATE_LIMIT_PAUSE: u32 = 60;
