//! Any input in any order: nothing panics, users are told once, and everything ends.

use std::collections::BTreeMap;

use super::*;
use crate::ids::Rng;

const METHODS: [&str; 6] = ["INVITE", "ACK", "CANCEL", "REGISTER", "OPTIONS", "BYE"];
const STATUSES: [u16; 8] = [100, 180, 200, 301, 401, 486, 503, 699];

struct Abuse {
    rng: Rng,
    table: Table,
    now: u64,
    asked: Vec<(TxId, Message)>,
    accepted: Vec<(TxId, Message)>,
    ends: BTreeMap<TxId, usize>,
}

impl Abuse {
    fn new(seed: u64) -> Self {
        let caps = Caps { clients: 6, servers: 6, lingering_bytes: 5_000, lingering_invites: 100 };
        let table = Table::new(caps, seed);
        let rng = Rng::new(&Seed::from_number(seed));
        Self { rng, table, now: 0, asked: Vec::new(), accepted: Vec::new(), ends: BTreeMap::new() }
    }

    fn draw<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        let bound = from.len() as u64;
        from.get(usize::try_from(self.rng.below(bound)).unwrap()).cloned()
    }

    fn message(&mut self) -> Message {
        let method = self.draw(&METHODS).unwrap();
        let branch = format!("z9hG4bK{}", self.rng.below(4));
        let call = format!("call-{}", self.rng.below(3));
        let cseq = format!("CSeq: {}", self.rng.below(2));
        changed(&changed(&request(method, &branch), "call-1", &call), "CSeq: 7", &cseq)
    }

    fn flow_ref(&mut self) -> FlowRef {
        let transport = self.draw(&[Transport::Udp, Transport::Tcp, Transport::Tls]).unwrap();
        FlowRef::new(FlowId(self.rng.below(3)), transport)
    }

    fn step(&mut self) {
        let now = at(self.now);
        let (message, flow_ref) = (self.message(), self.flow_ref());
        match self.rng.below(9) {
            0 => {
                if let Ok(id) = self.table.request(&message, flow_ref, 1, now) {
                    self.asked.push((id, message));
                }
            }
            1 | 2 => {
                let incoming = self.table.feed_request(&message, flow_ref.flow, now);
                let new = matches!(incoming, Incoming::New | Incoming::Cancel { .. } | Incoming::Merged);
                if let Ok(id) = self.table.accept_request(&message, flow_ref, 2, now) {
                    assert!(new, "{incoming:?} was accepted");
                    self.accepted.push((id, message));
                }
            }
            3 | 4 => {
                let status = self.draw(&STATUSES).unwrap();
                let of = if self.rng.below(4) == 0 {
                    Some((TxId(0), message))
                } else {
                    self.draw(&self.asked.clone())
                };
                if let Some((id, of)) = of {
                    self.table.feed_response(id, &answer(&of, status), now);
                }
            }
            5 => {
                let status = self.draw(&STATUSES).unwrap();
                if let Some((id, of)) = self.draw(&self.accepted.clone()) {
                    self.table.respond(id, reply(&of, status), status, now);
                }
            }
            6 => {
                if let Some((id, _)) = self.draw(&self.asked.clone()) {
                    let _ = self.table.cancel(id, &mut as_is, now);
                }
            }
            7 if self.rng.below(10) == 0 => self.table.flow_failed(flow_ref.flow),
            _ => {
                self.now += self.rng.below(20_000);
                self.table.handle_deadline(at(self.now));
            }
        }
        self.take();
    }

    fn take(&mut self) {
        for output in drain(&mut self.table) {
            let ended = match output {
                Seen::Wants(TxOutput::Send { bytes, .. }) => {
                    assert!(Message::parse(bytes).is_ok(), "only whole messages go out");
                    continue;
                }
                Seen::Heard { tx, what: Response::Final, .. } => tx,
                Seen::Heard { .. } | Seen::Wants(TxOutput::CancelDue { .. }) => continue,
                Seen::Wants(
                    TxOutput::TimedOut { tx, .. }
                    | TxOutput::AckTimedOut { tx, .. }
                    | TxOutput::Unanswered { tx, .. }
                    | TxOutput::FlowFailed { tx, .. },
                ) => tx,
            };
            *self.ends.entry(ended).or_default() += 1;
        }
        assert!(self.table.unfinished() <= 12 + 6, "CANCELs of ours come on top of the cap");
        assert!(self.table.lingering_bytes() <= 5_000);
    }
}

#[test]
fn any_input_in_any_order_ends_well() {
    for seed in 0..150 {
        let mut abuse = Abuse::new(seed);
        for _ in 0..300 {
            abuse.step();
        }
        // Calls without an answer wait for their user; the loss of their flow ends them.
        for flow in 0..3 {
            abuse.table.flow_failed(FlowId(flow));
        }
        abuse.take();
        let end = abuse.now + 3_600_000;
        while let Some(deadline) =
            abuse.table.deadline().filter(|deadline| deadline.at <= at(end).since_start)
        {
            abuse.table.handle_deadline(when(deadline.at));
        }
        abuse.take();
        assert!(abuse.table.is_empty(), "seed {seed}: {} left", abuse.table.len());
        assert_eq!((abuse.table.unfinished(), abuse.table.lingering_bytes()), (0, 0), "seed {seed}");
        for (id, _) in &abuse.asked {
            assert_eq!(abuse.ends.get(id), Some(&1), "seed {seed}: {id:?} ended once");
        }
    }
}
