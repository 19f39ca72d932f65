//! The filter in place of a routing decision: wrong redirects, and refusals instead of what was decided.

use homing_core::time::Now;
use homing_wire::Name;

use super::false_redirect;
use crate::fault::{Fault, Stage};
use crate::journal::{Decision, Verdict};
use crate::node::context::Context;
use crate::node::reply::Reply;
use crate::node::service::{Routed, Service, Step};

/// Plays the faults of a decision about a client's request.
pub(crate) struct RoutingFaults;

impl Service for RoutingFaults {
    fn handle_request(&mut self, cx: &mut Context, step: Step, now: Now) -> Step {
        match step {
            Step::Routed(routed) => in_place_of_decision(cx, routed, now),
            other => other,
        }
    }
}

fn in_place_of_decision(cx: &mut Context, routed: Box<Routed>, now: Now) -> Step {
    let from_client = cx.flows.find(routed.request.flow).is_some_and(|flow| flow.trusted.is_none());
    // What goes on without a sender was decided elsewhere: no fault takes the place of that.
    let Routed { request, principal: Some(principal), decision, .. } = &*routed else {
        return Step::Routed(routed);
    };
    let taken = from_client.then(|| cx.faults.take(Stage::Routing, &request.request)).flatten();
    let Some(fault) = taken else {
        return Step::Routed(routed);
    };
    cx.note(Some(request.flow), Decision::new(Verdict::Fault, fault.to_string()), now);
    match fault {
        Fault::Status503 { retry_after } => {
            let mut reply = Reply::new(503);
            if let Some(seconds) = retry_after {
                reply = reply.header(Name::RetryAfter, seconds);
            }
            cx.respond(request, reply, &principal.response_auth, now);
        }
        Fault::Status500 => cx.respond(request, Reply::new(500), &principal.response_auth, now),
        fault => {
            let subject = false_redirect::Subject { request, principal, decision };
            false_redirect::send(cx, subject, &fault, now);
        }
    }
    Step::Done
}
