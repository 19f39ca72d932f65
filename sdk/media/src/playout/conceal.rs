//! What is played in place of sound that is missing (after ITU-T G.711 appendix I).
//!
//! The last period of the pitch is repeated, faded out within 60 ms, and blended into the sound that comes after.

/// Remembers what was played, and goes on with it where nothing came.
pub(super) struct Concealer {
    /// What was played last, the youngest at the end.
    history: [i16; HISTORY],
    gap: Option<Gap>,
}

/// A gap that is being filled.
#[derive(Clone, Copy)]
struct Gap {
    /// One period, whose end leads into its beginning.
    cycle: [i16; MAX_PERIOD],
    period: usize,
    /// Samples since the gap began.
    length: usize,
}

impl Concealer {
    /// Silent until something is heard.
    pub(super) fn new() -> Self {
        let silent = Gap { cycle: [0; MAX_PERIOD], period: MIN_PERIOD, length: FADED };
        Self { history: [0; HISTORY], gap: Some(silent) }
    }

    /// Samples that came: remembered, and at the end of a gap blended with what filled it.
    pub(super) fn hear(&mut self, samples: &mut [i16]) {
        if let Some(mut gap) = self.gap.take() {
            for (at, sample) in samples.iter_mut().take(BLEND).enumerate() {
                *sample = mix(gap.next(), *sample, at + 1, BLEND + 1);
            }
        }
        self.remember(samples);
    }

    /// Fills samples that did not come, and says how many of them are more than silence.
    pub(super) fn lose(&mut self, samples: &mut [i16]) -> u64 {
        let mut gap = match self.gap.take() {
            Some(gap) => gap,
            None => Gap::after(&self.history),
        };
        let audible = FADED.saturating_sub(gap.length).min(samples.len());
        samples.iter_mut().for_each(|sample| *sample = gap.next());
        self.gap = Some(gap);
        self.remember(samples);
        u64::try_from(audible).unwrap_or(0)
    }

    /// What comes next does not continue what came before: it is blended in.
    pub(super) fn interrupt(&mut self) {
        if self.gap.is_none() {
            self.gap = Some(Gap::after(&self.history));
        }
    }

    fn remember(&mut self, samples: &[i16]) {
        let kept = samples.len().min(HISTORY);
        self.history.rotate_left(kept);
        let youngest = self.history.iter_mut().rev().zip(samples.iter().rev());
        youngest.for_each(|(to, from)| *to = *from);
    }
}

impl Gap {
    fn after(history: &[i16; HISTORY]) -> Gap {
        let period = pitch(history);
        let mut cycle = [0; MAX_PERIOD];
        let last = history.iter().skip(HISTORY - period);
        cycle.iter_mut().zip(last).for_each(|(to, from)| *to = *from);
        // The last quarter turns into what stood before the beginning, so that the repetition has no seam.
        let quarter = period / 4;
        let before = history.iter().skip(HISTORY - period - quarter);
        let end = cycle.iter_mut().skip(period - quarter).take(quarter);
        for (at, (to, from)) in end.zip(before).enumerate() {
            *to = mix(*to, *from, at + 1, quarter + 1);
        }
        Gap { cycle, period, length: 0 }
    }

    fn next(&mut self) -> i16 {
        let sample = self.cycle.get(self.length % self.period).copied().unwrap_or(0);
        let left = FADED.saturating_sub(self.length).min(FADED - LOUD);
        // Far from the overflow of a counter that runs while a peer is silent for days.
        self.length = (self.length + 1).min(FADED + self.period);
        mix(0, sample, left, FADED - LOUD)
    }
}

/// The period by which the last 20 ms resemble what stood before them most.
fn pitch(history: &[i16; HISTORY]) -> usize {
    let (before, last) = history.split_at(HISTORY - TEMPLATE);
    let mut best = (MIN_PERIOD, f32::MIN);
    for period in MIN_PERIOD..=MAX_PERIOD {
        let shifted = before.iter().chain(last).skip(HISTORY - TEMPLATE - period);
        let (mut product, mut energy) = (0.0f32, 1.0f32);
        for (one, other) in last.iter().zip(shifted) {
            product += f32::from(*one) * f32::from(*other);
            energy += f32::from(*other) * f32::from(*other);
        }
        let likeness = product / energy.sqrt();
        if likeness > best.1 {
            best = (period, likeness);
        }
    }
    best.0
}

/// `part` of `of` of the second, the rest of the first.
fn mix(first: i16, second: i16, part: usize, of: usize) -> i16 {
    let (part, of) = (i32::try_from(part).unwrap_or(0), i32::try_from(of).unwrap_or(1).max(1));
    let mixed = (i32::from(first) * (of - part) + i32::from(second) * part) / of;
    i16::try_from(mixed).unwrap_or(0)
}

/// 200 Hz, and 66 Hz.
const MIN_PERIOD: usize = 40;
const MAX_PERIOD: usize = 120;
const TEMPLATE: usize = 160;
const HISTORY: usize = TEMPLATE + MAX_PERIOD + MAX_PERIOD / 4;
/// 10 ms at full volume, silent from 60 ms on.
const LOUD: usize = 80;
const FADED: usize = 480;
/// 4 ms.
const BLEND: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(at: usize) -> i16 {
        ((at as f64 * std::f64::consts::TAU / 57.3).sin() * 10_000.0) as i16
    }

    #[test]
    fn a_tone_goes_on_through_a_short_gap() {
        let mut concealer = Concealer::new();
        let mut samples: Vec<i16> = (0..800).map(sine).collect();
        concealer.hear(&mut samples);
        let mut filled = [0; 80];
        assert_eq!(concealer.lose(&mut filled), 80);
        let worst = filled.iter().enumerate().map(|(at, heard)| (heard - sine(800 + at)).abs()).max();
        assert!(worst < Some(2500), "{worst:?}");
        let mut after: Vec<i16> = (880..1040).map(sine).collect();
        concealer.hear(&mut after);
        let steps = filled.iter().chain(&after).collect::<Vec<_>>();
        assert!(steps.windows(2).all(|two| (two[0] - two[1]).abs() < 2500), "no step into or out of the gap");
    }

    #[test]
    fn a_long_gap_fades_to_silence_and_is_counted_to_there() {
        let mut concealer = Concealer::new();
        concealer.hear(&mut (0..800).map(sine).collect::<Vec<i16>>());
        let mut filled = [1; 8000];
        assert_eq!(concealer.lose(&mut filled), 480);
        assert!(filled[480..].iter().all(|sample| *sample == 0));
        let loud = |samples: &[i16]| samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap();
        assert!(loud(&filled[..80]) > 9000 && loud(&filled[300..400]) < 5000);
        assert_eq!(concealer.lose(&mut [1; 160]), 0);
    }

    #[test]
    fn before_anything_is_heard_there_is_silence() {
        let mut filled = [1; 160];
        assert_eq!(Concealer::new().lose(&mut filled), 0);
        assert_eq!(filled, [0; 160]);
    }
}
