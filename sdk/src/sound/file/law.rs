//! WAV files with A-law and µ-law (format tags 6 and 7), and what any WAV file says it holds.

use std::io::{self, Read, Seek, SeekFrom};

use homing_media::Codec;

/// What the head of a WAV file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) encoding: Encoding,
    pub(super) channels: u16,
    pub(super) rate: u32,
    /// Where the sound begins.
    pub(super) start: u64,
    /// How many octets it has; none where the writer left it open.
    pub(super) length: Option<u64>,
}

/// How samples are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// PCM or float.
    Linear,
    /// One octet a sample.
    Law(Codec),
    /// A format tag that is not read.
    Other(u16),
}

/// Reads the head of a WAV file; none if it is no WAV file.
pub(super) fn read_head(file: &mut (impl Read + Seek)) -> io::Result<Option<Head>> {
    let mut riff = [0; 12];
    if !filled(file, &mut riff)? || !riff.starts_with(b"RIFF") || !riff.ends_with(b"WAVE") {
        return Ok(None);
    }
    let mut format: Option<Format> = None;
    for _ in 0..MOST_CHUNKS {
        let mut chunk = [0; 8];
        if !filled(file, &mut chunk)? {
            return Ok(None);
        }
        let [name @ .., a, b, c, d] = chunk;
        let size = u32::from_le_bytes([a, b, c, d]);
        match (&name, format) {
            (b"fmt ", _) => {
                let mut octets = [0; LARGEST_FORMAT];
                let read = LARGEST_FORMAT.min(usize::try_from(size).unwrap_or(LARGEST_FORMAT));
                let Some(octets) = octets.get_mut(..read) else { return Ok(None) };
                if !filled(file, octets)? {
                    return Ok(None);
                }
                format = Format::read(octets);
                skip(file, i64::from(size) - i64::try_from(read).unwrap_or(0) + i64::from(size % 2))?;
            }
            (b"data", Some(Format { encoding, channels, rate })) => {
                let start = file.stream_position()?;
                let length = Some(u64::from(size)).filter(|_| size != OPEN_ENDED);
                return Ok(Some(Head { encoding, channels, rate, start, length }));
            }
            (b"data", None) => return Ok(None),
            _ => skip(file, i64::from(size) + i64::from(size % 2))?,
        }
    }
    Ok(None)
}

/// The part of a format chunk that matters here.
#[derive(Clone, Copy)]
struct Format {
    encoding: Encoding,
    channels: u16,
    rate: u32,
}

impl Format {
    fn read(octets: &[u8]) -> Option<Self> {
        let two = |at: usize| Some(u16::from_le_bytes(octets.get(at..at + 2)?.try_into().ok()?));
        let rate = u32::from_le_bytes(octets.get(4..8)?.try_into().ok()?);
        let (tag, channels, bits) = (two(0)?, two(2)?, two(14)?);
        // The extensible form names the real tag in the first octets of its sub-format.
        let tag = if tag == EXTENSIBLE { two(24)? } else { tag };
        let encoding = match (tag, bits) {
            (1 | 3, _) => Encoding::Linear,
            (6, 8) => Encoding::Law(Codec::Pcma),
            (7, 8) => Encoding::Law(Codec::Pcmu),
            _ => Encoding::Other(tag),
        };
        (channels > 0).then_some(Self { encoding, channels, rate })
    }
}

/// True if the buffer was filled, false if the file ended before.
fn filled(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn skip(file: &mut impl Seek, octets: i64) -> io::Result<()> {
    file.seek(SeekFrom::Current(octets)).map(|_| ())
}

const EXTENSIBLE: u16 = 0xfffe;
/// The extensible format chunk; a longer one is read to here.
const LARGEST_FORMAT: usize = 40;
/// Chunks before the sound; files have a handful.
const MOST_CHUNKS: usize = 256;
/// The size that writers leave who cannot go back: the sound lasts to the end of the file.
const OPEN_ENDED: u32 = u32::MAX;
