//! The control socket: several clients at once, none of which can hold up the estate or another.

use std::convert::Infallible;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::complaint::Complaint;
use super::control;
use crate::estate::Estate;

/// An open socket; its file goes with it.
pub(super) struct Socket {
    open: Option<(UnixListener, PathBuf)>,
}

/// One line of a client, and the way back.
struct Ask {
    line: String,
    answer: oneshot::Sender<String>,
}

impl Socket {
    /// Listens there, readable by its owner only; a socket nobody answers on any more is replaced.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, Complaint> {
        let Some(path) = path else { return Ok(Self { open: None }) };
        let told = |error: std::io::Error| Complaint::socket(path, &error);
        if path.exists() && std::os::unix::net::UnixStream::connect(path).is_err() {
            std::fs::remove_file(path).map_err(told)?;
        }
        let listener = UnixListener::bind(path).map_err(told)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(told)?;
        Ok(Self { open: Some((listener, path.to_owned())) })
    }

    /// Serves for ever. Orders are carried out one after the other, each whole; clients that say nothing, or
    /// do not read, wait on their own.
    pub(super) async fn serve(&self, estate: &Estate) -> Infallible {
        let Some((listener, _)) = &self.open else { return std::future::pending().await };
        let room = Arc::new(Semaphore::new(CLIENTS));
        let (asking, mut asked) = mpsc::channel::<Ask>(CLIENTS);
        loop {
            tokio::select! {
                Some(Ask { line, answer }) = asked.recv() => {
                    // A client that has gone away needs no answer.
                    let _ = answer.send(control::obey(estate, &line).await.to_string() + "\n");
                }
                accepted = listener.accept() => match (accepted, Arc::clone(&room).try_acquire_owned()) {
                    (Ok((stream, _)), Ok(place)) => {
                        let asking = asking.clone();
                        tokio::spawn(async move {
                            let _ = tokio::time::timeout(PATIENCE, talk(stream, asking)).await;
                            drop(place);
                        });
                    }
                    // Too many at once: this one is closed.
                    (Ok(_), Err(_)) => {}
                    // Out of descriptors, say: that does not pass by asking again at once.
                    (Err(_), _) => tokio::time::sleep(PAUSE).await,
                }
            }
        }
    }
}

/// Hands a client's lines on and its answers back.
async fn talk(stream: UnixStream, asking: mpsc::Sender<Ask>) {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader.take(LONGEST_TALK)).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let (answer, answered) = oneshot::channel();
        if asking.send(Ask { line, answer }).await.is_err() {
            return;
        }
        let Ok(answer) = answered.await else { return };
        if writer.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Some((_, path)) = &self.open {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Clients at once.
const CLIENTS: usize = 16;
/// How long one client may talk.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes one client may send.
const LONGEST_TALK: u64 = 1 << 20;
/// Rest after a client could not be accepted.
const PAUSE: Duration = Duration::from_millis(100);
