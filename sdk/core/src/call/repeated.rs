//! Responses that the called side repeats by itself until the caller says that they came: the 2xx to INVITE until its
//! ACK, a reliable provisional response until its PRACK, over TCP too (RFC 3261 section 13.3.1.4; RFC 3262 section 3).

use std::time::Duration;

use bytes::Bytes;
use homing_wire::Message;

use super::body;
use super::line::CallContext;
use crate::description::Description;
use crate::time::{Deadline, Moment, Now, Why};

/// A response that was not acknowledged yet.
pub(crate) struct Repeated {
    /// The number of its INVITE.
    pub(crate) seq: u32,
    /// Without a signature: on another flow it is signed again (decision 41).
    response: Message,
    /// As it left, the same octets each time; none if it could not be signed.
    bytes: Option<Bytes>,
    growth: Growth,
    again: Moment,
    overdue: Moment,
    pause: Duration,
}

/// How the pause between two copies grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Growth {
    /// It doubles up to T2: a 2xx.
    UpToT2,
    /// It doubles: a reliable provisional response.
    Unbounded,
}

impl Repeated {
    /// A response that left just now.
    pub(crate) fn new(
        response: Message,
        bytes: Option<Bytes>,
        growth: Growth,
        cc: &CallContext<'_, '_, '_>,
    ) -> Self {
        let (t1, now) = (cc.at.cx.agent.timers.t1, cc.at.cx.now);
        Self {
            seq: response.cseq().map_or(0, |cseq| cseq.seq),
            response,
            bytes,
            growth,
            again: now.after(t1),
            overdue: now.after(t1 * GIVE_UP),
            pause: t1,
        }
    }

    /// True if it describes the session.
    pub(crate) fn has_body(&self) -> bool {
        !self.response.body().is_empty()
    }

    /// True once it left.
    pub(crate) fn is_sent(&self) -> bool {
        self.bytes.is_some()
    }

    /// What it describes.
    pub(crate) fn description(&self) -> Option<Description> {
        body::description(&self.response).ok().flatten()
    }

    /// When it goes out again, or is given up.
    pub(crate) fn deadline(&self) -> Deadline {
        Deadline::new(self.again.min(self.overdue), Why::AckOverdue)
    }

    /// True once no acknowledgement can come in time.
    pub(crate) fn is_overdue(&self, now: Now) -> bool {
        now.reached(self.overdue)
    }

    /// Sends it again if that is due.
    pub(crate) fn handle_deadline(&mut self, cc: &mut CallContext<'_, '_, '_>) {
        let now = cc.at.cx.now;
        if !now.reached(self.again) {
            return;
        }
        let doubled = self.pause.saturating_mul(2);
        self.pause = match self.growth {
            Growth::UpToT2 => doubled.min(cc.at.cx.agent.timers.t2),
            Growth::Unbounded => doubled,
        };
        self.again = now.after(self.pause);
        if let Some(bytes) = self.bytes.clone() {
            cc.transmit(bytes);
        }
    }

    /// What signed it is gone: it does not go out before [`move_over`](Self::move_over).
    pub(crate) fn silence(&mut self) {
        self.bytes = None;
    }

    /// The call has another flow: it goes out at once, signed again by what signs there.
    pub(crate) fn move_over(&mut self, cc: &mut CallContext<'_, '_, '_>) {
        self.bytes = cc.sign_response(self.response.clone());
        if let Some(bytes) = self.bytes.clone() {
            cc.transmit(bytes);
        }
    }
}

/// Without a word of the caller it is given up after so many T1.
const GIVE_UP: u32 = 64;
