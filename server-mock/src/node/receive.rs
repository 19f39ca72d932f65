//! What arrives on a flow: keep-alives answered, messages read, streams that cannot be cut ended.

use bytes::Bytes;
use homing_core::auth::signed::{NoAssociation, Signed};
use homing_core::counter::Counter;
use homing_core::ids::FlowId;
use homing_core::time::Now;
use homing_core::transaction::Response;
use homing_wire::{Frame, Message};

use super::io::NodeOutput;
use super::{Node, Owner, reply, stun};
use crate::journal::{Decision, Verdict, What};

impl Node {
    pub(super) fn receive(&mut self, flow: FlowId, frame: Frame, now: Now) {
        if self.flows.find(flow).is_none() {
            return self.counters.count(Counter::StrayFlow);
        }
        self.flows.hear(flow, now);
        match frame {
            Frame::Ping => {
                self.log(flow, What::Received(PING), now);
                if self.flows.find(flow).is_some_and(|flow| flow.keeping.pongs) {
                    self.send(flow, PONG, now);
                }
            }
            Frame::Pong => self.log(flow, What::Received(PONG), now),
            Frame::Stun(bytes) => {
                let from = self.flows.find(flow).map(|flow| flow.peer);
                if let Some(answer) = from.and_then(|from| stun::answer(&bytes, from)) {
                    self.send(flow, answer, now);
                }
            }
            Frame::Message(bytes) => self.receive_message(flow, bytes, now),
        }
    }

    fn receive_message(&mut self, flow: FlowId, bytes: Bytes, now: Now) {
        self.log(flow, What::Received(bytes.clone()), now);
        match Message::parse(bytes) {
            Ok(request) if request.is_request() => self.receive_request(flow, request, now),
            Ok(response) => self.receive_response(flow, &response, now),
            Err(error) => {
                self.counters.count(Counter::Malformed);
                let said = Decision::new(Verdict::Discarded, format!("not a SIP message: {error}"));
                self.note(Some(flow), said, now);
            }
        }
    }

    /// A stream that cannot be framed: 400 to what could be read of it, and the end.
    pub(super) fn receive_malformed(&mut self, flow: FlowId, head: Option<Bytes>, now: Now) {
        self.counters.count(Counter::Malformed);
        self.note(Some(flow), Decision::new(Verdict::Discarded, "the stream cannot be framed"), now);
        let request = head.and_then(|head| Message::parse(head).ok()).filter(|message| message.is_request());
        if let Some(request) = request.filter(|request| request.via().is_ok()) {
            self.log(flow, What::Received(request.bytes().clone()), now);
            let reply = reply::Reply::new(400).reason("Content-Length is missing or wrong");
            self.answer_without_state(&request, flow, &reply, now);
        }
        self.forget_flow(flow, now);
        self.outputs.push_back(NodeOutput::Close { flow });
    }

    fn receive_response(&mut self, flow: FlowId, response: &Message, now: Now) {
        match self.machines.transactions.peek_client(response) {
            Some((id, owner, expected)) if expected == flow => {
                let owner = *owner;
                // An ACK that follows goes where the request went: to a server, which mutual TLS proved.
                let mut as_it_is = |request| Ok(Signed::without(request, NoAssociation::MutualTls));
                let what = self.machines.transactions.feed_response(id, response, &mut as_it_is, now);
                self.settle(now);
                if let (Response::Final, Owner::Relay(relay)) = (what, owner) {
                    self.relayed(relay, response, now);
                }
            }
            _ => {
                self.counters.count(Counter::StrayResponse);
                let said = Decision::new(Verdict::Discarded, "a response to nothing this server asked");
                self.note(Some(flow), said, now);
            }
        }
    }
}

const PING: Bytes = Bytes::from_static(b"\r\n\r\n");
const PONG: Bytes = Bytes::from_static(b"\r\n");
