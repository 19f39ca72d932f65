//! Where the sound of a call comes from and goes to at this side, chosen when the call is placed or answered.

use std::fmt;
use std::io::{Read, Write};
use std::path::PathBuf;

use super::backend::AudioBackend;
use super::device::Devices;
use super::source::{Repeat, Sine};

/// This side's ends of a call's sound.
#[non_exhaustive]
pub enum Audio {
    /// Silence is sent, paced like any sound, and what is heard is dropped. Playbacks and recordings work.
    Silence,
    /// A WAV file is played from the answer on.
    File {
        /// As in [`Source::File`](super::Source::File).
        path: PathBuf,
        /// How often.
        repeat: Repeat,
    },
    /// A sine is played from the answer on.
    Sine(Sine),
    /// Raw samples of 16 bits, little-endian, one channel: said is what is read, and what is heard is written, such as
    /// by standard input and output. Both may block.
    Pcm {
        /// Read by a thread of its own. A read that never returns keeps that thread until the program ends.
        reader: Box<dyn Read + Send>,
        /// Written by a thread of its own; what it does not take within two seconds is dropped.
        writer: Box<dyn Write + Send>,
        /// Samples a second, both ways.
        rate: u32,
    },
    /// A microphone and a loudspeaker, or whichever devices are named. Where there are none it is silence, and
    /// [`SoundEvent`](super::SoundEvent) says why.
    Devices(Devices),
    /// The application itself.
    Custom(Box<dyn AudioBackend>),
}

impl fmt::Debug for Audio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Audio::Silence => f.write_str("Silence"),
            Audio::File { path, repeat } => f.debug_tuple("File").field(path).field(repeat).finish(),
            Audio::Sine(sine) => f.debug_tuple("Sine").field(sine).finish(),
            Audio::Pcm { rate, .. } => f.debug_tuple("Pcm").field(rate).finish(),
            Audio::Devices(devices) => f.debug_tuple("Devices").field(devices).finish(),
            Audio::Custom(_) => f.write_str("Custom"),
        }
    }
}
