//! What can be played to the other side.

use std::fmt;
use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use homing_media::{FRAME, SAMPLE_RATE};

/// What is played to the other side: a value that [`AudioControl::play`](super::AudioControl::play) takes.
///
/// ```
/// use homing::sound::{Repeat, Sine, Source};
///
/// let greeting = Source::File { path: "greeting.wav".into(), repeat: Repeat::Times(1) };
/// let beep = Source::Sine(Sine { duration: Some(std::time::Duration::from_millis(500)), ..Sine::new(1000.0) });
/// # let _ = (greeting, beep);
/// ```
#[non_exhaustive]
pub enum Source {
    /// A WAV file: PCM of 8 to 32 bits, float, A-law or µ-law, at any rate, its channels mixed to one.
    File {
        /// Opened when it is played, by a thread of its own.
        path: PathBuf,
        /// How often.
        repeat: Repeat,
    },
    /// One frequency, for a time or without end.
    Sine(Sine),
    /// Nothing to be heard, as a pause.
    Silence(Duration),
    /// Raw samples of 16 bits, little-endian, one channel, such as standard input. It may block: what does not come in
    /// time is silence.
    Pcm {
        /// Read by a thread of its own, which ends with it.
        reader: Box<dyn Read + Send>,
        /// Samples a second.
        rate: u32,
    },
}

/// How often a file is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Repeat {
    /// So many times; not at all for 0.
    Times(u32),
    /// Until it is stopped or the call ends.
    Forever,
}

/// A sine, faded in and out over 5 ms so that it does not click.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sine {
    /// Frequency; what a call carries lies between 300 and 3400 Hz.
    pub hertz: f64,
    /// Level in decibels below the loudest sine there is; 0 at most.
    pub dbov: f64,
    /// Without, it goes on until it is stopped.
    pub duration: Option<Duration>,
}

/// A sine while it sounds.
#[derive(Debug)]
pub(super) struct SineGenerator {
    step: f64,
    amplitude: f64,
    /// Samples so far.
    at: u64,
    length: Option<u64>,
}

impl Sine {
    /// A sine of −16 dBov that goes on.
    pub fn new(hertz: f64) -> Self {
        Self { hertz, dbov: -16.0, duration: None }
    }
}

impl SineGenerator {
    pub(super) fn new(sine: Sine) -> Self {
        let amplitude = 32_767.0 * 10_f64.powf(sine.dbov.min(0.0) / 20.0);
        Self {
            step: sine.hertz / f64::from(SAMPLE_RATE),
            amplitude,
            at: 0,
            length: sine.duration.map(samples_of),
        }
    }

    /// The next frame; none at the end.
    #[expect(clippy::cast_possible_truncation, reason = "the amplitude is at most 32767")]
    pub(super) fn frame(&mut self) -> Option<[i16; FRAME]> {
        if self.length.is_some_and(|length| self.at >= length) {
            return None;
        }
        let mut frame = [0; FRAME];
        for sample in &mut frame {
            let left = self.length.map_or(EDGE, |length| length.saturating_sub(self.at));
            let edge = self.at.min(left).min(EDGE) as f64 / EDGE as f64;
            // Turns, without the whole ones: the sine of a large number is inexact.
            let turns = (self.at as f64 * self.step).fract();
            *sample = ((turns * std::f64::consts::TAU).sin() * self.amplitude * edge) as i16;
            self.at += 1;
        }
        Some(frame)
    }
}

/// So much sound in samples of a session.
pub(super) fn samples_of(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).saturating_mul(u64::from(SAMPLE_RATE) / 1_000)
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::File { path, repeat } => f.debug_tuple("File").field(path).field(repeat).finish(),
            Source::Sine(sine) => f.debug_tuple("Sine").field(sine).finish(),
            Source::Silence(duration) => f.debug_tuple("Silence").field(duration).finish(),
            Source::Pcm { rate, .. } => f.debug_tuple("Pcm").field(rate).finish(),
        }
    }
}

/// Samples of 5 ms.
const EDGE: u64 = 40;
