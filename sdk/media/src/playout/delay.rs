//! How long sound has to wait so that nearly all of it has come.

/// Follows the transit times of one stream, in samples of 8 kHz.
///
/// A transit time is the difference of two clocks and means nothing by itself; what counts is how much later than the
/// fastest of the last seconds a packet comes. The fastest drifts with the clocks.
pub(super) struct DelayEstimator {
    /// The least transit of each of the last seconds; the youngest first.
    least: [i64; SECONDS],
    /// When the youngest second began.
    second: Option<i64>,
    /// The share of packets by how late they came, in bins of 5 ms; the shares add up to one.
    shares: [f32; BINS],
    packets: u32,
    target: i64,
}

impl DelayEstimator {
    pub(super) fn new() -> Self {
        Self { least: [i64::MAX; SECONDS], second: None, shares: [0.0; BINS], packets: 0, target: FIRST }
    }

    /// Another clock is behind the stream from now on; the network is the same.
    pub(super) fn forget_transit(&mut self) {
        self.least = [i64::MAX; SECONDS];
        self.second = None;
    }

    /// True for a transit that a network can explain.
    pub(super) fn is_near(&self, transit: i64) -> bool {
        self.second.is_none() || (transit - self.least_transit()).abs() < FAR
    }

    pub(super) fn update(&mut self, transit: i64, arrival: i64) {
        match self.second {
            None => self.second = Some(arrival),
            Some(second) if arrival - second >= SECOND => {
                self.least.rotate_right(1);
                if let Some(youngest) = self.least.first_mut() {
                    *youngest = i64::MAX;
                }
                self.second = Some(arrival);
            }
            Some(_) => {}
        }
        if let Some(youngest) = self.least.first_mut() {
            *youngest = (*youngest).min(transit);
        }
        self.count(transit - self.least_transit());
    }

    fn count(&mut self, late: i64) {
        self.packets = self.packets.saturating_add(1).min(MEMORY);
        let weight = 1.0 / f32::from(u16::try_from(self.packets).unwrap_or(u16::MAX));
        self.shares.iter_mut().for_each(|share| *share *= 1.0 - weight);
        let bin = usize::try_from(late.max(0) / BIN).unwrap_or(BINS).min(BINS - 1);
        if let Some(share) = self.shares.get_mut(bin) {
            *share += weight;
        }
        // Few packets say little: the first guess stands for some of them.
        if self.packets >= ENOUGH {
            self.target = self.quantile() + MARGIN;
        }
    }

    /// Within which nearly all packets come.
    fn quantile(&self) -> i64 {
        let mut sum = 0.0;
        let within = self.shares.iter().position(|share| {
            sum += share;
            sum >= IN_TIME
        });
        let bins = i64::try_from(within.unwrap_or(BINS - 1)).unwrap_or(0) + 1;
        bins * BIN
    }

    /// Of the last seconds.
    pub(super) fn least_transit(&self) -> i64 {
        let least = self.least.iter().copied().min().unwrap_or(i64::MAX);
        if least == i64::MAX { 0 } else { least }
    }

    /// How far behind the fastest packets sound is to be played.
    pub(super) fn target(&self) -> i64 {
        self.target
    }
}

const SECONDS: usize = 10;
const SECOND: i64 = 8000;
const BINS: usize = 64;
/// 5 ms.
const BIN: i64 = 40;
/// Late packets beyond it are given up.
const IN_TIME: f32 = 0.995;
/// A step of 20 ms is taken at once, wherever it lies between two packets.
const MARGIN: i64 = 160;
/// Packets that are remembered: ten seconds at 20 ms.
const MEMORY: u32 = 512;
const ENOUGH: u32 = 16;
/// The least there is, before anything is known: to wait longer is learnt faster than to wait less.
const FIRST: i64 = MARGIN + BIN;
/// Two seconds: another clock, or the same one set.
const FAR: i64 = 16_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn after(packets: i64, late: impl Fn(i64) -> i64) -> DelayEstimator {
        let mut delay = DelayEstimator::new();
        (0..packets).for_each(|at| delay.update(1_000_000 + late(at), at * 160));
        delay
    }

    #[test]
    fn without_jitter_sound_waits_for_a_step_and_a_bin() {
        let delay = after(1000, |_| 0);
        assert_eq!((delay.target(), delay.least_transit()), (200, 1_000_000));
    }

    #[test]
    fn the_wait_follows_the_jitter_up_at_once_and_down_in_time() {
        let uneven = after(1000, |at| at * 7919 % 480);
        assert!((640..=680).contains(&uneven.target()), "{}", uneven.target());
        let calmed = after(4000, |at| if at < 500 { at * 7919 % 480 } else { 0 });
        assert_eq!(calmed.target(), 200);
        let worse = after(510, |at| if at < 500 { 0 } else { 400 });
        assert!(worse.target() >= 600, "{}", worse.target());
        assert!(after(1000, |at| at % 2 * 15_000).target() <= 64 * 40 + 160, "and is bounded");
    }

    #[test]
    fn the_fastest_packet_is_forgotten_after_ten_seconds() {
        let drifting = after(6000, |at| at / 3);
        assert!(
            drifting.least_transit() >= 1_000_000 + 6000 / 3 - 11 * 50 / 3,
            "{}",
            drifting.least_transit()
        );
    }
}
