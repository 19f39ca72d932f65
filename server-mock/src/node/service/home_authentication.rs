//! Leaves authentication to the home server: requests that are proxied go there with their credentials untouched
//! (patent paragraphs 32, 41).

use homing_core::time::Now;
use homing_wire::{Message, Method, Name};

use super::{LookUp, Pending, Received, Routed, Service, Step};
use crate::directory::Lookup;
use crate::node::config::{BehindProxy, Mode, RoutingConfig};
use crate::node::context::Context;
use crate::node::endpoint::Endpoint;
use crate::node::routing::{RouteDecision, between_servers};

/// Finds out which server a request belongs to, before anybody proved anything.
pub(crate) struct HomeAuthentication;

impl Service for HomeAuthentication {
    /// Between two REGISTERs requests go to the server that owns the association, wherever its user belongs by
    /// now; for all others the directory is asked.
    fn handle_request(&mut self, cx: &mut Context, step: Step, now: Now) -> Step {
        let Step::Received(received) = step else { return step };
        let trusted = cx.flows.find(received.flow).is_some_and(|flow| flow.trusted.is_some());
        if trusted || !is_left_to_home(&cx.config.routing, &received.request) {
            return Step::Received(received);
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
/// ACK and CANCEL go from neighbour to neighbour and cannot be challenged.
fn is_left_to_home(routing: &RoutingConfig, request: &Message) -> bool {
    let proxies = match routing.mode {
        Mode::AlwaysProxy => true,
        Mode::ByVia => request.via_count() > 1,
        Mode::AlwaysRedirect => false,
    };
    routing.behind_proxy == BehindProxy::Rechallenge
        && proxies
        && !matches!(request.method(), Some(Method::Ack | Method::Cancel))
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
