//! The way of a request: copy or new, sound or not, through the gate, to whoever serves it.

use homing_core::counter::Counter;
use homing_core::ids::FlowId;
use homing_core::server::ServerName;
use homing_core::time::Now;
use homing_core::transaction::{FlowRef, Incoming};
use homing_wire::{Host, Message, Method, Name, NameAddr, Uri};

use super::endpoint::{Endpoint, address};
use super::gate::{Admission, Challenge, Flaw, Passport, Refused, Seal, Visit};
use super::io::NodeOutput;
use super::reply::Reply;
use super::{Case, Node, Owner};
use crate::journal::{Decision, Verdict};
use crate::mischief::{Mischief, Stage};

impl Node {
    pub(super) fn receive_request(&mut self, flow: FlowId, request: Message, now: Now) {
        match self.machines.transactions.feed_request(&request, flow, now) {
            Incoming::New | Incoming::Merged => self.arrive(flow, request, now),
            Incoming::Cancel { .. } => self.consider(flow, request, now),
            Incoming::Retransmission => {
                self.note(Some(flow), Decision::new(Verdict::Repeated, "a copy of a request in hand"), now);
            }
            Incoming::Acknowledged { .. } => {}
            Incoming::Ack { .. } => self.discard(flow, "an ACK for a call this server does not have", now),
            Incoming::Overload => {
                self.counters.count(Counter::Overload);
                let pause = self.pause(OVERLOAD_PAUSE, now);
                let reply = Reply::new(503).header(Name::RetryAfter, pause);
                self.refuse_without_state(flow, &request, (reply, "too many requests in hand"), now);
            }
            Incoming::Unusable => {
                let reply = Reply::new(400).reason("Missing or malformed identifying header");
                self.refuse_without_state(flow, &request, (reply, "it lacks what identifies it"), now);
            }
        }
    }

    /// Plays what faults there are for a REGISTER that arrives, then goes on.
    fn arrive(&mut self, flow: FlowId, request: Message, now: Now) {
        let register = request.method() == Some(Method::Register);
        let mischief = if register { self.rules.take(Stage::Arrival) } else { None };
        let Some(mischief) = mischief else { return self.consider(flow, request, now) };
        self.note(Some(flow), Decision::new(Verdict::Mischief, mischief.to_string()), now);
        match mischief {
            Mischief::Delay(pause) => {
                let key = (now.after(pause), self.next_name());
                self.delayed.insert(key, (flow, request));
            }
            Mischief::Cut => {
                self.forget_flow(flow, now);
                self.outputs.push_back(NodeOutput::Cut { flow });
            }
            Mischief::Garbage(length) => {
                let garbage: String = std::iter::repeat_with(|| self.draws.garbage())
                    .take(usize::from(length) / 16 + 1)
                    .collect();
                let bytes = garbage.into_bytes()[..usize::from(length)].to_vec();
                self.send(flow, bytes.into(), now);
            }
            Mischief::Challenge(value) => {
                let Some(case) = self.accept(flow, request, now) else { return };
                let reply = Reply::new(401).header(Name::WwwAuthenticate, value);
                self.answer(&case, reply, &Seal::None, now);
            }
            _ => {}
        }
    }

    /// A request that is no copy: judged, admitted, served.
    pub(super) fn consider(&mut self, flow: FlowId, request: Message, now: Now) {
        if let Some(finding) = request.validate().first().copied() {
            let reply = Reply::new(finding.status).reason(finding.why);
            let reply = if finding.status == 501 { self.with_allow(reply) } else { reply };
            return self.refuse(flow, request, (reply, finding.why), now);
        }
        let trusted = self.flows.find(flow).is_some_and(|flow| flow.trusted.is_some());
        if let Some(to) = self.own_route(&request).filter(|_| trusted) {
            return self.relay_down(flow, request, to, now);
        }
        if let Some(objection) = self.objection(&request) {
            return self.refuse(flow, request, objection, now);
        }
        if !trusted && self.over_stranger_cap(flow, &request, now) {
            let reply = Reply::new(503).header(Name::RetryAfter, STRANGER_PAUSE);
            let why = "too much comes through a server nobody configured";
            return self.refuse(flow, request, (reply, why), now);
        }
        if !trusted && self.leaves_asking_to_others(&request) {
            return self.look_before_asking(flow, request, now);
        }
        self.ask(flow, request, now);
    }

    /// The gate, and what comes of it.
    pub(super) fn ask(&mut self, flow: FlowId, request: Message, now: Now) {
        match self.admit(flow, &request, now) {
            Admission::Admitted(passport) => self.serve(flow, request, passport, now),
            Admission::Challenge(challenge) => self.challenge(flow, request, challenge, now),
            Admission::Refuse(refused) => self.refuse_entry(flow, request, &refused, now),
            Admission::Discard(why, flaw) => {
                self.count_flaw(flaw);
                self.discard(flow, why, now);
            }
        }
    }

    /// Whom the gate lets pass. Another server of the estate vouches for whom it names (decision 15).
    fn admit(&mut self, flow: FlowId, request: &Message, now: Now) -> Admission {
        let trusted = self.flows.find(flow).is_some_and(|flow| flow.trusted.is_some());
        if trusted && let Some(asserted) = asserted(request) {
            let device = Endpoint::of(request).map(|endpoint| endpoint.device).unwrap_or_default();
            let endpoint = Endpoint { user: asserted, device };
            return Admission::Admitted(Passport {
                endpoint,
                seal: Seal::None,
                proof: "the word of a server",
            });
        }
        let Some(found) = self.flows.find(flow) else { return Admission::Discard("its flow is gone", None) };
        // Behind somebody else's proxy stand many clients, each with a dialect of its own.
        let spoken = found.spoken.filter(|_| request.via_count() == 1);
        let attempts = found.attempts;
        let visit = Visit { request, flow, spoken, attempts, trusted, accounts: &self.config.accounts, now };
        let draws = self.draws.as_mut();
        let admission = self.machines.gate.admit(&visit, draws);
        let register = request.method() == Some(Method::Register);
        if register && matches!(admission, Admission::Admitted(_)) && self.rules.take(Stage::Gate).is_some() {
            return self.machines.gate.refuse_for_fun(&visit, draws);
        }
        admission
    }

    fn serve(&mut self, flow: FlowId, request: Message, passport: Passport, now: Now) {
        let said = Decision::new(Verdict::Authenticated, passport.proof).about(&passport.endpoint);
        self.note(Some(flow), said, now);
        self.flows.authenticated(flow, now);
        let Some(case) = self.accept(flow, request, now) else { return };
        match case.request.method() {
            Some(Method::Register) => self.register(case, passport, now),
            _ => self.serve_other(&case, &passport, now),
        }
    }

    fn challenge(&mut self, flow: FlowId, request: Message, challenge: Challenge, now: Now) {
        self.count_flaw(challenge.flaw);
        let failed = challenge.flaw.is_some_and(Flaw::is_attempt);
        let verdict = if failed { Verdict::LogonRefused } else { Verdict::Challenged };
        self.note(Some(flow), Decision::new(verdict, challenge.why.clone()), now);
        // Behind another server stand many clients: what one does says nothing about the next.
        if let Some(found) = self.flows.find_mut(flow).filter(|found| found.trusted.is_none()) {
            if request.via_count() == 1 {
                found.spoken = challenge.spoken.or(found.spoken);
            }
            found.attempts = found.attempts.saturating_add(u8::from(failed));
        }
        let Some(case) = self.accept(flow, request, now) else { return };
        let mut reply = Reply::new(challenge.style.status()).header(Name::Date, super::options::date(now));
        for value in &challenge.values {
            reply = reply.header(challenge.header(), value);
        }
        self.answer(&case, reply, &Seal::None, now);
    }

    fn refuse_entry(&mut self, flow: FlowId, request: Message, refused: &Refused, now: Now) {
        self.count_flaw(refused.flaw);
        let failed = refused.flaw.is_some_and(Flaw::is_attempt);
        if let Some(found) = self.flows.find_mut(flow).filter(|found| found.trusted.is_none()) {
            found.attempts = found.attempts.saturating_add(u8::from(failed));
        }
        if matches!(request.method(), Some(Method::Ack | Method::Cancel)) {
            return self.discard(flow, refused.why, now);
        }
        self.note(
            Some(flow),
            Decision::new(Verdict::Refused, format!("{}: {}", refused.status, refused.why)),
            now,
        );
        let Some(case) = self.accept(flow, request, now) else { return };
        let mut reply = Reply::new(refused.status);
        if refused.status == 503 {
            self.counters.count(Counter::Overload);
            reply = reply.header(Name::RetryAfter, self.pause(OVERLOAD_PAUSE, now));
        }
        let reply = reply.diagnostics(diagnosis(refused.status), refused.why, &self.config.identity.fqdn);
        self.answer(&case, reply, &refused.seal, now);
    }

    fn count_flaw(&mut self, flaw: Option<Flaw>) {
        if let Some(flaw) = flaw {
            self.counters.count(flaw.counter());
        }
    }

    /// Refuses a request that did not reach the gate; inside an association the refusal is signed.
    fn refuse(&mut self, flow: FlowId, request: Message, objection: (Reply, &'static str), now: Now) {
        let (reply, why) = objection;
        if request.method() == Some(Method::Ack) {
            return self.discard(flow, why, now);
        }
        match self.accept(flow, request.clone(), now) {
            Some(case) => {
                self.counters.count(Counter::RefusedRequest);
                let said = Decision::new(Verdict::Refused, format!("{}: {why}", reply.status));
                self.note(Some(flow), said, now);
                let seal = self.machines.gate.seal_of_signer(&case.request, flow, now);
                self.answer(&case, reply, &seal, now);
            }
            None => self.refuse_without_state(flow, &request, (reply, why), now),
        }
    }

    fn refuse_without_state(
        &mut self,
        flow: FlowId,
        request: &Message,
        (reply, why): (Reply, &'static str),
        now: Now,
    ) {
        if request.method() == Some(Method::Ack) || request.via().is_err() {
            return self.discard(flow, why, now);
        }
        self.counters.count(Counter::RefusedRequest);
        let said = Decision::new(Verdict::Refused, format!("{}: {why}", reply.status));
        self.note(Some(flow), said, now);
        self.answer_without_state(request, flow, &reply, now);
    }

    pub(super) fn discard(&mut self, flow: FlowId, why: &'static str, now: Now) {
        self.counters.count(Counter::RefusedRequest);
        self.note(Some(flow), Decision::new(Verdict::Discarded, why), now);
    }

    /// A server transaction for a request that will be answered.
    pub(super) fn accept(&mut self, flow: FlowId, request: Message, now: Now) -> Option<Case> {
        let flow_ref = FlowRef::new(flow, self.flows.transport(flow)?);
        let tx = self.machines.transactions.accept_request(&request, flow_ref, Owner::Server, now).ok()?;
        Some(Case { tx, flow, request })
    }

    /// What is wrong with where a request goes and what it demands.
    fn objection(&self, request: &Message) -> Option<(Reply, &'static str)> {
        let Some(uri) = request.request_uri().and_then(|uri| Uri::parse(uri).ok()) else {
            return Some((Reply::new(400), "the Request-URI cannot be read"));
        };
        if !uri.is_sip() && !uri.is_sips() {
            return Some((Reply::new(416), "the Request-URI is no SIP URI"));
        }
        for name in [Name::ProxyRequire, Name::Require] {
            let mut unknown = request.unsupported(name, EXTENSIONS).peekable();
            if unknown.peek().is_some() {
                let list = unknown.collect::<Vec<_>>().join(", ");
                return Some((
                    Reply::new(420).header(Name::Unsupported, list),
                    "an extension nobody here knows",
                ));
            }
        }
        if !self.is_served(&uri) {
            return Some((Reply::new(404), "this domain is served elsewhere"));
        }
        None
    }

    /// True for the domain, the servers of the estate (clients may have named the one that passed their
    /// request on), and addresses (which only clients of this server would write).
    fn is_served(&self, uri: &Uri<'_>) -> bool {
        let Host::Name(name) = uri.host() else { return true };
        let (name, identity) = (name.trim_end_matches('.'), &self.config.identity);
        name.eq_ignore_ascii_case(&identity.domain)
            || name.eq_ignore_ascii_case(&identity.fqdn)
            || self.config.peer(name).is_some()
    }

    /// True if a request came through somebody else's proxy once too often this minute (decision 7).
    fn over_stranger_cap(&mut self, flow: FlowId, request: &Message, now: Now) -> bool {
        let Some(found) = self.flows.find(flow) else { return false };
        if request.via_count() < 2 {
            return false;
        }
        let (source, cap) = (found.peer.ip(), self.config.signpost.stranger_cap);
        let over = !self.machines.strangers.admit(source, cap, now);
        if over {
            self.counters.count(Counter::OverCap);
        }
        over
    }

    /// Our token in the topmost Route, if that Route is this server's.
    fn own_route(&self, request: &Message) -> Option<FlowId> {
        let line = request.lines(Name::Route).next()?;
        let route = NameAddr::parse(line)?;
        let uri = route.uri().ok()?;
        let own = uri.host().to_string().eq_ignore_ascii_case(&self.config.identity.fqdn);
        self.flow_of_token(uri.user().filter(|_| own)?)
    }

    /// This server as others dial it, for Via, Path and Contact.
    pub(super) fn own_name(&self, transport: homing_core::transport::Transport) -> ServerName {
        let fqdn = &self.config.identity.fqdn;
        let port = self.config.peer(fqdn).and_then(|peer| peer.port(transport));
        ServerName::new(fqdn, port.unwrap_or(transport.default_port()))
    }
}

/// The SIP identity another server asserts (RFC 3325).
fn asserted(request: &Message) -> Option<String> {
    let line = request.lines(Name::PAssertedIdentity).next()?;
    address(&NameAddr::parse(line)?)
}

/// ErrorId of ms-diagnostics for what the gate refuses.
fn diagnosis(status: u16) -> u32 {
    match status {
        400 => 4010,
        403 => 4003,
        _ => 1000,
    }
}

/// Option tags that may be required of this server.
const EXTENSIONS: &[&str] = &["path", "outbound", "gruu", "gruu-10", "adhoclist", "ms-benotify", "keep"];
/// Seconds.
const OVERLOAD_PAUSE: u32 = 5;
/// Seconds.
const STRANGER_PAUSE: u32 = 60;
