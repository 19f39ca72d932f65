//! How late packets leave after their slots: a histogram of fixed size that one thread writes and any reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// From which delay on a packet counts as late: 5 ms after its slot.
pub const LATE: Duration = Duration::from_millis(5);

/// A reading of how late packets left after their slots.
///
/// Delays are kept to 100 µs below 10 ms, to 1 ms below 100 ms, to 10 ms below one second, and as "more" beyond.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lateness {
    buckets: Vec<u64>,
}

/// The histogram while it counts.
#[derive(Clone, Debug)]
pub(super) struct LiveLateness(Arc<[AtomicU64; BUCKETS]>);

impl Lateness {
    /// Of no packet.
    pub fn none() -> Self {
        Self { buckets: vec![0; BUCKETS] }
    }

    /// How many packets it is about.
    pub fn packets(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// The delay that the share `quantile` (0.999 for p99.9) of all packets does not exceed, rounded up to its bucket;
    /// zero without a packet, one second and above as one second.
    pub fn quantile(&self, quantile: f64) -> Duration {
        let all = self.packets();
        let (mut seen, share) = (0, quantile.clamp(0.0, 1.0));
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += count;
            // Both are counts of packets, far below what a float holds exactly.
            if *count > 0 && seen as f64 >= all as f64 * share {
                return upper_end(bucket);
            }
        }
        Duration::ZERO
    }

    /// How many packets left [`LATE`] or later.
    pub fn late(&self) -> u64 {
        self.buckets.iter().skip(bucket_of(LATE)).sum()
    }

    /// What was counted after an earlier reading, as after a time to warm up.
    #[must_use]
    pub fn since(&self, earlier: &Lateness) -> Self {
        let pairs = self.buckets.iter().zip(&earlier.buckets);
        Self { buckets: pairs.map(|(now, then)| now.saturating_sub(*then)).collect() }
    }

    pub(super) fn add(&mut self, other: &LiveLateness) {
        for (sum, count) in self.buckets.iter_mut().zip(other.0.iter()) {
            *sum += count.load(Ordering::Relaxed);
        }
    }
}

impl LiveLateness {
    pub(super) fn new() -> Self {
        Self(Arc::new([const { AtomicU64::new(0) }; BUCKETS]))
    }

    pub(super) fn note(&self, delay: Duration) {
        if let Some(count) = self.0.get(bucket_of(delay)) {
            // One thread writes, so that no two additions meet.
            count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
    }
}

fn bucket_of(delay: Duration) -> usize {
    let micros = usize::try_from(delay.as_micros()).unwrap_or(usize::MAX);
    match micros {
        0..10_000 => micros / 100,
        10_000..100_000 => 90 + micros / 1_000,
        100_000..1_000_000 => 180 + micros / 10_000,
        _ => BUCKETS - 1,
    }
}

fn upper_end(bucket: usize) -> Duration {
    let bucket = bucket as u64;
    Duration::from_micros(match bucket {
        0..100 => (bucket + 1) * 100,
        100..190 => (bucket - 89) * 1_000,
        190..280 => (bucket - 179) * 10_000,
        _ => 1_000_000,
    })
}

const BUCKETS: usize = 281;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_delay_lies_below_the_end_of_its_bucket_and_above_the_one_before() {
        for micros in (0..1_000_000).step_by(50) {
            let delay = Duration::from_micros(micros);
            let bucket = bucket_of(delay);
            assert!(delay < upper_end(bucket), "{delay:?} in {bucket}");
            assert!(bucket == 0 || delay >= upper_end(bucket - 1), "{delay:?} in {bucket}");
        }
        assert_eq!(bucket_of(Duration::from_secs(3)), BUCKETS - 1);
    }

    #[test]
    fn quantiles_and_late_packets_are_those_noted() {
        let (live, mut before) = (LiveLateness::new(), Lateness::none());
        live.note(Duration::from_millis(700));
        before.add(&live);
        (0..998).for_each(|_| live.note(Duration::from_micros(120)));
        live.note(Duration::from_micros(4_999));
        live.note(LATE);
        let mut all = Lateness::none();
        all.add(&live);
        let since = all.since(&before);
        assert_eq!((since.packets(), since.late(), all.late()), (1_000, 1, 2));
        assert_eq!(since.quantile(0.5), Duration::from_micros(200));
        assert_eq!(since.quantile(0.999), Duration::from_millis(5));
        assert_eq!(since.quantile(1.0), Duration::from_micros(5_100));
        assert_eq!(Lateness::none().quantile(0.999), Duration::ZERO);
    }
}
