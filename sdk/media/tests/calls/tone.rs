//! A tone, and what can be measured of one that was heard.

use homing_media::FRAME;

/// 1 kHz at −10 dB of full scale.
#[derive(Default)]
pub(crate) struct Tone(usize);

const AMPLITUDE: f64 = 10_361.0;

impl Tone {
    pub(crate) fn frame(&mut self) -> Vec<i16> {
        let sample = |at: usize| {
            ((at as f64 * std::f64::consts::TAU * 1000.0 / 8000.0).sin() * AMPLITUDE).round() as i16
        };
        let frame = (self.0..self.0 + FRAME).map(sample).collect();
        self.0 += FRAME;
        frame
    }
}

/// By the distance of the first and the last time it rises through zero.
pub(crate) fn frequency(heard: &[i16]) -> f64 {
    let mut rises =
        heard.windows(2).enumerate().filter(|(_, two)| two[0] < 0 && two[1] >= 0).map(|(at, two)| {
            let (below, above) = (f64::from(two[0]), f64::from(two[1]));
            at as f64 - below / (above - below)
        });
    let first = rises.next().unwrap();
    let (count, last) = rises.fold((0, first), |(count, _), at| (count + 1, at));
    f64::from(count) * 8000.0 / (last - first)
}

/// In decibels above what was said.
pub(crate) fn gain(heard: &[i16]) -> f64 {
    let square = heard.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / heard.len() as f64;
    10.0 * (square / (AMPLITUDE * AMPLITUDE / 2.0)).log10()
}

/// The longest time in milliseconds for which nothing was heard.
pub(crate) fn longest_gap(heard: &[i16]) -> usize {
    let quiet = |sample: &i16| sample.unsigned_abs() < 300;
    // A tone passes through zero for one or two samples at a time.
    heard.split(|sample| !quiet(sample)).map(<[i16]>::len).max().unwrap_or(0) / 8
}

/// The tone as it was said, from one end to the other.
pub(crate) fn assert_clean(heard: &[i16], what: &str) {
    let (frequency, gain, gap) = (frequency(heard), gain(heard), longest_gap(heard));
    assert!((frequency - 1000.0).abs() < 1.0, "{what}: {frequency} Hz");
    assert!(gain.abs() < 1.0, "{what}: {gain} dB");
    assert!(gap <= 20, "{what}: nothing for {gap} ms");
}
