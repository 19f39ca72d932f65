//! A recording: a stereo WAV file whose head is true whenever it was flushed.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use homing_media::SAMPLE_RATE;

use crate::sound::error::SoundError;

/// A WAV file that is being written: left what is said, right what is heard.
pub(in crate::sound) struct WavWriter {
    path: PathBuf,
    writer: hound::WavWriter<BufWriter<File>>,
    /// Moments that still fit: a WAV file counts its octets in 32 bits, which last for 37 hours.
    left: u32,
}

impl WavWriter {
    /// Makes the file, or empties it.
    pub(in crate::sound) fn create(path: &Path) -> Result<Self, SoundError> {
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: SAMPLE_RATE,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::create(path, spec).map_err(|error| failed(path, error))?;
        // A crash before the first second leaves an empty recording, and no broken file.
        writer.flush().map_err(|error| failed(path, error))?;
        Ok(Self { path: path.to_path_buf(), writer, left: u32::MAX / 4 - HEAD })
    }

    /// Writes one moment of both sides.
    pub(in crate::sound) fn write(&mut self, said: i16, heard: i16) -> Result<(), SoundError> {
        let Some(left) = self.left.checked_sub(1) else {
            return Err(SoundError::Write { path: self.path.clone(), why: io::ErrorKind::FileTooLarge });
        };
        self.left = left;
        let written = self.writer.write_sample(said).and_then(|()| self.writer.write_sample(heard));
        written.map_err(|error| failed(&self.path, error))
    }

    /// Hands what was written to the system, with a head that counts it.
    pub(in crate::sound) fn flush(&mut self) -> Result<(), SoundError> {
        self.writer.flush().map_err(|error| failed(&self.path, error))
    }
}

fn failed(path: &Path, error: hound::Error) -> SoundError {
    let why = match error {
        hound::Error::IoError(error) => error.kind(),
        _ => io::ErrorKind::Other,
    };
    SoundError::Write { path: path.to_path_buf(), why }
}

/// More than the octets of the head, in moments.
const HEAD: u32 = 100;
