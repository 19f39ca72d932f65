//! Sound on its way to the paced thread: made there, or by a worker that reads a file or a pipe, with a ring between.

use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use homing_media::FRAME;

use super::error::SoundError;
use super::file::WavReader;
use super::resample::ToSession;
use super::source::{Repeat, SineGenerator, Source, samples_of};
use super::workers::{Workers, pause};

/// The paced thread's end: it gives a frame a slot and never waits.
pub(super) enum Feed {
    Sine(SineGenerator),
    /// So many samples of silence are left.
    Silence(u64),
    Worker(RingFeed),
}

/// What a worker feeds.
pub(super) struct RingFeed {
    ring: rtrb::Consumer<[i16; FRAME]>,
    failure: Arc<OnceLock<SoundError>>,
    /// The worker has begun: from here on a frame that is missing is missed.
    has_begun: bool,
}

/// What a feed has for a slot.
#[derive(Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "one passes by value in a slot; a box would be allocated on the paced thread"
)]
pub(super) enum Fed {
    Frame([i16; FRAME]),
    /// The worker was not fast enough, or what it reads blocks.
    Late,
    /// It opens what it reads; nothing was promised yet.
    NotYet,
    Ended(Result<(), SoundError>),
}

/// The worker's end.
struct Filling {
    ring: rtrb::Producer<[i16; FRAME]>,
    failure: Arc<OnceLock<SoundError>>,
}

impl Feed {
    /// Opens a source, by a worker where it may block.
    pub(super) fn open(source: Source, workers: &Workers) -> Result<Self, SoundError> {
        match source {
            Source::Sine(sine) => Ok(Feed::Sine(SineGenerator::new(sine))),
            Source::Silence(duration) => Ok(Feed::Silence(samples_of(duration))),
            Source::File { path, repeat } => {
                worker(workers, FILE_FRAMES, move |filling| play_file(&path, repeat, filling))
            }
            Source::Pcm { reader, rate } => {
                worker(workers, PIPE_FRAMES, move |filling| play_pcm(reader, rate, filling))
            }
        }
    }

    pub(super) fn next(&mut self) -> Fed {
        match self {
            Feed::Sine(sine) => sine.frame().map_or(Fed::Ended(Ok(())), Fed::Frame),
            Feed::Silence(0) => Fed::Ended(Ok(())),
            Feed::Silence(left) => {
                *left = left.saturating_sub(FRAME as u64);
                Fed::Frame([0; FRAME])
            }
            Feed::Worker(worker) => worker.next(),
        }
    }

    /// Forgets what was read ahead.
    pub(super) fn flush(&mut self) {
        if let Feed::Worker(worker) = self {
            while worker.ring.pop().is_ok() {}
        }
    }
}

impl RingFeed {
    fn next(&mut self) -> Fed {
        // Asked before the look at the ring: what the worker pushed last is then still found.
        let is_over = self.ring.is_abandoned();
        match self.ring.pop() {
            Ok(frame) => {
                self.has_begun = true;
                Fed::Frame(frame)
            }
            Err(_) if is_over => Fed::Ended(self.failure.get().map_or(Ok(()), |error| Err(error.clone()))),
            Err(_) if self.has_begun => Fed::Late,
            Err(_) => Fed::NotYet,
        }
    }
}

impl Filling {
    /// Waits for room; false once nobody listens any more.
    fn push(&mut self, frame: [i16; FRAME]) -> bool {
        loop {
            if self.ring.is_abandoned() {
                return false;
            }
            if self.ring.push(frame).is_ok() {
                return true;
            }
            pause();
        }
    }
}

fn worker(
    workers: &Workers,
    frames: usize,
    work: impl FnOnce(&mut Filling) -> Result<(), SoundError> + Send + 'static,
) -> Result<Feed, SoundError> {
    let (producer, ring) = rtrb::RingBuffer::new(frames);
    let failure = Arc::new(OnceLock::new());
    let mut filling = Filling { ring: producer, failure: Arc::clone(&failure) };
    workers.start(move || {
        if let Err(error) = work(&mut filling) {
            // Set before the ring is let go, which is what its reader takes for the end.
            let _ = filling.failure.set(error);
        }
    })?;
    Ok(Feed::Worker(RingFeed { ring, failure, has_begun: false }))
}

fn play_file(path: &Path, repeat: Repeat, filling: &mut Filling) -> Result<(), SoundError> {
    let mut file = WavReader::open(path)?;
    let mut frames = ToSession::new(file.rate())?;
    let mut round = 0_u32;
    let mut has_sound = false;
    while repeat == Repeat::Forever || matches!(repeat, Repeat::Times(times) if round < times) {
        if round > 0 {
            file.rewind()?;
        }
        while let Some(sample) = file.next()? {
            has_sound = true;
            frames.push(sample);
            if frames.missing() == 0 && !filling.push(frames.frame()) {
                return Ok(());
            }
        }
        // An empty file is no reason to turn round for ever.
        if !has_sound {
            return Ok(());
        }
        round = round.saturating_add(1);
    }
    // What the filter still holds, and the rest of a frame.
    filling.push(frames.frame());
    Ok(())
}

fn play_pcm(mut reader: Box<dyn Read + Send>, rate: u32, filling: &mut Filling) -> Result<(), SoundError> {
    let mut frames = ToSession::new(rate)?;
    let mut octets = [0; 4_096];
    // An octet of a sample whose other one did not come yet.
    let mut half: Option<u8> = None;
    loop {
        let read = match reader.read(&mut octets) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(SoundError::Read(error.kind())),
        };
        for octet in octets.iter().take(read) {
            let Some(low) = half.take() else {
                half = Some(*octet);
                continue;
            };
            frames.push(f32::from(i16::from_le_bytes([low, *octet])) / 32_768.0);
            if frames.missing() == 0 && !filling.push(frames.frame()) {
                return Ok(());
            }
        }
    }
    filling.push(frames.frame());
    Ok(())
}

/// A second is read ahead of a file.
const FILE_FRAMES: usize = 50;
/// Of a pipe less: what is in the ring is delay where it is live.
const PIPE_FRAMES: usize = 10;
