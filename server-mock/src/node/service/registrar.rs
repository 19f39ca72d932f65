//! The registrar (RFC 3261 10.3): this server is the user's home, and holds the binding (patent step 508).

use std::time::Duration;

use homing_core::time::Now;
use homing_wire::Name;

use super::register_response::reply_to;
use super::registration_notifier::push_out;
use super::{Routed, Service, Step};
use crate::journal::{Decision, Verdict};
use crate::node::authenticator::{Principal, ResponseAuth};
use crate::node::bindings::{RegisterOutcome, Registrant};
use crate::node::context::{Context, ServerRequest};
use crate::node::reply::Reply;
use crate::node::routing::RouteDecision;

/// Carries out the decision to accept.
pub(crate) struct Registrar;

impl Service for Registrar {
    fn handle_request(&mut self, cx: &mut Context, step: Step, now: Now) -> Step {
        let Step::Routed(routed) = step else { return step };
        let Routed { request, principal: Some(principal), decision: RouteDecision::Accept, why } = &*routed
        else {
            return Step::Routed(routed);
        };
        let said = Decision::new(Verdict::Accepted, why.clone()).about(&principal.endpoint.user);
        cx.note(Some(request.flow), said, now);
        bind(cx, request, principal, now);
        Step::Done
    }
}

fn bind(cx: &mut Context, request: &ServerRequest, principal: &Principal, now: Now) {
    let Some(here) = cx.flows.find(request.flow) else { return };
    let trusted = here.trusted.is_some();
    let registrant = Registrant { endpoint: &principal.endpoint, flow: request.flow, trusted };
    let outcome = match cx.bindings.register(&request.request, &registrant, now) {
        Ok(outcome) => outcome,
        Err((status, why)) => {
            let said = Decision::new(Verdict::Refused, format!("{status}: {why}"));
            cx.note(Some(request.flow), said, now);
            let mut reply = Reply::new(status).reason(why);
            if status == 423 {
                reply = reply.header(Name::MinExpires, cx.config.registrar.min_expires);
            }
            return cx.respond(request, reply, &principal.response_auth, now);
        }
    };
    note_outcome(cx, request, principal, &outcome, now);
    if let ResponseAuth::Association(id) = principal.response_auth {
        let needed = now.after(Duration::from_secs(u64::from(outcome.granted) + ASSOCIATION_GRACE));
        cx.sessions.hold(id, needed);
    }
    for gone in &outcome.pushed_out {
        push_out(cx, gone, now);
    }
    let mut reply = reply_to(&cx.bindings, &request.request, &registrant, outcome.action, now);
    // A client that hears 200 takes all of its Contacts for registered.
    if outcome.pushed_out.iter().any(|gone| gone.endpoint == principal.endpoint) {
        let (most, fqdn) = (cx.config.registrar.endpoints, &cx.config.identity.fqdn);
        let warning = format!("399 {fqdn} \"only the last {most} Contacts are kept\"");
        reply = reply.header(Name::Warning, warning);
    }
    if !trusted {
        reply = cx.agree_on_keep_alive(request.flow, &request.request, reply, now);
    }
    let date = cx.dates.at(now);
    cx.respond(request, reply.header(Name::Date, date), &principal.response_auth, now);
}

fn note_outcome(
    cx: &mut Context,
    request: &ServerRequest,
    principal: &Principal,
    outcome: &RegisterOutcome,
    now: Now,
) {
    let (verdict, why) = match outcome.granted {
        0 => (Verdict::Unregistered, "by its client".to_owned()),
        seconds => (Verdict::Registered, format!("{} for {seconds} s", outcome.action)),
    };
    cx.note(Some(request.flow), Decision::new(verdict, why).about(&principal.endpoint), now);
    let gone = outcome.pushed_out.len();
    if gone > 0 {
        let most = cx.config.registrar.endpoints;
        let why = format!("the oldest {gone} of its user's bindings: a user has at most {most} here");
        let said = Decision::new(Verdict::Unregistered, why).about(&principal.endpoint.user);
        cx.note(Some(request.flow), said, now);
    }
}

/// Seconds an association outlives its registration.
pub(super) const ASSOCIATION_GRACE: u64 = 30;
