//! When reports go out, and the times in them (RFC 3550 sections 4, 6.2 and 6.3).

use std::time::Duration;

use crate::random::Random;

/// A time in the form of NTP: seconds, and 2^-32ths of one. Counted from the start of the driver's clock, as a sender
/// without a wall clock may (RFC 3550 section 6.4.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct NtpTime(pub(crate) u64);

impl NtpTime {
    pub(crate) fn at(now: Duration) -> NtpTime {
        let fraction = (u64::from(now.subsec_nanos()) << 32) / 1_000_000_000;
        NtpTime(now.as_secs() << 32 | fraction)
    }

    /// The middle 32 bits.
    pub(crate) fn middle(self) -> u32 {
        let [_, _, b2, b3, b4, b5, ..] = self.0.to_le_bytes();
        u32::from_le_bytes([b2, b3, b4, b5])
    }
}

/// The pauses between reports, spread at random so that the two sides do not keep step.
///
/// With two members the share of the bandwidth never decides: two reports of 150 octets within 5 % of the 80 kbit/s
/// of G.711 may go out every 0.6 s, and the least pause is 5 s.
#[derive(Clone, Debug)]
pub(crate) struct Interval {
    random: Random,
    is_first: bool,
}

impl Interval {
    pub(crate) fn new(random: Random) -> Self {
        Self { random, is_first: true }
    }

    /// The pause before the next report: 5 s, half of it before the first, times 0.5 to 1.5, by e − 3/2 (RFC 3550
    /// section 6.3.1).
    pub(crate) fn next(&mut self) -> Duration {
        let least = if std::mem::take(&mut self.is_first) { LEAST / 2 } else { LEAST };
        least.mul_f64((0.5 + self.random.fraction()) / COMPENSATION)
    }
}

const LEAST: Duration = Duration::from_secs(5);
const COMPENSATION: f64 = std::f64::consts::E - 1.5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    #[test]
    fn pauses_are_spread_around_their_least() {
        let mut interval = Interval::new(Random::new(&[3; 32], Purpose::Reports));
        let first = interval.next();
        assert!(first < Duration::from_millis(3100), "{first:?}");
        let pauses: Vec<Duration> = (0..1000).map(|_| interval.next()).collect();
        let (least, most) = (pauses.iter().min().unwrap(), pauses.iter().max().unwrap());
        assert!(*least > Duration::from_millis(2050) && *least < Duration::from_millis(2200), "{least:?}");
        assert!(*most < Duration::from_millis(6160) && *most > Duration::from_secs(6), "{most:?}");
    }

    #[test]
    fn ntp_times_have_seconds_above_fractions() {
        let time = NtpTime::at(Duration::from_millis(3250));
        assert_eq!((time.0, time.middle()), (0x3_4000_0000, 0x3_4000));
    }
}
