//! Why sound could not be read, written or carried: each with a code, a sentence and a next step.

use std::io;
use std::path::PathBuf;

use homing_media::DigitError;
use homing_net::rtp::{BindError, PacedError};
use thiserror::Error;

use super::device::DeviceError;

/// Why something asked of the sound of a call did not happen. None of these ends the call.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SoundError {
    /// The file cannot be opened for reading.
    #[error("{} cannot be opened: {}", .path.display(), Said(.why))]
    Open {
        /// As it was given.
        path: PathBuf,
        /// What the system says.
        why: io::ErrorKind,
    },
    /// The file is no WAV file, or its head breaks off.
    #[error("{} is no WAV file", .0.display())]
    NotWav(PathBuf),
    /// A WAV file with an encoding that is not read; PCM of 8 to 32 bits, float, A-law and µ-law are.
    #[error("{} holds sound in a way that is not understood ({what})", .path.display())]
    Encoding {
        /// As it was given.
        path: PathBuf,
        /// What it says of itself.
        what: String,
    },
    /// Reading broke off before the end that the file, or the pipe, announced.
    #[error("reading sound broke off: {}", Said(.0))]
    Read(io::ErrorKind),
    /// The file for a recording cannot be made or written. What was written before stays readable.
    #[error("{} cannot be written: {}", .path.display(), Said(.why))]
    Write {
        /// As it was given.
        path: PathBuf,
        /// What the system says.
        why: io::ErrorKind,
    },
    /// The other end of the pipe for raw sound takes no more.
    #[error("nobody takes the sound that is heard: {}", Said(.0))]
    Pipe(io::ErrorKind),
    /// As many files and pipes are open as this process allows.
    #[error("too many sound files are being read and written")]
    TooMany,
    /// The system gives no thread for a file or a pipe.
    #[error("this machine gives no thread for a sound file: {}", Said(.0))]
    Thread(io::ErrorKind),
    /// More was asked at once than the call takes.
    #[error("too much was asked of the sound of this call at once")]
    Busy,
    /// The sound of this call has ended.
    #[error("the sound of this call has ended")]
    Over,
    /// The application's own backend failed (it panicked) and is not called any more.
    #[error("the application's own source of sound failed")]
    Backend,
    /// A rate that no sound has; 4,000 to 384,000 samples a second are understood.
    #[error("{0} samples a second are no rate for sound")]
    Rate(u32),
    /// The digits cannot be sent.
    #[error(transparent)]
    Digits(DigitError),
    /// A device, or the server that has it.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// No ports, or no place on the thread for sound: the code and the words of that error.
    #[error("{words}")]
    Socket {
        /// As [`BindError`] or [`PacedError`] give it.
        code: &'static str,
        /// Its sentence.
        words: String,
        /// Its next step.
        hint: &'static str,
    },
}

/// A kind of error as a clause.
struct Said<'a>(&'a io::ErrorKind);

impl SoundError {
    /// The stable code, such as `E1611`.
    pub fn code(&self) -> &'static str {
        match self {
            SoundError::Open { .. } => "E1611",
            SoundError::NotWav(_) => "E1612",
            SoundError::Encoding { .. } => "E1613",
            SoundError::Read(_) => "E1614",
            SoundError::Write { .. } => "E1615",
            SoundError::Pipe(_) => "E1616",
            SoundError::TooMany => "E1617",
            SoundError::Thread(_) => "E1618",
            SoundError::Busy => "E1619",
            SoundError::Over => "E1620",
            SoundError::Backend => "E1621",
            SoundError::Rate(_) => "E1622",
            SoundError::Digits(error) => error.code(),
            SoundError::Device(error) => error.code(),
            SoundError::Socket { code, .. } => code,
        }
    }

    /// What the person can do next, one sentence.
    pub fn hint(&self) -> &'static str {
        match self {
            SoundError::Open { .. } => "Look whether the file is there and may be read.",
            SoundError::NotWav(_) => "Convert it to WAV first.",
            SoundError::Encoding { .. } => "Convert it to WAV with 16 bit PCM.",
            SoundError::Read(_) => "Look whether the file is whole, or what feeds the pipe still runs.",
            SoundError::Write { .. } => "Look whether the folder is there, may be written and has room.",
            SoundError::Pipe(_) => "Look whether the program that takes the sound still runs.",
            SoundError::TooMany => "Wait until other files have ended.",
            SoundError::Thread(_) => "Raise the limit of threads for this program.",
            SoundError::Busy => "Ask again in a moment.",
            SoundError::Over => "Make another call.",
            SoundError::Backend => "Mend the application, and tell its maker.",
            SoundError::Rate(_) => "Use 8000, 16000 or 48000 samples a second.",
            SoundError::Digits(error) => error.hint(),
            SoundError::Device(error) => error.hint(),
            SoundError::Socket { hint, .. } => hint,
        }
    }
}

impl From<BindError> for SoundError {
    fn from(error: BindError) -> Self {
        SoundError::Socket { code: error.code(), words: error.to_string(), hint: error.hint() }
    }
}

impl From<PacedError> for SoundError {
    fn from(error: PacedError) -> Self {
        SoundError::Socket { code: error.code(), words: error.to_string(), hint: error.hint() }
    }
}

impl std::fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The kind's own words are those of the system, without a path or an address in them.
        write!(f, "{}", self.0)
    }
}
