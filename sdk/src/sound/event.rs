//! What a call's sound tells, and what is counted of it.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use homing_media::{Digit, SessionEvent, Statistics};
use homing_net::rtp::PacketCounters;

use super::device::{DeviceDirection, DeviceError};

/// What happened in the sound of a call. None of it ends the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SoundEvent {
    /// The other side pressed a key; told once.
    Digit {
        /// `0` to `9`, `*`, `#`, `A` to `D`.
        digit: Digit,
        /// How long it was held, by the clock of the other side.
        duration: Duration,
    },
    /// The other side is heard for the first time, or again after it was silent.
    PeerHeard,
    /// No packet came for five seconds although the other side may send.
    PeerSilent,
    /// Packets come from there and ours go there: not what the other side signalled, and so unverified.
    SourceLearnt(SocketAddr),
    /// The other side said goodbye in RTCP. Signalling decides whether the call is over.
    PeerLeft,
    /// What is to be said does not come in time; the other side hears silence. Told once until it comes again.
    SourceLate,
    /// The application's backend panicked and is called no more; the other side hears silence.
    BackendFailed,
    /// A device gives or takes no sound: this direction is silence until it does. Told once until it is back.
    DeviceLost {
        /// Which of the two.
        direction: DeviceDirection,
        /// What became of it; with a code and a next step.
        why: DeviceError,
    },
    /// A device that was lost gives or takes sound again; after a lost server, each on its own.
    DeviceBack {
        /// Which of the two.
        direction: DeviceDirection,
    },
    /// No device gives or takes sound, because the server that has them does not: both directions are silence. It is
    /// tried again as long as the call lasts.
    SoundServerLost(DeviceError),
    /// A recording broke off; what was written stays readable.
    RecordingFailed,
}

/// What was counted and measured of a call's sound, at most a second ago.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct SoundStats {
    /// Of the session: loss, jitter, round trip, buffer, levels.
    pub session: Statistics,
    /// Of its sockets.
    pub packets: PacketCounters,
    /// Frames of 20 ms in which what is to be said did not come in time.
    pub late_frames: u64,
    /// Frames of 20 ms that a recording could not keep up with.
    pub unrecorded_frames: u64,
    /// Events that were not read in time: at most 128 wait.
    pub events_lost: u64,
}

impl SoundEvent {
    /// What a session told; none for what is answered elsewhere.
    pub(super) fn of(event: SessionEvent) -> Option<Self> {
        match event {
            SessionEvent::Digit { digit, duration } => Some(SoundEvent::Digit { digit, duration }),
            SessionEvent::PeerHeard => Some(SoundEvent::PeerHeard),
            SessionEvent::PeerSilent => Some(SoundEvent::PeerSilent),
            SessionEvent::SourceLearnt(from) => Some(SoundEvent::SourceLearnt(from)),
            SessionEvent::PeerLeft => Some(SoundEvent::PeerLeft),
            _ => None,
        }
    }
}

impl fmt::Display for SoundEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SoundEvent::Digit { digit, .. } => write!(f, "the other side pressed {digit}"),
            SoundEvent::PeerHeard => f.write_str("the other side is heard"),
            SoundEvent::PeerSilent => f.write_str("nothing comes from the other side"),
            SoundEvent::SourceLearnt(from) => write!(f, "sound comes from {from}, which was not announced"),
            SoundEvent::PeerLeft => f.write_str("the other side ended its sound"),
            SoundEvent::SourceLate => {
                f.write_str("what is to be said does not come in time; the other side hears silence")
            }
            SoundEvent::BackendFailed => {
                f.write_str("the application's source of sound failed; the other side hears silence")
            }
            SoundEvent::DeviceLost { direction: DeviceDirection::Input, why } => {
                write!(f, "{why}; the other side hears silence")
            }
            SoundEvent::DeviceLost { direction: DeviceDirection::Output, why } => {
                write!(f, "{why}; the other side is not heard")
            }
            SoundEvent::DeviceBack { direction: DeviceDirection::Input } => {
                f.write_str("the microphone is back")
            }
            SoundEvent::DeviceBack { direction: DeviceDirection::Output } => {
                f.write_str("the loudspeaker is back")
            }
            SoundEvent::SoundServerLost(why) => write!(f, "{why}; both sides hear silence"),
            SoundEvent::RecordingFailed => {
                f.write_str("the recording broke off; what was written stays readable")
            }
        }
    }
}
