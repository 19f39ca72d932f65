//! What a server adds where the request that it passed on for a client is a REGISTER: keep-alives, the life of the
//! association, and a count of wrong passwords.

use std::time::Duration;

use homing_core::time::Now;
use homing_wire::{Builder, Message, Method, Name};

use super::back::Back;
use crate::journal::{Decision, Verdict};
use crate::node::authenticator::{ResponseAuth, Unsigned};
use crate::node::context::{Context, ServerRequest};
use crate::node::reply::Reply;
use crate::node::service::registrar::ASSOCIATION_GRACE;

/// The response with what this server agrees on with its client, once it was granted.
pub(super) fn granted(
    cx: &mut Context,
    request: &ServerRequest,
    back: &Back,
    response: &Message,
    now: Now,
) -> Builder {
    let mut builder = back.returned(response, false);
    if response.status() != Some(200) || request.request.method() != Some(Method::Register) {
        return builder;
    }
    let to_server = cx.flows.find(request.flow).is_some_and(|flow| flow.trusted.is_some());
    if !to_server {
        builder = kept_here(cx, request, builder, now);
        // The home server said who it is; the peer may go only where too many by UDP are held.
        cx.hold(request.flow, now);
    }
    if let Back::Signed(principal) = back
        && let ResponseAuth::Association(session) = principal.response_auth
    {
        let granted = response.expires().ok().flatten().unwrap_or(0);
        let until = now.after(Duration::from_secs(u64::from(granted) + ASSOCIATION_GRACE));
        cx.sessions.hold(session, until);
    }
    builder
}

/// Keep-alives are between neighbours: this server agrees on them with its client.
fn kept_here(cx: &mut Context, request: &ServerRequest, builder: Builder, now: Now) -> Builder {
    let agreed = cx.agree_on_keep_alive(request.flow, &request.request, Reply::new(200), now);
    agreed.headers().fold(builder, |built, (name, value)| built.replace(name, value))
}

/// Counts what a home server refused: a failed log-on counts against the connection of the client here, since behind
/// this server's flow the home server cannot tell its clients apart. True once there were too many.
pub(super) fn counts_refusal(cx: &mut Context, request: &ServerRequest, response: &Message) -> bool {
    let most = cx.config.authentication.limits.attempts;
    let Some(client) = cx.flows.find_mut(request.flow).filter(|found| found.trusted.is_none()) else {
        return false;
    };
    if !is_refused_log_on(&request.request, response) {
        return false;
    }
    client.attempts = client.attempts.saturating_add(1);
    client.attempts >= most
}

pub(super) fn refuse_after_too_many(cx: &mut Context, request: &ServerRequest, now: Now) {
    let why = "too many wrong credentials on this connection";
    cx.note(Some(request.flow), Decision::new(Verdict::Refused, format!("403: {why}")), now);
    let reply = Reply::new(403).diagnostics(4003, why, &cx.config.identity.fqdn);
    cx.respond(request, reply, &ResponseAuth::Unsigned(Unsigned::Unauthenticated), now);
}

/// True for credentials that were to prove a password, answered as if none had been shown.
fn is_refused_log_on(request: &Message, response: &Message) -> bool {
    let mut shown =
        [Name::Authorization, Name::ProxyAuthorization].into_iter().flat_map(|name| request.auth(name));
    let mut asked =
        [Name::WwwAuthenticate, Name::ProxyAuthenticate].into_iter().flat_map(|name| response.auth(name));
    let goes_on = |name: &str, value: &str| name == "gssapi-data" || (name == "stale" && value == "true");
    matches!(response.status(), Some(401 | 407))
        && shown.any(|auth| {
            auth.param("gssapi-data").is_some_and(|token| !token.is_empty())
                || (auth.is("Digest") && auth.param("response").is_some())
        })
        && !asked.any(|auth| {
            ["gssapi-data", "stale"]
                .iter()
                .any(|name| auth.param(name).is_some_and(|value| goes_on(name, value)))
        })
}
