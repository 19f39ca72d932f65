//! The peer's stream: which source is heard, its order, its sound and its keys.

use std::time::Duration;

use super::event::SessionEvent;
use super::statistics::{Dropped, Traffic};
use crate::codec::Codec;
use crate::description::Agreed;
use crate::digits::{DigitReceiver, Pressed};
use crate::playout::{Playout, samples};
use crate::rtp::{Arrival, Head, Reception};

/// What is known of the peer's stream.
pub(super) struct Inbound {
    formats: [Option<Codec>; 128],
    digits_payload: Option<u8>,
    source: Option<Reception>,
    rival: Option<Rival>,
    pub(super) playout: Playout,
    pub(super) digits: DigitReceiver,
    /// When a packet of the source came last.
    heard: Option<Duration>,
    pub(super) received: Traffic,
    /// Of sources before.
    lost_before: u64,
    second: Second,
}

/// Another source that sends, too, and perhaps takes over.
#[derive(Clone, Copy)]
struct Rival {
    ssrc: u32,
    next: u16,
}

/// Losses within a second.
#[derive(Clone, Copy, Default)]
struct Second {
    since: Duration,
    expected: u64,
    lost: u64,
    share: Option<f32>,
}

/// A packet that passed the gate.
pub(super) struct Packet<'p> {
    pub(super) head: Head,
    /// Without padding.
    pub(super) payload: &'p [u8],
    pub(super) is_authentic: bool,
    pub(super) at: Duration,
}

/// What a packet brought.
pub(super) struct Taken {
    /// Keys that were let go: by a change of the source, by another key, and by this packet.
    pub(super) pressed: [Option<Pressed>; 3],
    /// It holds sound.
    pub(super) is_sound: bool,
}

impl Inbound {
    pub(super) fn new() -> Self {
        Self {
            formats: [None; 128],
            digits_payload: None,
            source: None,
            rival: None,
            playout: Playout::new(),
            digits: DigitReceiver::new(),
            heard: None,
            received: Traffic::default(),
            lost_before: 0,
            second: Second::default(),
        }
    }

    pub(super) fn agree(&mut self, agreed: &Agreed) {
        self.formats = [None; 128];
        for format in &agreed.receive {
            if let Some(place) = self.formats.get_mut(usize::from(format.payload)) {
                *place = Some(format.codec);
            }
        }
        self.digits_payload = agreed.receive_digits;
    }

    /// Takes a packet, or counts why not. Without `may_play` it is only counted as received.
    pub(super) fn take(
        &mut self,
        packet: &Packet<'_>,
        may_play: bool,
        dropped: &mut Dropped,
    ) -> Option<Taken> {
        let before = self.ssrc();
        let arrival = self.arrive(packet);
        match arrival {
            None => dropped.other_source += 1,
            Some(Arrival::Duplicate) => dropped.duplicate += 1,
            Some(Arrival::OutOfRange) => dropped.out_of_range += 1,
            Some(Arrival::New | Arrival::Restarted) => {}
        }
        let is_new_stream = match arrival? {
            Arrival::Duplicate | Arrival::OutOfRange => return None,
            Arrival::New => before != self.ssrc(),
            Arrival::Restarted => true,
        };
        let held = if is_new_stream { self.restart() } else { None };
        self.heard = Some(packet.at);
        self.received.packets += 1;
        self.received.octets += u64::try_from(packet.payload.len()).unwrap_or(0);
        if Some(packet.head.payload) == self.digits_payload {
            let [before, now] = self.digits.receive(packet.head.timestamp, packet.payload, packet.at);
            return Some(Taken { pressed: [held, before, now], is_sound: false });
        }
        let is_sound = self.hear(packet, may_play, dropped);
        Some(Taken { pressed: [held, None, None], is_sound })
    }

    /// Puts sound where it will be played; true if it is.
    fn hear(&mut self, packet: &Packet<'_>, may_play: bool, dropped: &mut Dropped) -> bool {
        let codec = self.formats.get(usize::from(packet.head.payload)).copied().flatten();
        let Some(codec) = codec else {
            dropped.unknown_payload += 1;
            return false;
        };
        self.measure(packet);
        if !may_play {
            dropped.unexpected += 1;
            return false;
        }
        if !packet.payload.is_empty() {
            self.playout.put(packet.head.timestamp, codec, packet.payload, packet.at);
        }
        !packet.payload.is_empty()
    }

    /// Where the packet stands in its stream; none for a packet of a source that is not heard.
    fn arrive(&mut self, packet: &Packet<'_>) -> Option<Arrival> {
        let (ssrc, sequence) = (packet.head.ssrc, packet.head.sequence);
        if let Some(source) = self.source.as_mut().filter(|source| source.ssrc() == ssrc) {
            self.rival = None;
            return Some(source.arrive(sequence));
        }
        if self.source.is_some() && !self.takes_over(packet) {
            self.rival = Some(Rival { ssrc, next: sequence.wrapping_add(1) });
            return None;
        }
        if let Some(before) = self.source.replace(Reception::new(ssrc, sequence)) {
            self.lost_before += before.lost();
            self.second = Second { since: packet.at, share: self.second.share, ..Second::default() };
        }
        self.rival = None;
        Some(Arrival::New)
    }

    /// Another source takes over if only the peer can have made its packet, or if it is the second in a row while the
    /// old one is silent. So nobody can speak in between.
    fn takes_over(&self, packet: &Packet<'_>) -> bool {
        let is_silent = self.heard.is_none_or(|heard| packet.at.saturating_sub(heard) >= SILENT);
        let is_second = self.rival.is_some_and(|rival| {
            rival.ssrc == packet.head.ssrc && packet.head.sequence.wrapping_sub(rival.next) < 3
        });
        packet.is_authentic || (is_silent && is_second)
    }

    /// Another stream: what it plays and presses has nothing to do with what came before.
    fn restart(&mut self) -> Option<Pressed> {
        self.playout.restart();
        let pressed = self.digits.let_go();
        self.digits.restart();
        pressed
    }

    fn measure(&mut self, packet: &Packet<'_>) {
        let [b0, b1, b2, b3, ..] = samples(packet.at).to_le_bytes();
        if let Some(source) = &mut self.source {
            source.measure(packet.head.timestamp, u32::from_le_bytes([b0, b1, b2, b3]));
        }
    }

    /// The peer left, or is to be heard anew: any source may be next.
    pub(super) fn let_go(&mut self) {
        self.heard = None;
    }

    pub(super) fn source(&mut self) -> Option<&mut Reception> {
        self.source.as_mut()
    }

    pub(super) fn ssrc(&self) -> Option<u32> {
        self.source.as_ref().map(Reception::ssrc)
    }

    pub(super) fn heard(&self) -> Option<Duration> {
        self.heard
    }

    pub(super) fn lost(&self) -> u64 {
        self.lost_before + self.source.as_ref().map_or(0, Reception::lost)
    }

    pub(super) fn jitter(&self) -> Duration {
        Duration::from_micros(u64::from(self.source.as_ref().map_or(0, Reception::jitter)) * 125)
    }

    /// The share of the last full second's packets that never came.
    pub(super) fn lost_of_last_second(&self) -> Option<f32> {
        self.second.share
    }

    /// Closes a second when it is over.
    pub(super) fn tick(&mut self, now: Duration) {
        if now.saturating_sub(self.second.since) < Duration::from_secs(1) {
            return;
        }
        let (expected, lost) =
            self.source.as_ref().map_or((0, 0), |source| (source.expected(), source.lost()));
        let due = expected.saturating_sub(self.second.expected);
        let missing = lost.saturating_sub(self.second.lost).min(due);
        let small = |number: u64| f32::from(u16::try_from(number).unwrap_or(u16::MAX));
        let share = (due > 0).then(|| small(missing) / small(due));
        self.second = Second { since: now, expected, lost, share };
    }
}

impl From<Pressed> for SessionEvent {
    fn from(pressed: Pressed) -> Self {
        SessionEvent::Digit { digit: pressed.digit, duration: pressed.duration }
    }
}

/// Three packets of 20 ms.
const SILENT: Duration = Duration::from_millis(60);
