//! The tap on the wire: notes for the trace what passes, and on which flow.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use homing_core::connect::ConnectError;
use homing_core::event::AccountEvent;
use homing_core::identity::Expected;
use homing_core::ids::FlowId;
use homing_core::server::ServerName;
use homing_core::time::Now;
use homing_core::transport::Transport;
use homing_net::FlowEvent;
use homing_wire::Frame;

use crate::trace::{Content, Direction, DropReason, FlowFacts, Recorder, StoredEntry, TraceKind};

/// Writes the trace while it is on.
pub(crate) struct Tap {
    recorder: Option<Recorder>,
    flows: BTreeMap<FlowId, Arc<FlowFacts>>,
}

impl Tap {
    pub(crate) fn new(recorder: Recorder) -> Self {
        Self { recorder: recorder.is_on().then_some(recorder), flows: BTreeMap::new() }
    }

    /// Learns what a flow is called.
    pub(crate) fn dialling(&mut self, flow: FlowId, peer: SocketAddr, transport: Transport, who: &Expected) {
        if self.recorder.is_some() {
            let server = Some(ServerName::new(who.server_name(), peer.port()));
            self.flows.insert(flow, Arc::new(FlowFacts { flow, server, peer, transport }));
        }
    }

    /// Notes what the sockets tell.
    pub(crate) fn arrival(&mut self, event: &FlowEvent, now: Now) {
        let flow = event.flow();
        let content = match event {
            FlowEvent::Connected { proof, .. } => {
                let verified_as = proof.as_ref().map(|proof| proof.name.clone());
                let pinned = proof.as_ref().is_some_and(|proof| proof.pinned);
                Content::Kind(TraceKind::Open { verified_as, pinned })
            }
            FlowEvent::ConnectFailed { why, .. } => Content::Kind(TraceKind::Failed(why.clone())),
            // A copy of its own: the ring must not hold on to larger buffers.
            FlowEvent::Received { frame: Frame::Message(bytes) | Frame::Stun(bytes), .. } => {
                Content::Bytes(Bytes::copy_from_slice(bytes))
            }
            FlowEvent::Received { frame: Frame::Ping, .. } => Content::Bytes(Bytes::from_static(b"\r\n\r\n")),
            FlowEvent::Received { frame: Frame::Pong, .. } => Content::Bytes(Bytes::from_static(b"\r\n")),
            FlowEvent::Closed { why, .. } => Content::Kind(TraceKind::Close(Some(why.clone()))),
            FlowEvent::Malformed { why, .. } => {
                Content::Kind(TraceKind::Close(Some(ConnectError::Framing(*why))))
            }
            FlowEvent::Accepted { peer, transport, .. } => {
                if self.recorder.is_some() {
                    let (peer, transport) = (*peer, *transport);
                    self.flows.insert(flow, Arc::new(FlowFacts { flow, server: None, peer, transport }));
                }
                Content::Kind(TraceKind::Open { verified_as: None, pinned: false })
            }
        };
        self.note(flow, Direction::In, content, now);
        let lasts = matches!(
            event,
            FlowEvent::Accepted { .. } | FlowEvent::Connected { .. } | FlowEvent::Received { .. }
        );
        if !lasts {
            self.flows.remove(&flow);
        }
    }

    /// Notes what the agent sends.
    pub(crate) fn departure(&self, flow: FlowId, bytes: &Bytes, now: Now) {
        self.note(flow, Direction::Out, Content::Bytes(bytes.clone()), now);
    }

    /// Notes that the agent dropped what arrived last on a flow.
    pub(crate) fn dropped(&self, flow: FlowId, event: &AccountEvent, now: Now) {
        let why = match event {
            AccountEvent::MessageRefused { why, .. } => DropReason::Signature(*why),
            AccountEvent::ResponseDropped { why, .. } => DropReason::Response(why.clone()),
            _ => return,
        };
        self.note(flow, Direction::In, Content::Kind(TraceKind::Dropped(why)), now);
    }

    /// Notes that the agent closes a flow.
    pub(crate) fn closing(&mut self, flow: FlowId, now: Now) {
        self.note(flow, Direction::Out, Content::Kind(TraceKind::Close(None)), now);
        self.flows.remove(&flow);
    }

    /// Wakes those who follow the trace.
    pub(crate) fn publish(&self) {
        if let Some(recorder) = &self.recorder {
            recorder.publish();
        }
    }

    fn note(&self, flow: FlowId, direction: Direction, content: Content, now: Now) {
        if let (Some(recorder), Some(facts)) = (&self.recorder, self.flows.get(&flow)) {
            recorder.note(StoredEntry { now, facts: Arc::clone(facts), direction, content });
        }
    }
}
