//! The proxy: passes requests on to the home server for a client, and back to the client along its Path.
//!
//! Servers speak with each other over mutual TLS. The one that challenged the client owns its
//! association: it takes the client's credentials away, vouches for the user, and signs everything
//! towards the client again (decision 15).

use std::collections::BTreeMap;
use std::time::Duration;

use homing_core::auth::signed::{NoAssociation, Signed};
use homing_core::ids::FlowId;
use homing_core::server::ServerName;
use homing_core::time::Now;
use homing_core::transaction::FlowRef;
use homing_wire::{Builder, Message, Method, Name};

use super::registrar::ASSOCIATION_GRACE;
use super::{Authenticated, Routed, Service, Step};
use crate::journal::{Decision, Verdict};
use crate::node::authenticator::{ResponseAuth, SessionId, Unsigned};
use crate::node::config::BETWEEN_SERVERS;
use crate::node::context::{Context, Final, Owner, ServerRequest};
use crate::node::endpoint::Endpoint;
use crate::node::reply::{Reply, stamped_via};
use crate::node::routing::RouteDecision;

/// Carries out the decisions to pass a request on.
#[derive(Default)]
pub(crate) struct Relay {
    pending: BTreeMap<u64, PendingRelay>,
}

/// A request that was passed on and waits for its response.
struct PendingRelay {
    request: ServerRequest,
    back: Back,
}

/// How a response goes back.
enum Back {
    /// Authenticated by this server; what another put there is taken off.
    Signed(ResponseAuth),
    /// As it came: the server behind this one signed it.
    AsItCame,
}

/// The outgoing half of a relay, but for Via and signature.
struct Outgoing {
    builder: Builder,
    flow: FlowId,
    /// The server to be dialled first, where there is no flow to it yet.
    dial: Option<ServerName>,
}

impl Service for Relay {
    fn handle_request(&mut self, cx: &mut Context, step: Step, now: Now) -> Step {
        let Step::Routed(routed) = step else { return step };
        let Routed { request, principal, decision, why } = *routed;
        let user = principal.as_ref().map(|principal| principal.endpoint.user.clone()).unwrap_or_default();
        match (decision, principal) {
            (RouteDecision::Proxy { home }, Some(principal)) => {
                let said = Decision::new(Verdict::Proxied, why).about(&user).towards(&home);
                cx.note(Some(request.flow), said, now);
                cx.unbind(request.flow, &principal, now);
                self.relay_up(cx, Authenticated { request, principal }, home, now);
            }
            (RouteDecision::PassOn { home }, _) => {
                let said = Decision::new(Verdict::Proxied, why).towards(&home);
                cx.note(Some(request.flow), said, now);
                self.relay_untouched(cx, request, home, now);
            }
            (RouteDecision::AlongPath { flow }, _) => self.relay_down(cx, request, flow, now),
            (decision, principal) => {
                return Step::Routed(Box::new(Routed { request, principal, decision, why }));
            }
        }
        Step::Done
    }

    /// The response goes back, authenticated for the one that asked.
    fn handle_response(&mut self, cx: &mut Context, relay: u64, response: &Message, now: Now) {
        let Some(PendingRelay { request, back }) = self.pending.remove(&relay) else { return };
        if matches!(back, Back::AsItCame) && counts_refusal(cx, &request, response) {
            return refuse_after_too_many(cx, &request, now);
        }
        let status = response.status().unwrap_or(500);
        let mut builder = Builder::from_message(response).remove_first(Name::Via);
        let to_server = cx.flows.find(request.flow).is_some_and(|flow| flow.trusted.is_some());
        let registered = status == 200 && request.request.method() == Some(Method::Register);
        if registered && !to_server {
            builder = kept_here(cx, &request, builder, now);
            // The home server said who it is; the peer may go only where too many by UDP are held.
            cx.hold(request.flow, now);
        }
        let auth = match back {
            Back::AsItCame => ResponseAuth::Unsigned(Unsigned::Relayed),
            Back::Signed(auth) => {
                builder = builder.remove(Name::AuthenticationInfo).remove(Name::ProxyAuthenticationInfo);
                auth
            }
        };
        if let ResponseAuth::Association(session) = auth
            && registered
        {
            let granted = response.expires().ok().flatten().unwrap_or(0);
            let until = now.after(Duration::from_secs(u64::from(granted) + ASSOCIATION_GRACE));
            cx.sessions.hold(session, until);
        }
        match cx.sign(builder.message(), &request.request, &auth) {
            Ok(answer) => cx.conclude(&request, Final { bytes: answer.into(), status }, &auth, now),
            Err(not_signed) => cx.give_up(&request, not_signed, now),
        }
    }

    /// No response came, or the way there is gone.
    fn handle_failure(&mut self, cx: &mut Context, relay: u64, status: u16, now: Now) {
        let Some(PendingRelay { request, back }) = self.pending.remove(&relay) else { return };
        let auth = match back {
            Back::Signed(auth) => auth,
            Back::AsItCame => ResponseAuth::Unsigned(Unsigned::Relayed),
        };
        let why = if status == 408 {
            "the next server did not answer"
        } else {
            "the next server cannot be reached"
        };
        cx.note(Some(request.flow), Decision::new(Verdict::Refused, format!("{status}: {why}")), now);
        let mut reply = Reply::new(status);
        if status == 503 {
            reply = reply.header(Name::RetryAfter, cx.retry_after(HOME_PAUSE, now));
        }
        let reply = reply.diagnostics(1038, why, &cx.config.identity.fqdn);
        cx.respond(&request, reply, &auth, now);
    }

    fn in_hand(&self) -> usize {
        self.pending.len()
    }
}

impl Relay {
    /// Passes a client's REGISTER on to its home server (patent step 514).
    fn relay_up(&mut self, cx: &mut Context, authenticated: Authenticated, home: ServerName, now: Now) {
        let Authenticated { request, principal } = authenticated;
        let Some(hops) = hops_left(&request.request) else {
            return cx.respond(&request, Reply::new(483), &principal.response_auth, now);
        };
        let (link, new) = cx.flows.link(&home, BETWEEN_SERVERS);
        let builder = forwarded(cx, &request, hops)
            .remove(Name::Authorization)
            .remove(Name::ProxyAuthorization)
            .replace(Name::PAssertedIdentity, format_args!("<sip:{}>", principal.endpoint.user));
        let builder = with_path(cx, builder, request.flow);
        let outgoing = Outgoing { builder, flow: link, dial: new.then_some(home) };
        let pending = PendingRelay { request, back: Back::Signed(principal.response_auth) };
        self.start(cx, pending, outgoing, now);
    }

    /// Passes a client's request on with its credentials, for the server there to judge.
    fn relay_untouched(&mut self, cx: &mut Context, request: ServerRequest, server: ServerName, now: Now) {
        let Some(hops) = hops_left(&request.request) else {
            let unsigned = ResponseAuth::Unsigned(Unsigned::Unauthenticated);
            return cx.respond(&request, Reply::new(483), &unsigned, now);
        };
        let (link, new) = cx.flows.link(&server, BETWEEN_SERVERS);
        // A client that vouches for itself would be believed there: the link is trusted.
        let mut builder = forwarded(cx, &request, hops).remove(Name::PAssertedIdentity);
        if request.request.method() == Some(Method::Register) {
            builder = with_path(cx, builder, request.flow);
        }
        let outgoing = Outgoing { builder, flow: link, dial: new.then_some(server) };
        self.start(cx, PendingRelay { request, back: Back::AsItCame }, outgoing, now);
    }

    /// Passes a request of another server on to the client behind `to`.
    fn relay_down(&mut self, cx: &mut Context, request: ServerRequest, to: FlowId, now: Now) {
        let reachable = cx.flows.find(to).is_some();
        let Some(hops) = hops_left(&request.request).filter(|_| reachable) else {
            let status = if reachable { 483 } else { 430 };
            let unsigned = ResponseAuth::Unsigned(Unsigned::MutualTls);
            return cx.respond(&request, Reply::new(status), &unsigned, now);
        };
        let builder = forwarded(cx, &request, hops).remove_first(Name::Route);
        cx.note(Some(to), Decision::new(Verdict::Proxied, "along its Path"), now);
        let outgoing = Outgoing { builder, flow: to, dial: None };
        self.start(cx, PendingRelay { request, back: Back::AsItCame }, outgoing, now);
    }

    /// Sends the outgoing half of a relay; dials first where there is no flow.
    fn start(&mut self, cx: &mut Context, pending: PendingRelay, outgoing: Outgoing, now: Now) {
        let Outgoing { builder, flow: to, dial } = outgoing;
        let transport = cx.flows.transport(to).unwrap_or(BETWEEN_SERVERS);
        let own = cx.own_name(transport);
        let branch = cx.transactions.branch();
        let via = format!("SIP/2.0/{} {own};branch={branch}", transport.via_token());
        let unsigned = builder.prepend(Name::Via, via).message();
        let signed = sign_towards(cx, to, unsigned, &pending.request.request);
        let id = cx.next_id();
        self.pending.insert(id, pending);
        if let Some(server) = dial {
            cx.connect(to, server, transport);
        }
        let flow_ref = FlowRef::new(to, transport);
        let sent = signed
            .is_some_and(|signed| cx.transactions.request(&signed, flow_ref, Owner::Relay(id), now).is_ok());
        if !sent {
            self.handle_failure(cx, id, 500, now);
        }
    }
}

/// Towards a client whose association is ours the request is signed; other servers prove themselves by TLS. None
/// where the association cannot sign.
fn sign_towards(cx: &mut Context, to: FlowId, unsigned: Message, request: &Message) -> Option<Signed> {
    let to_client = cx.flows.find(to).is_some_and(|flow| flow.trusted.is_none());
    match client_behind(cx, to, request).filter(|_| to_client) {
        Some(session) => match cx.sign(unsigned, request, &ResponseAuth::Association(session)) {
            Ok(signed) => Some(Signed::by_server(signed)),
            Err(not_signed) => {
                cx.drop_association(not_signed);
                None
            }
        },
        None => Some(Signed::without(unsigned, NoAssociation::Relayed)),
    }
}

/// The association of the client a request is for: one connection may serve several devices.
fn client_behind(cx: &Context, flow: FlowId, request: &Message) -> Option<SessionId> {
    let addressed = request.to().ok().and_then(|to| Endpoint::named_by(&to));
    let named = addressed.and_then(|endpoint| cx.sessions.of_endpoint(&endpoint));
    let here = |id: &SessionId| cx.sessions.find(*id).is_some_and(|session| session.flow == flow);
    named.filter(here).or_else(|| cx.sessions.on_flow(flow))
}

/// Adds the way back to the client behind `flow` (RFC 3327).
fn with_path(cx: &Context, builder: Builder, flow: FlowId) -> Builder {
    let token = cx.path_tokens.token(flow);
    let (own, transport) = (cx.own_name(BETWEEN_SERVERS), BETWEEN_SERVERS.uri_token());
    builder.prepend(Name::Path, format_args!("<sip:{token}@{own};transport={transport};lr>"))
}

/// Keep-alives are between neighbours: this server agrees on them with its client.
fn kept_here(cx: &mut Context, request: &ServerRequest, builder: Builder, now: Now) -> Builder {
    let agreed = cx.agree_on_keep_alive(request.flow, &request.request, Reply::new(200), now);
    agreed.headers().fold(builder, |built, (name, value)| built.replace(name, value))
}

/// The request as it goes on: what was learned of its sender, and one hop less.
fn forwarded(cx: &Context, request: &ServerRequest, hops: u8) -> Builder {
    let ServerRequest { request, flow, .. } = request;
    let mut builder = Builder::from_message(request);
    let keep = Some(cx.config.registrar.flow_timer);
    if let Some(via) = cx.flows.find(*flow).and_then(|flow| stamped_via(request, flow.peer, keep)) {
        builder = builder.replace_first(Name::Via, via);
    }
    builder.replace(Name::MaxForwards, hops)
}

/// Counts what a home server refused: a failed log-on counts against the connection of the client here, since behind
/// this server's flow the home server cannot tell its clients apart. True once there were too many.
fn counts_refusal(cx: &mut Context, request: &ServerRequest, response: &Message) -> bool {
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

fn refuse_after_too_many(cx: &mut Context, request: &ServerRequest, now: Now) {
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

/// Max-Forwards for the next hop; none at the end of the way.
fn hops_left(request: &Message) -> Option<u8> {
    request.max_forwards().ok().flatten().unwrap_or(DEFAULT_HOPS + 1).checked_sub(1)
}

const DEFAULT_HOPS: u8 = 70;
/// Seconds.
const HOME_PAUSE: u32 = 5;
