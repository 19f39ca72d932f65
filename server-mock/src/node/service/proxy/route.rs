//! The Route of a request: which values are this server's own, and where the rest leads (RFC 3261 16.4).

use homing_core::server::ServerName;
use homing_wire::header::{RecordRoute, Route};
use homing_wire::{Builder, Host, Message, Method, Name, NameAddr, Uri};

use crate::node::context::Context;
use crate::node::endpoint::user_of;
use crate::node::flows::Flow;
use crate::node::route_token::RouteToken;
use crate::node::routing::between_servers;

/// The Route of a request after this server's own values.
pub(super) struct RouteSet {
    /// The request as RFC 3261 would have it, where a strict router put our own value into the Request-URI.
    pub(super) rewritten: Option<Message>,
    /// Own values, which are taken off.
    pub(super) own: usize,
    /// The endpoints they name, each once and in order.
    pub(super) tokens: Vec<RouteToken>,
    /// The server of the estate the next value names.
    pub(super) next: Option<ServerName>,
}

/// Why a Route is refused.
pub(super) struct BadRoute {
    pub(super) status: u16,
    pub(super) why: &'static str,
}

/// Reads the Route of a request that came by `flow`.
pub(super) fn read(cx: &Context, request: &Message, flow: Option<&Flow>) -> Result<RouteSet, BadRoute> {
    let rewritten = unfold_strict(cx, request, flow);
    let whole = rewritten.as_ref().unwrap_or(request);
    let unreadable = BadRoute { status: 400, why: "a Route cannot be read" };
    let (mut own, mut tokens, mut next) = (0, Vec::new(), None);
    let call_id = whole.call_id().unwrap_or_default();
    let routes: Vec<Route<'_>> =
        whole.all::<Route<'_>>().collect::<Result<_, _>>().map_err(|_| unreadable)?;
    if routes.len() > MOST_HOPS || whole.all::<RecordRoute<'_>>().count() > MOST_HOPS {
        return Err(BadRoute { status: 483, why: "too many hops are recorded" });
    }
    for route in &routes {
        let Ok(uri) = route.uri() else {
            return Err(BadRoute { status: 400, why: "a Route is no SIP URI" });
        };
        if !is_own(cx, &uri, flow) {
            next = Some(server_of(cx, &uri)?);
            break;
        }
        own += 1;
        let Some(user) = uri.user() else { continue };
        let Some(token) = cx.route_tokens.read(user, call_id) else {
            let why = "its Route holds no token of this server for this call";
            return Err(BadRoute { status: 403, why });
        };
        if !tokens.contains(&token) {
            tokens.push(token);
        }
    }
    Ok(RouteSet { rewritten, own, tokens, next })
}

/// True for a request that goes where its Route says, whoever its Request-URI names: it is for a dialog, or passes on to
/// another server.
pub(in crate::node::service) fn is_routed(cx: &Context, request: &Message, flow: Option<&Flow>) -> bool {
    if request.method() == Some(Method::Register) {
        return false;
    }
    let named = |uri: &Uri<'_>| if is_own(cx, uri, flow) { uri.user().is_some() } else { true };
    let top = request.all::<Route<'_>>().next().and_then(Result::ok);
    top.and_then(|top| top.uri().ok().map(|uri| named(&uri))).unwrap_or_else(|| is_strict(cx, request, flow))
}

/// True for a request whose Route begins with a token of this server for its call.
pub(in crate::node::service) fn is_routed_by_token(
    cx: &Context,
    request: &Message,
    flow: Option<&Flow>,
) -> bool {
    read(cx, request, flow).is_ok_and(|route| !route.tokens.is_empty())
}

/// The server of the estate that the Route of a request leads to from here; none for a REGISTER, and without a Route.
pub(in crate::node::service) fn leads_to(
    cx: &Context,
    request: &Message,
    flow: Option<&Flow>,
) -> Option<String> {
    if request.method() == Some(Method::Register) {
        return None;
    }
    Some(read(cx, request, flow).ok()?.next?.host)
}

/// The user of the domain that a request is for by its Request-URI.
pub(in crate::node::service) fn user_named(cx: &Context, request: &Message) -> Option<String> {
    let uri = request.request_uri().and_then(|uri| Uri::parse(uri).ok())?;
    user_of(&uri, &cx.config.identity.domain)
}

/// A strict router puts the next hop into the Request-URI and its own target behind the Route.
fn is_strict(cx: &Context, request: &Message, flow: Option<&Flow>) -> bool {
    let uri = request.request_uri().and_then(|uri| Uri::parse(uri).ok());
    uri.is_some_and(|uri| {
        is_own(cx, &uri, flow)
            && uri.user().is_some_and(|user| {
                cx.route_tokens.read(user, request.call_id().unwrap_or_default()).is_some()
            })
    })
}

fn unfold_strict(cx: &Context, request: &Message, flow: Option<&Flow>) -> Option<Message> {
    if !is_strict(cx, request, flow) {
        return None;
    }
    let own = request.request_uri()?;
    let mut values: Vec<String> =
        request.all::<Route<'_>>().flatten().map(|route| format!("<{}>", route.uri_str())).collect();
    let target = NameAddr::parse(values.pop()?.as_bytes())?.uri_str().to_owned();
    let bare = Builder::from_message(&retargeted(request, &target)?).remove(Name::Route);
    let first = bare.header(Name::Route, format_args!("<{own}>"));
    Some(values.iter().fold(first, |built, value| built.header(Name::Route, value)).message())
}

/// The request with another Request-URI; none where that cannot stand there.
pub(super) fn retargeted(request: &Message, uri: &str) -> Option<Message> {
    if Uri::parse(uri).is_err() || uri.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return None;
    }
    let bytes = request.bytes();
    let line = bytes.iter().position(|byte| *byte == b'\n')?;
    let head = format!("{} {uri} SIP/2.0\r\n", request.method()?.as_str());
    let mut changed = Vec::with_capacity(head.len() + bytes.len());
    changed.extend_from_slice(head.as_bytes());
    changed.extend_from_slice(bytes.get(line + 1..)?);
    Message::parse(changed).ok()
}

/// True for this server: by name, or by the address a client dialled.
fn is_own(cx: &Context, uri: &Uri<'_>, flow: Option<&Flow>) -> bool {
    match uri.host() {
        Host::Name(name) => {
            let (name, identity) = (name.trim_end_matches('.'), &cx.config.identity);
            let is_domain = name.eq_ignore_ascii_case(&identity.domain) && uri.user().is_none();
            is_domain || name.eq_ignore_ascii_case(&identity.fqdn)
        }
        host => flow.is_some_and(|flow| {
            let port = uri.port().unwrap_or(flow.transport.default_port());
            host.ip().map(|ip| ip.to_canonical()) == Some(flow.local.ip().to_canonical())
                && port == flow.local.port()
        }),
    }
}

fn server_of(cx: &Context, uri: &Uri<'_>) -> Result<ServerName, BadRoute> {
    let Host::Name(name) = uri.host() else {
        return Err(BadRoute { status: 403, why: "its Route leads out of this estate" });
    };
    match cx.config.peer(name.trim_end_matches('.')) {
        Some(peer) => Ok(between_servers(&cx.config, &peer.fqdn)),
        None => Err(BadRoute { status: 403, why: "its Route leads out of this estate" }),
    }
}

/// Route and Record-Route values of one request; a call through this estate has at most eight.
const MOST_HOPS: usize = 20;
