//! Leaves authentication to the home server: requests that are proxied go there with their credentials untouched
//! (patent paragraphs 32, 41).

use homing_core::time::Now;
use homing_wire::{Message, Method, Name};

use super::{Ack, AckWay, LookUp, Pending, Received, Routed, Service, Step, proxy};
use crate::directory::Lookup;
use crate::node::config::{BehindProxy, Mode, RoutingConfig};
use crate::node::context::Context;
use crate::node::endpoint::Endpoint;
use crate::node::routing::{RouteDecision, between_servers};

/// Finds out which server a request belongs to, before anybody proved anything.
pub(crate) struct HomeAuthentication;

impl Service for HomeAuthentication {
    /// Inside a dialog requests go to the server their Route names. Between two REGISTERs others go to the server that owns the association, wherever its user belongs by
    /// now; for all others the directory is asked.
    fn handle_request(&mut self, cx: &mut Context, step: Step, now: Now) -> Step {
        let Step::Received(received) = step else { return step };
        let trusted = cx.flows.find(received.flow).is_some_and(|flow| flow.trusted.is_some());
        if trusted || !is_left_to_home(&cx.config.routing, &received.request) {
            return Step::Received(received);
        }
        // What came along a Route of this server is a call of its own.
        if is_routed_here(cx, &received) {
            return Step::Received(received);
        }
        if received.request.method() == Some(Method::Ack) {
            return pass_ack_on(cx, received);
        }
        if let Some(server) = proxy::leads_to(cx, &received.request, cx.flows.find(received.flow)) {
            return pass_on(cx, received, &server, now);
        }
        let Some(endpoint) = Endpoint::of(&received.request) else { return Step::Received(received) };
        if received.request.method() != Some(Method::Register)
            && let Some(owner) = association_owner(cx, &received.request)
        {
            return pass_on(cx, received, &owner, now);
        }
        Step::LookUp(LookUp { user: endpoint.user, pending: Pending::Received(received) })
    }

    fn handle_lookup(&mut self, cx: &mut Context, asked: LookUp, found: &Lookup, now: Now) -> Step {
        let Pending::Received(received) = asked.pending else { return Step::Done };
        match found {
            Lookup::Home { home, .. } => pass_on(cx, received, home, now),
            Lookup::Unknown | Lookup::Unavailable => Step::Received(received),
        }
    }
}

/// True for a request that would be proxied, where its home server authenticates.
///
/// A CANCEL goes from neighbour to neighbour.
fn is_left_to_home(routing: &RoutingConfig, request: &Message) -> bool {
    let proxies = match routing.mode {
        Mode::AlwaysProxy => true,
        Mode::ByVia => request.via_count() > 1,
        Mode::AlwaysRedirect => false,
    };
    routing.behind_proxy == BehindProxy::Rechallenge && proxies && request.method() != Some(Method::Cancel)
}

/// True for a request whose Route begins with a token of this server's own.
fn is_routed_here(cx: &Context, received: &Received) -> bool {
    let flow = cx.flows.find(received.flow);
    proxy::is_routed_by_token(cx, &received.request, flow)
}

/// An ACK cannot be challenged: it goes to the server under whose association it is signed, or is judged here.
fn pass_ack_on(cx: &Context, received: Box<Received>) -> Step {
    let owner = association_owner(cx, &received.request).filter(|owner| *owner != cx.config.identity.fqdn);
    let Some(owner) = owner else { return Step::Received(received) };
    let Received { flow, request, .. } = *received;
    let way = AckWay::Untouched(between_servers(&cx.config, &owner));
    Step::Ack(Box::new(Ack { flow, request, way }))
}

/// Passes a request on untouched if it belongs elsewhere.
fn pass_on(cx: &mut Context, received: Box<Received>, home: &str, now: Now) -> Step {
    if *home == cx.config.identity.fqdn {
        return Step::Received(received);
    }
    let decision = RouteDecision::PassOn { home: between_servers(&cx.config, home) };
    let Some(request) = cx.accept(received.flow, received.request, now) else { return Step::Done };
    let why = "its home server asks for credentials".into();
    Step::Routed(Box::new(Routed { request, principal: None, decision, why }))
}

/// The server of the estate whose credentials a request shows.
fn association_owner(cx: &Context, request: &Message) -> Option<String> {
    let mut shown =
        [Name::Authorization, Name::ProxyAuthorization].into_iter().flat_map(|name| request.auth(name));
    let named = shown.find_map(|auth| {
        let name = auth.param("targetname")?;
        cx.config.peer(name.strip_prefix("sip/").unwrap_or(name))
    });
    named.map(|peer| peer.fqdn.clone())
}
