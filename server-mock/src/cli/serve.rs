//! `homing-estate run`: starts, tells where, prints the journal, ends on a signal.

use std::convert::Infallible;
use std::path::Path;

use tokio_rustls::rustls::crypto::ring;

use super::config::EstateConfig;
use super::{JournalStyle, control, say, table};
use crate::estate::Estate;
use crate::journal::{Entry, harmless_json};

/// Runs the estate of `file` until a signal ends it.
pub(super) async fn serve(file: &Path, style: JournalStyle) -> Result<(), String> {
    let config = EstateConfig::read(file).map_err(|error| error.to_string())?;
    let builder = config.builder().map_err(|error| error.to_string())?;
    let mut seed = [0u8; 32];
    let random = ring::default_provider().secure_random;
    random.fill(&mut seed).map_err(|_| "the system gives no randomness".to_owned())?;
    let mut signals = Signals::listen()?;
    let estate = builder.secret_seed(seed).start().await.map_err(|error| error.to_string())?;
    if let Some(path) = &config.ca_file {
        std::fs::write(path, estate.ca_pem()).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let socket = Socket::open(config.control.as_deref())?;
    say(&table::render(&control::obey(&estate, r#"{"do":"status"}"#).await));
    let mut journal = estate.journal().subscribe();
    let told = async {
        if style == JournalStyle::Off {
            return std::future::pending().await;
        }
        // None comes when the journal has ended: nothing more is to be told.
        while let Some(entries) = journal.next().await {
            entries.iter().for_each(|entry| say(&line(entry, style)));
        }
        std::future::pending().await
    };
    until_ended(signals.wait(), socket.serve(&estate), told).await;
    say("the estate has ended\n");
    Ok(())
}

/// Serves and tells until the end. Each of the three goes on from where it is, whatever the others do:
/// an order is carried out whole and a signal is heard in the midst of traffic.
async fn until_ended<S, T>(end: impl Future<Output = ()>, served: S, told: T)
where
    S: Future<Output = Infallible>,
    T: Future<Output = Infallible>,
{
    tokio::select! {
        () = end => {}
        never = served => match never {},
        never = told => match never {},
    }
}

fn line(entry: &Entry, style: JournalStyle) -> String {
    let (at, node) = (entry.at.as_secs_f64(), &entry.node);
    match (style, entry.decision()) {
        (JournalStyle::Off, _) | (JournalStyle::Decisions, None) => String::new(),
        (JournalStyle::Json, _) => harmless_json(&(entry.json().to_string() + "\n")),
        (JournalStyle::Decisions | JournalStyle::Ladder, Some(decision)) => {
            format!("{at:10.3}  {node:<10} {decision}\n")
        }
        (JournalStyle::Ladder, None) => {
            let arrow = if entry.is_received() { "◀──" } else { "──▶" };
            let peer = entry.peer.map(|peer| peer.to_string()).unwrap_or_default();
            format!("{at:10.3}  {node:<10} {arrow} {peer} {}\n", entry.start_line())
        }
    }
}

/// What ends the program.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn listen() -> Result<Self, String> {
        Ok(Self {
            #[cfg(unix)]
            terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
                .map_err(|error| error.to_string())?,
        })
    }

    async fn wait(&mut self) {
        let interrupt = tokio::signal::ctrl_c();
        #[cfg(unix)]
        tokio::select! {
            _ = interrupt => {}
            _ = self.terminate.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = interrupt.await;
    }
}

/// The control socket; its file goes with it.
struct Socket {
    #[cfg(unix)]
    open: Option<(tokio::net::UnixListener, std::path::PathBuf)>,
}

#[cfg(unix)]
impl Socket {
    fn open(path: Option<&Path>) -> Result<Self, String> {
        use std::os::unix::fs::PermissionsExt as _;
        let Some(path) = path else { return Ok(Self { open: None }) };
        let told = |error: std::io::Error| format!("{}: {error}", path.display());
        // A socket nobody answers on was left by a process that is gone.
        if path.exists() && std::os::unix::net::UnixStream::connect(path).is_err() {
            std::fs::remove_file(path).map_err(told)?;
        }
        let listener = tokio::net::UnixListener::bind(path).map_err(told)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(told)?;
        Ok(Self { open: Some((listener, path.to_owned())) })
    }

    /// Serves one client after the other; waits for ever where there is no socket.
    async fn serve(&self, estate: &Estate) -> Infallible {
        loop {
            self.serve_one(estate).await;
        }
    }

    /// Serves one client that sends its orders within a moment.
    async fn serve_one(&self, estate: &Estate) {
        use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
        let Some((listener, _)) = &self.open else { return std::future::pending().await };
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors, say: that does not pass by asking again at once.
            return tokio::time::sleep(PAUSE).await;
        };
        let served = async {
            let (reader, mut writer) = stream.into_split();
            let mut lines = BufReader::new(reader.take(LONGEST_TALK)).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let answer = control::obey(estate, &line).await.to_string() + "\n";
                if writer.write_all(answer.as_bytes()).await.is_err() {
                    break;
                }
            }
        };
        let _ = tokio::time::timeout(PATIENCE, served).await;
    }
}

#[cfg(not(unix))]
impl Socket {
    fn open(path: Option<&Path>) -> Result<Self, String> {
        match path {
            Some(_) => Err("the control socket needs a Unix system; leave `control` out".to_owned()),
            None => Ok(Self {}),
        }
    }

    async fn serve(&self, _estate: &Estate) -> Infallible {
        std::future::pending().await
    }
}

#[cfg(unix)]
impl Drop for Socket {
    fn drop(&mut self) {
        if let Some((_, path)) = &self.open {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// How long one client of the control socket may talk.
#[cfg(unix)]
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);
/// Bytes one client of the control socket may send.
#[cfg(unix)]
const LONGEST_TALK: u64 = 1 << 20;
/// Rest after a client could not be accepted.
#[cfg(unix)]
const PAUSE: std::time::Duration = std::time::Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::pending;

    use tokio::task::yield_now;

    use super::*;

    /// The journal speaks in every round; an order of several steps and a late end still come through.
    #[tokio::test]
    async fn traffic_drops_no_order_half_way_and_hides_no_end() {
        let (told, done) = (Cell::new(0u32), Cell::new(false));
        let traffic = async {
            loop {
                told.set(told.get() + 1);
                yield_now().await;
            }
        };
        let order = async {
            for _ in 0..10 {
                yield_now().await;
            }
            done.set(true);
            pending().await
        };
        let end = async {
            for _ in 0..20 {
                yield_now().await;
            }
        };
        until_ended(end, order, traffic).await;
        assert!(done.get() && told.get() > 10, "{} rounds", told.get());
    }
}
