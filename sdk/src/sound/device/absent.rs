//! Devices where none are built: a call has silence and is told so, and there is no list.

use super::choice::{Device, Devices};
use super::ends::DeviceEnds;
use super::error::DeviceError;
use crate::sound::backend::Null;
use crate::sound::error::SoundError;
use crate::sound::event::SoundEvent;
use crate::sound::workers::Workers;

/// Silence, with the one event that says why.
#[expect(clippy::unnecessary_wraps, reason = "with devices it may fail")]
pub(super) fn open(_: Devices, _: &Workers) -> Result<DeviceEnds, SoundError> {
    let (mut tell, events) = rtrb::RingBuffer::new(1);
    // There is room for one.
    let _ = tell.push(SoundEvent::SoundServerLost(DeviceError::Unsupported));
    Ok(DeviceEnds { backend: Box::new(Null), events })
}

/// Always `Unsupported`.
pub(super) fn list(_: &Devices) -> Result<Vec<Device>, DeviceError> {
    Err(DeviceError::Unsupported)
}
