//! Requests for the server itself, other than REGISTER: what it says to them.

use homing_core::time::Now;
use homing_wire::{Message, Method, Name};

use super::proxy::ends_here;
use super::{Authenticated, Service, Step};
use crate::journal::{Decision, Verdict};
use crate::node::context::Context;
use crate::node::reply::Reply;

/// Answers OPTIONS, and refuses every method that no other service took.
pub(crate) struct Options;

impl Service for Options {
    fn handle_request(&mut self, cx: &mut Context, step: Step, now: Now) -> Step {
        let Step::Authenticated(authenticated) = step else { return step };
        let Authenticated { request, principal, cancels } = &*authenticated;
        let register = request.request.method() == Some(Method::Register);
        let passed_on = cancels.is_some() || !ends_here(cx, &request.request, cx.flows.find(request.flow));
        if register || passed_on {
            return Step::Authenticated(authenticated);
        }
        let (reply, why) = reply_to(&request.request);
        let verdict = if reply.status == 200 { Verdict::Accepted } else { Verdict::Refused };
        cx.note(Some(request.flow), Decision::new(verdict, why).about(&principal.endpoint.user), now);
        cx.respond(request, reply, &principal.response_auth, now);
        Step::Done
    }
}

fn reply_to(request: &Message) -> (Reply, &'static str) {
    match request.method() {
        Some(Method::Options) => (with_allow(Reply::new(200)).header(Name::Accept, "*/*"), "it is here"),
        Some(Method::Subscribe | Method::Publish) => {
            (Reply::new(489).header(Name::AllowEvents, "registration"), "no such event package here")
        }
        Some(Method::Cancel | Method::Bye | Method::Update | Method::Prack | Method::Notify) => {
            (Reply::new(481), "there is no such call or subscription")
        }
        Some(Method::Other(_)) | None => (with_allow(Reply::new(501)), "an unknown method"),
        Some(_) => (with_allow(Reply::new(405)), "this server itself makes no calls"),
    }
}

/// Adds what this server understands.
pub(crate) fn with_allow(reply: Reply) -> Reply {
    reply.header(Name::Allow, "REGISTER, OPTIONS, CANCEL").header(Name::Supported, "path, outbound, gruu-10")
}
