//! From one rate to another: what files and devices have, and the 8000 samples a second of a session.

use homing_media::{FRAME, SAMPLE_RATE};
use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{Async, FixedAsync, Resampler as _, SincInterpolationParameters, WindowFunction};

use super::error::SoundError;

/// Makes frames of a session, [`FRAME`] samples each, of sound at another rate.
pub(super) struct ToSession {
    /// None where the rates are the same.
    inner: Option<Async<f32>>,
    /// Sound that no frame was made of yet, and how much there is.
    input: Vec<f32>,
    filled: usize,
    output: [f32; FRAME],
}

/// Makes sound of another rate of the frames of a session.
pub(super) struct FromSession {
    inner: Option<Async<f32>>,
    input: [f32; FRAME],
    output: Vec<f32>,
    samples: Vec<i16>,
}

impl ToSession {
    /// From so many samples a second.
    pub(super) fn new(rate: u32) -> Result<Self, SoundError> {
        let inner = match rate {
            SAMPLE_RATE => None,
            _ => Some(resampler(rate, SAMPLE_RATE, FixedAsync::Output)?),
        };
        let most = inner.as_ref().map_or(FRAME, |inner| inner.input_frames_max());
        Ok(Self { inner, input: vec![0.0; most], filled: 0, output: [0.0; FRAME] })
    }

    /// How many samples the next frame still needs; 0 when it can be taken.
    pub(super) fn missing(&self) -> usize {
        self.needed().saturating_sub(self.filled)
    }

    /// The most that is ever missing of a frame.
    pub(super) fn most(&self) -> usize {
        self.input.len()
    }

    /// Takes a sample, −1 to 1; to be given no more than are [`missing`](Self::missing).
    pub(super) fn push(&mut self, sample: f32) {
        if let Some(place) = self.input.get_mut(self.filled) {
            *place = sample;
            self.filled += 1;
        }
    }

    /// The next frame. What is missing of it counts as silence.
    pub(super) fn frame(&mut self) -> [i16; FRAME] {
        let given = std::mem::take(&mut self.filled);
        let needed = self.needed();
        if let Some(rest) = self.input.get_mut(given..) {
            rest.fill(0.0);
        }
        let made = match &mut self.inner {
            None => self.input.get(..FRAME),
            Some(inner) => {
                let read = SequentialSlice::new(self.input.as_slice(), 1, needed);
                let written = SequentialSlice::new_mut(self.output.as_mut_slice(), 1, FRAME);
                let done = match (read, written) {
                    (Ok(read), Ok(mut written)) => {
                        inner.process_into_buffer(&read, &mut written, None).is_ok()
                    }
                    // Its buffers have the sizes that it asked for.
                    _ => false,
                };
                done.then_some(self.output.as_slice())
            }
        };
        let mut frame = [0; FRAME];
        for (sample, made) in frame.iter_mut().zip(made.unwrap_or_default()) {
            *sample = to_i16(*made);
        }
        frame
    }

    fn needed(&self) -> usize {
        self.inner.as_ref().map_or(FRAME, |inner| inner.input_frames_next())
    }
}

impl FromSession {
    /// To so many samples a second.
    pub(super) fn new(rate: u32) -> Result<Self, SoundError> {
        let inner = match rate {
            SAMPLE_RATE => None,
            _ => Some(resampler(SAMPLE_RATE, rate, FixedAsync::Input)?),
        };
        let most = inner.as_ref().map_or(FRAME, |inner| inner.output_frames_max());
        Ok(Self { inner, input: [0.0; FRAME], output: vec![0.0; most], samples: vec![0; most] })
    }

    /// What a frame becomes; how many samples that are may differ from frame to frame by one.
    pub(super) fn samples(&mut self, frame: &[i16; FRAME]) -> &[i16] {
        for (sample, given) in self.input.iter_mut().zip(frame) {
            *sample = f32::from(*given) / FULL_SCALE;
        }
        let made = match &mut self.inner {
            None => {
                self.output.copy_from_slice(&self.input);
                FRAME
            }
            Some(inner) => {
                let most = self.output.len();
                let read = SequentialSlice::new(self.input.as_slice(), 1, FRAME);
                let written = SequentialSlice::new_mut(self.output.as_mut_slice(), 1, most);
                match (read, written) {
                    (Ok(read), Ok(mut written)) => {
                        inner.process_into_buffer(&read, &mut written, None).map_or(0, |(_, made)| made)
                    }
                    _ => 0,
                }
            }
        };
        for (sample, made) in self.samples.iter_mut().zip(&self.output) {
            *sample = to_i16(*made);
        }
        self.samples.get(..made).unwrap_or_default()
    }
}

/// Full scale is ±1; beyond, it is cut.
#[expect(clippy::cast_possible_truncation, reason = "a float outside the range becomes its nearest end")]
pub(super) fn to_i16(sample: f32) -> i16 {
    (sample * FULL_SCALE).round() as i16
}

fn resampler(from: u32, to: u32, fixed: FixedAsync) -> Result<Async<f32>, SoundError> {
    let other = if from == SAMPLE_RATE { to } else { from };
    if !(SLOWEST..=FASTEST).contains(&other) {
        return Err(SoundError::Rate(other));
    }
    let ratio = f64::from(to) / f64::from(from);
    // The filter works at the higher rate, and is as steep there as its length at the lower one allows.
    let taps = TAPS.saturating_mul(from.div_ceil(to) as usize);
    let parameters = SincInterpolationParameters::new(taps, WindowFunction::Blackman2);
    Async::new_sinc(ratio, 1.0, &parameters, FRAME, 1, fixed).map_err(|_| SoundError::Rate(other))
}

const FULL_SCALE: f32 = 32_768.0;
/// Length of the filter in samples of the lower rate: 4 ms of delay at the session's, flat to 3.2 kHz.
const TAPS: usize = 64;
const SLOWEST: u32 = 4_000;
const FASTEST: u32 = 384_000;
