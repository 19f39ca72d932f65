//! Sends keys: a packet with each frame while a key is down, and its end three times (RFC 4733 section 2.5.1).

use super::packet::Event;
use super::{Digit, DigitError};

/// The keys that wait to be sent, and the one that is.
#[derive(Debug)]
pub(crate) struct DigitSender {
    waiting: [Option<Digit>; MAX_WAITING],
    state: State,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Idle,
    /// The key is down since `timestamp`, for `length` samples.
    Down {
        digit: Digit,
        timestamp: u32,
        length: u16,
    },
    /// It was let go; the end is still to be said so often.
    Up {
        digit: Digit,
        timestamp: u32,
        length: u16,
        left: u8,
    },
    /// Nothing is down for so many samples.
    Pause {
        left: u16,
    },
}

/// An event as it goes out in place of sound.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct EventPacket {
    /// Of the beginning of the event, the same in all its packets.
    pub(crate) timestamp: u32,
    /// Set in the first packet of an event.
    pub(crate) marker: bool,
    pub(crate) payload: [u8; 4],
    /// With it the last of all keys has gone.
    pub(crate) is_last: bool,
}

impl DigitSender {
    pub(crate) fn new() -> Self {
        Self { waiting: [None; MAX_WAITING], state: State::Idle }
    }

    /// Queues keys, all or none.
    pub(crate) fn push(&mut self, digits: &str) -> Result<(), DigitError> {
        if let Some(wrong) = digits.chars().find(|face| Digit::new(*face).is_none()) {
            return Err(DigitError::NotAKey(wrong));
        }
        let used = self.waiting.iter().flatten().count();
        if digits.len() > MAX_WAITING - used {
            return Err(DigitError::TooMany);
        }
        let free = self.waiting.iter_mut().skip(used);
        free.zip(digits.chars().map(Digit::new)).for_each(|(place, digit)| *place = digit);
        Ok(())
    }

    /// Forgets all keys: the peer takes none any more.
    pub(crate) fn clear(&mut self) {
        *self = Self::new();
    }

    /// True while a key is being sent: no sound goes out then (RFC 4733 section 2.1).
    pub(crate) fn is_active(&self) -> bool {
        self.waiting.first().is_some_and(Option::is_some) || !matches!(self.state, State::Idle)
    }

    /// A frame of so many samples begins at this timestamp: the packet to send for it. None in a pause, when sound may
    /// go out.
    pub(crate) fn step(&mut self, timestamp: u32, samples: u16) -> Option<EventPacket> {
        if let State::Pause { left } = self.state {
            self.state = left.checked_sub(samples).map_or(State::Idle, |left| State::Pause { left });
        }
        match self.state {
            State::Pause { .. } => None,
            State::Idle => {
                let digit = self.next()?;
                self.state = State::Down { digit, timestamp, length: samples };
                Some(packet(digit, timestamp, Said { length: samples, is_end: false, is_first: true }))
            }
            State::Down { digit, timestamp, length } => {
                let length = length.saturating_add(samples);
                let is_end = length >= HELD;
                self.state = match is_end {
                    true => State::Up { digit, timestamp, length, left: ENDS - 1 },
                    false => State::Down { digit, timestamp, length },
                };
                Some(packet(digit, timestamp, Said { length, is_end, is_first: false }))
            }
            State::Up { digit, timestamp, length, left } => {
                let is_done = left <= 1;
                self.state = match is_done {
                    true => State::Pause { left: PAUSE },
                    false => State::Up { digit, timestamp, length, left: left - 1 },
                };
                let is_last = is_done && self.waiting.first() == Some(&None);
                let said = Said { length, is_end: true, is_first: false };
                Some(EventPacket { is_last, ..packet(digit, timestamp, said) })
            }
        }
    }

    fn next(&mut self) -> Option<Digit> {
        let digit = self.waiting.first_mut()?.take();
        self.waiting.rotate_left(1);
        digit
    }
}

struct Said {
    length: u16,
    is_end: bool,
    is_first: bool,
}

fn packet(digit: Digit, timestamp: u32, said: Said) -> EventPacket {
    let event = Event { code: digit.event(), is_end: said.is_end, duration: said.length };
    EventPacket { timestamp, marker: said.is_first, payload: event.to_octets(), is_last: false }
}

const MAX_WAITING: usize = 64;
/// 100 ms at 8 kHz.
const HELD: u16 = 800;
/// How often the end is said, as it may be lost.
const ENDS: u8 = 3;
/// Between two keys, besides the repeated ends: at least two frames of 20 ms.
const PAUSE: u16 = 400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_updated_every_frame_and_ended_three_times() {
        let mut sender = DigitSender::new();
        sender.push("5").unwrap();
        let mut packets = Vec::new();
        for frame in 0..12u32 {
            packets.push(sender.step(1000 + frame * 160, 160));
        }
        let sent: Vec<EventPacket> = packets.iter().flatten().copied().collect();
        assert!(sent.iter().all(|packet| packet.timestamp == 1000));
        let durations: Vec<u16> =
            sent.iter().map(|packet| Event::parse(&packet.payload).unwrap().duration).collect();
        assert_eq!(durations, [160, 320, 480, 640, 800, 800, 800]);
        let ends = sent.iter().filter(|packet| packet.payload[1] & 0x80 != 0).count();
        assert_eq!((ends, sent.iter().filter(|packet| packet.marker).count()), (3, 1));
        assert!(sent[6].is_last && sent[..6].iter().all(|packet| !packet.is_last));
        assert!(!sender.is_active());
    }

    #[test]
    fn keys_wait_for_one_another_and_are_bounded() {
        let mut sender = DigitSender::new();
        assert_eq!(sender.push("12x"), Err(DigitError::NotAKey('x')));
        assert!(!sender.is_active(), "all or none");
        sender.push(&"1".repeat(64)).unwrap();
        assert_eq!(sender.push("2"), Err(DigitError::TooMany));
        let mut frames = 0u32;
        let mut keys = 0;
        while sender.is_active() {
            keys += u32::from(sender.step(frames * 160, 160).is_some_and(|packet| packet.marker));
            frames += 1;
        }
        assert_eq!((keys, frames), (64, 64 * 9 + 1));
    }
}
