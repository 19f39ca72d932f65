//! Raw sound by pipes: what is said comes from one, what is heard goes to another.

use std::io::{Read, Write};

use homing_media::{FRAME, SAMPLE_RATE};

use super::backend::AudioBackend;
use super::error::SoundError;
use super::feed::{Fed, Feed};
use super::outlet::{self, Outlet};
use super::source::Source;
use super::workers::Workers;

/// Both pipes, each with a worker that may block.
pub(super) struct Pipe {
    said: Feed,
    heard: Outlet<[i16; FRAME]>,
}

impl Pipe {
    pub(super) fn open(
        reader: Box<dyn Read + Send>,
        writer: Box<dyn Write + Send>,
        rate: u32,
        workers: &Workers,
    ) -> Result<Self, SoundError> {
        let heard = outlet::write_pcm(writer, rate, workers)?;
        Ok(Self { said: Feed::open(Source::Pcm { reader, rate }, workers)?, heard })
    }
}

impl AudioBackend for Pipe {
    fn rate(&self) -> u32 {
        SAMPLE_RATE
    }

    fn capture(&mut self, frame: &mut [i16]) -> usize {
        match self.said.next() {
            Fed::Frame(given) if given.len() == frame.len() => {
                frame.copy_from_slice(&given);
                given.len()
            }
            _ => 0,
        }
    }

    fn play(&mut self, frame: &[i16]) {
        if let Ok(frame) = frame.try_into() {
            // Where the pipe broke, nobody hears; the call goes on.
            let _ = self.heard.push(frame);
        }
    }

    fn flush(&mut self) {
        self.said.flush();
    }
}
