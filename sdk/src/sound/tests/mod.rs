//! What the tests of sound share: files of their own, sines, and a measure of what came of them.
#![expect(clippy::cast_possible_truncation, reason = "the numbers of these tests fit")]

mod calls;
mod files;
mod streams;

use std::fs;
use std::path::PathBuf;

use super::error::SoundError;
use super::feed::{Fed, Feed};

/// A file of its own for each test, removed with it.
pub(super) struct Path(pub(super) PathBuf);

impl Path {
    pub(super) fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("homing-sound-{}-{name}", std::process::id())))
    }

    pub(super) fn holding(name: &str, octets: &[u8]) -> Self {
        let path = Self::new(name);
        fs::write(&path.0, octets).unwrap();
        path
    }
}

impl Drop for Path {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// A sine of −6 dBov at that rate.
pub(super) fn sine(hertz: f64, rate: u32, seconds: f64) -> Vec<f32> {
    let samples = (f64::from(rate) * seconds) as u32;
    let at = |sample| (f64::from(sample) * hertz / f64::from(rate) * std::f64::consts::TAU).sin() * 0.5;
    (0..samples).map(|sample| at(sample) as f32).collect()
}

/// Frequency by zero crossings, and level in dBov, of what follows the first tenth of a second.
pub(super) struct Measured {
    pub(super) hertz: f64,
    pub(super) dbov: f64,
}

impl Measured {
    pub(super) fn of(samples: &[i16]) -> Self {
        let samples = &samples[800..samples.len() - 800];
        let rising: Vec<f64> = samples
            .windows(2)
            .enumerate()
            .filter(|(_, two)| two[0] < 0 && two[1] >= 0)
            .map(|(at, two)| {
                at as f64 + f64::from(-two[0]) / f64::from(i32::from(two[1]) - i32::from(two[0]))
            })
            .collect();
        let periods = (rising.len() - 1) as f64;
        let hertz = periods / (rising.last().unwrap() - rising[0]) * 8_000.0;
        let square =
            samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / samples.len() as f64;
        Self { hertz, dbov: 10.0 * (square * 2.0 / 32_768_f64.powi(2)).log10() }
    }

    pub(super) fn assert_is(&self, hertz: f64, dbov: f64) {
        assert!((self.hertz - hertz).abs() < 0.5, "{} Hz", self.hertz);
        assert!((self.dbov - dbov).abs() < 0.2, "{} dBov", self.dbov);
    }
}

/// All that a feed gives, with its end; what is late is asked for again.
pub(super) fn drain(feed: &mut Feed) -> (Vec<i16>, Result<(), SoundError>) {
    let mut samples = Vec::new();
    loop {
        match feed.next() {
            Fed::Frame(frame) => samples.extend(frame),
            Fed::Late | Fed::NotYet => std::thread::yield_now(),
            Fed::Ended(how) => return (samples, how),
        }
    }
}

pub(super) fn write_wav(name: &str, spec: hound::WavSpec, channels: &[&[f32]]) -> Path {
    let path = Path::new(name);
    let mut writer = hound::WavWriter::create(&path.0, spec).unwrap();
    for at in 0..channels[0].len() {
        for channel in channels {
            match spec.sample_format {
                hound::SampleFormat::Float => writer.write_sample(channel[at]).unwrap(),
                hound::SampleFormat::Int => {
                    let full = f64::from(spec.bits_per_sample - 1).exp2();
                    writer.write_sample((f64::from(channel[at]) * full) as i32).unwrap();
                }
            }
        }
    }
    writer.finalize().unwrap();
    path
}

pub(super) fn spec(channels: u16, sample_rate: u32, bits_per_sample: u16, float: bool) -> hound::WavSpec {
    let sample_format = if float { hound::SampleFormat::Float } else { hound::SampleFormat::Int };
    hound::WavSpec { channels, sample_rate, bits_per_sample, sample_format }
}
