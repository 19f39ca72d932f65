//! The sound of one call in words and levels: what one hears, what the other side reports, how it is protected.

use std::collections::VecDeque;

use homing::call::SoundTerms;
use homing::sound::SoundStats;

use crate::text::{ScreenText, screen_text};

/// What was measured last, and the levels of the last minute.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallSound {
    newest: Option<Measured>,
    /// Of what one hears, in 0 to 8.
    heard: VecDeque<u8>,
    /// Of what one says.
    said: VecDeque<u8>,
}

/// One second of sound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) terms: Option<SoundTerms>,
    pub(crate) stats: SoundStats,
}

/// A name and what it is.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) text: ScreenText,
    pub(crate) is_poor: bool,
}

impl CallSound {
    /// Takes the next second.
    pub(crate) fn measure(&mut self, measured: Measured) {
        let session = &measured.stats.session;
        for (levels, level) in [(&mut self.heard, session.played), (&mut self.said, session.captured)] {
            if levels.len() == MINUTE {
                levels.pop_front();
            }
            levels.push_back(bar(level.dbov));
        }
        self.newest = Some(measured);
    }

    /// What there is to say, a row each; nothing before the first second.
    pub(crate) fn rows(&self, bars: &[&str; 9], width: usize) -> Vec<Row> {
        let Some(Measured { terms, stats }) = &self.newest else { return Vec::new() };
        let session = &stats.session;
        let mut rows = Vec::new();
        let mut row = |name, text, is_poor| rows.push(Row { name, text, is_poor });
        if let Some(terms) = terms {
            row("sound", ScreenText::from_display(terms), !terms.is_encrypted);
        }
        let lost = session.lost_of_last_second.unwrap_or(0.0) * 100.0;
        let jitter = session.jitter.as_millis();
        match session.silent_for {
            None => row("you hear", ScreenText::of("nothing yet"), true),
            Some(silence) if silence.as_secs() >= SILENCE => {
                row("you hear", screen_text!("nothing for {} s", silence.as_secs()), true);
            }
            Some(_) => {
                let words = word(lost, jitter);
                let buffer = session.buffer.as_millis();
                let text = screen_text!("{words}: {lost:.1} % lost, jitter {jitter} ms, buffer {buffer} ms");
                row("you hear", text, words != "good");
            }
        }
        row("", line(&self.heard, bars, width), false);
        match session.peer {
            // Nothing reported is no perfect score.
            None => row("they hear", ScreenText::of("no report from the other side"), false),
            Some(peer) => {
                let lost = f32::from(peer.fraction_lost) * 100.0 / 256.0;
                let jitter = peer.jitter.as_millis();
                let words = word(lost, jitter);
                let trip = session.round_trip.map(|trip| format!(", round trip {} ms", trip.as_millis()));
                let trip = trip.unwrap_or_default();
                let text = screen_text!("{words}: {lost:.1} % lost, jitter {jitter} ms{trip}");
                row("they hear", text, words != "good");
            }
        }
        row("", line(&self.said, bars, width), false);
        rows
    }
}

/// How it sounds, by what G.711 stands: concealment hides a few lost packets, not many.
fn word(lost: f32, jitter: u128) -> &'static str {
    match (lost, jitter) {
        (..=1.0, ..=30) => "good",
        (..=3.0, ..=60) => "fair",
        (..=8.0, ..=120) => "poor",
        _ => "bad",
    }
}

/// Eight steps of 6 dB below the loudest sine.
fn bar(dbov: Option<f32>) -> u8 {
    let Some(dbov) = dbov else { return 0 };
    let steps = [-48.0, -42.0, -36.0, -30.0, -24.0, -18.0, -12.0, -6.0];
    u8::try_from(steps.iter().filter(|step| dbov >= **step).count()).unwrap_or(0)
}

fn line(levels: &VecDeque<u8>, bars: &[&str; 9], width: usize) -> ScreenText {
    let from = levels.len().saturating_sub(width);
    let signs = levels.iter().skip(from).filter_map(|level| bars.get(usize::from(*level)).copied());
    ScreenText::of(&signs.collect::<String>())
}

/// Seconds of levels.
const MINUTE: usize = 60;
/// Seconds without a packet from which one hears nothing.
const SILENCE: u64 = 2;
