//! The control socket: several clients at once, none of which can hold up the estate or another.

use std::convert::Infallible;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::io::{BufReader, Interest, Lines, Take};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::timeout;

use super::control::{self, Answer};
use super::error::CliError;
use crate::estate::Estate;

/// An open socket; its file goes with it.
pub(super) struct Socket {
    open: Option<(UnixListener, PathBuf)>,
}

/// One line of a client, and the way back.
struct Ask {
    line: String,
    answer: oneshot::Sender<Answer>,
}

/// One client. What it says while it is being answered is kept.
struct Client {
    lines: ClientLines,
    writer: OwnedWriteHalf,
    /// A line that came before the answer to the one before it was written.
    early: Option<String>,
    /// True where it says nothing more, and may still listen.
    is_half_closed: bool,
}

impl Socket {
    /// Listens there, readable by its owner only; a socket without a server behind it is replaced, and nothing else is.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, CliError> {
        let Some(path) = path else { return Ok(Self { open: None }) };
        let told = |error: std::io::Error| CliError::socket(path, &error);
        if let Ok(there) = std::fs::symlink_metadata(path) {
            if !there.file_type().is_socket() {
                return Err(CliError::no_socket(path));
            }
            if std::os::unix::net::UnixStream::connect(path).is_err() {
                std::fs::remove_file(path).map_err(told)?;
            }
        }
        let listener = UnixListener::bind(path).map_err(told)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(told)?;
        Ok(Self { open: Some((listener, path.to_owned())) })
    }

    /// Serves for ever. Commands are carried out one after the other, each whole; clients that say nothing, or
    /// do not read, wait on their own.
    pub(super) async fn serve(&self, estate: &Estate) -> Infallible {
        let Some((listener, _)) = &self.open else { return std::future::pending().await };
        let room = Arc::new(Semaphore::new(CLIENTS));
        let (asking, mut asked) = mpsc::channel::<Ask>(CLIENTS);
        loop {
            tokio::select! {
                Some(Ask { line, answer }) = asked.recv() => {
                    // A client that has gone away needs no answer.
                    let _ = answer.send(control::execute(estate, &line).await);
                }
                accepted = listener.accept() => match (accepted, Arc::clone(&room).try_acquire_owned()) {
                    (Ok((stream, _)), Ok(place)) => {
                        let asking = asking.clone();
                        tokio::spawn(async move {
                            talk(stream, asking).await;
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

/// Hands a client's lines on and its answers back. One that says nothing, or takes nothing, for a while is left.
async fn talk(stream: UnixStream, asking: mpsc::Sender<Ask>) {
    let mut client = Client::new(stream);
    while let Some(line) = client.next_line().await {
        let (answer, answered) = oneshot::channel();
        if asking.send(Ask { line, answer }).await.is_err() {
            return;
        }
        let Ok(answer) = answered.await else { return };
        if client.write(answer).await.is_none() {
            return;
        }
    }
}

impl Client {
    fn new(stream: UnixStream) -> Self {
        let (reader, writer) = stream.into_split();
        let lines = BufReader::new(reader.take(LONGEST_TALK)).lines();
        Self { lines, writer, early: None, is_half_closed: false }
    }

    /// What it says next; none where it says nothing more, or nothing for a while.
    async fn next_line(&mut self) -> Option<String> {
        if let Some(line) = self.early.take() {
            return Some(line);
        }
        if self.is_half_closed {
            return None;
        }
        timeout(PATIENCE, self.lines.next_line()).await.ok()?.ok()?
    }

    /// None where the client is gone.
    async fn write(&mut self, answer: Answer) -> Option<()> {
        match answer {
            Answer::Line(answer) => self.write_piece(&(answer.to_string() + "\n")).await,
            Answer::Expect(expectation, within) => {
                // The answer comes first: who asks and says no more, or says more at once, is answered all the same.
                let answer = tokio::select! {
                    biased;
                    answer = control::judge(expectation, within) => answer,
                    () = self.hung_up() => return None,
                };
                self.write_piece(&(answer.to_string() + "\n")).await
            }
            Answer::Users(mut users) => {
                while let Some(piece) = users.next_piece() {
                    self.write_piece(&piece).await?;
                }
                Some(())
            }
            Answer::Journal(mut following) => loop {
                let piece = tokio::select! {
                    biased;
                    piece = following.next_piece() => piece,
                    () = self.hung_up() => return None,
                };
                let Some(piece) = piece else { return Some(()) };
                self.write_piece(&piece).await?;
            },
        }
    }

    async fn write_piece(&mut self, piece: &str) -> Option<()> {
        timeout(PATIENCE, self.writer.write_all(piece.as_bytes())).await.ok()?.ok()
    }

    /// Waits until nobody is there to take an answer. A line that comes meanwhile is kept for later, and the end of
    /// what is said is no end of what is listened to: `nc -N` closes its half as soon as it has asked.
    async fn hung_up(&mut self) {
        loop {
            while self.early.is_none() && !self.is_half_closed {
                match self.lines.next_line().await {
                    Ok(Some(line)) => self.early = Some(line),
                    Ok(None) | Err(_) => self.is_half_closed = true,
                }
            }
            match self.writer.ready(Interest::WRITABLE).await {
                Ok(ready) if !ready.is_write_closed() => {}
                Ok(_) | Err(_) => return,
            }
            // The other half tells of its end only where it is asked.
            tokio::time::sleep(LOOK).await;
        }
    }
}

type ClientLines = Lines<BufReader<Take<OwnedReadHalf>>>;

impl Drop for Socket {
    fn drop(&mut self) {
        if let Some((_, path)) = &self.open {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Clients at once.
const CLIENTS: usize = 16;
/// How long a client may say nothing, or take nothing of a piece of its answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often is looked whether a client that says nothing more still listens.
const LOOK: Duration = Duration::from_millis(500);
/// Bytes one client may send.
const LONGEST_TALK: u64 = 1 << 20;
/// Rest after a client could not be accepted.
const PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, Write as _};
    use std::net::Shutdown;

    use super::*;
    use crate::estate::EstateBuilder;
    use crate::journal::{Decision, Entry, Verdict, What};

    /// What a client reads that writes `lines` at once and closes its half; `meanwhile` is done beside it.
    async fn said(name: &str, lines: &'static str, meanwhile: impl AsyncFnOnce(&Estate)) -> Vec<String> {
        let estate = EstateBuilder::new().home("hs102").start().await.unwrap();
        let path = std::env::temp_dir().join(format!("homing-{}-{name}.sock", std::process::id()));
        let socket = Socket::open(Some(&path)).unwrap();
        let asked = tokio::task::spawn_blocking(move || {
            let mut stream = std::os::unix::net::UnixStream::connect(path).unwrap();
            stream.write_all(lines.as_bytes()).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            std::io::BufReader::new(stream).lines().map(Result::unwrap).collect::<Vec<_>>()
        });
        let asked = async {
            meanwhile(&estate).await;
            asked.await.unwrap()
        };
        tokio::select! {
            said = asked => said,
            never = socket.serve(&estate) => match never {},
        }
    }

    fn decided(why: String) -> Entry {
        let what = What::Decided(Decision::new(Verdict::Estate, why));
        Entry { seq: 0, at: Duration::ZERO, node: "hs102".into(), peer: None, what }
    }

    #[tokio::test]
    async fn who_closes_its_half_after_asking_is_answered_in_full() {
        // Several pieces.
        let recorded = async |estate: &Estate| {
            (0..3_000).for_each(|n| estate.journal().record(decided(format!("{n}: {}", "x".repeat(100)))));
        };
        for round in 0..5 {
            let name = format!("journal{round}");
            let lines = said(&name, "{\"do\":\"journal\"}\n{\"do\":\"status\"}\n", recorded).await;
            let entries = lines.iter().filter(|line| line.contains("xxx")).count();
            assert_eq!(entries, 3_000, "round {round}");
            assert!(lines.last().is_some_and(|line| line.contains("servers")), "round {round}");
        }
    }

    #[tokio::test]
    async fn an_expectation_is_answered_before_what_was_asked_after_it() {
        let lines = "{\"do\":\"expect\",\"message\":{\"method\":\"MESSAGE\"},\"within_ms\":50}\n\
                     {\"do\":\"status\"}\n{\"do\":\"status\"}\n";
        let answers = said("expect", lines, async |_| {}).await;
        assert_eq!(answers.len(), 3, "{answers:?}");
        assert!(answers[0].contains("S0405") && answers[2].contains("servers"), "{answers:?}");
    }

    #[tokio::test]
    async fn who_has_gone_is_waited_for_no_more() {
        for pipelined in [false, true] {
            let (there, here) = UnixStream::pair().unwrap();
            let mut client = Client::new(here);
            let mut there = there.into_std().unwrap();
            there.set_nonblocking(false).unwrap();
            if pipelined {
                there.write_all(b"{}\n{}\n").unwrap();
            }
            there.shutdown(Shutdown::Write).unwrap();
            let listens = timeout(Duration::from_millis(50), client.hung_up()).await;
            assert!(listens.is_err(), "it still listens");
            drop(there);
            timeout(PATIENCE, client.hung_up()).await.expect("it has gone");
            assert_eq!(client.early.is_some(), pipelined);
        }
    }

    #[tokio::test]
    async fn a_file_that_is_no_socket_is_left_alone() {
        let folder = std::env::temp_dir().join(format!("homing-estate-{}-control", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("thesis.txt");
        std::fs::write(&path, "years of work").unwrap();
        let error = Socket::open(Some(&path)).err().unwrap().to_string();
        assert!(error.contains("S0305") && error.contains("thesis.txt"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "years of work");
        // A socket that nobody listens on any more is replaced.
        let stale = folder.join("stale.sock");
        drop(std::os::unix::net::UnixListener::bind(&stale).unwrap());
        let open = Socket::open(Some(&stale)).unwrap();
        assert!(std::os::unix::net::UnixStream::connect(&stale).is_ok());
        drop(open);
        assert!(!stale.exists());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
