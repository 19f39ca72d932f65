//! The request as it leaves (RFC 3261 16.6): one hop less, the next target, what is recorded, and our Via.

use homing_core::auth::signed::{NoAssociation, Signed};
use homing_core::ids::FlowId;
use homing_core::server::ServerName;
use homing_core::transport::Transport;
use homing_wire::{Builder, Message, Method, Name, Via};

use super::media_keys;
use super::target::{Hop, Target, hides_identity};
use crate::node::authenticator::SessionId;
use crate::node::config::BETWEEN_SERVERS;
use crate::node::context::Context;
use crate::node::endpoint::Endpoint;
use crate::node::reply::stamped_via;
use crate::node::route_token::RouteToken;

use super::route::retargeted;

/// What all branches of one request have in common.
pub(super) struct Plan {
    /// Route values at the top that were this server's own.
    pub(super) own_routes: usize,
    pub(super) sender: Sender,
    /// The sender's endpoint, where it is a client of this server and the request may begin a dialog.
    pub(super) token: Option<RouteToken>,
    /// The endpoints of this server that its Route named: all of them have a part in its dialog.
    pub(super) named: Vec<RouteToken>,
    /// Whether the way back to the sender is added for the registrar (RFC 3327).
    pub(super) path: bool,
    /// How many branches each branch may become at the same time (RFC 5393); none where nothing is said of it.
    pub(super) breadth: Option<u32>,
    /// What our branches end with.
    pub(super) loop_mark: Option<String>,
}

impl Plan {
    /// Nothing but who sent it.
    pub(super) fn plain(sender: Sender) -> Self {
        Self {
            own_routes: 0,
            sender,
            token: None,
            named: Vec::new(),
            path: false,
            breadth: None,
            loop_mark: None,
        }
    }
}

/// What is said to the next hop of who sent it.
pub(super) enum Sender {
    /// This server vouches for that address.
    Asserted(String),
    /// Nothing: the server behind this one judges its credentials. A client that vouches for itself would be believed
    /// there, since the link is trusted.
    Unproved,
    /// What another server said.
    AsItCame,
}

/// A request that arrived, by the flow it came by.
#[derive(Clone, Copy)]
pub(super) struct Arrived<'r> {
    pub(super) request: &'r Message,
    pub(super) flow: FlowId,
}

/// A request that is ready but for its signature.
pub(super) struct Outgoing {
    pub(super) message: Message,
    pub(super) flow: FlowId,
    pub(super) transport: Transport,
    /// The server to be dialled first, where there is no flow to it yet.
    pub(super) dial: Option<ServerName>,
}

/// A request with what proves it to its receiver.
pub(in crate::node::service) struct Proved {
    pub(in crate::node::service) request: Signed,
    /// The association that signed it.
    pub(in crate::node::service) session: Option<SessionId>,
}

/// The request for one target; none where it cannot be written.
pub(super) fn outgoing(
    cx: &mut Context,
    arrived: Arrived<'_>,
    plan: &Plan,
    target: &Target,
    hops: u8,
) -> Option<Outgoing> {
    let (flow, dial) = match &target.hop {
        Hop::Flow(flow) => (*flow, None),
        Hop::Server(server) => {
            let (link, new) = cx.flows.link(server, BETWEEN_SERVERS);
            (link, new.then(|| server.clone()))
        }
    };
    let transport = cx.flows.transport(flow).unwrap_or(BETWEEN_SERVERS);
    let changed = match &target.uri {
        Some(uri) => Some(retargeted(arrived.request, uri)?),
        None => None,
    };
    let mut builder =
        forwarded(cx, Arrived { request: changed.as_ref().unwrap_or(arrived.request), ..arrived }, hops);
    for _ in 0..plan.own_routes {
        builder = builder.remove_first(Name::Route);
    }
    for route in target.routes.iter().rev() {
        builder = builder.prepend(Name::Route, route);
    }
    builder = identified(cx, builder, arrived, plan, flow);
    if plan.path {
        builder = with_path(cx, builder, arrived.flow);
    }
    if is_recorded(arrived.request) {
        builder = recorded(cx, builder, arrived, plan, Recorded { target, transport });
    }
    if let Some(breadth) = plan.breadth {
        builder = builder.replace(Name::MaxBreadth, breadth);
    }
    let (own, branch) = (cx.own_name(transport), cx.transactions.branch());
    let mark = plan.loop_mark.as_ref().map(|mark| format!(".{mark}")).unwrap_or_default();
    let via = format!("SIP/2.0/{} {own};branch={branch}{mark}", transport.via_token());
    let message = builder.prepend(Name::Via, via).message();
    let is_clear = !transport.is_secure() || media_keys::is_clear(cx, arrived.flow);
    let message = if is_clear { media_keys::without_keys(message) } else { message };
    Some(Outgoing { message, flow, transport, dial })
}

/// The request as it goes on: what was learned of its sender, and one hop less.
fn forwarded(cx: &Context, arrived: Arrived<'_>, hops: u8) -> Builder {
    let Arrived { request, flow } = arrived;
    let mut builder = Builder::from_message(request);
    let keep = Some(cx.config.registrar.flow_timer);
    if let Some(via) = cx.flows.find(flow).and_then(|flow| stamped_via(request, flow.peer, keep)) {
        builder = builder.replace_first(Name::Via, via);
    }
    builder.replace(Name::MaxForwards, hops)
}

/// Adds the way back to the client behind `flow` (RFC 3327).
fn with_path(cx: &Context, builder: Builder, flow: FlowId) -> Builder {
    let token = cx.path_tokens.token(flow);
    let (own, transport) = (cx.own_name(BETWEEN_SERVERS), BETWEEN_SERVERS.uri_token());
    builder.prepend(Name::Path, format_args!("<sip:{token}@{own};transport={transport};lr>"))
}

/// Credentials end at the server they are for, and the word of a client for itself ends at the first.
fn identified(cx: &Context, builder: Builder, arrived: Arrived<'_>, plan: &Plan, to: FlowId) -> Builder {
    let request = arrived.request;
    let builder = match &plan.sender {
        Sender::Asserted(user) => builder
            .remove(Name::Authorization)
            .remove(Name::ProxyAuthorization)
            .replace(Name::PAssertedIdentity, format_args!("<sip:{user}>")),
        Sender::Unproved => builder.remove(Name::PAssertedIdentity),
        Sender::AsItCame => builder,
    };
    if request.method() == Some(Method::Register) {
        return builder;
    }
    let builder = builder.remove(Name::PPreferredIdentity);
    let to_client = cx.flows.find(to).is_some_and(|flow| flow.trusted.is_none());
    if to_client && hides_identity(request) { builder.remove(Name::PAssertedIdentity) } else { builder }
}

/// True for a request that begins a dialog or moves its target.
pub(super) fn is_recorded(request: &Message) -> bool {
    matches!(
        request.method(),
        Some(Method::Invite | Method::Subscribe | Method::Notify | Method::Refer | Method::Update)
    )
}

/// Where a request that is recorded goes.
struct Recorded<'t> {
    target: &'t Target,
    transport: Transport,
}

/// Adds the recorded routes: the sender's endpoint below, the target's above, each by the transport of its own side
/// (RFC 3261 16.6 step 4, RFC 5658).
fn recorded(
    cx: &Context,
    mut builder: Builder,
    arrived: Arrived<'_>,
    plan: &Plan,
    to: Recorded<'_>,
) -> Builder {
    let call_id = arrived.request.call_id().unwrap_or_default();
    let came_by = cx.flows.transport(arrived.flow).unwrap_or(BETWEEN_SERVERS);
    let mut sides: Vec<(&RouteToken, Transport)> = Vec::new();
    if let Some(token) = &plan.token {
        sides.push((token, came_by));
        if to.target.token.is_none() && to.transport != came_by {
            sides.push((token, to.transport));
        }
    }
    if let Some(token) = &to.target.token {
        if plan.token.is_none() && to.transport != came_by {
            sides.push((token, came_by));
        }
        sides.push((token, to.transport));
    }
    for (token, transport) in sides {
        let user = cx.route_tokens.token(token, call_id);
        let own = cx.own_name(transport);
        let value = format!("<sip:{user}@{own};transport={};lr>", transport.uri_token());
        builder = builder.prepend(Name::RecordRoute, value);
    }
    builder
}

/// Towards a client whose association is ours the request is signed; other servers prove themselves by TLS. None
/// where the association cannot sign.
pub(in crate::node::service) fn sign_towards(
    cx: &mut Context,
    to: FlowId,
    unsigned: Message,
    request: &Message,
    endpoint: Option<&Endpoint>,
) -> Option<Proved> {
    let Some(session) = client_behind(cx, to, request, endpoint) else {
        if signs_elsewhere(cx, to, endpoint) {
            return None;
        }
        return Some(Proved { request: Signed::without(unsigned, NoAssociation::Relayed), session: None });
    };
    match cx.signer().sign(unsigned, request, session) {
        Ok(signed) => Some(Proved { request: Signed::by_server(signed), session: Some(session) }),
        Err(not_signed) => {
            cx.drop_association(not_signed);
            None
        }
    }
}

/// True for a client that has an association, over another of its own flows: whoever is here could not prove to be it.
fn signs_elsewhere(cx: &Context, to: FlowId, endpoint: Option<&Endpoint>) -> bool {
    let to_client = cx.flows.find(to).is_some_and(|flow| flow.trusted.is_none());
    let session = endpoint.and_then(|endpoint| cx.sessions.of_endpoint(endpoint));
    let session = session.and_then(|id| cx.sessions.find(id));
    to_client && session.is_some_and(|session| session.flow != to && cx.flows.find(session.flow).is_some())
}

/// The association of the client a request is for: one connection may serve several devices.
pub(super) fn client_behind(
    cx: &Context,
    flow: FlowId,
    request: &Message,
    endpoint: Option<&Endpoint>,
) -> Option<SessionId> {
    let here = |id: &SessionId| cx.sessions.find(*id).is_some_and(|session| session.flow == flow);
    if let Some(endpoint) = endpoint {
        return cx.sessions.of_endpoint(endpoint).filter(here);
    }
    let to_client = cx.flows.find(flow).is_some_and(|flow| flow.trusted.is_none());
    let addressed = request.to().ok().and_then(|to| Endpoint::named_by(&to));
    let named = addressed.and_then(|endpoint| cx.sessions.of_endpoint(&endpoint));
    named.filter(here).or_else(|| cx.sessions.on_flow(flow)).filter(|_| to_client)
}

/// Max-Forwards for the next hop; none at the end of the way.
pub(super) fn hops_left(request: &Message) -> Option<u8> {
    request.max_forwards().ok().flatten().unwrap_or(DEFAULT_HOPS + 1).checked_sub(1)
}

/// What our branches of this request end with: all that its routing depends on (RFC 3261 16.6 step 8).
pub(super) fn loop_mark(cx: &Context, request: &Message) -> String {
    let text = |name| request.text(name).unwrap_or_default().into_owned();
    let tag = |party: Result<homing_wire::NameAddr<'_>, _>| {
        party.ok().and_then(|party| party.tag().map(str::to_owned)).unwrap_or_default()
    };
    let routes = request.lines(Name::Route).map(String::from_utf8_lossy).collect::<Vec<_>>().join(",");
    let (from, to) = (tag(request.from()), tag(request.to()));
    let uri = request.request_uri().unwrap_or_default();
    cx.route_tokens.loop_mark(&[uri, &routes, &from, &to, &text(Name::CallId), &text(Name::CSeq)])
}

/// True for a request that was here before and would be routed as it was then (RFC 3261 16.3 step 4).
pub(super) fn is_loop(cx: &Context, request: &Message) -> bool {
    let fqdn = &cx.config.identity.fqdn;
    let own =
        request.all::<Via<'_>>().flatten().filter(|via| via.host.to_string().eq_ignore_ascii_case(fqdn));
    let mut marks = own.filter_map(|via| Some(via.branch()?.rsplit_once('.')?.1)).peekable();
    marks.peek().is_some() && {
        let mark = loop_mark(cx, request);
        marks.any(|own| own == mark)
    }
}

const DEFAULT_HOPS: u8 = 70;
