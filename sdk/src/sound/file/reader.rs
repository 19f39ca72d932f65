//! A WAV file as mono samples from −1 to 1, from its beginning as often as wanted.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use homing_media::Codec;

use super::law::{self, Encoding, Head};
use crate::sound::error::SoundError;

/// An open WAV file.
pub(in crate::sound) struct WavReader {
    path: PathBuf,
    head: Head,
    samples: Samples,
}

/// Where samples come from.
enum Samples {
    Linear { reader: hound::WavReader<BufReader<File>>, float: bool, scale: f32 },
    Law { file: BufReader<File>, codec: Codec, left: u64 },
}

impl WavReader {
    /// Opens a file and reads what it says of itself.
    pub(in crate::sound) fn open(path: &Path) -> Result<Self, SoundError> {
        let failed = |error: &io::Error| SoundError::Open { path: path.to_path_buf(), why: error.kind() };
        let mut file = BufReader::new(File::open(path).map_err(|error| failed(&error))?);
        let head = law::read_head(&mut file).map_err(|error| failed(&error))?;
        let head = head.ok_or_else(|| SoundError::NotWav(path.to_path_buf()))?;
        let encoding = |what: String| SoundError::Encoding { path: path.to_path_buf(), what };
        let samples = match head.encoding {
            Encoding::Law(codec) => Samples::Law { file, codec, left: head.length.unwrap_or(u64::MAX) },
            Encoding::Other(tag) => return Err(encoding(format!("format {tag}"))),
            Encoding::Linear if head.length.is_none() => {
                return Err(encoding("its length was left open".into()));
            }
            Encoding::Linear => {
                file.rewind().map_err(|error| failed(&error))?;
                let reader = hound::WavReader::new(file).map_err(|error| match error {
                    hound::Error::IoError(error) => failed(&error),
                    hound::Error::FormatError(_) => SoundError::NotWav(path.to_path_buf()),
                    other => encoding(other.to_string()),
                })?;
                let spec = reader.spec();
                let float = spec.sample_format == hound::SampleFormat::Float;
                if !float && !(8..=32).contains(&spec.bits_per_sample) {
                    return Err(encoding(format!("{} bits", spec.bits_per_sample)));
                }
                let half = f32::from(spec.bits_per_sample.saturating_sub(1)).exp2();
                Samples::Linear { reader, float, scale: half.recip() }
            }
        };
        Ok(Self { path: path.to_path_buf(), head, samples })
    }

    /// Samples a second.
    pub(in crate::sound) fn rate(&self) -> u32 {
        self.head.rate
    }

    /// The next moment of sound, its channels mixed to one; none at the end.
    pub(in crate::sound) fn next(&mut self) -> Result<Option<f32>, SoundError> {
        let mut sum = 0.0;
        for _ in 0..self.head.channels {
            match self.samples.next() {
                Ok(Some(sample)) => sum += sample,
                // An end between channels is an end.
                Ok(None) => return Ok(None),
                // What a crash cut off is played up to there.
                Err(io::ErrorKind::UnexpectedEof) => return Ok(None),
                Err(kind) => return Err(SoundError::Read(kind)),
            }
        }
        Ok(Some(sum / f32::from(self.head.channels)))
    }

    /// Goes back to the beginning.
    pub(in crate::sound) fn rewind(&mut self) -> Result<(), SoundError> {
        let again = match &mut self.samples {
            Samples::Linear { reader, .. } => reader.seek(0),
            Samples::Law { file, left, .. } => {
                *left = self.head.length.unwrap_or(u64::MAX);
                file.seek(SeekFrom::Start(self.head.start)).map(|_| ())
            }
        };
        again.map_err(|error| SoundError::Open { path: self.path.clone(), why: error.kind() })
    }
}

impl Samples {
    fn next(&mut self) -> Result<Option<f32>, io::ErrorKind> {
        match self {
            Samples::Linear { reader, float: true, .. } => {
                reader.samples::<f32>().next().transpose().map_err(kind)
            }
            Samples::Linear { reader, scale, .. } => {
                let sample = reader.samples::<i32>().next().transpose().map_err(kind)?;
                // The top 24 of 32 bits are what a float holds, and far more than G.711 has.
                Ok(sample.map(|sample| sample as f32 * *scale))
            }
            Samples::Law { left: 0, .. } => Ok(None),
            Samples::Law { file, codec, left } => {
                let mut octet = [0];
                match file.read_exact(&mut octet) {
                    Ok(()) => {
                        *left -= 1;
                        Ok(Some(f32::from(codec.decode(octet[0])) / 32_768.0))
                    }
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
                    Err(error) => Err(error.kind()),
                }
            }
        }
    }
}

fn kind(error: hound::Error) -> io::ErrorKind {
    match error {
        hound::Error::IoError(error) => match error.kind() {
            // Hound tells of a file that ends inside its sound by this kind.
            io::ErrorKind::Other => io::ErrorKind::UnexpectedEof,
            kind => kind,
        },
        _ => io::ErrorKind::InvalidData,
    }
}
