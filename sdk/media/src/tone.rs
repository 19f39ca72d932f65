//! Tones that this side hears instead of the peer, of one plan: 425 Hz, as most of Europe has it (ITU-T E.180 supplement 2).

/// What a caller hears while there is no sound of the peer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Tone {
    /// The peer's phone rings: 1 s on, 4 s off. Yields to early media.
    Ringback,
    /// The peer is in a call: 0.5 s on, 0.5 s off.
    Busy,
}

/// A tone that is being played.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ToneGenerator {
    tone: Tone,
    /// Samples since its start.
    at: u32,
}

impl ToneGenerator {
    pub(crate) fn new(tone: Tone) -> Self {
        Self { tone, at: 0 }
    }

    pub(crate) fn tone(&self) -> Tone {
        self.tone
    }

    pub(crate) fn fill(&mut self, samples: &mut [i16]) {
        let cadence = self.tone.cadence();
        for sample in samples {
            *sample = if self.at < cadence.on { sine(self.at, cadence.on) } else { 0 };
            self.at = (self.at + 1) % cadence.period;
        }
    }
}

impl Tone {
    fn cadence(self) -> Cadence {
        match self {
            Tone::Ringback => Cadence { on: 8000, period: 40_000 },
            Tone::Busy => Cadence { on: 4000, period: 8000 },
        }
    }
}

/// In samples of 8 kHz.
struct Cadence {
    on: u32,
    period: u32,
}

/// 425 Hz at −13 dBm0, faded in and out over 5 ms so that it does not click.
#[expect(clippy::cast_possible_truncation, reason = "the amplitude is far below 2^15")]
fn sine(at: u32, length: u32) -> i16 {
    let edge = at.min(length.saturating_sub(at + 1)).min(EDGE);
    // 425 Hz repeats after 320 samples, in 17 periods.
    let phase = f64::from(at % 320) * (17.0 / 320.0 * std::f64::consts::TAU);
    (phase.sin() * AMPLITUDE * f64::from(edge) / f64::from(EDGE)) as i16
}

const EDGE: u32 = 40;
const AMPLITUDE: f64 = 5000.0;
