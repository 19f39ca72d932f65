//! The ends of a call's sound at this side: a device, a program, or nothing.

use std::panic::{AssertUnwindSafe, catch_unwind};

use homing_media::FRAME;

use super::error::SoundError;
use super::resample::{FromSession, ToSession};

/// Where the sound of a call comes from and goes to at this side: a device, or the application itself.
///
/// It is called on the paced thread, which carries the sound of other calls, too: it may not block. What it cannot give
/// at once is silence. If it panics, it is not called again, the call goes on in silence, and
/// [`SoundEvent::BackendFailed`](super::SoundEvent::BackendFailed) tells so.
pub trait AudioBackend: Send {
    /// Samples a second of both directions, 4,000 to 384,000; asked once. 8000 needs no conversion.
    fn rate(&self) -> u32;

    /// Fills the frame with what is to be said next, 20 ms or less, and tells how many samples it filled; the rest is
    /// silence.
    fn capture(&mut self, frame: &mut [i16]) -> usize;

    /// Takes what is heard, about 20 ms.
    fn play(&mut self, frame: &[i16]);

    /// Forgets what it holds and was not heard yet, in both directions, as when a person speaks into an announcement.
    fn flush(&mut self) {}
}

/// A backend at the session's rate, which ends no thread when it fails.
pub(super) struct Adapted {
    /// None once it failed.
    backend: Option<Box<dyn AudioBackend>>,
    capture: ToSession,
    scratch: Vec<i16>,
    play: FromSession,
}

/// What a backend had for a slot.
pub(super) struct Captured {
    pub(super) frame: [i16; FRAME],
    /// It gave less than was asked for.
    pub(super) is_short: bool,
}

/// Silence, and nobody who hears.
pub(super) struct Null;

impl AudioBackend for Null {
    fn rate(&self) -> u32 {
        homing_media::SAMPLE_RATE
    }

    fn capture(&mut self, frame: &mut [i16]) -> usize {
        frame.fill(0);
        frame.len()
    }

    fn play(&mut self, _: &[i16]) {}
}

impl Adapted {
    /// # Errors
    /// `Rate` for one that no sound has.
    pub(super) fn new(backend: Box<dyn AudioBackend>) -> Result<Self, SoundError> {
        let rate = backend.rate();
        let capture = ToSession::new(rate)?;
        let scratch = vec![0; capture.most()];
        Ok(Self { backend: Some(backend), capture, scratch, play: FromSession::new(rate)? })
    }

    /// What is to be said in this slot; `Err` the one time it fails.
    pub(super) fn capture(&mut self) -> Result<Captured, SoundError> {
        let missing = self.capture.missing();
        let given = match (&mut self.backend, self.scratch.get_mut(..missing)) {
            (Some(backend), Some(frame)) => {
                let captured = catch_unwind(AssertUnwindSafe(|| backend.capture(frame)));
                captured.map_err(|_| self.fail())?.min(missing)
            }
            _ => 0,
        };
        for sample in self.scratch.iter().take(given) {
            self.capture.push(f32::from(*sample) / 32_768.0);
        }
        let is_short = given < missing && self.backend.is_some();
        Ok(Captured { frame: self.capture.frame(), is_short })
    }

    pub(super) fn play(&mut self, frame: &[i16; FRAME]) -> Result<(), SoundError> {
        let Some(backend) = &mut self.backend else { return Ok(()) };
        let samples = self.play.samples(frame);
        catch_unwind(AssertUnwindSafe(|| backend.play(samples))).map_err(|_| self.fail())
    }

    pub(super) fn flush(&mut self) -> Result<(), SoundError> {
        let Some(backend) = &mut self.backend else { return Ok(()) };
        catch_unwind(AssertUnwindSafe(|| backend.flush())).map_err(|_| self.fail())
    }

    fn fail(&mut self) -> SoundError {
        // What panicked once may do so when it is dropped, too.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(self.backend.take())));
        SoundError::Backend
    }
}
