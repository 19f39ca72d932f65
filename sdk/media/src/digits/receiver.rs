//! Hears keys: each once, however many of its packets come, and though its end may be lost (RFC 4733 section 2.5.2).

use std::time::Duration;

use super::Digit;
use super::packet::Event;

/// A key that was pressed and let go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Pressed {
    pub(crate) digit: Digit,
    pub(crate) duration: Duration,
}

/// The key that is down, and those that were.
#[derive(Debug)]
pub(crate) struct DigitReceiver {
    down: Option<Down>,
    /// Timestamps of keys that were told; their packets may still come. The youngest first.
    told: [Option<u32>; TOLD],
}

#[derive(Clone, Copy, Debug)]
struct Down {
    digit: Digit,
    timestamp: u32,
    /// Of this segment, in samples.
    length: u16,
    /// Of the segments before: one packet counts to 65535 only (RFC 4733 section 2.5.1.3).
    before: u32,
    seen: Duration,
}

impl DigitReceiver {
    pub(crate) fn new() -> Self {
        Self { down: None, told: [None; TOLD] }
    }

    /// A packet of an event; returns the keys that were let go by it: at most the one before, and this one.
    pub(crate) fn receive(&mut self, timestamp: u32, payload: &[u8], now: Duration) -> [Option<Pressed>; 2] {
        let Some(event) = Event::parse(payload) else { return [None; 2] };
        let Some(digit) = Digit::of_event(event.code) else { return [None; 2] };
        if self.told.contains(&Some(timestamp)) {
            return [None; 2];
        }
        let mut before = None;
        let down = match self.down {
            Some(down) if down.timestamp == timestamp => {
                Down { length: down.length.max(event.duration), seen: now, ..down }
            }
            Some(down) if down.is_continued_by(digit, timestamp) => {
                let before = down.before + u32::from(down.length);
                Down { timestamp, length: event.duration, before, seen: now, ..down }
            }
            // A packet from before the key that is down now: that key's other packets were lost, and it is too late.
            Some(down) if timestamp.wrapping_sub(down.timestamp).cast_signed() < 0 => return [None; 2],
            _ => {
                before = self.let_go();
                Down { digit, timestamp, length: event.duration, before: 0, seen: now }
            }
        };
        self.down = Some(down);
        [before, if event.is_end { self.let_go() } else { None }]
    }

    /// When the key that is down counts as let go, if nothing more is heard of it.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.down.map(|down| down.seen + PATIENCE)
    }

    /// The time is over, or the source is another: a key that is down counts as let go.
    pub(crate) fn let_go(&mut self) -> Option<Pressed> {
        let down = self.down.take()?;
        self.told.rotate_right(1);
        if let Some(youngest) = self.told.first_mut() {
            *youngest = Some(down.timestamp);
        }
        let samples = u64::from(down.before) + u64::from(down.length);
        Some(Pressed { digit: down.digit, duration: Duration::from_micros(samples * 125) })
    }

    /// Timestamps of another source say nothing of those before.
    pub(crate) fn restart(&mut self) {
        self.told = [None; TOLD];
    }
}

impl Down {
    fn is_continued_by(&self, digit: Digit, timestamp: u32) -> bool {
        let is_full = self.length > u16::MAX - 1600;
        let is_next = timestamp.wrapping_sub(self.timestamp).abs_diff(u32::from(u16::MAX)) <= 1600;
        self.digit == digit && is_full && is_next
    }
}

const TOLD: usize = 8;
/// Telephones say every 20 to 50 ms that a key is still down.
const PATIENCE: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(code: u8, duration: u16, is_end: bool) -> [u8; 4] {
        Event { code, is_end, duration }.to_octets()
    }

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn told(pressed: [Option<Pressed>; 2]) -> Vec<(char, u128)> {
        let words = |pressed: Pressed| (pressed.digit.as_char(), pressed.duration.as_millis());
        pressed.into_iter().flatten().map(words).collect()
    }

    #[test]
    fn each_key_is_told_once_with_its_length() {
        let mut receiver = DigitReceiver::new();
        assert_eq!(told(receiver.receive(1000, &packet(1, 160, false), millis(0))), []);
        assert_eq!(told(receiver.receive(1000, &packet(1, 800, true), millis(20))), [('1', 100)]);
        for _ in 0..2 {
            assert_eq!(told(receiver.receive(1000, &packet(1, 800, true), millis(40))), []);
        }
        assert_eq!(
            told(receiver.receive(2600, &packet(1, 400, true), millis(60))),
            [('1', 50)],
            "the same again"
        );
        assert_eq!(told(receiver.receive(1000, &packet(1, 640, false), millis(80))), [], "late");
        assert_eq!(receiver.deadline(), None);
    }

    #[test]
    fn a_lost_end_is_made_up_by_the_next_key_or_by_time() {
        let mut receiver = DigitReceiver::new();
        receiver.receive(1000, &packet(2, 640, false), millis(0));
        assert_eq!(told(receiver.receive(3000, &packet(3, 160, false), millis(100))), [('2', 80)]);
        assert_eq!(told(receiver.receive(1000, &packet(2, 800, true), millis(110))), []);
        assert_eq!(receiver.deadline(), Some(millis(300)));
        assert_eq!(told([receiver.let_go(), None]), [('3', 20)]);
        assert_eq!(told(receiver.receive(3000, &packet(3, 800, true), millis(320))), []);
        assert_eq!(
            told(receiver.receive(5000, &packet(4, 160, true), millis(400))),
            [('4', 20)],
            "one packet alone"
        );
    }

    #[test]
    fn a_key_that_is_held_for_long_is_one() {
        let mut receiver = DigitReceiver::new();
        receiver.receive(0, &packet(9, 65_440, false), millis(0));
        assert_eq!(told(receiver.receive(65_535, &packet(9, 160, false), millis(20))), []);
        assert_eq!(told(receiver.receive(65_535, &packet(9, 800, true), millis(40))), [('9', 8280)]);
    }

    #[test]
    fn what_is_no_key_is_passed_over() {
        let mut receiver = DigitReceiver::new();
        for payload in [&packet(16, 800, true)[..], &packet(255, 800, true), &[1, 2, 3], &[]] {
            assert_eq!(told(receiver.receive(1000, payload, millis(0))), []);
        }
    }
}
