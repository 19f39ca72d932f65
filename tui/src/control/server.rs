//! The answering end of the control socket: connections are few, requests short, and no client is waited for long.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use crate::control::answer;
use crate::control::attach;
use crate::control::connection::{Outcome, Reader, Shared, Writer, leaving};
use crate::control::folder::Published;
use crate::control::request::{Ask, LONGEST, Request};
use crate::control::snapshot::Snapshot;
use crate::report::{Exit, Failure, Output};
use crate::text::screen_text;

/// A phone's control socket. It answers as long as the phone asks it what is wanted.
pub(crate) struct Server {
    wanted: mpsc::Receiver<oneshot::Sender<Snapshot>>,
    accepting: AbortHandle,
    shared: Shared,
}

/// A control socket that is closed; attached clients are still told the last events.
pub(crate) struct Closed(Shared);

impl Server {
    /// Answers from now on.
    pub(crate) fn start(published: Published) -> Self {
        let (sender, wanted) = mpsc::channel(CONNECTIONS);
        let shared = Shared::new(sender);
        let accepting = tokio::spawn(accept(published, shared.clone())).abort_handle();
        Self { wanted, accepting, shared }
    }

    /// Answers no request from now on.
    pub(crate) fn close(self) -> Closed {
        Closed(self.shared.clone())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Closed {
    /// To be called once the user agent has ended: waits a moment until those who are attached know.
    pub(crate) async fn ended(self) {
        self.0.ended().await;
    }
}

/// A request wants to know what the phone has; never where there is no socket.
pub(crate) async fn asked(server: &mut Option<Server>) -> Option<oneshot::Sender<Snapshot>> {
    match server {
        Some(server) => server.wanted.recv().await,
        None => std::future::pending().await,
    }
}

async fn accept(published: Published, shared: Shared) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    while let Ok(permit) = Arc::clone(&connections).acquire_owned().await {
        match published.listener.accept().await {
            Ok((stream, _)) => {
                let shared = shared.clone();
                tokio::spawn(async move {
                    // A client that hangs up has seen enough.
                    let _ = serve(stream, &shared, permit).await;
                });
            }
            // No descriptor is left, for instance.
            Err(_) => sleep(PAUSE).await,
        }
    }
}

async fn serve(stream: UnixStream, shared: &Shared, permit: OwnedSemaphorePermit) -> io::Result<()> {
    let (reader, writer) = stream.into_split();
    let (mut reader, mut writer) = (BufReader::with_capacity(LONGEST, reader), Writer::new(writer));
    let mut line = Vec::new();
    let longest = u64::try_from(LONGEST).unwrap_or(u64::MAX);
    timeout(TO_ASK, (&mut reader).take(longest).read_until(b'\n', &mut line)).await??;
    let request = match Request::read(&line) {
        Ok(request) => request,
        Err(fault) => {
            let hint = "Use the `homing` of the version that runs as the phone.";
            let failure = Failure::new(Exit::Usage, "E0137", &fault, hint);
            return writer.end(&Outcome::Failed(failure)).await;
        }
    };
    let Some(snapshot) = shared.snapshot().await else {
        return writer.end(&Outcome::Failed(leaving())).await;
    };
    let accounts = snapshot.accounts.len();
    let (process, version) = (std::process::id(), env!("CARGO_PKG_VERSION"));
    let phone = json!({ "process": process, "version": version, "accounts": accounts });
    let say = match request.ask {
        Ask::Status | Ask::Attach { .. } => Vec::new(),
        _ => vec![screen_text!("asked the running phone, process {process}:")],
    };
    writer.tell(&Output::new("phone", phone, say)).await?;
    if !matches!(request.ask, Ask::Attach { .. } | Ask::Wait { .. }) {
        return answer::answer(request, snapshot, shared, &mut writer).await;
    }
    let Some(_staying) = shared.stay() else {
        let sentence = "too many programs are attached to this phone";
        let failure = Failure::new(Exit::Transport, "E0141", &sentence, "End one of them.");
        return writer.end(&Outcome::Failed(failure)).await;
    };
    drop(permit);
    attach::answer(request.ask, shared, Reader::new(reader), &mut writer).await
}

/// Connections that are served at once; others wait with the system.
const CONNECTIONS: usize = 32;
/// A request comes within this time.
const TO_ASK: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(100);
