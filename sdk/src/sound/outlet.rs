//! Sound on its way from the paced thread: to a recording or a pipe, by a worker with a ring between.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use homing_media::FRAME;
use tokio::sync::oneshot;

use super::error::SoundError;
use super::file::WavWriter;
use super::resample::FromSession;
use super::workers::{Workers, pause};

/// The paced thread's end of a ring: what does not fit is lost and counted.
pub(super) struct Outlet<T> {
    ring: rtrb::Producer<T>,
    lost: u64,
}

/// 20 ms of both sides.
#[derive(Clone, Copy)]
pub(super) struct BothSides {
    pub(super) said: [i16; FRAME],
    pub(super) heard: [i16; FRAME],
}

impl<T> Outlet<T> {
    /// False once the worker has ended.
    pub(super) fn push(&mut self, frame: T) -> bool {
        if self.ring.is_abandoned() {
            return false;
        }
        if self.ring.push(frame).is_err() {
            self.lost += 1;
        }
        true
    }

    /// Frames that did not fit.
    pub(super) fn lost(&self) -> u64 {
        self.lost
    }
}

/// Writes both sides to a file until the outlet is dropped; then tells how much it wrote.
pub(super) fn record(
    path: PathBuf,
    workers: &Workers,
    done: oneshot::Sender<Result<Duration, SoundError>>,
) -> Result<Outlet<BothSides>, SoundError> {
    let (ring, mut consumer) = rtrb::RingBuffer::new(FRAMES);
    workers.start(move || {
        let written = write_file(path, &mut consumer);
        // The worker's end goes first: whoever learns that it failed must not find it listening.
        drop(consumer);
        // Nobody may wait for it.
        let _ = done.send(written);
    })?;
    Ok(Outlet { ring, lost: 0 })
}

/// Writes what is heard to a pipe, raw, until the outlet is dropped or the pipe breaks.
pub(super) fn write_pcm(
    mut writer: Box<dyn Write + Send>,
    rate: u32,
    workers: &Workers,
) -> Result<Outlet<[i16; FRAME]>, SoundError> {
    let mut samples = FromSession::new(rate)?;
    let (ring, mut consumer) = rtrb::RingBuffer::<[i16; FRAME]>::new(FRAMES);
    workers.start(move || {
        let mut octets = Vec::new();
        while let Some(frame) = next(&mut consumer) {
            octets.clear();
            octets.extend(samples.samples(&frame).iter().flat_map(|sample| sample.to_le_bytes()));
            if writer.write_all(&octets).and_then(|()| writer.flush()).is_err() {
                return;
            }
        }
    })?;
    Ok(Outlet { ring, lost: 0 })
}

fn write_file(path: PathBuf, ring: &mut rtrb::Consumer<BothSides>) -> Result<Duration, SoundError> {
    let mut file = WavWriter::create(&path)?;
    let mut frames = 0_u32;
    while let Some(both) = next(ring) {
        for (said, heard) in both.said.iter().zip(&both.heard) {
            file.write(*said, *heard)?;
        }
        frames = frames.saturating_add(1);
        if frames.is_multiple_of(FLUSHED) {
            file.flush()?;
        }
    }
    file.flush()?;
    Ok(Duration::from_millis(20).saturating_mul(frames))
}

/// Waits for a frame; none once the outlet is dropped and everything was taken.
fn next<T>(ring: &mut rtrb::Consumer<T>) -> Option<T> {
    loop {
        let is_over = ring.is_abandoned();
        match ring.pop() {
            Ok(frame) => return Some(frame),
            Err(_) if is_over => return None,
            Err(_) => pause(),
        }
    }
}

/// Two seconds wait for a slow disk.
const FRAMES: usize = 100;
/// The head of a recording is true once a second.
const FLUSHED: u32 = 50;
