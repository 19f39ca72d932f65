//! The table of flows: opened once, shared by all who want the same, closed when the last user leaves.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use homing_wire::Frame;

use super::connection::{Destination, Flow, FlowState, Opened};
use super::keep_alive_random::KeepAliveRandom;
use super::keeper::Keeper;
use super::outcome::{FlowNews, FlowOutput, FlowRules};
use super::pong_debt::PongDebt;
use super::silent_peers::SilentPeers;
use super::terms::KeepTerms;
use super::want::Want;
use crate::connect::ConnectError;
use crate::identity::Expected;
use crate::ids::{FlowId, Seed};
use crate::time::{Deadline, Moment, Now};
use crate::timer_queue::TimerQueue;
use crate::transport::Transport;

/// All flows of one agent. `U` names a user: an account, a dialog, a transaction.
///
/// Give one input; drain [`poll_output`](Self::poll_output); sleep until [`deadline`](Self::deadline).
pub struct Flows<U> {
    rules: FlowRules,
    random: KeepAliveRandom,
    next_id: u64,
    flows: BTreeMap<FlowId, Flow<U>>,
    /// Which flow leads where.
    shared: BTreeMap<Destination, FlowId>,
    due: TimerQueue<FlowId>,
    silent: SilentPeers,
    /// Flows that peers opened.
    accepted: usize,
    outputs: VecDeque<FlowOutput<U>>,
}

impl<U: Copy + Ord> Flows<U> {
    /// An empty table.
    pub fn new(rules: FlowRules, seed: &Seed) -> Self {
        Self {
            rules,
            random: KeepAliveRandom::new(seed),
            next_id: 0,
            flows: BTreeMap::new(),
            shared: BTreeMap::new(),
            due: TimerQueue::default(),
            silent: SilentPeers::default(),
            accepted: 0,
            outputs: VecDeque::new(),
        }
    }

    /// One use of a flow to `to`: of the one that leads there, else of a new one that is being opened.
    /// Claiming twice counts once.
    pub fn claim(&mut self, user: U, to: &Destination, now: Now) -> FlowId {
        let flow = match self.shared.get(to) {
            Some(flow) => *flow,
            None => self.open(to, now),
        };
        if let Some(entry) = self.flows.get_mut(&flow) {
            entry.users.insert(user);
        }
        self.wake(flow);
        flow
    }

    /// A peer opened a flow to where this side listens. It closes when its last user leaves it, or when it had none for
    /// a while; one too many is closed at once.
    pub fn accept(&mut self, flow: FlowId, opened: Opened, transport: Transport, now: Now) {
        if self.accepted >= MOST_ACCEPTED || self.flows.contains_key(&flow) {
            return self.outputs.push_back(FlowOutput::Close { flow });
        }
        self.accepted += 1;
        let expected = Expected::Host(opened.peer.ip().to_string());
        let destination = Destination { address: opened.peer, transport, expected };
        let state = FlowState::Accepted(opened, now.after(IDLE));
        let (users, keeper, debt) = (BTreeSet::new(), Keeper::Off, PongDebt::default());
        self.flows.insert(flow, Flow { destination, state, users, keeper, debt, heard: None, due: None });
        self.wake(flow);
    }

    /// One more use of a flow that is there already. False if it is not.
    pub fn join(&mut self, flow: FlowId, user: U) -> bool {
        let joined = self.flows.get_mut(&flow).map(|entry| entry.users.insert(user)).is_some();
        self.wake(flow);
        joined
    }

    /// Gives one use back; the last one closes the flow.
    pub fn release(&mut self, flow: FlowId, user: U) {
        let Some(entry) = self.flows.get_mut(&flow) else { return };
        if entry.users.remove(&user) && entry.users.is_empty() {
            self.close(flow);
        }
    }

    /// Closes a flow although it has users, as for the losers of a race.
    pub fn close(&mut self, flow: FlowId) {
        if self.remove(flow).is_some() {
            self.outputs.push_back(FlowOutput::Close { flow });
        }
    }

    /// The flow is open. False if it has no user any more.
    pub fn handle_connected(&mut self, flow: FlowId, opened: Opened) -> bool {
        let Some(entry) = self.flows.get_mut(&flow) else { return false };
        if !matches!(entry.state, FlowState::Connecting { .. }) {
            return false;
        }
        entry.state = FlowState::Open(opened);
        self.wake(flow);
        true
    }

    /// The world says that the flow could not be opened, or is closed. Returns its users.
    pub fn handle_lost(&mut self, flow: FlowId) -> Vec<U> {
        self.remove(flow).map_or(Vec::new(), |entry| entry.users.into_iter().collect())
    }

    /// Something came by the flow. False if the flow is unknown.
    pub fn handle_frame(&mut self, flow: FlowId, frame: &Frame, now: Now) -> bool {
        let Some(entry) = self.flows.get_mut(&flow) else { return false };
        entry.keeper.heard(matches!(frame, Frame::Pong));
        entry.heard = Some(now.since_start);
        let stun = match frame {
            Frame::Stun(message) => entry.keeper.handle_stun(message, &mut self.random.of(flow, now), now),
            Frame::Message(_) | Frame::Ping | Frame::Pong => None,
        };
        if stun.is_some() || matches!(frame, Frame::Pong) {
            self.silent.answered(&entry.destination);
        }
        let pays = matches!(frame, Frame::Ping) && entry.destination.transport.is_reliable();
        let want = match stun {
            None if pays && entry.debt.handle_ping(now) => Want::Send(Bytes::from_static(PONG)),
            want => want.unwrap_or(Want::Nothing),
        };
        self.fulfil(flow, want);
        true
    }

    /// Something other than a keep-alive went out by the flow.
    pub fn note_sent(&mut self, flow: FlowId, now: Now) {
        if let Some(entry) = self.flows.get_mut(&flow) {
            entry.keeper.sent(&mut self.random.of(flow, now), now);
            self.wake(flow);
        }
    }

    /// Keeps the flow alive under these terms from now on; empty terms end it.
    pub fn keep_alive(&mut self, flow: FlowId, terms: KeepTerms, now: Now) {
        if let Some(entry) = self.flows.get_mut(&flow) {
            entry.keeper.renew(terms, entry.destination.transport, &mut self.random.of(flow, now), now);
            self.wake(flow);
        }
    }

    /// Does everything that is due.
    pub fn handle_deadline(&mut self, now: Now) {
        while let Some((_, flow)) = self.due.first().filter(|(at, _)| now.reached(*at)) {
            let Some(entry) = self.flows.get_mut(&flow) else { break };
            if matches!(entry.state, FlowState::Connecting { until } if now.reached(until)) {
                self.lose(flow, ConnectError::Timeout);
            } else if entry.is_idle(now) {
                self.close(flow);
            } else {
                if entry.debt.handle_deadline(now) {
                    let pong = Bytes::from_static(PONG);
                    self.outputs.push_back(FlowOutput::Send { flow, bytes: pong });
                }
                let proves = !self.silent.contains(&entry.destination);
                let want = entry.keeper.handle_deadline(proves, &mut self.random.of(flow, now), now);
                if want == Want::Dead {
                    self.silent.lost(&entry.destination);
                }
                self.fulfil(flow, want);
            }
        }
    }

    /// True if the peer of a flow promised to answer keep-alives and answers none: its silence proves nothing.
    pub fn is_silent(&self, flow: FlowId) -> bool {
        self.flows.get(&flow).is_some_and(|entry| self.silent.contains(&entry.destination))
    }

    /// True if the peer of a flow said anything after that moment.
    pub fn has_spoken_since(&self, flow: FlowId, moment: Moment) -> bool {
        self.flows.get(&flow).and_then(|entry| entry.heard).is_some_and(|heard| heard > moment)
    }

    /// When something is due next.
    pub fn deadline(&self) -> Option<Deadline> {
        let (_, flow) = self.due.first()?;
        self.flows.get(&flow)?.deadline()
    }

    /// Takes the oldest output.
    pub fn poll_output(&mut self) -> Option<FlowOutput<U>> {
        self.outputs.pop_front()
    }

    /// The flow of that name.
    pub fn find(&self, flow: FlowId) -> Option<&Flow<U>> {
        self.flows.get(&flow)
    }

    /// How many flows there are.
    pub fn len(&self) -> usize {
        self.flows.len()
    }

    /// True without flows.
    pub fn is_empty(&self) -> bool {
        self.flows.is_empty()
    }

    fn open(&mut self, to: &Destination, now: Now) -> FlowId {
        let flow = FlowId(self.next_id);
        self.next_id += 1;
        let state = FlowState::Connecting { until: now.after(self.rules.connect) };
        let (users, keeper, debt) = (BTreeSet::new(), Keeper::Off, PongDebt::default());
        let (heard, due) = (None, None);
        self.flows.insert(flow, Flow { destination: to.clone(), state, users, keeper, debt, heard, due });
        self.shared.insert(to.clone(), flow);
        self.outputs.push_back(FlowOutput::Connect { flow, to: to.clone() });
        flow
    }

    fn fulfil(&mut self, flow: FlowId, want: Want) {
        match want {
            Want::Nothing => {}
            Want::Send(bytes) => self.outputs.push_back(FlowOutput::Send { flow, bytes }),
            Want::Dead => return self.lose(flow, ConnectError::Timeout),
            Want::Moved => {
                let users = self.flows.get(&flow).map_or(Vec::new(), |entry| entry.users().collect());
                self.outputs.push_back(FlowOutput::News(FlowNews::Moved { flow, users }));
            }
        }
        self.wake(flow);
    }

    fn lose(&mut self, flow: FlowId, why: ConnectError) {
        self.outputs.push_back(FlowOutput::Close { flow });
        let users = self.handle_lost(flow);
        self.outputs.push_back(FlowOutput::News(FlowNews::Lost { flow, why, users }));
    }

    fn remove(&mut self, flow: FlowId) -> Option<Flow<U>> {
        self.unshare(flow);
        let mut entry = self.flows.remove(&flow)?;
        if entry.is_accepted() {
            self.accepted -= 1;
        }
        self.due.set(flow, &mut entry.due, None);
        Some(entry)
    }

    fn unshare(&mut self, flow: FlowId) {
        if let Some(entry) = self.flows.get(&flow)
            && self.shared.get(&entry.destination) == Some(&flow)
        {
            self.shared.remove(&entry.destination);
        }
    }

    /// Brings the flow's place among the deadlines up to date.
    fn wake(&mut self, flow: FlowId) {
        let Some(entry) = self.flows.get_mut(&flow) else { return };
        let at = entry.deadline().map(|deadline| deadline.at);
        self.due.set(flow, &mut entry.due, at);
    }
}

/// Flows that peers may hold open at once.
const MOST_ACCEPTED: usize = 1_024;
/// How long a flow that a peer opened stays without a call: as long as a transaction lasts.
const IDLE: Duration = Duration::from_secs(32);
/// The answer to CRLFCRLF (RFC 5626 section 3.5.1).
const PONG: &[u8] = b"\r\n";
