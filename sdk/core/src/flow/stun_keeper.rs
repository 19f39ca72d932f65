//! What keeps a UDP association alive: STUN binding requests (RFC 5626 section 4.4.2).

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use super::keep_alive_random::FlowRandom;
use super::stun;
use super::terms::Pong;
use super::want::Want;
use crate::time::{Deadline, Moment, Now, Why};

/// Binding requests and the address we are seen from.
#[derive(Debug)]
pub(super) struct StunKeeper {
    pong: Option<Pong>,
    next: Moment,
    open: Option<Request>,
    mapped: Option<SocketAddr>,
}

/// A request without an answer, repeated as RFC 8489 section 6.2.1 says.
#[derive(Debug)]
struct Request {
    id: stun::TransactionId,
    bytes: Bytes,
    sent: u32,
    pause: Duration,
    next: Moment,
}

impl StunKeeper {
    pub(super) fn new(pong: Option<Pong>, random: &mut FlowRandom<'_>, now: Now) -> Self {
        // The first request goes out soon: it learns the mapping the others are compared with.
        let next = now.after(random.between("first", Duration::ZERO, Duration::from_secs(1)));
        Self { pong, next, open: None, mapped: None }
    }

    pub(super) fn renew(&mut self, pong: Option<Pong>) {
        self.pong = pong;
    }

    pub(super) fn handle_answer(
        &mut self,
        message: &Bytes,
        random: &mut FlowRandom<'_>,
        now: Now,
    ) -> Option<Want> {
        let Ok(stun::Stun::Answer { id, mapped }) = stun::read(message) else { return None };
        self.open.take_if(|open| open.id == id)?;
        self.next = now.after(self.pause(random));
        match self.mapped.replace(mapped) {
            Some(before) if before != mapped => Some(Want::Moved),
            _ => Some(Want::Nothing),
        }
    }

    pub(super) fn handle_deadline(&mut self, proves: bool, random: &mut FlowRandom<'_>, now: Now) -> Want {
        if !now.reached(self.deadline().at) {
            return Want::Nothing;
        }
        match &mut self.open {
            None => {
                let id = random.stun_id();
                let bytes = stun::binding_request(id);
                let next = now.after(FIRST_REPEAT);
                self.open = Some(Request { id, bytes: bytes.clone(), sent: 1, pause: FIRST_REPEAT, next });
                Want::Send(bytes)
            }
            Some(open) if open.sent >= MOST_SENT && proves => Want::Dead,
            Some(open) if open.sent >= MOST_SENT => {
                self.open = None;
                self.next = now.after(self.pause(random));
                Want::Nothing
            }
            Some(open) => {
                open.sent += 1;
                open.pause = if open.sent == MOST_SENT { LAST_WAIT } else { open.pause * 2 };
                open.next = now.after(open.pause);
                Want::Send(open.bytes.clone())
            }
        }
    }

    pub(super) fn deadline(&self) -> Deadline {
        match &self.open {
            None => Deadline::new(self.next, Why::KeepAlive),
            Some(open) if open.sent < MOST_SENT => Deadline::new(open.next, Why::Retransmission),
            Some(open) => Deadline::new(open.next, Why::PongOverdue),
        }
    }

    fn pause(&self, random: &FlowRandom<'_>) -> Duration {
        match self.pong {
            Some(Pong::Within(limit)) if limit < USUAL_MOST => {
                random.between("next", limit.mul_f64(0.8), limit).max(SHORTEST)
            }
            _ => random.between("next", USUAL_LEAST, USUAL_MOST),
        }
    }
}

const USUAL_LEAST: Duration = Duration::from_secs(24);
const USUAL_MOST: Duration = Duration::from_secs(29);
const SHORTEST: Duration = Duration::from_secs(5);

/// RTO of RFC 8489 section 6.2.1.
const FIRST_REPEAT: Duration = Duration::from_millis(500);
/// Its Rc.
const MOST_SENT: u32 = 7;
/// Its Rm times RTO.
const LAST_WAIT: Duration = Duration::from_secs(8);
