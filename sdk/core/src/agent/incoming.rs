//! Requests from servers: find copies, find the account, verify, and only then answer and act.

use homing_wire::{Message, Method, Name};

use super::Agent;
use crate::counter::Counter;
use crate::ids::{AccountId, FlowId};
use crate::registration::RegistrationNotify;
use crate::registration::redirect::SignatureVerdict;
use crate::registration::uas::{KNOWN_OPTIONS, answer, objection};
use crate::time::Now;
use crate::transaction::{FlowRef, Incoming};

impl Agent {
    /// A request on a flow.
    pub(super) fn handle_request(&mut self, flow: FlowId, request: &Message, now: Now) {
        match self.tables.transactions.feed_request(request, flow, now) {
            Incoming::New => {}
            Incoming::Cancel { .. } | Incoming::Merged => return self.object(flow, request, (482, "")),
            Incoming::Overload => return self.object(flow, request, (503, "")),
            Incoming::Unusable => return self.tables.counters.count(Counter::Malformed),
            Incoming::Retransmission | Incoming::Acknowledged { .. } | Incoming::Ack { .. } => return,
        }
        if let Some(finding) = request.validate().into_iter().next() {
            return self.object(flow, request, (finding.status, finding.why));
        }
        if request.unsupported(Name::Require, &KNOWN_OPTIONS).next().is_some() {
            return self.object(flow, request, (420, ""));
        }
        let Some(account) = self.account_of(flow, request) else {
            return self.object(flow, request, (404, ""));
        };
        self.answer_as(account, flow, request, now);
    }

    fn answer_as(&mut self, account: AccountId, flow: FlowId, request: &Message, now: Now) {
        let mut verdict = SignatureVerdict::Unsignable;
        self.turn(account, now, |login, cx| {
            verdict = login.judge_request(request, cx);
            if let SignatureVerdict::Refused(why) = verdict {
                cx.count_refusal(why);
            }
        });
        // Without a good signature a request is as if it had never come (decision 12).
        if matches!(verdict, SignatureVerdict::Refused(_)) {
            return;
        }
        let registration_notify =
            RegistrationNotify::read(request).filter(|_| verdict == SignatureVerdict::Signed);
        let tag = self.tables.random.answer_tag();
        if let Some((status, response)) = answer(request, &tag)
            && let Some(found) = self.tables.flows.find(flow)
        {
            let transport = found.destination().transport;
            let flow_ref = FlowRef::new(flow, transport);
            let Ok(tx) = self.tables.transactions.accept_request(request, flow_ref, account, now) else {
                return self.tables.counters.count(Counter::RefusedRequest);
            };
            self.turn(account, now, |login, cx| {
                let bytes = login.sign(&response, cx);
                cx.transactions.respond(tx, bytes, status, now);
            });
            self.pump(now);
        }
        if let Some(registration_notify) = registration_notify {
            self.turn(account, now, |login, cx| login.handle_forced(&registration_notify, verdict, cx));
        }
    }

    /// The account a request on this flow is for: by address and epid, else the only one there.
    fn account_of(&self, flow: FlowId, request: &Message) -> Option<AccountId> {
        let found = self.tables.flows.find(flow)?;
        let to = request.to().ok()?;
        let epid = to.param("epid").flatten();
        let named = [Some(to.uri_str()), request.request_uri()].into_iter().flatten().find_map(|uri| {
            let bare = uri.split([';', '?']).next()?.to_ascii_lowercase();
            let namesakes = self.by_aor.get(bare.as_str())?;
            let same_device = |account: &&AccountId| {
                let own = self.logins.get(account).map(|entry| entry.login.config().epid.as_str());
                epid.is_none() || own == epid
            };
            namesakes.iter().filter(|account| found.is_used_by(**account)).find(same_device).copied()
        });
        let only = || {
            let mut users = found.users();
            users.next().filter(|_| users.next().is_none())
        };
        named.or_else(only)
    }

    /// Refuses a request without keeping state. An ACK is never answered.
    fn object(&mut self, flow: FlowId, request: &Message, (status, why): (u16, &str)) {
        self.tables.counters.count(Counter::RefusedRequest);
        if request.method() != Some(Method::Ack) {
            let tag = self.tables.random.answer_tag();
            let response = objection(request, status, why, &tag);
            if !response.is_request() {
                self.tables.outbox.send(flow, response.bytes().clone());
            }
        }
    }
}
