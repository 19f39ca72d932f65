//! What the owner of a call's sound says to it, across the ring to the paced thread.

use std::time::Duration;

use homing_media::{Agreed, Tone};
use tokio::sync::oneshot;

use super::error::SoundError;
use super::feed::Feed;
use super::outlet::{BothSides, Outlet};

/// One command; what it brings was opened elsewhere.
pub(super) enum Command {
    Agree(Box<Agreed>),
    Answered,
    Hold(bool),
    Mute(bool),
    Tone(Option<Tone>),
    Play(Playing),
    Stop(PlaybackId),
    Record(Tape),
    StopRecording(PlaybackId),
    Digits(Dialling),
    Flush,
}

/// One playback or recording of a call; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PlaybackId(pub(super) u64);

/// A source that is played.
pub(super) struct Playing {
    pub(super) id: PlaybackId,
    pub(super) feed: Feed,
    pub(super) done: oneshot::Sender<Result<PlaybackEnd, SoundError>>,
}

/// A recording that is made.
pub(super) struct Tape {
    pub(super) id: PlaybackId,
    pub(super) outlet: Outlet<BothSides>,
}

/// Digits that are to be sent.
pub(super) struct Dialling {
    pub(super) digits: Box<str>,
    pub(super) done: oneshot::Sender<Result<(), SoundError>>,
}

/// How a playback ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlaybackEnd {
    /// All of it was played.
    Completed,
    /// It was stopped, another took its place, or the call ended.
    Interrupted {
        /// How much of it was played.
        after: Duration,
    },
}
