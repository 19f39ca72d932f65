//! Our stream: sound cut into packets, keys in its place, numbers and timestamps.

use std::time::Duration;

use crate::codec::{Codec, SAMPLE_RATE};
use crate::description::Agreed;
use crate::digits::DigitSender;
use crate::playout::samples;
use crate::random::Random;
use crate::rtp::{Head, RTP_HEAD};

/// What makes the packets we send.
pub(super) struct Outbound {
    random: Random,
    ssrc: u32,
    sequence: u16,
    /// The timestamp of place zero.
    offset: u32,
    /// The place of the next sample; none before the first.
    clock: Option<i64>,
    /// When the last ones were captured.
    captured_at: Option<i64>,
    format: Option<Format>,
    /// Encoded samples that wait for their packet to be full.
    octets: [u8; MAX_PAYLOAD],
    filled: usize,
    /// The next packet of sound begins after a pause.
    marker: bool,
    pub(super) digits: DigitSender,
    pub(super) packets: u64,
    pub(super) octets_sent: u64,
}

#[derive(Clone, Copy)]
struct Format {
    codec: Codec,
    payload: u8,
    digits: Option<u8>,
    /// Octets of a packet.
    length: usize,
    /// A payload type that means nothing to the peer.
    unused: u8,
}

/// A packet that is ready: its head and its payload.
pub(super) struct Ready {
    octets: [u8; RTP_HEAD + MAX_PAYLOAD],
    length: usize,
    /// With it the last key has gone.
    pub(super) ends_digits: bool,
}

impl Outbound {
    pub(super) fn new(mut random: Random) -> Self {
        let (ssrc, sequence, offset) = (random.u32(), random.u16(), random.u32());
        Self {
            random,
            ssrc,
            sequence,
            offset,
            clock: None,
            captured_at: None,
            format: None,
            octets: [0; MAX_PAYLOAD],
            filled: 0,
            marker: true,
            digits: DigitSender::new(),
            packets: 0,
            octets_sent: 0,
        }
    }

    pub(super) fn agree(&mut self, agreed: &Agreed) {
        let millis = usize::try_from(agreed.packet_time.as_millis()).unwrap_or(20).clamp(10, 60);
        let is_used = |payload: &u8| {
            agreed.send.payload == *payload
                || agreed.send_digits == Some(*payload)
                || agreed.receive.iter().any(|format| format.payload == *payload)
        };
        let format = Format {
            codec: agreed.send.codec,
            payload: agreed.send.payload,
            digits: agreed.send_digits,
            length: millis * 8,
            unused: (96..=127).rev().find(|payload| !is_used(payload)).unwrap_or(127),
        };
        if self.format.is_some_and(|before| before.codec != format.codec) {
            self.filled = 0;
        }
        if format.digits.is_none() {
            self.digits.clear();
        }
        self.format = Some(format);
    }

    /// Another source from now on: two of ours must not be taken for one.
    pub(super) fn change_source(&mut self) {
        self.ssrc = self.random.u32();
        self.marker = true;
    }

    pub(super) fn ssrc(&self) -> u32 {
        self.ssrc
    }

    pub(super) fn takes_digits(&self) -> bool {
        self.format.is_some_and(|format| format.digits.is_some())
    }

    /// The timestamp that a sample of this moment would have.
    pub(super) fn timestamp_at(&self, now: Duration) -> u32 {
        let now = samples(now);
        let since = self.captured_at.unwrap_or(0);
        self.timestamp(self.clock.unwrap_or(0) + now - since)
    }

    fn timestamp(&self, place: i64) -> u32 {
        let [b0, b1, b2, b3, ..] = place.to_le_bytes();
        self.offset.wrapping_add(u32::from_le_bytes([b0, b1, b2, b3]))
    }

    /// Nothing is sent for a while; what follows begins with a marker.
    pub(super) fn pause(&mut self) {
        (self.filled, self.marker) = (0, true);
    }

    /// Samples that end at `now`: their packets, one by one, to `send`.
    pub(super) fn capture(
        &mut self,
        captured: &[i16],
        is_muted: bool,
        now: Duration,
        mut send: impl FnMut(Ready),
    ) {
        let Some(format) = self.format else { return };
        self.follow(captured.len(), now);
        for frame in captured.chunks(FRAME) {
            let length = i64::try_from(frame.len()).unwrap_or(0);
            let clock = self.clock.unwrap_or(0);
            self.clock = Some(clock + length);
            let event = match format.digits.filter(|_| self.digits.is_active()) {
                Some(payload) => self.event(payload, clock, frame.len()),
                None => None,
            };
            if let Some(event) = event {
                self.pause();
                send(event);
                continue;
            }
            for (place, sample) in (clock..).zip(frame) {
                if let Some(octet) = self.octets.get_mut(self.filled) {
                    *octet = format.codec.encode(if is_muted { 0 } else { *sample });
                }
                self.filled += 1;
                if self.filled >= format.length {
                    send(self.sound(format, place));
                }
            }
        }
    }

    /// Timestamps count samples, and time where none were captured (RFC 3550 section 5.1).
    fn follow(&mut self, captured: usize, now: Duration) {
        let ends = samples(now);
        let gap = match self.captured_at.replace(ends) {
            None => ends,
            Some(before) => ends - before,
        };
        let gap = gap - i64::try_from(captured).unwrap_or(0);
        if gap >= LAG || self.clock.is_none() {
            self.clock = Some(self.clock.unwrap_or(0) + gap);
            self.pause();
        }
    }

    /// The packet that `last` fills.
    fn sound(&mut self, format: Format, last: i64) -> Ready {
        let length = std::mem::take(&mut self.filled).min(MAX_PAYLOAD);
        let first = last + 1 - i64::try_from(length).unwrap_or(0);
        let mut head = Head::new(format.payload, self.sequence, self.timestamp(first), self.ssrc);
        head.marker = std::mem::take(&mut self.marker);
        let octets = self.octets;
        self.ready(head, octets.get(..length).unwrap_or_default())
    }

    fn event(&mut self, payload: u8, clock: i64, length: usize) -> Option<Ready> {
        let packet = self.digits.step(self.timestamp(clock), u16::try_from(length).unwrap_or(u16::MAX))?;
        let mut head = Head::new(payload, self.sequence, packet.timestamp, self.ssrc);
        head.marker = packet.marker;
        Some(Ready { ends_digits: packet.is_last, ..self.ready(head, &packet.payload) })
    }

    /// A packet without sound, of a payload type that means nothing, to keep the way open (RFC 6263 section 4.6).
    pub(super) fn keep_alive(&mut self, now: Duration) -> Option<Ready> {
        let format = self.format?;
        let head = Head::new(format.unused, self.sequence, self.timestamp_at(now), self.ssrc);
        Some(self.ready(head, &[]))
    }

    fn ready(&mut self, head: Head, payload: &[u8]) -> Ready {
        self.sequence = self.sequence.wrapping_add(1);
        let mut octets = [0; RTP_HEAD + MAX_PAYLOAD];
        let parts = head.to_octets();
        octets.iter_mut().zip(parts.iter().chain(payload)).for_each(|(to, from)| *to = *from);
        self.packets += 1;
        self.octets_sent += u64::try_from(payload.len()).unwrap_or(0);
        Ready { octets, length: RTP_HEAD + payload.len(), ends_digits: false }
    }
}

impl Ready {
    pub(super) fn packet(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or_default()
    }
}

/// 60 ms.
const MAX_PAYLOAD: usize = 480;
/// Sound is cut in steps of 20 ms, so that a key is updated as often.
const FRAME: usize = 160;
/// After less than 100 ms without samples the driver was held up, and sound goes on.
const LAG: i64 = SAMPLE_RATE as i64 / 10;
