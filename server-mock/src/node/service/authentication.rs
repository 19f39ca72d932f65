//! Authenticates requests: challenges, refuses, or says who sent them.

use homing_core::counter::Counter;
use homing_core::ids::Seed;
use homing_core::time::Now;
use homing_wire::{Method, Name};

use super::proxy::is_routed_by_token;
use super::{Ack, AckWay, Authenticated, Received, Service, Step};
use crate::journal::{Decision, Verdict};
use crate::node::authenticator::{
    AuthFailure, AuthOutcome, AuthRequest, AuthState, Authenticator, Challenge, Here, Principal, Refused,
    ResponseAuth, Source, Unsigned,
};
use crate::node::config::NodeConfig;
use crate::node::context::Context;
use crate::node::endpoint::{Endpoint, asserted_identity};
use crate::node::rate_limit::network;
use crate::node::reply::Reply;

/// Wants to know who sent a request.
pub(crate) struct Authentication {
    authenticator: Authenticator,
}

impl Authentication {
    pub(crate) fn new(config: &NodeConfig, seed: &Seed) -> Self {
        // The stream's name is part of what a seed means, so it stays.
        let seed = seed.stream("gate", &[]);
        Self {
            authenticator: Authenticator::new(config.authentication.clone(), config.identity.clone(), &seed),
        }
    }

    /// Another server of the estate vouches for the user it names (decision 15).
    fn authenticate(&mut self, cx: &mut Context, received: &Received, now: Now) -> AuthOutcome {
        let Received { flow, request, .. } = received;
        let Some(found) = cx.flows.find(*flow) else { return AuthOutcome::Discard("its flow is gone", None) };
        let trusted = found.trusted.is_some();
        if let Some(principal) = neighbour(cx, received, trusted) {
            return AuthOutcome::Authenticated(principal);
        }
        if trusted && let Some(user) = asserted_identity(request) {
            let device = Endpoint::of(request).map(|endpoint| endpoint.device).unwrap_or_default();
            return AuthOutcome::Authenticated(Principal {
                endpoint: Endpoint { user, device },
                response_auth: ResponseAuth::Unsigned(Unsigned::MutualTls),
                proof: "the word of a server",
            });
        }
        let source = if trusted {
            Source::Behind(Endpoint::of(request).unwrap_or_default())
        } else {
            Source::Network(network(found.peer.ip()))
        };
        // Nearly every request of a stranger comes over a flow that holds nothing.
        let named = cx.bindings.holds(*flow).then(|| Endpoint::of(request)).flatten();
        let named = named.map(|endpoint| endpoint.user);
        let is_bound =
            |user: &&String| cx.bindings.of(user).iter().any(|binding| binding.route.flow == *flow);
        let auth_request = AuthRequest {
            bound: named.as_ref().filter(is_bound).map(String::as_str),
            request,
            flow: *flow,
            source: &source,
            here: Here { identity: &cx.config.identity, local: found.local },
            // Behind a proxy of others stand many clients, each with a dialect of its own.
            dialect_in_use: found.dialect_in_use.filter(|_| request.via_count() == 1),
            attempts: found.attempts,
            trusted,
            accounts: &cx.config.accounts,
            now,
        };
        let mut state = AuthState { sessions: &mut cx.sessions, random: cx.random.as_mut() };
        let outcome = self.authenticator.authenticate(&auth_request, &mut state);
        cx.note_evicted(*flow, self.authenticator.take_evicted(), now);
        outcome
    }
}

impl Service for Authentication {
    fn handle_request(&mut self, cx: &mut Context, step: Step, now: Now) -> Step {
        let Step::Received(received) = step else { return step };
        match self.authenticate(cx, &received, now) {
            AuthOutcome::Authenticated(principal) => return proceed(cx, received, principal, now),
            AuthOutcome::Challenge(challenge) => challenge_sender(cx, received, &challenge, now),
            AuthOutcome::Refuse(refused) => refuse(cx, received, &refused, now),
            AuthOutcome::Discard(why, failure) => {
                count(cx, failure);
                cx.discard(received.flow, why, now);
            }
        }
        Step::Done
    }

    fn handle_deadline(&mut self, _: &mut Context, now: Now) {
        self.authenticator.handle_deadline(now);
    }
}

/// Whose an ACK or CANCEL is that nobody signed: neither can be challenged (RFC 3261 22.1). It goes on only where its
/// endpoint has no association, and only the way its INVITE went, which the proxy sees to.
fn neighbour(cx: &Context, received: &Received, trusted: bool) -> Option<Principal> {
    let Received { flow, request, cancels } = received;
    let follows = match request.method() {
        Some(Method::Cancel) => cancels.is_some(),
        Some(Method::Ack) => !trusted && is_routed_by_token(cx, request, cx.flows.find(*flow)),
        _ => false,
    };
    if !follows {
        return None;
    }
    let shown =
        [Name::Authorization, Name::ProxyAuthorization].into_iter().flat_map(|name| request.auth(name));
    let endpoint = Endpoint::of(request)?;
    let associated = cx.sessions.of_endpoint(&endpoint).and_then(|id| cx.sessions.find(id));
    let fqdn = &cx.config.identity.fqdn;
    let is_ours = |name: &str| name.strip_prefix("sip/").unwrap_or(name).eq_ignore_ascii_case(fqdn);
    let mut signed = shown.filter(|auth| auth.is("NTLM"));
    if signed.any(|auth| auth.param("targetname").is_some_and(is_ours))
        || associated.is_some_and(|session| session.flow == *flow)
    {
        return None;
    }
    let unsigned = if trusted { Unsigned::MutualTls } else { Unsigned::Unauthenticated };
    let proof = "the way its INVITE came";
    Some(Principal { endpoint, response_auth: ResponseAuth::Unsigned(unsigned), proof })
}

fn proceed(cx: &mut Context, received: Box<Received>, principal: Principal, now: Now) -> Step {
    // Who proved nothing stays a stranger, whose limits are a stranger's.
    if principal.is_proved() {
        let said = Decision::new(Verdict::Authenticated, principal.proof).about(&principal.endpoint);
        cx.note(Some(received.flow), said, now);
        if !cx.hold(received.flow, now) {
            return refuse_datagrams(cx, received, &principal, now);
        }
    }
    let Received { flow, request, cancels } = *received;
    if request.method() == Some(Method::Ack) {
        return Step::Ack(Box::new(Ack { flow, request, way: AckWay::ByRoute(principal) }));
    }
    match cx.accept(flow, request, now) {
        Some(request) => Step::Authenticated(Box::new(Authenticated { request, principal, cancels })),
        None => Step::Done,
    }
}

/// Too many peers by UDP hold something here: one more must come by TCP or TLS, or later.
fn refuse_datagrams(cx: &mut Context, received: Box<Received>, principal: &Principal, now: Now) -> Step {
    let why = "too many clients are signed in by UDP";
    cx.counters.count(Counter::Overload);
    cx.note_rarely(Some(received.flow), Verdict::Refused, why, now);
    let Some(request) = cx.accept(received.flow, received.request, now) else { return Step::Done };
    let reply = Reply::new(503).header(Name::RetryAfter, cx.retry_after(OVERLOAD_PAUSE, now));
    let reply = reply.diagnostics(diagnosis(503), why, &cx.config.identity.fqdn);
    cx.respond(&request, reply, &principal.response_auth, now);
    Step::Done
}

fn challenge_sender(cx: &mut Context, received: Box<Received>, challenge: &Challenge, now: Now) {
    let Received { flow, request, .. } = *received;
    count(cx, challenge.failure);
    let failed = challenge.failure.is_some_and(AuthFailure::is_attempt);
    let verdict = if failed { Verdict::LogonRefused } else { Verdict::Challenged };
    cx.note(Some(flow), Decision::new(verdict, challenge.why.clone()), now);
    // Behind another server stand many clients: what one does says nothing about the next.
    if let Some(found) = cx.flows.find_mut(flow).filter(|found| found.trusted.is_none()) {
        if request.via_count() == 1 {
            found.dialect_in_use = challenge.dialect_in_use.or(found.dialect_in_use);
        }
        found.attempts = found.attempts.saturating_add(u8::from(failed));
    }
    let Some(request) = cx.accept(flow, request, now) else { return };
    let date = cx.dates.at(now);
    let with = |values: &[String]| {
        let reply = Reply::new(challenge.style.status()).header(Name::Date, &date);
        values.iter().fold(reply, |reply, value| reply.header(challenge.header(), value))
    };
    // A stranger by UDP whose request is short is offered less: nobody is to be flooded by our answers.
    let mut offered = challenge.values.as_slice();
    let mut reply = with(offered);
    while offered.len() > 1 && cx.is_too_large(&request.request, flow, &reply) {
        offered = &offered[..offered.len() - 1];
        reply = with(offered);
    }
    cx.respond(&request, reply, &ResponseAuth::Unsigned(Unsigned::Unauthenticated), now);
}

fn refuse(cx: &mut Context, received: Box<Received>, refused: &Refused, now: Now) {
    let Received { flow, request, .. } = *received;
    count(cx, refused.failure);
    let failed = refused.failure.is_some_and(AuthFailure::is_attempt);
    if let Some(found) = cx.flows.find_mut(flow).filter(|found| found.trusted.is_none()) {
        found.attempts = found.attempts.saturating_add(u8::from(failed));
    }
    if matches!(request.method(), Some(Method::Ack | Method::Cancel)) {
        return cx.discard(flow, refused.why, now);
    }
    match refused.pause {
        Some(_) => {
            cx.counters.count(Counter::GuessingPause);
            cx.note_rarely(Some(flow), Verdict::Refused, refused.why, now);
        }
        None => {
            let said = Decision::new(Verdict::Refused, format!("{}: {}", refused.status, refused.why));
            cx.note(Some(flow), said, now);
        }
    }
    let Some(request) = cx.accept(flow, request, now) else { return };
    let reply = Reply::new(refused.status);
    let (reply, id) = match refused.pause {
        Some(seconds) => (reply.header(Name::RetryAfter, seconds), GUESSING_PAUSE),
        None => (reply, diagnosis(refused.status)),
    };
    let reply = reply.diagnostics(id, refused.why, &cx.config.identity.fqdn);
    cx.respond(&request, reply, &refused.response_auth, now);
}

fn count(cx: &mut Context, failure: Option<AuthFailure>) {
    if let Some(failure) = failure {
        cx.counters.count(failure.counter());
    }
}

/// ErrorId of ms-diagnostics for what authentication refuses.
fn diagnosis(status: u16) -> u32 {
    match status {
        400 => 4010,
        403 => 4003,
        _ => 1000,
    }
}

/// ErrorId of ms-diagnostics by which a client knows that its own wrong answers are the reason, and not the server.
const GUESSING_PAUSE: u32 = 4170;
/// Seconds.
const OVERLOAD_PAUSE: u32 = 5;
