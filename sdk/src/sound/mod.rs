//! The sound of calls: packets, devices, files, pipes and the application's own audio.
//!
//! ```text
//!   file, pipe ─► worker ─► ring ─┐                    ┌─► ring ─► worker ─► recording, pipe
//!                                 ▼                    │
//!      AudioBackend ──► what is said ─► Session ─► what is heard ──► AudioBackend
//!                                       │   ▲
//!                                    packets of the call, by the paced thread
//! ```
//!
//! `Sound` is made once for a user agent. For each call it binds sockets when the description is written, and opens the
//! sound; the call hands in each outcome of offer and answer, the answer, and the end. What an application holds of it is
//! the [`AudioControl`]. Nothing that blocks runs on the paced thread: a file, pipe or
//! backend that gives nothing is silence, is counted and told, and ends no call.

mod audio;
mod backend;
mod command;
mod control;
mod device;
mod error;
mod event;
mod feed;
mod file;
mod machine;
mod open;
mod outlet;
mod pipe;
mod resample;
mod source;
#[cfg(test)]
mod tests;
mod workers;

pub use audio::Audio;
pub use backend::AudioBackend;
pub use command::PlaybackEnd;
pub use control::{AudioControl, Playback, Recording};
pub use device::{
    Device, DeviceChoice, DeviceDirection, DeviceError, DeviceState, Devices, Loopback, list_devices,
    test_devices,
};
pub use error::SoundError;
pub use event::{SoundEvent, SoundStats};
pub use homing_media::{Codec, Digit, Policy, Security, Statistics};
pub use homing_net::rtp::{Lateness, PacketCounters, PortRange, RtpAddress};
pub use open::{SoundConfig, SoundEvents};
pub use source::{Repeat, Sine, Source};

pub(crate) use open::{Opened, Sound};
