//! What a tester expects of the messages of an estate: how many of which kind, with the nearest miss where it was not so.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::journal::{Entry, Journal};
use crate::node::endpoint::address;

/// Which messages are meant: those that have everything that is named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pattern {
    /// Short name of the server it came to or left from.
    pub server: Option<String>,
    /// Method; of a response that of the request it answers.
    pub method: Option<String>,
    /// Status. A pattern with one means responses, one without means requests.
    pub status: Option<u16>,
    /// The user in From: `alice`, or `alice@network.com`.
    pub user: Option<String>,
    /// Header fields, each with a text that its value contains; an empty text asks for the field alone.
    pub headers: BTreeMap<String, String>,
}

/// How many messages of a kind are expected. It is judged when it is dropped, unless it was before.
#[must_use = "an expectation that is dropped at once is judged at once"]
#[derive(Debug)]
pub struct Expectation {
    journal: Journal,
    /// Messages up to this number came before it.
    since: u64,
    pattern: Pattern,
    times: RangeInclusive<usize>,
    is_judged: bool,
}

/// Which entries were counted so far: each is read once.
#[derive(Debug)]
struct Tally {
    /// The number of the newest entry that was read.
    seen: u64,
    found: usize,
    /// The last one found.
    last: Option<Entry>,
    /// Entries that went before they were read.
    gone: u64,
}

/// What was expected and did not happen, with what came nearest and the whole conversation.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("expected {expected}, found {found}\n{nearest}\nthe conversation:\n{ladder}")]
pub struct Unmet {
    /// In words.
    pub expected: String,
    /// How many there were.
    pub found: usize,
    /// The message that lacks least of what was expected, and what it lacks; what was there where there were too many.
    pub nearest: String,
    /// One line for each message and decision.
    pub ladder: String,
}

impl Pattern {
    /// Requests with this method, such as `REGISTER`.
    pub fn request(method: &str) -> Self {
        Self { method: Some(method.to_owned()), ..Self::default() }
    }

    /// Responses with this status to requests with this method.
    pub fn response(method: &str, status: u16) -> Self {
        Self { status: Some(status), ..Self::request(method) }
    }

    /// Only what comes to, or leaves from, the server with this short name.
    #[must_use]
    pub fn at(mut self, server: &str) -> Self {
        self.server = Some(server.to_owned());
        self
    }

    /// Only what is of this user, by From.
    #[must_use]
    pub fn of(mut self, user: &str) -> Self {
        self.user = Some(user.to_owned());
        self
    }

    /// Only what has this header field with a value that contains `text`.
    #[must_use]
    pub fn with(mut self, header: &str, text: &str) -> Self {
        self.headers.insert(header.to_owned(), text.to_owned());
        self
    }

    /// True for a message that has everything that is named.
    pub fn matches(&self, entry: &Entry) -> bool {
        self.lacks(entry).is_some_and(|lacks| lacks.is_empty())
    }

    /// What a message lacks, each in words; none for what is no message of this kind at all.
    fn lacks(&self, entry: &Entry) -> Option<Vec<String>> {
        let message = entry.message()?;
        if self.status.is_some() == message.is_request() {
            return None;
        }
        let mut lacks = Vec::new();
        let mut compare = |name: &str, is: Option<String>, wanted: Option<String>| {
            if let Some(wanted) = wanted
                && is.as_ref() != Some(&wanted)
            {
                lacks.push(format!("{name} is {}, not {wanted}", is.as_deref().unwrap_or("missing")));
            }
        };
        compare("its server", Some(entry.node.to_string()), self.server.clone());
        compare("its method", entry.method(), self.method.clone());
        let number = |status: u16| status.to_string();
        compare("its status", message.status().map(number), self.status.map(number));
        let from = message.from().ok().and_then(|from| address(&from));
        let wanted = self.user.as_ref().map(|user| user.to_ascii_lowercase());
        let bare = wanted.as_ref().is_some_and(|user| !user.contains('@'));
        let is = from.map(|from| match from.split_once('@') {
            Some((user, _)) if bare => user.to_owned(),
            _ => from,
        });
        compare("its user", is, wanted);
        for (name, wanted) in &self.headers {
            match entry.header(name) {
                None => lacks.push(format!("it has no {name}")),
                Some(is) if !is.contains(wanted) => lacks.push(format!("its {name} lacks `{wanted}`")),
                Some(_) => {}
            }
        }
        Some(lacks)
    }
}

impl Expectation {
    /// Expects at least one such message from now on.
    pub fn new(journal: &Journal, pattern: Pattern) -> Self {
        Self::since(journal, pattern, journal.newest())
    }

    /// Expects at least one such message after the entry numbered `since`.
    pub fn since(journal: &Journal, pattern: Pattern, since: u64) -> Self {
        let journal = journal.clone();
        Self { journal, since, pattern, times: 1..=usize::MAX, is_judged: false }
    }

    /// Expects exactly so many.
    pub fn times(self, times: usize) -> Self {
        self.between(times..=times)
    }

    /// Expects none.
    pub fn never(self) -> Self {
        self.times(0)
    }

    /// Expects at least the first and at most the second number.
    pub fn between(mut self, times: RangeInclusive<usize>) -> Self {
        self.times = times;
        self
    }

    /// Waits until it is certain, and judges: at once where there are enough and no number is too many, or where there are
    /// too many; after `within` otherwise.
    ///
    /// # Errors
    /// [`Unmet`] if there are too few when the time is over, or too many, or if the journal no longer holds what is to
    /// be counted.
    pub async fn met(mut self, within: Duration) -> Result<usize, Unmet> {
        // Whoever stops waiting asks for no verdict.
        self.is_judged = true;
        let mut fresh = self.journal.subscribe_from(self.since);
        let mut tally = Tally::new(self.since);
        let certain = async {
            loop {
                tally.go_on(&self.journal, &self.pattern);
                if self.is_certain(&tally) || fresh.next().await.is_none() {
                    return;
                }
            }
        };
        // What there is then is judged below.
        let _ = tokio::time::timeout(within, certain).await;
        self.judge(tally)
    }

    /// Judges now.
    ///
    /// # Errors
    /// [`Unmet`].
    pub fn verify(mut self) -> Result<usize, Unmet> {
        self.is_judged = true;
        self.judge(Tally::new(self.since))
    }

    /// True if nothing that is still to come changes the verdict.
    fn is_certain(&self, tally: &Tally) -> bool {
        let (least, most) = (*self.times.start(), *self.times.end());
        if most == usize::MAX { tally.found >= least } else { tally.found > most || tally.gone > 0 }
    }

    fn judge(&self, mut tally: Tally) -> Result<usize, Unmet> {
        tally.go_on(&self.journal, &self.pattern);
        let (found, most) = (tally.found, *self.times.end());
        // Those that have gone could only be more.
        let is_known = tally.gone == 0 || most == usize::MAX;
        if self.times.contains(&found) && is_known {
            return Ok(found);
        }
        let nearest = match &tally.last {
            Some(last) if found > most => format!("the last of them: {}", shown(last)),
            _ if tally.gone > 0 => format!(
                "the journal no longer reaches back: {} entries after #{} have gone uncounted; expect sooner, or let it \
                 hold more",
                tally.gone, self.since
            ),
            _ => self.nearest(),
        };
        let expected = format!("{} {}", self.pattern, Times(&self.times));
        Err(Unmet { expected, found, nearest, ladder: self.journal.ladder() })
    }

    /// The message that lacks least; of several the last.
    fn nearest(&self) -> String {
        let entries = self.journal.since(self.since).into_iter();
        let missed = entries.filter_map(|entry| Some((self.pattern.lacks(&entry)?, entry)));
        let nearest = missed.filter(|(lacks, _)| !lacks.is_empty()).rev();
        match nearest.min_by_key(|(lacks, _)| lacks.len()) {
            Some((lacks, entry)) => format!("nearest: {}: {}", shown(&entry), lacks.join("; ")),
            None => "nothing came near it".to_owned(),
        }
    }
}

impl Tally {
    fn new(since: u64) -> Self {
        Self { seen: since, found: 0, last: None, gone: 0 }
    }

    /// Counts what was recorded since.
    fn go_on(&mut self, journal: &Journal, pattern: &Pattern) {
        let (entries, gone) = journal.read(self.seen);
        self.gone += gone;
        self.seen = entries.last().map_or(self.seen + gone, |entry| entry.seq);
        for entry in entries.into_iter().filter(|entry| pattern.matches(entry)) {
            self.found += 1;
            self.last = Some(entry);
        }
    }
}

impl Drop for Expectation {
    #[expect(clippy::panic, reason = "an expectation that was not met fails the test that holds it")]
    fn drop(&mut self) {
        // A test that fails already keeps its own reason.
        if self.is_judged || std::thread::panicking() {
            return;
        }
        if let Err(unmet) = self.judge(Tally::new(self.since)) {
            panic!("{unmet}");
        }
    }
}

fn shown(entry: &Entry) -> String {
    let way = if entry.is_received() { "received" } else { "sent" };
    format!("#{} {} {way} {}", entry.seq, entry.node, entry.start_line())
}

/// A number of times in words.
struct Times<'t>(&'t RangeInclusive<usize>);

impl fmt::Display for Times<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (*self.0.start(), *self.0.end()) {
            (0, 0) => f.write_str("never"),
            (least, most) if least == most => write!(f, "exactly {least} times"),
            (least, usize::MAX) => write!(f, "at least {least} times"),
            (least, most) => write!(f, "{least} to {most} times"),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.status.is_some() { "a response" } else { "a request" };
        f.write_str(self.method.as_deref().unwrap_or(kind))?;
        if let Some(status) = self.status {
            write!(f, " {status}")?;
        }
        if let Some(user) = &self.user {
            write!(f, " of {user}")?;
        }
        if let Some(server) = &self.server {
            write!(f, " at {server}")?;
        }
        for (name, text) in &self.headers {
            write!(f, " with {name}")?;
            if !text.is_empty() {
                write!(f, " `{text}`")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use bytes::Bytes;

    use super::*;
    use crate::journal::What;

    fn record(journal: &Journal, node: &str, what: fn(Bytes) -> What, start: &str) {
        let text = format!(
            "{start}\r\nVia: SIP/2.0/TLS h;branch=z9hG4bK1\r\nFrom: <sip:alice@network.com>;tag=1\r\n\
             To: <sip:alice@network.com>\r\nCall-ID: c\r\nCSeq: 1 REGISTER\r\n\
             User-Agent: Homing/1\r\nContent-Length: 0\r\n\r\n"
        );
        let entry =
            Entry { seq: 0, at: Duration::ZERO, node: node.into(), peer: None, what: what(text.into()) };
        journal.record(entry);
    }

    fn conversation() -> Journal {
        let journal = Journal::new();
        record(&journal, "lb", What::Received, "REGISTER sip:network.com SIP/2.0");
        record(&journal, "lb", What::Sent, "SIP/2.0 401 Unauthorized");
        record(&journal, "lb", What::Received, "REGISTER sip:network.com SIP/2.0");
        record(&journal, "lb", What::Sent, "SIP/2.0 301 Moved Permanently");
        record(&journal, "hs104", What::Received, "REGISTER sip:network.com SIP/2.0");
        record(&journal, "hs104", What::Sent, "SIP/2.0 200 OK");
        journal
    }

    fn found(pattern: Pattern) -> usize {
        let journal = conversation();
        Expectation::since(&journal, pattern, 0).between(0..=99).verify().unwrap()
    }

    #[test]
    fn a_pattern_means_what_has_everything_that_is_named() {
        assert_eq!(found(Pattern::request("REGISTER")), 3);
        assert_eq!(found(Pattern::request("REGISTER").at("lb")), 2);
        assert_eq!(found(Pattern::response("REGISTER", 301)), 1);
        assert_eq!(found(Pattern::response("INVITE", 301)), 0);
        assert_eq!(found(Pattern::request("REGISTER").of("Alice")), 3);
        assert_eq!(found(Pattern::request("REGISTER").of("alice@network.com")), 3);
        assert_eq!(found(Pattern::request("REGISTER").of("bob")), 0);
        assert_eq!(found(Pattern::request("REGISTER").with("user-agent", "Homing")), 3);
        assert_eq!(found(Pattern::request("REGISTER").with("User-Agent", "sipp")), 0);
        assert_eq!(found(Pattern::request("REGISTER").with("Expires", "")), 0);
    }

    #[test]
    fn what_was_not_met_names_the_nearest_miss_and_shows_the_conversation() {
        let journal = conversation();
        let pattern = Pattern::response("REGISTER", 200).at("lb").of("alice");
        let unmet = Expectation::since(&journal, pattern, 0).times(1).verify().unwrap_err().to_string();
        assert!(
            unmet.starts_with("expected REGISTER 200 of alice at lb exactly 1 times, found 0\n"),
            "{unmet}"
        );
        assert!(
            unmet.contains("nearest: #6 hs104 sent SIP/2.0 200 OK: its server is hs104, not lb"),
            "{unmet}"
        );
        assert!(unmet.contains("301 Moved Permanently"), "{unmet}");
        let many = Expectation::since(&journal, Pattern::request("REGISTER"), 0).never().verify();
        let many = many.unwrap_err().to_string();
        assert!(many.contains("never, found 3\nthe last of them: #5 hs104 received REGISTER"), "{many}");
    }

    #[test]
    fn an_expectation_is_judged_when_it_is_dropped_and_only_by_what_came_after_it() {
        let journal = conversation();
        let dropped = |expectation: Expectation| catch_unwind(AssertUnwindSafe(|| drop(expectation)));
        let early = Expectation::new(&journal, Pattern::request("REGISTER"));
        let died = dropped(early).unwrap_err();
        assert!(died.downcast_ref::<String>().is_some_and(|text| text.contains("found 0")));
        let met = Expectation::new(&journal, Pattern::request("REGISTER")).times(1);
        record(&journal, "lb", What::Received, "REGISTER sip:network.com SIP/2.0");
        assert!(dropped(met).is_ok());
    }

    #[tokio::test]
    async fn what_is_still_to_come_is_waited_for() {
        let journal = Journal::new();
        let expectation = Expectation::new(&journal, Pattern::request("REGISTER"));
        let later = async {
            tokio::task::yield_now().await;
            record(&journal, "lb", What::Received, "REGISTER sip:network.com SIP/2.0");
        };
        let (met, ()) = tokio::join!(expectation.met(Duration::from_secs(5)), later);
        assert_eq!(met, Ok(1));
        let nothing = Expectation::new(&journal, Pattern::request("MESSAGE")).met(Duration::from_millis(1));
        assert_eq!(nothing.await.unwrap_err().nearest, "nothing came near it");
    }

    const WITHIN: Duration = Duration::from_millis(200);

    #[tokio::test]
    async fn what_may_still_be_too_many_is_waited_for_to_the_end() {
        let journal = Journal::new();
        let register = || record(&journal, "lb", What::Received, "REGISTER sip:network.com SIP/2.0");
        let expected = || Expectation::new(&journal, Pattern::request("REGISTER"));
        let begun = std::time::Instant::now();
        assert_eq!(expected().never().met(WITHIN).await, Ok(0));
        assert!(begun.elapsed() >= WITHIN, "it was still to come");
        for (expectation, most) in [(expected().never(), 0), (expected().times(1), 1)] {
            let later = async {
                for _ in 0..=most {
                    tokio::task::yield_now().await;
                    register();
                }
            };
            // Far longer than the test may take: too many are told at once.
            let (met, ()) = tokio::join!(expectation.met(Duration::from_secs(3_600)), later);
            assert_eq!(met.unwrap_err().found, most + 1);
        }
        let given_up = tokio::time::timeout(Duration::ZERO, expected().times(1).met(WITHIN)).await;
        assert!(given_up.is_err(), "who stops waiting gets no verdict, and no panic");
    }

    #[tokio::test]
    async fn what_the_journal_no_longer_holds_is_no_none() {
        let journal = Journal::holding(0);
        let expected = || Expectation::since(&journal, Pattern::request("REGISTER"), 0);
        record(&journal, "lb", What::Received, "REGISTER sip:network.com SIP/2.0");
        let one = Expectation::since(&journal, Pattern::request("REGISTER"), 0).times(1);
        (0..1_000).for_each(|_| record(&journal, "lb", What::Sent, "SIP/2.0 200 OK"));
        for unmet in [
            expected().never().verify().unwrap_err(),
            expected().verify().unwrap_err(),
            one.met(Duration::from_secs(3_600)).await.unwrap_err(),
        ] {
            assert!(unmet.nearest.starts_with("the journal no longer reaches back: "), "{}", unmet.nearest);
        }
        record(&journal, "lb", What::Received, "REGISTER sip:network.com SIP/2.0");
        assert_eq!(expected().verify(), Ok(1), "one is enough, whatever has gone");
        assert_eq!(Expectation::new(&journal, Pattern::request("REGISTER")).never().verify(), Ok(0));
    }

    #[tokio::test]
    async fn what_was_counted_before_it_went_counts() {
        let journal = Journal::holding(0);
        let expectation = Expectation::new(&journal, Pattern::request("REGISTER")).times(1);
        let later = async {
            record(&journal, "lb", What::Received, "REGISTER sip:network.com SIP/2.0");
            for _ in 0..1_000 {
                tokio::task::yield_now().await;
                record(&journal, "lb", What::Sent, "SIP/2.0 200 OK");
            }
        };
        let (met, ()) = tokio::join!(expectation.met(WITHIN), later);
        assert_eq!(met, Ok(1));
        assert!(journal.entries()[0].seq > 1, "it has gone");
    }
}
