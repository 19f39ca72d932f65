//! Sealing and sending: every final answer carries the signature its receiver can check.

use bytes::Bytes;
use homing_core::auth::security_association::Style;
use homing_core::ids::FlowId;
use homing_core::time::Now;
use homing_wire::{Builder, Message, Name};

use super::gate::{Seal, SessionId};
use super::reply::{Reply, stamped_via};
use super::{Case, Node};
use crate::journal::{Decision, Verdict};
use crate::mischief::{Mischief, Stage};

impl Node {
    /// Answers a request through its transaction.
    pub(super) fn answer(&mut self, case: &Case, reply: Reply, seal: &Seal, now: Now) {
        let status = reply.status;
        let answer = match seal {
            // Nothing of the answer enters it, so it is a header like any other.
            Seal::Digest(info) => {
                let reply = reply.header(Name::AuthenticationInfo, info);
                self.unsealed(&case.request, case.flow, &reply, now)
            }
            Seal::None | Seal::Association(_) => {
                let unsealed = self.unsealed(&case.request, case.flow, &reply, now);
                self.sealed(unsealed, &case.request, seal)
            }
        };
        self.conclude(case, (answer.into(), status), seal, now);
    }

    /// Hands a final answer to its transaction. An association that signed one stands for its endpoint.
    pub(super) fn conclude(&mut self, case: &Case, (bytes, status): (Bytes, u16), seal: &Seal, now: Now) {
        if let Seal::Association(id) = seal {
            self.machines.gate.sessions_mut().turn(*id, now);
        }
        self.machines.transactions.respond(case.tx, bytes, status, now);
    }

    /// Answers a request that gets no transaction.
    pub(super) fn answer_without_state(&mut self, request: &Message, flow: FlowId, reply: &Reply, now: Now) {
        let answer = self.unsealed(request, flow, reply, now);
        self.send(flow, answer.into(), now);
    }

    /// The answer with Via, To tag and headers, but without a signature.
    pub(super) fn unsealed(&mut self, request: &Message, flow: FlowId, reply: &Reply, now: Now) -> Message {
        let keep = self.keep_seconds(request, reply.status);
        let via = self.flows.find(flow).and_then(|flow| stamped_via(request, flow.peer, keep));
        let tagged = reply.has_tag() || request.to().is_ok_and(|to| to.tag().is_some());
        let tag = if tagged { String::new() } else { self.draws.tag() };
        let answer = reply.build(request, via, &tag);
        let wrong_answer = reply.status == 200 || (300..400).contains(&reply.status);
        if wrong_answer
            && let Some(Mischief::WrongCSeq) = self.rules.take_if(Stage::Answer, &Mischief::WrongCSeq)
        {
            self.note(Some(flow), Decision::new(Verdict::Mischief, "an answer with another CSeq"), now);
            return other_cseq(answer);
        }
        answer
    }

    /// Puts the seal on an answer or on a request of the server's own.
    pub(super) fn sealed(&mut self, unsealed: Message, request: &Message, seal: &Seal) -> Message {
        match seal {
            Seal::None => unsealed,
            Seal::Digest(info) => unsealed.with_header(Name::AuthenticationInfo, info),
            Seal::Association(id) => self.signed(unsealed, request, *id),
        }
    }

    fn signed(&mut self, unsealed: Message, request: &Message, id: SessionId) -> Message {
        let draws = self.draws.as_mut();
        let Some(Ok(value)) = self.machines.gate.sessions_mut().sign(id, &unsealed, draws) else {
            return unsealed;
        };
        self.with_signature(unsealed, &value.to_string(), request, id)
    }

    /// Writes a signature into the headers its receiver looks into (MS-SIP 3.1.4 in the patent's dialect, MS-SIPAE 3.3.4 in the others).
    pub(super) fn with_signature(
        &self,
        message: Message,
        value: &str,
        request: &Message,
        id: SessionId,
    ) -> Message {
        let session = self.machines.gate.sessions().find(id);
        let style = session.map_or(Style::Registrar, |session| session.association.style());
        let ours = request.text(Name::UserAgent).is_some_and(|agent| agent.starts_with(OUR_AGENT));
        let mut names = vec![style.info()];
        if style == Style::Proxy && !ours {
            names.push(Name::AuthenticationInfo);
        }
        if self.config.gate.patent_literal_headers {
            match message.status() {
                Some(301) => names.push(Name::ProxyAuthenticate),
                Some(200) => names.push(Name::ProxyAuthorization),
                _ => {}
            }
        }
        names.into_iter().fold(message, |signed, name| signed.with_header(name, value))
    }

    /// What `keep` in a Via is answered with: only on success, and only where flows are kept.
    fn keep_seconds(&self, request: &Message, status: u16) -> Option<u32> {
        let register = request.method() == Some(homing_wire::Method::Register);
        (register && status == 200).then_some(self.config.registrar.flow_timer)
    }
}

/// The message with the number of its CSeq raised by one.
fn other_cseq(message: Message) -> Message {
    let Ok(cseq) = message.cseq() else { return message };
    let other = format!("{} {}", cseq.seq.wrapping_add(1), cseq.method.as_str());
    Builder::from_message(&message).replace(Name::CSeq, other).message()
}

/// What the User-Agent of our own clients begins with.
pub(super) const OUR_AGENT: &str = "Homing/";
