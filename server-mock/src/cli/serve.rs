//! `homing-estate run`: starts, tells where, prints the journal, ends on a signal.

use std::convert::Infallible;
use std::path::Path;

use tokio_rustls::rustls::crypto::ring;

use super::complaint::Complaint;
use super::config::EstateConfig;
#[cfg(unix)]
use super::socket::Socket;
use super::{JournalStyle, control, say, table};
use crate::journal::{Entry, harmless_json};

/// Runs the estate of `file` until a signal ends it.
pub(super) async fn serve(file: &Path, style: JournalStyle) -> Result<(), Complaint> {
    let config = EstateConfig::read(file)?;
    let builder = config.builder()?;
    let mut seed = [0u8; 32];
    let random = ring::default_provider().secure_random;
    random.fill(&mut seed).map_err(|_| Complaint::machine("the system gives no randomness"))?;
    let mut signals = Signals::listen()?;
    let estate = builder.secret_seed(seed).start().await?;
    if let Some(path) = &config.ca_file {
        std::fs::write(path, estate.ca_pem()).map_err(|why| Complaint::ca_file(path, &why))?;
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
    fn listen() -> Result<Self, Complaint> {
        Ok(Self {
            #[cfg(unix)]
            terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
                .map_err(|error| Complaint::machine(error.to_string()))?,
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

/// There is no control socket on this system.
#[cfg(not(unix))]
struct Socket;

#[cfg(not(unix))]
impl Socket {
    fn open(path: Option<&Path>) -> Result<Self, Complaint> {
        match path {
            Some(_) => {
                Err(Complaint::new("S0304", "the control socket needs a Unix system", "Leave `control` out."))
            }
            None => Ok(Self),
        }
    }

    async fn serve(&self, _estate: &crate::estate::Estate) -> Infallible {
        std::future::pending().await
    }
}

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
