//! Sound devices: microphones and loudspeakers, as a call has them, as a list, and tried out.
//!
//! ```text
//!   paced thread ── DeviceBackend ─► ring ─► thread of the devices ─► sound server ─► loudspeaker
//!                        ▲                          │
//!                        └────────── ring ◄─────────┘ ◄────────────── sound server ◄─ microphone
//! ```
//!
//! Beyond the 20 ms of a packet, sound waits at most 20 ms on its way in (10 ms of slack between two clocks, and what
//! a fragment is late) and 20 ms on its way out (two frames of buffer in the server, one of them the packet); what
//! waits longer is let go of. The server's device and its hardware come on top. A device or a server that is gone, mute or
//! blocked is silence, is told once, and is tried again with growing pauses as long as the call lasts.

#[cfg(not(target_os = "linux"))]
mod absent;
mod choice;
mod ends;
mod error;
mod loopback;
#[cfg(target_os = "linux")]
mod pulse;
#[cfg(target_os = "linux")]
mod rings;
#[cfg(target_os = "linux")]
mod slack;
#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests;

#[cfg(not(target_os = "linux"))]
use self::absent as system;
#[cfg(target_os = "linux")]
use self::pulse as system;
use super::error::SoundError;
use super::workers::Workers;

pub use choice::{Device, DeviceChoice, DeviceDirection, DeviceState, Devices};
pub(super) use ends::DeviceEnds;
pub use error::DeviceError;
pub use loopback::{Loopback, test_devices};

/// The devices of a call.
pub(super) fn open(devices: Devices, workers: &Workers) -> Result<DeviceEnds, SoundError> {
    system::open(devices, workers)
}

/// Lists the devices of the sound server, outputs first; of `devices` only where the server is. It takes at most four
/// seconds for each place where a server may be, on a thread of its own. Cancel-safe.
///
/// ```no_run
/// # async fn example() -> Result<(), homing::sound::DeviceError> {
/// for device in homing::sound::list_devices(&homing::sound::Devices::default()).await? {
///     println!("{} {:?} {}", if device.is_default { '*' } else { ' ' }, device.direction, device.name);
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`DeviceError::NoServer`] and its neighbours where no server gives a list, [`DeviceError::Unsupported`] where this
/// build has no devices.
pub async fn list_devices(devices: &Devices) -> Result<Vec<Device>, DeviceError> {
    let devices = devices.clone();
    loopback::on_a_thread(move || system::list(&devices)).await.unwrap_or(Err(DeviceError::NoServer))
}
