//! Octets on their way to the server, and the questions among them that wait for an answer.

use std::time::Duration;

use homing_media::FRAME;
use pulseaudio::protocol::{Command, write_command_message, write_memblock};

/// What is to be written. It stays small: a question waits for its answer, and sound waits in its ring while there is
/// much here.
#[derive(Debug)]
pub(super) struct Outbound {
    octets: Vec<u8>,
    sequence: u32,
    /// What both ends understand.
    pub(super) version: u16,
}

/// A question that is not answered yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) sequence: u32,
    /// A server that has not answered by then is mute.
    pub(super) until: Duration,
}

impl Default for Outbound {
    fn default() -> Self {
        Self { octets: Vec::new(), sequence: 0, version: VERSION }
    }
}

impl Outbound {
    pub(super) fn ask(&mut self, command: &Command, now: Duration) -> Asked {
        let asked = Asked { sequence: self.sequence, until: now + ANSWERED };
        self.sequence = self.sequence.wrapping_add(1);
        // A vector takes everything, and no command of ours is too long for its head.
        let _ = write_command_message(&mut self.octets, asked.sequence, command, self.version);
        asked
    }

    /// A frame of sound to a stream.
    pub(super) fn sound(&mut self, channel: u32, frame: &[i16; FRAME]) {
        let mut octets = [0; 2 * FRAME];
        for (two, sample) in octets.chunks_exact_mut(2).zip(frame) {
            two.copy_from_slice(&sample.to_le_bytes());
        }
        let _ = write_memblock(&mut self.octets, channel, &octets, 0);
    }

    /// The server does not read as fast as sound comes.
    pub(super) fn is_full(&self) -> bool {
        self.octets.len() > FULL
    }

    pub(super) fn waiting(&self) -> &[u8] {
        &self.octets
    }

    /// So many octets were written.
    pub(super) fn written(&mut self, octets: usize) {
        self.octets.drain(..octets.min(self.octets.len()));
    }
}

/// The version that is spoken. Newer ones add lists of formats and kinds of ports, and one that is unknown here would
/// make a whole list of devices unreadable.
pub(super) const VERSION: u16 = 20;
const ANSWERED: Duration = Duration::from_secs(4);
/// A second of sound.
const FULL: usize = 16_000;
