//! Where an authenticated request goes: along its Route, to a user, or nowhere (RFC 3261 16.4, 16.5).

use std::collections::VecDeque;

use homing_wire::{Message, Method, Name};

use super::forward::{hops_left, is_loop};
use super::route::{self, RouteSet, user_named};
use super::target::{self, Target, is_same_device};
use crate::directory::Lookup;
use crate::node::authenticator::Principal;
use crate::node::context::Context;
use crate::node::flows::Flow;
use crate::node::route_token::RouteToken;
use crate::node::routing::between_servers;

/// Where a request goes.
pub(super) enum Destination {
    /// There, with nothing to be asked.
    Along(Box<Target>),
    /// To this user, wherever the directory says that is.
    User(String),
    /// It is refused.
    Nowhere(Refusal),
}

/// Why a request goes nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::node::service) struct Refusal {
    pub(super) status: u16,
    pub(super) why: &'static str,
}

impl Refusal {
    pub(super) const fn new(status: u16, why: &'static str) -> Self {
        Self { status, why }
    }
}

/// What is known of a request once its Route was read.
pub(super) struct Directions {
    pub(super) route: RouteSet,
    pub(super) destination: Destination,
}

/// Reads where a request goes that came by `flow` and that its sender proved to have sent.
pub(super) fn directions(
    cx: &Context,
    request: &Message,
    principal: &Principal,
    flow: &Flow,
) -> Result<Directions, Refusal> {
    if hops_left(request).is_none() {
        return Err(Refusal::new(483, "too many hops"));
    }
    if is_loop(cx, request) {
        return Err(Refusal::new(482, "it was here before"));
    }
    let route = route::read(cx, request, Some(flow))?;
    let request = route.rewritten.as_ref().unwrap_or(request);
    let from_client = principal.is_proved_here();
    let own = route.tokens.first().filter(|_| from_client);
    if own.is_some_and(|own| !is_same_device(&own.endpoint, &principal.endpoint)) {
        return Err(Refusal::new(403, "its Route is that of another endpoint"));
    }
    // A client's own token comes first: the other end's is the last, where this server serves both.
    let named = route.tokens.last().filter(|_| !from_client || route.tokens.len() > 1);
    // Only the other end of the call may send along a token; its own says where it is itself.
    let user = &principal.endpoint.user;
    let may_send =
        |token: &RouteToken| token.peer == *user || (route.next.is_some() && token.endpoint.user == *user);
    if named.is_some_and(|token| !may_send(token)) {
        return Err(Refusal::new(403, "it is not the other end of this call"));
    }
    let destination = match (route.next.clone(), named) {
        (Some(server), _) => Destination::Along(Box::new(Target::server(server))),
        (None, Some(token)) => match target::endpoint(cx, token, request.call_id().unwrap_or_default()) {
            Some(target) => Destination::Along(Box::new(target)),
            None => Destination::Nowhere(Refusal::new(430, "that endpoint has no connection now")),
        },
        (None, None) => match user_named(cx, request) {
            Some(user) => Destination::User(user),
            None => Destination::Nowhere(Refusal::new(404, "it is for nobody of this domain")),
        },
    };
    Ok(Directions { route, destination })
}

/// The targets of a request for `user` by what the directory said.
pub(in crate::node::service) fn of_user(
    cx: &Context,
    user: &str,
    found: &Lookup,
    request: &Message,
    sender: &str,
) -> Result<VecDeque<Vec<Target>>, Refusal> {
    let here = match found {
        Lookup::Home { home, .. } if *home == cx.config.identity.fqdn => cx.config.role.is_home(),
        Lookup::Home { home, .. } => {
            let target = Target::server(between_servers(&cx.config, home));
            return Ok(VecDeque::from([vec![target]]));
        }
        Lookup::Unknown if cx.config.accounts.find(user).is_some() => {
            return Err(Refusal::new(480, "this user is at home nowhere"));
        }
        Lookup::Unknown => return Err(Refusal::new(404, "no such user in this domain")),
        // Whoever is bound here is reached while the directory is away.
        Lookup::Unavailable => !cx.bindings.of(user).is_empty(),
    };
    if !here {
        return Err(Refusal::new(503, "nobody can say where this user is at home"));
    }
    let groups = target::devices(cx, user, request, sender);
    if groups.is_empty() { Err(Refusal::new(480, "this user is not signed in here")) } else { Ok(groups) }
}

/// True for a request that this server answers itself, because it is for the server, or for a package it keeps.
pub(in crate::node::service) fn ends_here(cx: &Context, request: &Message, flow: Option<&Flow>) -> bool {
    if route::is_routed(cx, request, flow) {
        return false;
    }
    let in_dialog = request.to().is_ok_and(|to| to.tag().is_some());
    let kept = matches!(request.method(), Some(Method::Subscribe | Method::Publish)) && !in_dialog;
    let register = request.method() == Some(Method::Register);
    kept || register || user_named(cx, request).is_none()
}

/// How many devices may ring for a request at the same time in all (RFC 5393): what it says, or the server's own bound.
pub(super) fn breadth(cx: &Context, request: &Message) -> u32 {
    let most = cx.config.calls.breadth;
    let said = request.text(Name::MaxBreadth).and_then(|text| text.trim().parse::<u32>().ok());
    said.map_or(most, |said| said.min(most))
}

/// Groups of at most so many: what may not ring at the same time rings one after the other.
pub(super) fn narrowed(groups: VecDeque<Vec<Target>>, most: usize) -> VecDeque<Vec<Target>> {
    let mut narrow: VecDeque<Vec<Target>> = VecDeque::new();
    for group in groups {
        for (number, target) in group.into_iter().enumerate() {
            if number % most.max(1) == 0 {
                narrow.push_back(Vec::new());
            }
            if let Some(last) = narrow.back_mut() {
                last.push(target);
            }
        }
    }
    narrow
}

impl From<route::BadRoute> for Refusal {
    fn from(bad: route::BadRoute) -> Self {
        Self { status: bad.status, why: bad.why }
    }
}
