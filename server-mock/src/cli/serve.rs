//! `homing-estate run`: starts, tells where, prints the journal, ends on a signal.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::path::Path;

use serde_json::json;
use tokio_rustls::rustls::crypto::ring;

use super::config::EstateConfig;
use super::control::Answer;
use super::error::CliError;
use super::kept::{self, Ports};
use super::reload::Reload;
#[cfg(unix)]
use super::socket::Socket;
use super::{JournalStyle, control, say, table};
use crate::estate::{Estate, EstateBuilder, EstateError};
use crate::journal::{Entry, sanitize, sanitize_json};

/// Runs the estate of `file` until a signal ends it.
pub(super) async fn serve(file: &Path, style: JournalStyle) -> Result<(), CliError> {
    let config = EstateConfig::read(file)?;
    let mut builder = config.builder()?;
    if style == JournalStyle::Off && !config.sizes_journal() {
        // What nobody reads is not held for long.
        builder = builder.journal_bytes(0);
    }
    let seed = secret()?;
    if let Some(authority) = kept::authority(&config)? {
        builder = builder.authority(authority);
    }
    let mut signals = Signals::listen()?;
    let mut hangups = Hangups::listen()?;
    let estate = start(builder.secret_seed(seed), &config, file).await?;
    let socket = Socket::open(config.control.as_deref())?;
    Ports::keep(&config, file, &estate);
    for section in config.faults() {
        let rule = section.rule().map_err(|why| CliError::no_rule(&why))?;
        if let Some(node) = estate.find_node(&section.server) {
            node.inject_fault(rule);
        }
    }
    if let Answer::Line(status) = control::execute(&estate, r#"{"do":"status"}"#).await {
        say(&if style == JournalStyle::Json { status.to_string() + "\n" } else { table::render(&status) });
    }
    let login = config.login(file, estate.dns_address()).unwrap_or_default();
    tell(style, "sign_in", &login);
    let mut journal = estate.journal().subscribe();
    let told = async {
        if style == JournalStyle::Off {
            return std::future::pending().await;
        }
        // None comes when the journal has ended: nothing more is to be told.
        while let Some(entries) = journal.next().await {
            entries.iter().for_each(|entry| {
                say(&line(entry, style));
            });
        }
        std::future::pending().await
    };
    let reloaded = async {
        let reload = Reload::new(file, &config);
        loop {
            hangups.next().await;
            let said = match reload.again(&estate).await {
                Ok(said) => said,
                Err(error) => format!("not read again, everything stays as it is: {error}\n"),
            };
            tell(style, "reload", &said);
        }
    };
    until_ended(signals.wait(), socket.serve(&estate), reloaded, told).await;
    tell(style, "end", "the estate has ended\n");
    Ok(())
}

/// Octets that nobody else knows.
pub(super) fn secret() -> Result<[u8; 32], CliError> {
    let mut octets = [0u8; 32];
    let random = ring::default_provider().secure_random;
    random.fill(&mut octets).map_err(|_| CliError::machine("the system gives no randomness"))?;
    Ok(octets)
}

/// Starts it where it was, if that is free.
async fn start(builder: EstateBuilder, config: &EstateConfig, file: &Path) -> Result<Estate, CliError> {
    if let Some(ports) = Ports::of_last_start(config, file) {
        match ports.apply(config, builder.clone()).start().await {
            Err(EstateError::Listen { why, .. } | EstateError::NameServer(why))
                if why.kind() == ErrorKind::AddrInUse => {}
            started => return Ok(started?),
        }
    }
    Ok(builder.start().await?)
}

/// Serves and tells until the end. Each goes on from where it is, whatever the others do: an order is carried out whole and
/// a signal is heard in the midst of traffic.
async fn until_ended<S, R, T>(end: impl Future<Output = ()>, served: S, reloaded: R, told: T)
where
    S: Future<Output = Infallible>,
    R: Future<Output = Infallible>,
    T: Future<Output = Infallible>,
{
    tokio::select! {
        () = end => {}
        never = served => match never {},
        never = reloaded => match never {},
        never = told => match never {},
    }
}

/// Says something: where JSON is asked as an object with that one field beside its version, as everything else there.
fn tell(style: JournalStyle, field: &str, text: &str) {
    say(&match style {
        JournalStyle::Json => {
            sanitize_json(&(json!({ "v": control::VERSION, field: text.trim_end() }).to_string() + "\n"))
        }
        _ => sanitize_lines(text),
    });
}

/// A text of several lines, each without control characters.
fn sanitize_lines(text: &str) -> String {
    text.lines().map(|line| sanitize(line) + "\n").collect()
}

fn line(entry: &Entry, style: JournalStyle) -> String {
    let (at, node) = (entry.at.as_secs_f64(), &entry.node);
    match (style, entry.decision()) {
        (JournalStyle::Off, _) | (JournalStyle::Decisions, None) => String::new(),
        (JournalStyle::Json, _) => sanitize_json(&(entry.json().to_string() + "\n")),
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
pub(super) struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    pub(super) fn listen() -> Result<Self, CliError> {
        Ok(Self {
            #[cfg(unix)]
            terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
                .map_err(|error| CliError::machine(error.to_string()))?,
        })
    }

    pub(super) async fn wait(&mut self) {
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

/// What makes the program read its file again.
struct Hangups {
    #[cfg(unix)]
    signal: tokio::signal::unix::Signal,
}

impl Hangups {
    fn listen() -> Result<Self, CliError> {
        Ok(Self {
            #[cfg(unix)]
            signal: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())
                .map_err(|error| CliError::machine(error.to_string()))?,
        })
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        self.signal.recv().await;
        #[cfg(not(unix))]
        std::future::pending::<()>().await;
    }
}

/// There is no control socket on this system.
#[cfg(not(unix))]
struct Socket;

#[cfg(not(unix))]
impl Socket {
    fn open(path: Option<&Path>) -> Result<Self, CliError> {
        match path {
            Some(_) => {
                Err(CliError::new("S0304", "the control socket needs a Unix system", "Leave `control` out."))
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
        until_ended(end, order, pending(), traffic).await;
        assert!(done.get() && told.get() > 10, "{} rounds", told.get());
    }
}
