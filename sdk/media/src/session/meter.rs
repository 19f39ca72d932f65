//! The loudness of the last second.

use super::statistics::Level;
use crate::codec::SAMPLE_RATE;

/// Sums up a second of samples at a time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Meter {
    squares: u64,
    samples: u32,
    level: Level,
}

impl Meter {
    pub(super) fn hear(&mut self, samples: &[i16]) {
        for sample in samples {
            let loud = u64::from(sample.unsigned_abs());
            self.squares += loud * loud;
            self.samples += 1;
            if self.samples == SAMPLE_RATE {
                self.level = level(self.squares);
                (self.squares, self.samples) = (0, 0);
            }
        }
    }

    pub(super) fn level(&self) -> Level {
        self.level
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a level is told to a tenth"
)]
fn level(squares: u64) -> Level {
    let mean = squares as f64 / f64::from(SAMPLE_RATE);
    Level { dbov: (squares > 0).then(|| (10.0 * (mean / FULL_SINE).log10()) as f32) }
}

/// The mean square of a sine at full scale.
const FULL_SINE: f64 = 32_767.0 * 32_767.0 / 2.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sine_has_its_level_and_silence_none() {
        let mut meter = Meter::default();
        let sine = |at: u32| ((f64::from(at) * 0.7).sin() * 3276.7) as i16;
        meter.hear(&(0..8000).map(sine).collect::<Vec<_>>());
        assert!((meter.level().dbov.unwrap() + 20.0).abs() < 0.1, "{:?}", meter.level());
        meter.hear(&[0; 8000]);
        assert_eq!(meter.level().dbov, None);
    }
}
