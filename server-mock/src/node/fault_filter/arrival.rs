//! The filter before the services: it holds requests back, loses them, answers in their place or takes their credentials
//! away.

use homing_core::time::Now;
use homing_wire::{Builder, Message, Method, Name};

use super::responses::Delayed;
use crate::fault::{Fault, Respond, Stage};
use crate::journal::{Decision, Verdict};
use crate::node::authenticator::{ResponseAuth, Unsigned};
use crate::node::context::Context;
use crate::node::reply::Reply;
use crate::node::service::{Received, Service, Step};

/// Plays the faults of a request that arrives. A request that was held back, and a CANCEL, begin behind it.
pub(crate) struct ArrivalFaults;

impl Service for ArrivalFaults {
    fn handle_request(&mut self, cx: &mut Context, step: Step, now: Now) -> Step {
        match step {
            Step::Received(received) => on_arrival(cx, received, now),
            other => other,
        }
    }
}

fn on_arrival(cx: &mut Context, received: Box<Received>, now: Now) -> Step {
    let Some(fault) = cx.faults.take(Stage::Arrival, &received.request) else {
        return without_credentials(cx, received, now);
    };
    let Received { flow, request, .. } = *received;
    cx.note(Some(flow), Decision::new(Verdict::Fault, fault.to_string()), now);
    match fault {
        Fault::Delay(pause) => {
            let id = cx.next_id();
            cx.faults.delay(now.after(pause), id, Delayed { flow, request });
        }
        Fault::Cut => cx.cut(flow, now),
        Fault::Garbage(length) => {
            let blocks = usize::from(length) / 16 + 1;
            let garbage: String = std::iter::repeat_with(|| cx.random.garbage()).take(blocks).collect();
            let bytes = garbage.into_bytes()[..usize::from(length)].to_vec();
            cx.send(flow, bytes.into(), now);
        }
        // An ACK has no answer.
        Fault::Respond(respond) if request.method() != Some(Method::Ack) => {
            cx.respond_early(flow, request, made_up(respond), now);
        }
        Fault::Challenge(value) => {
            if let Some(request) = cx.accept(flow, request, now) {
                let reply = Reply::new(401).header(Name::WwwAuthenticate, value);
                cx.respond(&request, reply, &ResponseAuth::Unsigned(Unsigned::Unauthenticated), now);
            }
        }
        // Lost, or never answered.
        _ => {}
    }
    Step::Done
}

fn made_up(respond: Respond) -> Reply {
    let Respond { status, reason, headers, body } = respond;
    let reply = Reply::new(status).made_up(headers, body);
    match reason {
        Some(reason) => reply.reason(reason),
        None => reply,
    }
}

/// Credentials that would prove something never reach the services, so that they challenge forever.
fn without_credentials(cx: &mut Context, received: Box<Received>, now: Now) -> Step {
    if !proves_something(&received.request) {
        return Step::Received(received);
    }
    let Some(fault) = cx.faults.take(Stage::Authentication, &received.request) else {
        return Step::Received(received);
    };
    cx.note(Some(received.flow), Decision::new(Verdict::Fault, fault.to_string()), now);
    let bare =
        Builder::from_message(&received.request).remove(Name::Authorization).remove(Name::ProxyAuthorization);
    Step::Received(Box::new(Received { request: bare.message(), ..*received }))
}

/// True for the answer to a challenge, and for a signature.
fn proves_something(request: &Message) -> bool {
    let mut shown =
        [Name::Authorization, Name::ProxyAuthorization].into_iter().flat_map(|name| request.auth(name));
    shown.any(|auth| {
        auth.param("response").is_some() || auth.param("gssapi-data").is_some_and(|token| !token.is_empty())
    })
}
