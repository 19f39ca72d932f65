//! One connection of the control socket: its two halves, and what it shares with the others.

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Mutex, Semaphore, SemaphorePermit, mpsc, oneshot};
use tokio::time::timeout;

use crate::control::snapshot::Snapshot;
use crate::report::{Exit, Failure, Output, json_line};
use crate::text::ScreenText;

/// What all connections share.
#[derive(Clone)]
pub(super) struct Shared {
    wanted: mpsc::Sender<oneshot::Sender<Snapshot>>,
    /// Held while the phone sends something for a request: one request of the socket at a time.
    pub(super) sending: Arc<Mutex<()>>,
    /// Connections that stay.
    staying: Arc<Semaphore>,
}

/// The writing half of a connection.
pub(super) struct Writer {
    stream: OwnedWriteHalf,
    /// Each line is taken within this time.
    patience: Duration,
}

/// The reading half: what comes after the request only tells whether the client is still there.
pub(super) struct Reader(BufReader<OwnedReadHalf>);

/// How an answer ends.
pub(super) enum Outcome {
    Done,
    /// Why the phone cannot tell it.
    Declined(ScreenText),
    Failed(Failure),
}

/// The phone is about to end.
pub(super) fn leaving() -> Failure {
    let hint = "Wait until it has ended, then try again.";
    Failure::new(Exit::Transport, "E0139", &"the phone is signing out and ends", hint)
}

impl Shared {
    /// The task that serves a connection asks there what the phone has.
    pub(super) fn new(wanted: mpsc::Sender<oneshot::Sender<Snapshot>>) -> Self {
        Self {
            wanted,
            sending: Arc::default(),
            staying: Arc::new(Semaphore::new(usize::try_from(STAYING).unwrap_or(Semaphore::MAX_PERMITS))),
        }
    }

    /// Waits a moment until the connections that stay have ended, as they do when the user agent has.
    pub(super) async fn ended(self) {
        // A client that does not read is not waited for.
        let _ = timeout(TO_END, self.staying.acquire_many(STAYING)).await;
    }

    /// Room for one more connection that stays; none if there is none.
    pub(super) fn stay(&self) -> Option<SemaphorePermit<'_>> {
        self.staying.try_acquire().ok()
    }

    /// What the phone has now; none if it is about to end.
    pub(super) async fn snapshot(&self) -> Option<Snapshot> {
        let (sender, snapshot) = oneshot::channel();
        self.wanted.send(sender).await.ok()?;
        snapshot.await.ok()
    }
}

impl Writer {
    /// Writes there.
    pub(super) fn new(stream: OwnedWriteHalf) -> Self {
        Self { stream, patience: TO_READ }
    }

    /// Writes one event.
    ///
    /// # Errors
    /// The client does not read it any more, or not in time.
    pub(super) async fn tell(&mut self, told: &Output) -> io::Result<()> {
        let mut fields = told.fields.clone();
        fields["say"] = told.say.iter().map(|line| Value::from(line.as_str())).collect();
        self.line(told.name, fields).await
    }

    /// Writes the last event.
    ///
    /// # Errors
    /// As for [`Writer::tell`].
    pub(super) async fn end(&mut self, outcome: &Outcome) -> io::Result<()> {
        match outcome {
            Outcome::Done => self.line("end", json!({})).await,
            Outcome::Declined(why) => self.line("declined", json!({ "why": why.as_str() })).await,
            Outcome::Failed(failure) => self.line("error", failure.fields()).await,
        }
    }

    async fn line(&mut self, name: &str, fields: Value) -> io::Result<()> {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let line = json_line(name, wall, fields) + "\n";
        timeout(self.patience, self.stream.write_all(line.as_bytes())).await?
    }
}

impl Reader {
    /// Reads on there.
    pub(super) fn new(reader: BufReader<OwnedReadHalf>) -> Self {
        Self(reader)
    }

    /// Returns once the client has gone.
    pub(super) async fn gone(&mut self) {
        let mut piece = [0; 64];
        while self.0.read(&mut piece).await.is_ok_and(|length| length > 0) {}
    }
}

impl Outcome {
    /// How an answer ends that comes of this.
    pub(super) fn of<T>(result: Result<T, homing::Error>) -> Self {
        result.map_or_else(|error| Outcome::Failed(Failure::from(&error)), |_| Outcome::Done)
    }
}

/// Connections that stay.
const STAYING: u32 = 16;
/// A line of an answer is taken within this time.
const TO_READ: Duration = Duration::from_secs(5);
/// The last events of a phone that ends are written within this time.
const TO_END: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use tokio::net::UnixStream;

    use super::*;

    #[tokio::test]
    async fn whoever_never_reads_is_not_waited_for() {
        let (_asker, stream) = UnixStream::pair().unwrap();
        let mut writer = Writer { stream: stream.into_split().1, patience: Duration::from_millis(20) };
        let told = Output::new("trace", json!({ "text": "x".repeat(100_000) }), Vec::new());
        let mut lines = 0;
        let error = loop {
            match writer.tell(&told).await {
                Ok(()) => lines += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(lines < 100, "{lines} lines lie somewhere");
    }
}
