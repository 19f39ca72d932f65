//! Methods other than REGISTER: what a server without calls and presence says to them.

use homing_core::time::Now;
use homing_wire::{Message, Method, Name, Uri};

use super::{Authenticated, Service, Step};
use crate::journal::{Decision, Verdict};
use crate::node::context::Context;
use crate::node::endpoint::address_of;
use crate::node::reply::Reply;

/// Answers OPTIONS, and refuses every method that no other service took.
pub(crate) struct Options;

impl Service for Options {
    fn handle_request(&mut self, cx: &mut Context, step: Step, now: Now) -> Step {
        let Step::Authenticated(authenticated) = step else { return step };
        let Authenticated { request, principal } = &*authenticated;
        if request.request.method() == Some(Method::Register) {
            return Step::Authenticated(authenticated);
        }
        let (reply, why) = reply_to(cx, &request.request);
        let verdict = if reply.status == 200 { Verdict::Accepted } else { Verdict::Refused };
        cx.note(Some(request.flow), Decision::new(verdict, why).about(&principal.endpoint.user), now);
        cx.respond(request, reply, &principal.response_auth, now);
        Step::Done
    }
}

fn reply_to(cx: &Context, request: &Message) -> (Reply, &'static str) {
    match request.method() {
        Some(Method::Options) => options(cx, request),
        Some(Method::Subscribe | Method::Publish) => {
            (Reply::new(489).header(Name::AllowEvents, "registration"), "no such event package here")
        }
        Some(Method::Cancel | Method::Bye | Method::Update | Method::Prack | Method::Notify) => {
            (Reply::new(481), "there is no such call or subscription")
        }
        Some(Method::Other(_)) | None => (with_allow(Reply::new(501)), "an unknown method"),
        Some(_) => (with_allow(Reply::new(405)), "this server carries registrations"),
    }
}

/// Of a user, what an INVITE would get (RFC 3261 section 11); of the server itself, what it understands.
fn options(cx: &Context, request: &Message) -> (Reply, &'static str) {
    let uri = request.request_uri().and_then(|uri| Uri::parse(uri).ok());
    let address = uri.as_ref().and_then(address_of);
    let address = address.as_deref().map(|address| address.trim_end_matches('.'));
    let is_user =
        |address: &&str| address.rsplit_once('@').is_some_and(|(_, host)| host == cx.config.identity.domain);
    let fqdn = &cx.config.identity.fqdn;
    match address.filter(is_user) {
        Some(user) if cx.bindings.of(user).is_empty() => {
            let schemes = cx.config.authentication.schemes;
            // Where no password is asked for, no account is needed.
            let asks = schemes.ntlm() || schemes.digest();
            if asks && cx.config.accounts.find(user).is_none() {
                let why = "no such user in this domain";
                return (Reply::new(404).diagnostics(1003, why, fqdn), why);
            }
            let why = "this user is not signed in here";
            (Reply::new(480).diagnostics(1004, why, fqdn), why)
        }
        _ => (with_allow(Reply::new(200)).header(Name::Accept, "*/*"), "it is here"),
    }
}

/// Adds what this server understands.
pub(crate) fn with_allow(reply: Reply) -> Reply {
    reply.header(Name::Allow, "REGISTER, OPTIONS, CANCEL").header(Name::Supported, "path, outbound, gruu-10")
}
