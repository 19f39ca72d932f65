//! Links: byte streams and datagrams between two hosts, with conditions and with somebody in the middle.

use std::time::Duration;

use bytes::Bytes;
use homing_core::ids::FlowId;
use homing_core::transport::Transport;
use homing_wire::Framer;

use super::chance::{Chance, Purpose};

/// A host of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostId {
    /// A phone, by its place in the world.
    Phone(usize),
    /// A server, by its place in the world.
    Server(usize),
}

/// One end of a link.
pub struct End {
    /// Who sits there.
    pub host: HostId,
    /// What it calls the link.
    pub flow: FlowId,
    /// Puts arriving pieces of a stream together.
    pub framer: Framer,
    /// A stream delivers in order: nothing arrives here before this.
    pub busy_until: Duration,
    /// When something was sent to this end last, and how many before it at the same instant.
    pub sent: (Duration, u64),
}

/// A connection, or a datagram association.
pub struct Link {
    /// The opening end, then the accepting end.
    pub ends: [End; 2],
    /// How it travels.
    pub transport: Transport,
    /// When it was laid.
    pub born: Duration,
    /// Where it stands.
    pub life: Life,
    /// True once one end has closed; the other may not know yet.
    pub leaving: bool,
}

/// Where a link stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// The handshake is under way.
    Opening,
    /// Both ends use it.
    Open,
    /// Nothing arrives any more, without an error: a dead NAT entry.
    Silent,
    /// Over.
    Closed,
}

/// What the network does to what travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkConditions {
    /// One way.
    pub delay: Duration,
    /// Added at random, up to this; datagrams overtake each other by it.
    pub jitter: Duration,
    /// Of a thousand datagrams so many are lost; a stream repeats what is lost, which takes time.
    pub loss: u16,
    /// Of a thousand datagrams so many arrive twice.
    pub duplicates: u16,
    /// Whether streams arrive in small pieces.
    pub pieces: bool,
}

/// Somebody in the middle: sees what one host sends another and says what arrives instead.
pub type Tamper = Box<dyn FnMut(&Passing<'_>) -> Option<Vec<Bytes>>>;

/// Something passing the middle.
pub struct Passing<'a> {
    /// Sender.
    pub from: &'a str,
    /// Receiver.
    pub to: &'a str,
    /// What was sent.
    pub bytes: &'a Bytes,
}

impl Default for NetworkConditions {
    fn default() -> Self {
        Self {
            delay: Duration::from_millis(10),
            jitter: Duration::ZERO,
            loss: 0,
            duplicates: 0,
            pieces: false,
        }
    }
}

impl NetworkConditions {
    /// Rain: loss, duplicates, overtaking and small pieces.
    pub fn lossy(loss: u16, duplicates: u16) -> Self {
        Self {
            delay: Duration::from_millis(20),
            jitter: Duration::from_millis(60),
            loss,
            duplicates,
            pieces: true,
        }
    }

    /// One journey's time.
    pub fn travel(&self, chance: Chance) -> Duration {
        let jitter = u64::try_from(self.jitter.as_micros()).unwrap_or(u64::MAX);
        self.delay + Duration::from_micros(chance.below(Purpose::Travel, jitter.saturating_add(1)))
    }

    /// The arrival times of one datagram: none if lost, two if doubled.
    pub fn datagram(&self, now: Duration, chance: Chance) -> Vec<Duration> {
        if chance.below(Purpose::Loss, 1_000) < u64::from(self.loss) {
            return Vec::new();
        }
        let copies = if chance.below(Purpose::Copies, 1_000) < u64::from(self.duplicates) { 2 } else { 1 };
        (0..copies).map(|copy| now + self.travel(chance.of(copy))).collect()
    }

    /// The pieces of one write on a stream with their arrival times, in order.
    pub fn stream(
        &self,
        bytes: &Bytes,
        not_before: Duration,
        now: Duration,
        chance: Chance,
    ) -> Vec<(Duration, Bytes)> {
        let mut cuts = vec![0, bytes.len()];
        if self.pieces && bytes.len() > 2 {
            let len = bytes.len() as u64;
            let cut = |n| usize::try_from(chance.of(n).below(Purpose::Cut, len)).unwrap_or(0);
            cuts.extend((0..chance.below(Purpose::Cut, 3)).map(cut));
            cuts.sort_unstable();
        }
        let mut at = not_before.max(now);
        let mut pieces = Vec::new();
        for (pair, piece) in cuts.windows(2).zip(0..).filter(|(pair, _)| pair[0] < pair[1]) {
            let chance = chance.of(piece);
            let lost = |attempt: &u32| {
                chance.of(u64::from(*attempt)).below(Purpose::Loss, 1_000) < u64::from(self.loss)
            };
            let attempts = (0..).take_while(lost).fold(0, |all, _| all + 1);
            let travel = self.travel(chance) + RESEND * attempts;
            at = at.max(now + travel);
            pieces.push((at, bytes.slice(pair[0]..pair[1])));
        }
        pieces
    }
}

impl HostId {
    /// A number for the host: even for phones, odd for servers.
    pub fn number(self) -> u64 {
        match self {
            HostId::Phone(place) => 2 * place as u64,
            HostId::Server(place) => 2 * place as u64 + 1,
        }
    }
}

impl Link {
    /// The place of `host`'s own end, as opened by `flow`.
    pub fn end_of(&self, host: HostId, flow: FlowId) -> Option<usize> {
        self.ends.iter().position(|end| end.host == host && end.flow == flow)
    }
}

/// What a lost segment costs a stream.
const RESEND: Duration = Duration::from_millis(200);
