//! What is known of the packets of one source: order, losses, jitter (RFC 3550 appendices A.1, A.3 and A.8).

/// The packets of one source as they came.
#[derive(Clone, Debug)]
pub(crate) struct Reception {
    ssrc: u32,
    /// The first sequence number, and the highest since, with the number of wraps above 16 bits.
    base: u64,
    highest: u64,
    /// Which of the last 128 came; bit 0 is the highest.
    seen: u128,
    /// After a jump: the number that would follow it, which makes the jump a restart.
    after_jump: Option<u16>,
    received: u64,
    at_last_report: Counts,
    transit: Option<u32>,
    /// In sixteenths of a clock tick.
    jitter: u32,
}

/// Expected and received packets at one moment.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    expected: u64,
    received: u64,
}

/// Where a packet stands among those before it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Arrival {
    /// Not seen before, near the others.
    New,
    /// Seen before, or too old to tell.
    Duplicate,
    /// Too far from the others to be of their row.
    OutOfRange,
    /// The second packet after a jump: the source counts from elsewhere now.
    Restarted,
}

/// What a report says of one source (RFC 3550 section 6.4.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Losses {
    pub(crate) fraction: u8,
    pub(crate) cumulative: i32,
    pub(crate) highest: u32,
}

impl Reception {
    /// The first packet of a source.
    pub(crate) fn new(ssrc: u32, sequence: u16) -> Reception {
        let base = u64::from(sequence) + START;
        Reception {
            ssrc,
            base,
            highest: base,
            seen: 1,
            after_jump: None,
            received: 1,
            at_last_report: Counts::default(),
            transit: None,
            jitter: 0,
        }
    }

    pub(crate) fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Takes the number of another packet.
    pub(crate) fn arrive(&mut self, sequence: u16) -> Arrival {
        let [low, high, ..] = self.highest.to_le_bytes();
        let ahead = sequence.wrapping_sub(u16::from_le_bytes([low, high]));
        if (1..MAX_DROPOUT).contains(&ahead) {
            self.highest += u64::from(ahead);
            self.seen = self.seen.checked_shl(u32::from(ahead)).unwrap_or(0) | 1;
        } else {
            let behind = ahead.wrapping_neg();
            if behind >= MAX_MISORDER {
                return self.jump(sequence);
            }
            let bit = 1u128 << behind;
            if self.seen & bit != 0 {
                return Arrival::Duplicate;
            }
            self.seen |= bit;
            self.base = self.base.min(self.highest - u64::from(behind));
        }
        self.after_jump = None;
        self.received += 1;
        Arrival::New
    }

    /// Takes the timestamp of a packet that was new, and when it came by the same clock.
    pub(crate) fn measure(&mut self, timestamp: u32, arrival: u32) {
        let transit = arrival.wrapping_sub(timestamp);
        if let Some(before) = self.transit.replace(transit) {
            let difference = transit.wrapping_sub(before).cast_signed().unsigned_abs();
            // A clock that was set says nothing of the network.
            if difference < MAX_DIFFERENCE {
                self.jitter = self.jitter + difference - ((self.jitter + 8) >> 4);
            }
        }
    }

    /// In ticks of the clock.
    pub(crate) fn jitter(&self) -> u32 {
        self.jitter >> 4
    }

    /// Packets that were due and never came; duplicates are not counted as received.
    pub(crate) fn lost(&self) -> u64 {
        self.expected().saturating_sub(self.received)
    }

    pub(crate) fn expected(&self) -> u64 {
        self.highest - self.base + 1
    }

    /// What to report, and the beginning of the next interval.
    pub(crate) fn report(&mut self) -> Losses {
        let now = Counts { expected: self.expected(), received: self.received };
        let before = std::mem::replace(&mut self.at_last_report, now);
        let expected = now.expected - before.expected.min(now.expected);
        let received = now.received - before.received.min(now.received);
        let lost = expected.saturating_sub(received);
        let fraction = (lost << 8).checked_div(expected).unwrap_or(0).min(255);
        let cumulative = self.lost().min(MAX_CUMULATIVE);
        let [h0, h1, h2, h3, ..] = self.highest.to_le_bytes();
        Losses {
            fraction: u8::try_from(fraction).unwrap_or(u8::MAX),
            cumulative: i32::try_from(cumulative).unwrap_or(i32::MAX),
            highest: u32::from_le_bytes([h0, h1, h2, h3]),
        }
    }

    fn jump(&mut self, sequence: u16) -> Arrival {
        if self.after_jump == Some(sequence) {
            let (ssrc, received) = (self.ssrc, self.received);
            *self = Reception::new(ssrc, sequence);
            // What came before the jump counts on; what was lost before it is forgotten.
            self.base -= received.min(self.base);
            self.received += received;
            self.at_last_report = Counts { expected: received, received };
            return Arrival::Restarted;
        }
        self.after_jump = Some(sequence.wrapping_add(1));
        Arrival::OutOfRange
    }
}

/// Far from zero, so that packets before the first have numbers, too; a multiple of 2^32, which no report sees.
const START: u64 = 1 << 40;
/// A gap of a minute at 20 ms (RFC 3550 appendix A.1).
const MAX_DROPOUT: u16 = 3000;
/// How late a packet may come (RFC 3550 appendix A.1).
const MAX_MISORDER: u16 = 100;
/// Two seconds at 8 kHz.
const MAX_DIFFERENCE: u32 = 16_000;
/// The field has 24 bits with a sign.
const MAX_CUMULATIVE: u64 = 0x7f_ffff;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_wrap_and_come_out_of_order() {
        let mut source = Reception::new(7, 65_533);
        for sequence in [65_535, 65_534, 1, 0, 2] {
            assert_eq!(source.arrive(sequence), Arrival::New, "{sequence}");
        }
        for sequence in [65_533, 1, 2] {
            assert_eq!(source.arrive(sequence), Arrival::Duplicate, "{sequence}");
        }
        assert_eq!((source.expected(), source.lost()), (6, 0));
        assert_eq!(source.report().highest, 65_538);
        assert_eq!(source.arrive(65_532), Arrival::New, "before the first");
        assert_eq!((source.expected(), source.lost()), (7, 0));
    }

    #[test]
    fn a_jump_is_one_only_with_a_second_packet() {
        let mut source = Reception::new(7, 100);
        assert_eq!(source.arrive(101), Arrival::New);
        assert_eq!(source.arrive(40_000), Arrival::OutOfRange);
        assert_eq!(source.arrive(102), Arrival::New, "one stray packet changes nothing");
        assert_eq!(source.arrive(40_001), Arrival::OutOfRange);
        assert_eq!(source.arrive(40_002), Arrival::Restarted);
        assert_eq!(source.arrive(40_003), Arrival::New);
        assert_eq!(source.lost(), 0);
        assert_eq!(source.expected(), 5);
    }

    #[test]
    fn losses_are_reported_for_the_interval_and_in_all() {
        let mut source = Reception::new(7, 0);
        (1..100).filter(|sequence| sequence % 4 != 0).for_each(|sequence| {
            source.arrive(sequence);
        });
        assert_eq!(source.report(), Losses { fraction: 61, cumulative: 24, highest: 99 });
        (100..200).for_each(|sequence| {
            source.arrive(sequence);
        });
        assert_eq!(source.report(), Losses { fraction: 0, cumulative: 24, highest: 199 });
        assert_eq!(source.report().fraction, 0, "an interval without packets");
    }

    #[test]
    fn jitter_follows_the_difference_of_transits() {
        let mut source = Reception::new(7, 0);
        for at in 0..1000u32 {
            let late = if at % 2 == 0 { 0 } else { 80 };
            source.measure(at.wrapping_mul(160).wrapping_sub(8000), at * 160 + late);
        }
        assert!((78..=80).contains(&source.jitter()), "{}", source.jitter());
        source.measure(0, 0x7000_0000);
        assert!(source.jitter() <= 80, "a set clock is no jitter");
    }
}
