//! What keeps one stream alive: CRLFCRLF in time, and CRLF in answer where it is promised.

use std::time::Duration;

use bytes::Bytes;

use super::keep_alive_random::FlowRandom;
use super::stun_keeper::StunKeeper;
use super::terms::{KeepTerms, Pong};
use super::want::Want;
use crate::time::{Deadline, Moment, Now, Why};
use crate::transport::Transport;

/// The keep-alive of one flow.
///
/// ```text
///               terms granted
///   +------+                   +-------+  next: send CRLFCRLF, and a pong is promised  +--------+
///   | Off  |------------------>| Quiet |---------------------------------------------->| Pinged |--+ 10 s:
///   +------+                   +-------+<----------------------------------------------+--------+  | dead
///                                |   ^    anything heard                                           v
///                                +---+
///                       next: send CRLFCRLF, nothing promised
/// ```
#[derive(Debug)]
pub(super) enum Keeper {
    /// Nothing was granted.
    Off,
    Stream(StreamKeeper),
    /// A UDP association.
    Datagram(StunKeeper),
}

/// The keep-alive of a stream.
#[derive(Debug)]
pub(super) struct StreamKeeper {
    terms: KeepTerms,
    next: Moment,
    /// When the pong is overdue.
    pong: Option<Moment>,
    /// The peer has answered a ping once, or promised to.
    answers: bool,
}

impl Keeper {
    /// Starts under these terms. A flow that is kept alive already goes on with the new ones.
    pub(super) fn renew(
        &mut self,
        terms: KeepTerms,
        transport: Transport,
        random: &mut FlowRandom<'_>,
        now: Now,
    ) {
        match (&mut *self, terms.is_empty()) {
            (_, true) => *self = Keeper::Off,
            (Keeper::Stream(keeper), _) => keeper.renew(terms, random, now),
            (Keeper::Datagram(keeper), _) => keeper.renew(terms.pong),
            (Keeper::Off, _) if transport.is_reliable() => {
                *self = Keeper::Stream(StreamKeeper::new(terms, random, now));
            }
            (Keeper::Off, _) => *self = Keeper::Datagram(StunKeeper::new(terms.pong, random, now)),
        }
    }

    /// Something was sent: the connection is not idle.
    pub(super) fn sent(&mut self, random: &mut FlowRandom<'_>, now: Now) {
        if let Keeper::Stream(keeper) = self {
            keeper.sent(random, now);
        }
    }

    /// Something was heard: the peer lives.
    pub(super) fn heard(&mut self, pong: bool) {
        if let Keeper::Stream(keeper) = self {
            keeper.heard(pong);
        }
    }

    /// What follows from the answer to a keep-alive; none if it answers none of ours.
    pub(super) fn handle_stun(
        &mut self,
        message: &Bytes,
        random: &mut FlowRandom<'_>,
        now: Now,
    ) -> Option<Want> {
        match self {
            Keeper::Datagram(keeper) => keeper.handle_answer(message, random, now),
            Keeper::Off | Keeper::Stream(_) => None,
        }
    }

    /// Does what is due. Where `proves` is false, a keep-alive without an answer says nothing about the peer.
    pub(super) fn handle_deadline(&mut self, proves: bool, random: &mut FlowRandom<'_>, now: Now) -> Want {
        match self {
            Keeper::Off => Want::Nothing,
            Keeper::Stream(keeper) => keeper.handle_deadline(proves, random, now),
            Keeper::Datagram(keeper) => keeper.handle_deadline(proves, random, now),
        }
    }

    pub(super) fn deadline(&self) -> Option<Deadline> {
        match self {
            Keeper::Off => None,
            Keeper::Stream(keeper) => Some(keeper.deadline()),
            Keeper::Datagram(keeper) => Some(keeper.deadline()),
        }
    }
}

impl StreamKeeper {
    fn new(terms: KeepTerms, random: &mut FlowRandom<'_>, now: Now) -> Self {
        let next = now.after(pause(terms, random));
        Self { terms, next, pong: None, answers: terms.pong.is_some() }
    }

    fn renew(&mut self, terms: KeepTerms, random: &mut FlowRandom<'_>, now: Now) {
        if terms != self.terms {
            self.terms = terms;
            self.answers |= terms.pong.is_some();
            self.next = now.after(pause(terms, random)).min(self.next);
        }
    }

    /// Traffic of ours postpones what only has to prevent idleness; a ping that asks whether the peer
    /// lives is not postponed.
    fn sent(&mut self, random: &mut FlowRandom<'_>, now: Now) {
        if self.terms.pong.is_none() {
            self.next = now.after(pause(self.terms, random));
        }
    }

    fn heard(&mut self, pong: bool) {
        self.answers |= pong;
        self.pong = None;
    }

    fn handle_deadline(&mut self, proves: bool, random: &mut FlowRandom<'_>, now: Now) -> Want {
        if self.pong.is_some_and(|overdue| now.reached(overdue)) {
            if proves {
                return Want::Dead;
            }
            self.pong = None;
        }
        if !now.reached(self.next) {
            return Want::Nothing;
        }
        self.next = now.after(pause(self.terms, random));
        if proves && self.answers && self.pong.is_none() {
            self.pong = Some(now.after(PONG_WITHIN));
        }
        Want::Send(Bytes::from_static(PING))
    }

    fn deadline(&self) -> Deadline {
        let ping = Deadline::new(self.next, Why::KeepAlive);
        match self.pong {
            Some(overdue) if overdue <= self.next => Deadline::new(overdue, Why::PongOverdue),
            _ => ping,
        }
    }
}

/// The pause before the next ping: the shorter of what the two kinds of terms allow.
fn pause(terms: KeepTerms, random: &FlowRandom<'_>) -> Duration {
    let idle = terms.idle.map(|limit| share_of("idle", limit, random));
    let pong = terms.pong.map(|pong| match pong {
        Pong::AsUsual => random.between("pong", USUAL_LEAST, USUAL_MOST),
        Pong::Within(limit) => share_of("pong", limit.min(LONGEST_UNHEARD), random),
    });
    let shorter = match (idle, pong) {
        (Some(one), Some(other)) => one.min(other),
        (one, other) => one.or(other).unwrap_or(USUAL_MOST),
    };
    shorter.max(SHORTEST)
}

/// 80 to 100 % of a limit, less a second for the way there (RFC 5626 section 4.4.1).
fn share_of(purpose: &'static str, limit: Duration, random: &FlowRandom<'_>) -> Duration {
    random.between(purpose, limit.mul_f64(0.8), limit).min(limit.saturating_sub(ON_THE_WAY))
}

const PING: &[u8] = b"\r\n\r\n";
/// However long a server allows: its silent loss is to be noticed, and the account back at another, within
/// 210 s (decision 19). That leaves 10 s for the pong and 50 s for the new login.
const LONGEST_UNHEARD: Duration = Duration::from_secs(150);
const PONG_WITHIN: Duration = Duration::from_secs(10);
const USUAL_LEAST: Duration = Duration::from_secs(95);
const USUAL_MOST: Duration = Duration::from_secs(120);
const ON_THE_WAY: Duration = Duration::from_secs(1);

/// No server makes us ping more often.
const SHORTEST: Duration = Duration::from_secs(5);
