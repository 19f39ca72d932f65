//! What a party says, 20 ms at a time.

use homing_media::{FRAME, SAMPLE_RATE};

use super::morse;
use crate::node::sound::Speech;

/// A voice that speaks as long as its call lasts.
pub(super) enum Voice {
    Echo,
    Tone(Tone),
    Morse { tone: Tone, units: Vec<bool>, at: usize },
    Silence,
}

/// A sine that can be keyed, without a click.
pub(super) struct Tone {
    hertz: u16,
    /// Samples since its start.
    at: u32,
    /// From 0 to 1.
    loudness: f64,
}

impl Voice {
    pub(super) fn new(speech: Speech, server: &str) -> Self {
        match speech {
            Speech::Echo => Voice::Echo,
            Speech::Tone(hertz) => Voice::Tone(Tone::new(hertz)),
            Speech::Announcement => {
                Voice::Morse { tone: Tone::new(PITCH), units: morse::keyed(server), at: 0 }
            }
            Speech::Silence => Voice::Silence,
        }
    }

    /// What it says next, who last heard this.
    pub(super) fn frame(&mut self, heard: &[i16; FRAME]) -> [i16; FRAME] {
        match self {
            Voice::Echo => *heard,
            Voice::Tone(tone) => tone.frame(true),
            Voice::Morse { tone, units, at } => {
                // A unit is three frames, so that no key falls inside one.
                let unit = *at / FRAMES_OF_UNIT % units.len().max(1);
                *at += 1;
                tone.frame(units.get(unit).copied().unwrap_or_default())
            }
            Voice::Silence => [0; FRAME],
        }
    }
}

impl Tone {
    fn new(hertz: u16) -> Self {
        Self { hertz, at: 0, loudness: 0.0 }
    }

    #[expect(clippy::cast_possible_truncation, reason = "the amplitude is far below 2^15")]
    fn frame(&mut self, sounds: bool) -> [i16; FRAME] {
        let mut frame = [0; FRAME];
        for sample in &mut frame {
            let step = if sounds { FADE } else { -FADE };
            self.loudness = (self.loudness + step).clamp(0.0, 1.0);
            // After a second every whole frequency is back where it began.
            let turns = f64::from(self.at) * f64::from(self.hertz) / f64::from(SAMPLE_RATE);
            *sample = ((turns * std::f64::consts::TAU).sin() * AMPLITUDE * self.loudness) as i16;
            self.at = (self.at + 1) % SAMPLE_RATE;
        }
        frame
    }
}

/// −16 dBov.
const AMPLITUDE: f64 = 5_193.0;
/// Faded in and out over 5 ms.
const FADE: f64 = 1.0 / 40.0;
const PITCH: u16 = 800;
/// 60 ms: 20 words a minute.
const FRAMES_OF_UNIT: usize = 3;
