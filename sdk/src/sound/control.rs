//! The sound of one call as its owner holds it: what it says, plays, records and dials.

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use homing_media::{Agreed, Tone};
use homing_net::rtp::{CommandRefused, Commands, PacketReader};
use tokio::sync::oneshot;

use super::command::{Command, Dialling, PlaybackEnd, PlaybackId, Playing, Tape};
use super::error::SoundError;
use super::event::SoundStats;
use super::feed::Feed;
use super::machine::Numbers;
use super::outlet;
use super::source::Source;
use super::workers::Workers;

/// The sound of one call. Cheap to clone; once the last clone is dropped the sound ends, with a goodbye in RTCP, and
/// its ports are free within 20 ms.
///
/// Nothing here waits for the paced thread, which takes what is said before its next slot; what several clones say
/// comes in its order.
#[derive(Clone)]
pub struct AudioControl(Arc<Inner>);

struct Inner {
    /// None once the sound was ended.
    commands: Mutex<Option<Commands<Command>>>,
    numbers: Numbers,
    packets: PacketReader,
    workers: Workers,
    next_id: AtomicU64,
}

/// Something that is being played; dropped, it plays on.
#[must_use = "it is told by this how the playback ended"]
pub struct Playback {
    control: Weak<Inner>,
    id: PlaybackId,
    done: oneshot::Receiver<Result<PlaybackEnd, SoundError>>,
}

/// A recording that is being made; dropped, it goes on until the call ends.
#[must_use = "it is told by this how the recording ended"]
pub struct Recording {
    control: Weak<Inner>,
    id: PlaybackId,
    done: oneshot::Receiver<Result<Duration, SoundError>>,
}

impl AudioControl {
    pub(super) fn new(
        commands: Commands<Command>,
        numbers: Numbers,
        packets: PacketReader,
        workers: Workers,
    ) -> Self {
        let commands = Mutex::new(Some(commands));
        Self(Arc::new(Inner { commands, numbers, packets, workers, next_id: AtomicU64::new(1) }))
    }

    /// Takes what offer and answer came to, at first and after each change. Before that nothing is sent, and only tones
    /// are heard.
    ///
    /// # Errors
    /// [`SoundError::Busy`] and [`SoundError::Over`], as of every command.
    pub(crate) fn agree(&self, agreed: Agreed) -> Result<(), SoundError> {
        self.send(Command::Agree(Box::new(agreed)))
    }

    /// The call is answered: from here on the other side hears what is said and played. Before, it hears silence, be
    /// there early media or not; playbacks wait.
    ///
    /// # Errors
    /// [`SoundError::Busy`] and [`SoundError::Over`], as of every command.
    pub(crate) fn answered(&self) -> Result<(), SoundError> {
        self.send(Command::Answered)
    }

    /// Neither says nor hears anything until it is taken back, whatever is agreed.
    ///
    /// # Errors
    /// [`SoundError::Busy`] and [`SoundError::Over`], as of every command.
    pub(crate) fn hold(&self, is_held: bool) -> Result<(), SoundError> {
        self.send(Command::Hold(is_held))
    }

    /// The other side hears silence until it is taken back.
    ///
    /// # Errors
    /// [`SoundError::Busy`] and [`SoundError::Over`], as of every command.
    pub fn mute(&self, is_muted: bool) -> Result<(), SoundError> {
        self.send(Command::Mute(is_muted))
    }

    /// This side hears a tone in place of the call until another, or none, is said. Ringback yields to early media.
    ///
    /// # Errors
    /// [`SoundError::Busy`] and [`SoundError::Over`], as of every command.
    pub(crate) fn tone(&self, tone: Option<Tone>) -> Result<(), SoundError> {
        self.send(Command::Tone(tone))
    }

    /// Forgets what was read ahead and not said yet, as when the other side speaks into an announcement. What plays
    /// goes on; [`Playback::stop`] ends it.
    ///
    /// # Errors
    /// [`SoundError::Busy`] and [`SoundError::Over`], as of every command.
    pub fn flush(&self) -> Result<(), SoundError> {
        self.send(Command::Flush)
    }

    /// Plays something to the other side in place of what is said, from the answer on; what played before is
    /// interrupted. What went wrong is told by the playback.
    pub fn play(&self, source: Source) -> Playback {
        let (tell, done) = oneshot::channel();
        let id = self.next_id();
        match Feed::open(source, &self.0.workers) {
            Ok(feed) => {
                let refused = self.0.send(Command::Play(Playing { id, feed, done: tell })).err();
                let error = refused.as_ref().map(error_of);
                if let (
                    Some(
                        CommandRefused::Full(Command::Play(playing))
                        | CommandRefused::Gone(Command::Play(playing)),
                    ),
                    Some(error),
                ) = (refused, error)
                {
                    drop(playing.done.send(Err(error)));
                }
            }
            Err(error) => drop(tell.send(Err(error))),
        }
        Playback { control: Arc::downgrade(&self.0), id, done }
    }

    /// Records both sides into a WAV file, left what is said, right what is heard, until it is stopped or the call
    /// ends. The head of the file is true once a second, so that a crash leaves a readable file. A recording that was
    /// being made ends where this one begins.
    pub fn record(&self, path: impl AsRef<Path>) -> Recording {
        let (tell, done) = oneshot::channel();
        let id = self.next_id();
        let begun = outlet::record(path.as_ref().to_path_buf(), &self.0.workers, tell)
            .and_then(|outlet| self.send(Command::Record(Tape { id, outlet })));
        let done = match begun {
            Ok(()) => done,
            Err(error) => {
                let (tell, failed) = oneshot::channel();
                drop(tell.send(Err(error)));
                failed
            }
        };
        Recording { control: Arc::downgrade(&self.0), id, done }
    }

    /// Sends these keys (RFC 4733), `0` to `9`, `*`, `#`, `A` to `D`, and returns once they are sent. If the future is
    /// dropped they are sent all the same.
    ///
    /// # Errors
    /// [`SoundError::Digits`] for what is no key or not taken by the other side, [`SoundError::Busy`],
    /// [`SoundError::Over`].
    pub async fn dtmf(&self, digits: &str) -> Result<(), SoundError> {
        let (done, sent) = oneshot::channel();
        self.send(Command::Digits(Dialling { digits: digits.into(), done }))?;
        sent.await.unwrap_or(Err(SoundError::Over))
    }

    /// Ends it as dropping the last clone does, whoever holds one: the call is over.
    pub(crate) fn end(&self) {
        drop(self.0.commands().take());
    }

    /// What was counted and measured, at most a second ago.
    pub fn stats(&self) -> SoundStats {
        let mut stats = match self.0.numbers.lock() {
            Ok(numbers) => *numbers,
            // Plain numbers: a thread that panicked left none of them half written.
            Err(poisoned) => *poisoned.into_inner(),
        };
        stats.packets = self.0.packets.read();
        stats
    }

    fn next_id(&self) -> PlaybackId {
        PlaybackId(self.0.next_id.fetch_add(1, Ordering::Relaxed))
    }

    fn send(&self, command: Command) -> Result<(), SoundError> {
        self.0.send(command).map_err(|refused| error_of(&refused))
    }
}

impl Inner {
    fn send(&self, command: Command) -> Result<(), CommandRefused<Command>> {
        match &mut *self.commands() {
            Some(commands) => commands.send(command),
            None => Err(CommandRefused::Gone(command)),
        }
    }

    fn commands(&self) -> MutexGuard<'_, Option<Commands<Command>>> {
        self.commands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn error_of(refused: &CommandRefused<Command>) -> SoundError {
    match refused {
        CommandRefused::Full(_) => SoundError::Busy,
        CommandRefused::Gone(_) => SoundError::Over,
    }
}

impl Playback {
    /// Stops it within 20 ms; another playback is not touched.
    ///
    /// # Errors
    /// [`SoundError::Busy`], [`SoundError::Over`].
    pub fn stop(&self) -> Result<(), SoundError> {
        let control = self.control.upgrade().ok_or(SoundError::Over)?;
        control.send(Command::Stop(self.id)).map_err(|refused| error_of(&refused))
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// What was wrong with the file or the pipe, [`SoundError::Busy`] if it could not be started, [`SoundError::Over`]
    /// if the call's sound had ended.
    pub async fn ended(self) -> Result<PlaybackEnd, SoundError> {
        self.done.await.unwrap_or(Err(SoundError::Over))
    }
}

impl Recording {
    /// Stops it and waits until the file is written; tells how much sound it holds.
    ///
    /// # Errors
    /// [`SoundError::Write`] if the file could not be made or written, [`SoundError::TooMany`] if it was not begun, [`SoundError::Busy`] if it could
    /// not be stopped: it then ends with the call.
    pub async fn stop(self) -> Result<Duration, SoundError> {
        if let Some(control) = self.control.upgrade() {
            let stopped = control.send(Command::StopRecording(self.id));
            // Where the thread has ended, so has the recording.
            if matches!(stopped, Err(CommandRefused::Full(_))) {
                return Err(SoundError::Busy);
            }
        }
        self.ended().await
    }

    /// Waits for its end, with the call's or with a failure.
    ///
    /// # Errors
    /// As [`stop`](Self::stop).
    pub async fn ended(self) -> Result<Duration, SoundError> {
        self.done.await.unwrap_or(Err(SoundError::Over))
    }
}

impl fmt::Debug for AudioControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AudioControl(…)")
    }
}

impl fmt::Debug for Playback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Playback").field(&self.id).finish()
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Recording").field(&self.id).finish()
    }
}
