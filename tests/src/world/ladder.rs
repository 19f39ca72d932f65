//! The ladder: everything that happened, one line each, printed when a rule breaks.

use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use bytes::Bytes;
use homing_wire::{Message, Name};

/// What happened so far, in order.
#[derive(Clone, Debug, Default)]
pub struct Ladder {
    lines: Vec<Line>,
    /// Takes in every rung with all its octets, whether or not its line is kept.
    print: DefaultHasher,
    unread: bool,
}

/// One rung.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    at: Duration,
    from: String,
    to: String,
    what: String,
}

impl Ladder {
    /// Notes a message or keep-alive on its way.
    pub fn sent(&mut self, at: Duration, (from, to): (&str, &str), bytes: &Bytes, fate: &str) {
        (at, from, to, bytes, fate).hash(&mut self.print);
        if !self.unread {
            let what = format!("{}{fate}", summary(bytes));
            self.lines.push(Line { at, from: from.to_owned(), to: to.to_owned(), what });
        }
    }

    /// Notes something that concerns one host only.
    pub fn note(&mut self, at: Duration, host: &str, what: impl Into<String>) {
        let what = what.into();
        (at, host, &what).hash(&mut self.print);
        if !self.unread {
            self.lines.push(Line { at, from: host.to_owned(), to: String::new(), what });
        }
    }

    /// Keeps no lines from now on: for conversations by the thousand, which are not read unless they go
    /// wrong. The fingerprint is the same with and without them.
    pub fn keep_no_lines(&mut self) {
        self.unread = true;
        self.lines = Vec::new();
    }

    /// A number made of everything that happened: every message octet by octet, every note, every moment.
    pub fn fingerprint(&self) -> u64 {
        self.print.finish()
    }

    /// Messages sent from one host to another whose summary begins with `start`.
    pub fn count(&self, from: &str, to: &str, start: &str) -> usize {
        let fits = |line: &&Line| line.from == from && line.to == to && line.what.starts_with(start);
        self.lines.iter().filter(fits).count()
    }

    /// The place of the first line between two hosts that says `words`; with no second host, of the first
    /// note.
    pub fn place_of(&self, from: &str, to: &str, words: &str) -> Option<usize> {
        self.lines.iter().position(|line| line.from == from && line.to == to && line.what.contains(words))
    }

    /// The summary of the last message sent from one host to another.
    pub fn last(&self, from: &str, to: &str) -> Option<&str> {
        let found = self.lines.iter().rev().find(|line| line.from == from && line.to == to)?;
        Some(&found.what)
    }

    /// The summaries of all messages between hosts, without times: what golden ladders compare.
    pub fn messages(&self) -> Vec<String> {
        let between = self.lines.iter().filter(|line| !line.to.is_empty());
        between.map(|line| format!("{} > {}: {}", line.from, line.to, line.what)).collect()
    }

    /// Forgets everything, so that long runs stay small.
    pub fn clear(&mut self) {
        self.lines.clear();
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// True without lines.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

/// The last lines; all of them in the alternate form.
impl fmt::Display for Ladder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let skipped = if f.alternate() { 0 } else { self.lines.len().saturating_sub(LONGEST) };
        if skipped > 0 {
            writeln!(f, "… {skipped} lines before")?;
        }
        for line in &self.lines[skipped..] {
            let at = line.at.as_secs_f64();
            if line.to.is_empty() {
                writeln!(f, "{at:>12.3}  {:<10} · {}", line.from, line.what)?;
            } else {
                writeln!(f, "{at:>12.3}  {:<10} → {:<10} {}", line.from, line.to, line.what)?;
            }
        }
        Ok(())
    }
}

/// Start line and CSeq of a message; secrets are never part of it.
pub fn summary(bytes: &Bytes) -> String {
    if bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
        return if bytes.len() >= 4 { "ping".to_owned() } else { "pong".to_owned() };
    }
    let Ok(message) = Message::parse(bytes.clone()) else {
        return format!("{} octets that are no message", bytes.len());
    };
    let start = String::from_utf8_lossy(bytes).lines().next().unwrap_or_default().to_owned();
    let start = start.trim_end_matches(" SIP/2.0").trim_start_matches("SIP/2.0 ").to_owned();
    let cseq = message.text(Name::CSeq).unwrap_or_default().into_owned();
    let login = [Name::Authorization, Name::ProxyAuthorization]
        .into_iter()
        .find_map(|name| message.auth(name).next().map(|auth| credential_kind(&auth)));
    format!("{start}  [{cseq}]{}", login.unwrap_or_default())
}

fn credential_kind(auth: &homing_wire::Auth<'_>) -> String {
    let token = match auth.param("gssapi-data") {
        Some("") => " empty token",
        Some(_) => " token",
        None => "",
    };
    let signed = if auth.param("response").is_some() { " signed" } else { "" };
    format!("  {}{token}{signed}", auth.scheme)
}

/// Lines printed at most.
const LONGEST: usize = 400;
