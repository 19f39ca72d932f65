//! The link between caller and callee, in virtual time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use bytes::Bytes;
use homing_core::auth::security_association::Version;
use homing_core::ids::Seed;
use homing_core::time::Now;
use homing_core::transport::Transport;
use homing_tests::world::chance::Chance;
use homing_tests::world::link::NetworkConditions;
use homing_wire::{Frame, Framer, Limits};

use super::ends::{Callee, Caller, Sent, Signing};

/// How a call goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) version: Version,
    pub(super) transport: Transport,
    pub(super) conditions: NetworkConditions,
    /// When the caller hangs up, if it does.
    pub(super) hangs_up: Option<Duration>,
    /// When the callee refuses.
    pub(super) refuses: Duration,
    pub(super) seed: u64,
}

/// A call and everything it takes.
pub(super) struct Call {
    plan: Plan,
    pub(super) caller: Caller,
    pub(super) callee: Callee,
    chance: Chance,
    now: Duration,
    coming: BinaryHeap<Reverse<(Duration, u64, To, Bytes)>>,
    order: u64,
    lanes: [Lane; 2],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum To {
    Caller,
    Callee,
}

/// What a stream's receiving end remembers.
struct Lane {
    framer: Framer,
    busy_until: Duration,
}

impl Call {
    pub(super) fn new(plan: Plan, signing: Signing) -> Self {
        let lane = || Lane { framer: Framer::new(Limits::default()), busy_until: Duration::ZERO };
        Self {
            caller: Caller::new(plan.version, plan.transport, signing, plan.seed),
            callee: Callee::new(plan.version, plan.transport, plan.seed),
            chance: Chance::new(&Seed::from_number(plan.seed)),
            plan,
            now: Duration::ZERO,
            coming: BinaryHeap::new(),
            order: 0,
            lanes: [lane(), lane()],
        }
    }

    /// Runs the call until nothing is left to happen.
    pub(super) fn run(mut self) -> Self {
        let sent = self.caller.call(self.instant());
        self.carry(To::Callee, sent);
        let mut deeds = vec![(self.plan.refuses, To::Callee)];
        deeds.extend(self.plan.hangs_up.map(|at| (at, To::Caller)));
        deeds.sort();
        deeds.reverse();
        for _ in 0..100_000 {
            let deed = deeds.last().map(|(at, _)| *at);
            let arrival = self.coming.peek().map(|next| next.0.0);
            let Some(next) =
                [deed, arrival, self.caller.due(), self.callee.due()].into_iter().flatten().min()
            else {
                return self;
            };
            self.now = self.now.max(next);
            if arrival == Some(next) {
                self.arrive();
            } else if deed == Some(next) {
                match deeds.pop() {
                    Some((_, To::Caller)) => {
                        let sent = self.caller.hang_up(self.instant());
                        self.carry(To::Callee, sent);
                    }
                    _ => {
                        let sent = self.callee.refuse(486, self.instant());
                        self.carry(To::Caller, sent);
                    }
                }
            } else {
                let (mine, theirs) = (self.caller.wake(self.instant()), self.callee.wake(self.instant()));
                self.carry(To::Callee, mine);
                self.carry(To::Caller, theirs);
            }
        }
        self.fail("the call never ends")
    }

    pub(super) fn is_over(&self) -> bool {
        self.caller.is_over() && self.callee.is_over()
    }

    pub(super) fn copies_of_requests(&self) -> usize {
        copies(&self.caller.sent)
    }

    pub(super) fn copies_of_responses(&self) -> usize {
        copies(&self.callee.sent)
    }

    pub(super) fn require(&self, holds: bool, why: &str) {
        if !holds {
            self.fail(why);
        }
    }

    pub(super) fn fail(&self, why: &str) -> ! {
        let mut ladder: Vec<(Duration, &str, String)> = Vec::new();
        for (from, sent) in [("caller", &self.caller.sent), ("callee", &self.callee.sent)] {
            let line = |sent: &Sent| homing_tests::world::ladder::summary(&sent.bytes);
            ladder.extend(sent.iter().map(|sent| (sent.at, from, line(sent))));
        }
        ladder.sort();
        let lines: Vec<String> = ladder
            .iter()
            .map(|(at, from, what)| format!("{:>9.3} {from}: {what}", at.as_secs_f64()))
            .collect();
        panic!("{why}\n{:?}\n{}", self.plan, lines.join("\n"));
    }

    fn arrive(&mut self) {
        let Some(Reverse((_, _, to, bytes))) = self.coming.pop() else { return };
        for message in self.whole(to, bytes) {
            let now = self.instant();
            match to {
                To::Caller => {
                    let sent = self.caller.hear(message, now);
                    self.carry(To::Callee, sent);
                }
                To::Callee => {
                    let sent = self.callee.hear(message, now);
                    self.carry(To::Caller, sent);
                }
            }
        }
    }

    /// The messages that are whole once these octets have come.
    fn whole(&mut self, to: To, bytes: Bytes) -> Vec<Bytes> {
        if self.plan.transport == Transport::Udp {
            return vec![bytes];
        }
        let framer = &mut self.lanes[to as usize].framer;
        framer.push(&bytes);
        let frames = std::iter::from_fn(|| framer.next().expect("well-framed"));
        frames
            .filter_map(|frame| if let Frame::Message(bytes) = frame { Some(bytes) } else { None })
            .collect()
    }

    fn carry(&mut self, to: To, sent: Vec<Bytes>) {
        for bytes in sent {
            self.order += 1;
            let chance = self.chance.of(self.order);
            let pieces: Vec<(Duration, Bytes)> = if self.plan.transport == Transport::Udp {
                let times = self.plan.conditions.datagram(self.now, chance);
                times.into_iter().map(|at| (at, bytes.clone())).collect()
            } else {
                let lane = &mut self.lanes[to as usize];
                let pieces = self.plan.conditions.stream(&bytes, lane.busy_until, self.now, chance);
                lane.busy_until = pieces.last().map_or(lane.busy_until, |(at, _)| *at);
                pieces
            };
            for (at, piece) in pieces {
                self.order += 1;
                self.coming.push(Reverse((at, self.order, to, piece)));
            }
        }
    }

    fn instant(&self) -> Now {
        Now::new(self.now, self.now)
    }
}

/// How often something was sent again.
fn copies(sent: &[Sent]) -> usize {
    let again = |at: usize| sent[..at].iter().any(|before| before.bytes == sent[at].bytes);
    (0..sent.len()).filter(|at| again(*at)).count()
}
