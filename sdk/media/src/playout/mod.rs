//! From packets that come unevenly, and not all, to sound without end: jitter buffer, concealment, drift correction.

mod conceal;
mod delay;
mod stretch;
#[cfg(test)]
mod tests;
mod timeline;

use std::time::Duration;

use crate::codec::{Codec, SAMPLE_RATE};
use conceal::Concealer;
use delay::DelayEstimator;
use stretch::{MAX_CHANGE, Stretcher};
use timeline::Timeline;

/// The jitter buffer of one stream: decoded samples by their place on the peer's clock.
///
/// The delay is how far what is played lies behind what could have been heard without any jitter. It follows the
/// jitter of the last seconds: played a little faster or slower it moves to its target, which corrects a difference of
/// the clocks by the way.
pub(crate) struct Playout {
    timeline: Timeline,
    delay: DelayEstimator,
    concealer: Concealer,
    stretcher: Stretcher,
    /// The timestamp of the last packet, on a clock that never wraps; none before the first.
    last: Option<Stamp>,
    late: u64,
    /// How many of the last packets came too late, one after the other.
    late_in_row: u8,
    concealed: u64,
    /// When it was last asked for sound.
    played_at: i64,
}

/// A timestamp and its place on the unwrapped clock.
#[derive(Clone, Copy)]
struct Stamp {
    timestamp: u32,
    place: i64,
}

impl Playout {
    pub(crate) fn new() -> Playout {
        Playout {
            timeline: Timeline::new(),
            delay: DelayEstimator::new(),
            concealer: Concealer::new(),
            stretcher: Stretcher::new(),
            last: None,
            late: 0,
            late_in_row: 0,
            concealed: 0,
            played_at: 0,
        }
    }

    /// Another stream begins; what is still buffered belongs to the old one.
    pub(crate) fn restart(&mut self) {
        self.last = None;
        self.delay.forget_transit();
        self.timeline.clear(0);
        self.concealer.interrupt();
    }

    /// Sound of a packet that came at `now`.
    pub(crate) fn put(&mut self, timestamp: u32, codec: Codec, payload: &[u8], now: Duration) {
        let arrival = samples(now);
        let place = match self.last {
            Some(last) => last.place + i64::from(timestamp.wrapping_sub(last.timestamp).cast_signed()),
            None => 0,
        };
        let is_near = self.delay.is_near(arrival - place);
        if self.last.is_none() || !is_near || !self.timeline.reaches(place) {
            return self.begin(timestamp, codec, payload, arrival);
        }
        self.last = Some(Stamp { timestamp, place });
        self.delay.update(arrival - place, arrival);
        let octets = i64::try_from(payload.len()).unwrap_or(0);
        if place + octets <= self.timeline.cursor() {
            self.late += 1;
            self.late_in_row += 1;
            // None of them would ever be heard: a network that became slower by more than a buffer can wait, or a peer
            // whose clock stood still while it was silent.
            if self.late_in_row >= LATE_IN_ROW {
                // That was no jitter, and is not to be waited for from now on.
                self.delay = DelayEstimator::new();
                self.begin(timestamp, codec, payload, arrival);
            }
            return;
        }
        self.late_in_row = 0;
        self.timeline.write(place, payload.iter().map(|octet| codec.decode(*octet)));
    }

    /// The first packet, or one whose timestamp has nothing to do with those before.
    fn begin(&mut self, timestamp: u32, codec: Codec, payload: &[u8], arrival: i64) {
        self.delay.forget_transit();
        self.delay.update(arrival, arrival);
        self.last = Some(Stamp { timestamp, place: 0 });
        self.timeline.clear(-self.delay.target());
        self.concealer.interrupt();
        self.late_in_row = 0;
        self.timeline.write(0, payload.iter().map(|octet| codec.decode(*octet)));
    }

    /// Fills the buffer with what is to be heard at `now`.
    pub(crate) fn take(&mut self, out: &mut [i16], now: Duration) {
        self.played_at = samples(now);
        for frame in out.chunks_mut(STEP) {
            if self.last.is_none() {
                self.concealed += self.concealer.lose(frame);
                continue;
            }
            self.take_frame(frame);
            // The rest of a longer buffer is heard later.
            self.played_at += i64::try_from(frame.len()).unwrap_or(0);
        }
    }

    fn take_frame(&mut self, frame: &mut [i16]) {
        let behind = self.behind();
        let excess = behind - self.delay.target();
        if excess > MAX_EXCESS {
            self.timeline.skip(excess);
            self.concealer.interrupt();
        }
        let wanted = frame.len().saturating_add_signed(change(excess.min(MAX_EXCESS)));
        let mut repaired = [0; STEP + MAX_CHANGE];
        let wanted = wanted.min(repaired.len());
        let Some(repaired) = repaired.get_mut(..wanted) else { return };
        let ahead = self.timeline.next_present();
        if ahead.is_none_or(|ahead| ahead >= wanted) && self.waits(excess, ahead) {
            self.concealed += self.concealer.lose(repaired);
        } else {
            // A gap that is not to be waited for is the place to make up for a delay that is too long.
            let gap = ahead.and_then(|ahead| i64::try_from(ahead).ok()).unwrap_or(0);
            self.timeline.skip(excess.clamp(0, gap));
            self.repair(repaired);
        }
        self.stretcher.fit(repaired, frame);
    }

    /// Whether to wait where the next sample is missing. As long as the delay is too small, it may still come; while
    /// nothing at all has come, nobody knows yet whether it is late or lost.
    fn waits(&self, excess: i64, ahead: Option<usize>) -> bool {
        if ahead.is_some() { excess < 0 } else { excess < MAX_EXCESS - STEP as i64 }
    }

    /// Takes samples off the timeline, those that are missing made up.
    fn repair(&mut self, samples: &mut [i16]) {
        let mut rest = samples;
        while !rest.is_empty() {
            let run = self.timeline.read_run(rest);
            let (now, later) = std::mem::take(&mut rest).split_at_mut(run.length);
            if run.is_present {
                self.concealer.hear(now);
            } else {
                self.concealed += self.concealer.lose(now);
            }
            rest = later;
        }
    }

    /// How far the next sample lies behind the one that could be heard without jitter.
    fn behind(&self) -> i64 {
        self.played_at - self.delay.least_transit() - self.timeline.cursor()
    }

    /// How long sound waits now.
    pub(crate) fn buffered(&self) -> Duration {
        if self.last.is_none() { Duration::ZERO } else { duration(self.behind()) }
    }

    /// How long it is to wait.
    pub(crate) fn target(&self) -> Duration {
        duration(self.delay.target())
    }

    pub(crate) fn late(&self) -> u64 {
        self.late
    }

    pub(crate) fn concealed(&self) -> Duration {
        duration(i64::try_from(self.concealed).unwrap_or(i64::MAX))
    }
}

/// How many samples more, or fewer, are taken than played: slow near the target, faster far from it. A little too much
/// does no harm; too little loses sound.
fn change(excess: i64) -> isize {
    match excess {
        ..-400 => -4,
        -400..-160 => -2,
        -160..TOO_LITTLE => -1,
        TOO_LITTLE..=TOO_MUCH => 0,
        41..=160 => 1,
        161..=400 => 2,
        _ => 4,
    }
}

/// A moment in samples.
pub(crate) fn samples(now: Duration) -> i64 {
    let whole = i64::try_from(now.as_secs()).unwrap_or(i64::MAX / 16_000);
    whole.saturating_mul(i64::from(SAMPLE_RATE)) + i64::from(now.subsec_micros()) * 8 / 1000
}

fn duration(samples: i64) -> Duration {
    Duration::from_micros(u64::try_from(samples).unwrap_or(0).saturating_mul(125))
}

/// Sound is taken in steps of at most 20 ms.
const STEP: usize = 160;
/// 160 ms at the usual 20 ms.
const LATE_IN_ROW: u8 = 8;
/// From 1 ms below its target to 5 ms above it the delay stays.
const TOO_LITTLE: i64 = -8;
const TOO_MUCH: i64 = 40;
/// With 250 ms more than wanted, sound is left out rather than played fast.
const MAX_EXCESS: i64 = 2000;
