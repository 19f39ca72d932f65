//! Trying out the devices of this machine: a tone is played, and looked for in what the microphone hears meanwhile.

use std::fmt;
use std::time::{Duration, Instant};

use homing_media::{FRAME, SAMPLE_RATE};
use tokio::sync::oneshot;

use super::DeviceEnds;
use super::choice::Devices;
use super::error::DeviceError;
use crate::sound::backend::AudioBackend;
use crate::sound::error::SoundError;
use crate::sound::event::SoundEvent;
use crate::sound::source::{Sine, SineGenerator};
use crate::sound::workers::Workers;

/// What came of a tone that was played by the output and looked for at the input.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Loopback {
    /// The input heard the tone: both directions work.
    Heard {
        /// The tone's level at the input, in decibels below the loudest sine there is.
        dbov: f64,
        /// From the slot in which it was played to the slot in which it was heard, to 20 ms.
        delay: Duration,
    },
    /// The input gave sound, and the tone was not in it. That is so, too, where the two are a headset.
    NotHeard {
        /// The loudest 20 ms of what was heard, in decibels below the loudest sine there is.
        dbov: f64,
    },
    /// The input gave nothing but zeros.
    Silent,
}

/// The trial, a slot of 20 ms after the other.
struct Trial {
    tone: SineGenerator,
    slot: u32,
    /// The slot in which the tone was heard first, and in how many since.
    found: Option<u32>,
    frames: u32,
    /// Sums of squares, of full scale 1.
    tone_power: f64,
    loudest: f64,
}

/// Plays a tone of 1000 Hz by the output for a second, and tells whether the input heard it. It takes five seconds on
/// a thread of its own.
///
/// ```no_run
/// # async fn example() -> Result<(), homing::sound::SoundError> {
/// println!("{}", homing::sound::test_devices(&homing::sound::Devices::default()).await?);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`SoundError::Device`] if one of the devices, or the server, gave or took no sound.
pub async fn test_devices(devices: &Devices) -> Result<Loopback, SoundError> {
    let devices = devices.clone();
    on_a_thread(move || try_out(devices)).await.unwrap_or(Err(SoundError::Over))
}

/// Runs what may block; none if the system gives no thread.
pub(super) async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (tell, done) = oneshot::channel();
    let builder = std::thread::Builder::new().name("homing-devices".into());
    // Nobody may wait for it any more.
    builder.spawn(move || drop(tell.send(work()))).ok()?;
    done.await.ok()
}

fn try_out(devices: Devices) -> Result<Loopback, SoundError> {
    let DeviceEnds { mut backend, mut events } = super::open(devices, &Workers::new(1))?;
    let mut trial = Trial::new();
    let begin = Instant::now();
    while !trial.is_over() {
        std::thread::sleep((begin + SLOT * trial.slot).saturating_duration_since(Instant::now()));
        trial.slot(backend.as_mut());
        while let Ok(event) = events.pop() {
            if let Some(why) = loss(event) {
                return Err(SoundError::Device(why));
            }
        }
    }
    Ok(trial.verdict())
}

fn loss(event: SoundEvent) -> Option<DeviceError> {
    match event {
        SoundEvent::DeviceLost { why, .. } | SoundEvent::SoundServerLost(why) => Some(why),
        _ => None,
    }
}

impl Trial {
    fn new() -> Self {
        let sine = Sine { duration: Some(PLAYED), ..Sine::new(HERTZ) };
        Self {
            tone: SineGenerator::new(sine),
            slot: 0,
            found: None,
            frames: 0,
            tone_power: 0.0,
            loudest: 0.0,
        }
    }

    fn slot(&mut self, backend: &mut dyn AudioBackend) {
        let said = if self.slot < BEGIN { None } else { self.tone.frame() };
        backend.play(&said.unwrap_or([0; FRAME]));
        let mut heard = [0; FRAME];
        if backend.capture(&mut heard) == FRAME {
            self.listen(&heard);
        }
        self.slot += 1;
    }

    fn listen(&mut self, frame: &[i16; FRAME]) {
        let power = frame.iter().map(|sample| (f64::from(*sample) / 32_768.0).powi(2)).sum::<f64>();
        self.loudest = self.loudest.max(power);
        // Most of the frame is the tone, which nothing else is by chance in frame after frame.
        let tone = tone_power(frame);
        if self.slot >= BEGIN && power > 0.0 && tone > power / 2.0 {
            self.found.get_or_insert(self.slot);
            self.frames += 1;
            self.tone_power += tone;
        } else if self.frames < SURE {
            (self.found, self.frames, self.tone_power) = (None, 0, 0.0);
        }
    }

    fn is_over(&self) -> bool {
        self.slot >= END
    }

    fn verdict(&self) -> Loopback {
        match self.found {
            Some(found) if self.frames >= SURE => Loopback::Heard {
                dbov: dbov(self.tone_power / f64::from(self.frames)),
                delay: SLOT * found.saturating_sub(BEGIN),
            },
            _ if self.loudest > 0.0 => Loopback::NotHeard { dbov: dbov(self.loudest) },
            _ => Loopback::Silent,
        }
    }
}

/// How much of a frame's power is at 1000 Hz: of 20 whole periods, so that no window is needed.
fn tone_power(frame: &[i16; FRAME]) -> f64 {
    let (mut real, mut imaginary) = (0.0, 0.0);
    let step = HERTZ / f64::from(SAMPLE_RATE) * std::f64::consts::TAU;
    for (at, sample) in (0_u32..).zip(frame) {
        let (sine, cosine) = (f64::from(at) * step).sin_cos();
        real += f64::from(*sample) / 32_768.0 * cosine;
        imaginary += f64::from(*sample) / 32_768.0 * sine;
    }
    (real * real + imaginary * imaginary) * 2.0 / FRAME as f64
}

/// Of a frame's sum of squares.
fn dbov(power: f64) -> f64 {
    10.0 * (power * 2.0 / FRAME as f64).log10()
}

impl fmt::Display for Loopback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Loopback::Heard { dbov, delay } => write!(
                f,
                "the microphone heard the loudspeaker after {} ms, at {dbov:.0} dBov: both work",
                delay.as_millis()
            ),
            Loopback::NotHeard { dbov } => write!(
                f,
                "a tone was played and the microphone did not hear it, only {dbov:.0} dBov of other sound; with a \
                 headset that is so, and whether the tone was heard only you know"
            ),
            Loopback::Silent => f.write_str(
                "a tone was played and the microphone gave nothing at all; it may be muted, and whether the tone was \
                 heard only you know",
            ),
        }
    }
}

const HERTZ: f64 = 1_000.0;
const SLOT: Duration = Duration::from_millis(20);
const PLAYED: Duration = Duration::from_secs(1);
/// Three seconds for the devices to wake up, which headsets without a wire need, one of tone, one for what is late.
const BEGIN: u32 = 150;
const END: u32 = 250;
/// 300 ms of tone are no accident.
const SURE: u32 = 15;

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// A room that gives back what was played three slots ago, with a hum.
    struct Room {
        air: VecDeque<[i16; FRAME]>,
        gain: f64,
        hum: i16,
    }

    impl AudioBackend for Room {
        fn rate(&self) -> u32 {
            SAMPLE_RATE
        }

        #[expect(clippy::cast_possible_truncation, reason = "the gain is below 1")]
        fn capture(&mut self, frame: &mut [i16]) -> usize {
            let played = self.air.pop_front().unwrap();
            for (at, sample) in frame.iter_mut().enumerate() {
                let hum = if at / 40 % 2 == 0 { self.hum } else { -self.hum };
                *sample = (f64::from(played[at]) * self.gain) as i16 + hum;
            }
            frame.len()
        }

        fn play(&mut self, frame: &[i16]) {
            self.air.push_back(frame.try_into().unwrap());
        }
    }

    fn verdict(gain: f64, hum: i16) -> Loopback {
        let mut room = Room { air: [[0; FRAME]; 3].into(), gain, hum };
        let mut trial = Trial::new();
        while !trial.is_over() {
            trial.slot(&mut room);
        }
        trial.verdict()
    }

    #[test]
    fn a_tone_is_heard_through_a_hum_or_the_truth_is_told() {
        let Loopback::Heard { dbov, delay } = verdict(0.5, 200) else { panic!() };
        assert!((dbov + 22.0).abs() < 0.5, "{dbov}");
        assert_eq!(delay, Duration::from_millis(60));
        assert!(matches!(verdict(0.0, 200), Loopback::NotHeard { dbov } if (dbov + 41.3).abs() < 0.5));
        assert_eq!(verdict(0.0, 0), Loopback::Silent);
        assert!(verdict(0.0, 0).to_string().contains("only you know"));
    }
}
