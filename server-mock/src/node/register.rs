//! REGISTER: the checks of MS-SIPREGE, the look-up, and the way the signpost shows.

use homing_core::ids::{FlowId, TxId};
use homing_core::time::Now;
use homing_wire::{Message, Name, Via};

use super::flows::Keeping;
use super::gate::{Passport, Seal};
use super::io::{LookupId, NodeOutput};
use super::registrar::{Outcome, Visitor};
use super::reply::Reply;
use super::signpost::{Crossing, Way, decide};
use super::{Node, Pending};
use crate::directory::Lookup;
use crate::journal::{Decision, Verdict};
use crate::mischief::{Mischief, Stage};

impl Node {
    /// An authenticated REGISTER: checked, then the directory is asked (patent steps 502, 504).
    pub(super) fn register(
        &mut self,
        (tx, flow): (TxId, FlowId),
        request: Message,
        passport: Passport,
        now: Now,
    ) {
        if let Some((status, id, why)) = self.objection_to_register(&request, &passport) {
            self.note(Some(flow), Decision::new(Verdict::Refused, format!("{status}: {why}")), now);
            let reply = Reply::new(status).diagnostics(id, why, &self.config.identity.fqdn);
            return self.answer((tx, &request, flow), &reply, &passport.seal, now);
        }
        let id = LookupId(self.next_name());
        let user = passport.endpoint.user.clone();
        let service = self.config.signpost.service.clone();
        self.pending.insert(id, Pending { tx, request, flow, passport });
        self.outputs.push_back(NodeOutput::LookUp { id, user, service });
    }

    /// What MS-SIPREGE has a registrar refuse. A client without Event is a client of the RFCs.
    fn objection_to_register(
        &self,
        request: &Message,
        passport: &Passport,
    ) -> Option<(u16, u32, &'static str)> {
        let signed = matches!(passport.seal, Seal::Association(_));
        if signed && passport.endpoint.device.is_empty() {
            return Some((400, 4010, "neither epid nor instance"));
        }
        let event = request.text(Name::Event);
        if event.is_some_and(|event| {
            !event
                .split(';')
                .next()
                .is_some_and(|package| package.trim().eq_ignore_ascii_case("registration"))
        }) {
            return Some((489, 4055, "an event other than registration"));
        }
        let supports = |token| request.has_token(Name::Supported, token);
        if supports("msrtc-event-categories") && !supports("gruu-10") {
            return Some((421, 2057, "msrtc-event-categories needs gruu-10"));
        }
        None
    }

    /// The directory answered.
    pub(super) fn decide(&mut self, pending: Pending, found: &Lookup, now: Now) {
        let Pending { tx, request, flow, passport } = pending;
        let Some(here) = self.flows.find(flow) else { return };
        let passed: Vec<String> =
            request.all::<Via<'_>>().flatten().map(|via| via.host.to_string()).collect();
        let crossing = Crossing {
            lookup: found,
            via_count: request.via_count(),
            transport: here.transport,
            has_association: matches!(passport.seal, Seal::Association(_)),
            from_server: here.trusted.is_some(),
            passed: &passed,
        };
        let (way, why) = decide(&self.config, &crossing);
        if !crossing.from_server
            && let Some(mischief) = self.rules.take(Stage::Signpost)
        {
            self.note(Some(flow), Decision::new(Verdict::Mischief, mischief.to_string()), now);
            return self.play((tx, flow), &request, (&passport, mischief, way), now);
        }
        match way {
            Way::Accept => {
                self.note(
                    Some(flow),
                    Decision::new(Verdict::Accepted, why).about(&passport.endpoint.user),
                    now,
                );
                self.bind((tx, flow), &request, &passport, now);
            }
            Way::Redirect { home, transport } => {
                let said = Decision::new(Verdict::Redirected, why);
                self.note(Some(flow), said.about(&passport.endpoint.user).towards(&home.to_string()), now);
                self.redirect((tx, flow), &request, &passport, (home, transport), now);
            }
            Way::Proxy { home } => {
                let said = Decision::new(Verdict::Proxied, why);
                self.note(Some(flow), said.about(&passport.endpoint.user).towards(&home.to_string()), now);
                self.relay_up((tx, flow), request, passport, home, now);
            }
            Way::Refuse { status } => {
                let said = Decision::new(Verdict::Refused, format!("{status}: {why}"));
                self.note(Some(flow), said.about(&passport.endpoint.user), now);
                let mut reply = Reply::new(status);
                if status == 503 {
                    reply = reply.header(Name::RetryAfter, DIRECTORY_PAUSE);
                }
                let id = if status == 404 { 1003 } else { 1000 };
                let reply = reply.diagnostics(id, &why, &self.config.identity.fqdn);
                self.answer((tx, &request, flow), &reply, &passport.seal, now);
            }
        }
    }

    /// This server is the user's home (patent step 508).
    pub(super) fn bind(
        &mut self,
        (tx, flow): (TxId, FlowId),
        request: &Message,
        passport: &Passport,
        now: Now,
    ) {
        let Some(here) = self.flows.find(flow) else { return };
        let visitor = Visitor { endpoint: &passport.endpoint, flow, trusted: here.trusted.is_some() };
        let outcome = self.machines.registrar.register(request, &visitor, now);
        let mut reply = match outcome {
            Outcome::Refused { status, why } => {
                self.note(Some(flow), Decision::new(Verdict::Refused, format!("{status}: {why}")), now);
                let mut reply = Reply::new(status).reason(why);
                if status == 423 {
                    reply = reply.header(Name::MinExpires, self.config.registrar.min_expires);
                }
                return self.answer((tx, request, flow), &reply, &passport.seal, now);
            }
            Outcome::Done { granted, action, pushed_out } => {
                self.tell_registered(flow, passport, granted, action, now);
                if let Seal::Association(id) = passport.seal {
                    let needed = now.after(std::time::Duration::from_secs(u64::from(granted) + GRACE));
                    self.machines.gate.sessions_mut().hold(id, needed);
                }
                for endpoint in pushed_out {
                    self.push_out(&endpoint, now);
                }
                let shown = self.faulty_answer(flow, action, now);
                self.machines.registrar.reply(request, &visitor, shown, now)
            }
        };
        if !self.flows.find(flow).is_some_and(|here| here.trusted.is_some()) {
            reply = self.agree_on_keeping(flow, request, reply, now);
        }
        reply = reply.header(Name::Date, super::options::date(now));
        self.answer((tx, request, flow), &reply, &passport.seal, now);
    }

    /// The faults a 200 may have.
    fn faulty_answer(&mut self, flow: FlowId, action: &'static str, now: Now) -> super::registrar::Shown {
        let normal = super::registrar::Shown { action, expires: true };
        let shown = match self.rules.take_if(Stage::Answer, &Mischief::NoExpires) {
            Some(_) => super::registrar::Shown { expires: false, ..normal },
            None => match self.rules.take_if(Stage::Answer, &Mischief::BindingLost) {
                Some(_) => super::registrar::Shown { action: "added", ..normal },
                None => return normal,
            },
        };
        self.note(Some(flow), Decision::new(Verdict::Mischief, "a 200 that is not right"), now);
        shown
    }

    fn tell_registered(
        &mut self,
        flow: FlowId,
        passport: &Passport,
        granted: u32,
        action: &'static str,
        now: Now,
    ) {
        let (verdict, why) = match granted {
            0 => (Verdict::Unregistered, "by its client".to_owned()),
            seconds => (Verdict::Registered, format!("{action} for {seconds} s")),
        };
        self.note(Some(flow), Decision::new(verdict, why).about(&passport.endpoint.to_string()), now);
    }

    /// Answers what the client said about keep-alives: ms-keep-alive, RFC 5626, RFC 6223.
    pub(super) fn agree_on_keeping(
        &mut self,
        flow: FlowId,
        request: &Message,
        reply: Reply,
        now: Now,
    ) -> Reply {
        let config = self.config.registrar;
        let microsoft = request.text(Name::MsKeepAlive).is_some_and(|value| {
            value.trim_start().get(..3).is_some_and(|role| role.eq_ignore_ascii_case("UAC"))
        });
        let outbound =
            request.has_token(Name::Supported, "outbound") && super::registrar::reg_id(request).is_some();
        let keep = request.via().is_ok_and(|via| via.param("keep").is_some());
        let mut reply = reply;
        let mut silence = None;
        if microsoft {
            let value = format!("UAS; tcp=no; hop-hop=yes; end-end=no; timeout={}", config.keep_alive);
            reply = reply.header(Name::MsKeepAlive, value);
            silence = Some(config.keep_alive);
        }
        if outbound {
            reply = reply.header(Name::Require, "outbound").header(Name::FlowTimer, config.flow_timer);
            silence = Some(config.flow_timer);
        } else if keep && silence.is_none() {
            silence = Some(config.keep_alive);
        }
        let slack = |seconds: u32| std::time::Duration::from_secs(u64::from(seconds) + KEEPING_SLACK);
        let keeping = Keeping { pongs: outbound || keep, silence: silence.map(slack) };
        self.flows.keep(flow, keeping, now);
        reply
    }
}

/// Seconds.
const DIRECTORY_PAUSE: u32 = 10;
/// Seconds an association outlives its registration.
const GRACE: u64 = 30;
/// Seconds beyond the agreed silence before a flow is given up.
const KEEPING_SLACK: u64 = 30;
