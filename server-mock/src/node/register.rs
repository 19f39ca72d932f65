//! REGISTER: the checks of MS-SIPREGE, the look-up, and the way the signpost shows.

use std::borrow::Cow;
use std::time::Duration;

use homing_core::ids::FlowId;
use homing_core::time::Now;
use homing_wire::{EventHeader, KeepAlive, Message, Name, Via};

use super::flows::Keeping;
use super::gate::{Passport, Seal};
use super::io::{LookupId, NodeOutput};
use super::options::date;
use super::registrar::{Done, Shown, Visitor, reg_id};
use super::reply::Reply;
use super::signpost::{Crossing, Way, decide};
use super::{Case, Node, Pending};
use crate::directory::Lookup;
use crate::journal::{Decision, Verdict};
use crate::mischief::{Mischief, Stage};

impl Node {
    /// An authenticated REGISTER: checked, then the directory is asked (patent steps 502, 504).
    pub(super) fn register(&mut self, case: Case, passport: Passport, now: Now) {
        if let Some((status, id, why)) = objection(&case.request, &passport) {
            self.note(Some(case.flow), Decision::new(Verdict::Refused, format!("{status}: {why}")), now);
            let reply = Reply::new(status).diagnostics(id, why, &self.config.identity.fqdn);
            return self.answer(&case, reply, &passport.seal, now);
        }
        let id = LookupId(self.next_name());
        let user = passport.endpoint.user.clone();
        let service = self.config.signpost.service.clone();
        self.pending.insert(id, Pending::Admitted { case, passport });
        self.outputs.push_back(NodeOutput::LookUp { id, user, service });
    }

    /// The directory answered.
    pub(super) fn decide(&mut self, case: Case, passport: Passport, found: &Lookup, now: Now) {
        let flow = Some(case.flow);
        let Some(here) = self.flows.find(case.flow) else { return };
        let passed: Vec<String> =
            case.request.all::<Via<'_>>().flatten().map(|via| via.host.to_string()).collect();
        let crossing = Crossing {
            lookup: found,
            via_count: case.request.via_count(),
            transport: here.transport,
            has_association: matches!(passport.seal, Seal::Association(_)),
            from_server: here.trusted.is_some(),
            passed: &passed,
        };
        let (way, why) = decide(&self.config, &crossing);
        if !crossing.from_server
            && let Some(mischief) = self.rules.take(Stage::Signpost)
        {
            self.note(flow, Decision::new(Verdict::Mischief, mischief.to_string()), now);
            return self.play(&case, &passport, (mischief, way), now);
        }
        let said =
            |verdict, why: Cow<'static, str>| Decision::new(verdict, why).about(&passport.endpoint.user);
        match way {
            Way::Accept => {
                self.note(flow, said(Verdict::Accepted, why), now);
                self.bind(&case, &passport, now);
            }
            Way::Redirect { home, transport } => {
                self.note(flow, said(Verdict::Redirected, why).towards(&home), now);
                self.redirect(&case, &passport, (home, transport), now);
            }
            Way::Proxy { home } => {
                self.note(flow, said(Verdict::Proxied, why).towards(&home), now);
                self.let_go(case.flow, &passport, now);
                self.relay_up(case, passport, home, now);
            }
            Way::Refuse { status } => {
                self.note(flow, said(Verdict::Refused, format!("{status}: {why}").into()), now);
                let mut reply = Reply::new(status);
                if status == 503 {
                    reply = reply.header(Name::RetryAfter, self.pause(DIRECTORY_PAUSE, now));
                }
                let id = if status == 404 { 1003 } else { 1000 };
                let reply = reply.diagnostics(id, &why, &self.config.identity.fqdn);
                self.answer(&case, reply, &passport.seal, now);
            }
        }
    }

    /// This server is the user's home (patent step 508).
    pub(super) fn bind(&mut self, case: &Case, passport: &Passport, now: Now) {
        let Some(here) = self.flows.find(case.flow) else { return };
        let trusted = here.trusted.is_some();
        let visitor = Visitor { endpoint: &passport.endpoint, flow: case.flow, trusted };
        let done = match self.machines.registrar.register(&case.request, &visitor, now) {
            Ok(done) => done,
            Err((status, why)) => {
                let said = Decision::new(Verdict::Refused, format!("{status}: {why}"));
                self.note(Some(case.flow), said, now);
                let mut reply = Reply::new(status).reason(why);
                if status == 423 {
                    reply = reply.header(Name::MinExpires, self.config.registrar.min_expires);
                }
                return self.answer(case, reply, &passport.seal, now);
            }
        };
        self.tell_registered(case.flow, passport, &done, now);
        if let Seal::Association(id) = passport.seal {
            let needed = now.after(Duration::from_secs(u64::from(done.granted) + GRACE));
            self.machines.gate.sessions_mut().hold(id, needed);
        }
        for gone in &done.pushed_out {
            self.push_out(gone, now);
        }
        let shown = self.faulty_answer(case.flow, done.action, now);
        let mut reply = self.machines.registrar.reply(&case.request, &visitor, shown, now);
        if !trusted {
            reply = self.agree_on_keeping(case.flow, &case.request, reply, now);
        }
        self.answer(case, reply.header(Name::Date, date(now)), &passport.seal, now);
    }

    /// The faults a 200 may have.
    fn faulty_answer(&mut self, flow: FlowId, action: &'static str, now: Now) -> Shown {
        let normal = Shown { action, expires: true };
        let shown = match self.rules.take_if(Stage::Answer, &Mischief::NoExpires) {
            Some(_) => Shown { expires: false, ..normal },
            None => match self.rules.take_if(Stage::Answer, &Mischief::BindingLost) {
                Some(_) => Shown { action: "added", ..normal },
                None => return normal,
            },
        };
        self.note(Some(flow), Decision::new(Verdict::Mischief, "a 200 that is not right"), now);
        shown
    }

    fn tell_registered(&mut self, flow: FlowId, passport: &Passport, done: &Done, now: Now) {
        let (verdict, why) = match done.granted {
            0 => (Verdict::Unregistered, "by its client".to_owned()),
            seconds => (Verdict::Registered, format!("{} for {seconds} s", done.action)),
        };
        self.note(Some(flow), Decision::new(verdict, why).about(&passport.endpoint), now);
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
        let microsoft = matches!(request.get(), Ok(Some(KeepAlive::Uac { .. })));
        let outbound = request.has_token(Name::Supported, "outbound") && reg_id(request).is_some();
        let keep = request.via().is_ok_and(|via| via.param("keep").is_some());
        let mut reply = reply;
        let mut silence = None;
        if microsoft {
            let value = format!("UAS; tcp=no; hop-hop=yes; end-end=no; timeout={}", config.keep_alive);
            reply = reply.header(Name::MsKeepAlive, value);
            silence = silence.max(Some(config.keep_alive));
        }
        if outbound {
            reply = reply.header(Name::Require, "outbound").header(Name::FlowTimer, config.flow_timer);
            silence = silence.max(Some(config.flow_timer));
        }
        if keep {
            silence = silence.max(Some(config.flow_timer));
        }
        // Of several agreements the client may honour any one, so only the longest silence is a fault.
        let slack = |seconds: u32| Duration::from_secs(u64::from(seconds) + KEEPING_SLACK);
        let keeping = Keeping { pongs: outbound || keep, silence: silence.map(slack) };
        self.flows.keep(flow, keeping, now);
        reply
    }
}

/// What MS-SIPREGE has a registrar refuse. A client without Event is a client of the RFCs.
fn objection(request: &Message, passport: &Passport) -> Option<(u16, u32, &'static str)> {
    let signed = matches!(passport.seal, Seal::Association(_));
    if signed && passport.endpoint.device.is_empty() {
        return Some((400, 4010, "neither epid nor instance"));
    }
    let is_foreign = match request.get::<EventHeader<'_>>() {
        Ok(event) => event.is_some_and(|event| !event.is("registration")),
        Err(_) => true,
    };
    if is_foreign {
        return Some((489, 4055, "an event other than registration"));
    }
    let supports = |token| request.has_token(Name::Supported, token);
    if supports("msrtc-event-categories") && !supports("gruu-10") {
        return Some((421, 2057, "msrtc-event-categories needs gruu-10"));
    }
    None
}

/// Seconds.
const DIRECTORY_PAUSE: u32 = 10;
/// Seconds an association outlives its registration.
const GRACE: u64 = 30;
/// Seconds beyond the agreed silence before a flow is given up.
const KEEPING_SLACK: u64 = 30;
