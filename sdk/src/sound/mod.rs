//! The sound of calls: packets, files, pipes and the application's own audio.
//!
//! ```text
//!   file, pipe ─► worker ─► ring ─┐                    ┌─► ring ─► worker ─► recording, pipe
//!                                 ▼                    │
//!      AudioBackend ──► what is said ─► Session ─► what is heard ──► AudioBackend
//!                                       │   ▲
//!                                    packets of the call, by the paced thread
//! ```
//!
//! [`Sound`] is made once. For each call: [`Sound::bind`] when its description is written, [`Sound::open`] with those
//! sockets, [`AudioControl::agree`] with each outcome of offer and answer, [`AudioControl::answered`] with the answer,
//! and the [`AudioControl`] is dropped with the call. Nothing that blocks runs on the paced thread: a file, pipe or
//! backend that gives nothing is silence, is counted and told, and ends no call.

mod audio;
mod backend;
mod command;
mod control;
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
pub use error::SoundError;
pub use event::{SoundEvent, SoundStats};
pub use homing_media::{Agreed, Codec, Digit, Policy, Security, Statistics, Tone};
pub use homing_net::rtp::{Lateness, PacketCounters, PortRange, RtpAddress, RtpPair, RtpSockets};
pub use open::{Opened, Sound, SoundConfig, SoundEvents};
pub use source::{Repeat, Sine, Source};
