//! One traced message, cut into what list, ladder and raw view need; screen text only.

use std::time::Duration;

use crate::text::{ScreenText, screen_text};

/// One message, keep-alive or change of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its number in the agent's trace, and those of its copies in a row.
    pub(crate) seqs: Vec<u64>,
    /// On which connection, or pair of UDP addresses.
    flow: u64,
    /// Since the agent started.
    pub(crate) at: Duration,
    pub(crate) outgoing: bool,
    pub(crate) server: ScreenText,
    pub(crate) kind: Kind,
    /// What stands on the arrow: `REGISTER`, `301 Moved Permanently`, `keep-alive`.
    pub(crate) label: ScreenText,
    pub(crate) call: ScreenText,
    pub(crate) cseq: ScreenText,
    /// Everything the filter looks at.
    pub(crate) summary: ScreenText,
    pub(crate) lines: Vec<ScreenText>,
}

/// What kind of line it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Request,
    Response(u16),
    /// Keep-alives, opened and closed connections.
    Signal,
}

/// What the tap hands over: redacted text and where it went.
#[derive(Clone, Debug)]
pub(crate) struct Captured<'a> {
    pub(crate) seq: u64,
    pub(crate) flow: u64,
    pub(crate) at: Duration,
    pub(crate) outgoing: bool,
    pub(crate) server: ScreenText,
    pub(crate) transport: &'static str,
    pub(crate) text: &'a str,
}

impl Entry {
    /// An entry of a SIP message.
    pub(crate) fn message(tapped: &Captured<'_>) -> Self {
        let first = tapped.text.lines().next().unwrap_or_default();
        let kind = match first.strip_prefix("SIP/2.0 ") {
            Some(rest) => Kind::Response(rest.get(..3).and_then(|code| code.parse().ok()).unwrap_or(0)),
            None => Kind::Request,
        };
        let label = match kind {
            Kind::Response(_) => ScreenText::of(first.trim_start_matches("SIP/2.0 ")),
            Kind::Request | Kind::Signal => ScreenText::of(first.split(' ').next().unwrap_or_default()),
        };
        let call = header(tapped.text, &["call-id", "i"]);
        let cseq = header(tapped.text, &["cseq"]);
        let summary = screen_text!("{first} {} {} {call} {cseq}", tapped.server, tapped.transport);
        Self {
            seqs: vec![tapped.seq],
            flow: tapped.flow,
            at: tapped.at,
            outgoing: tapped.outgoing,
            server: tapped.server.clone(),
            kind,
            label,
            call,
            cseq,
            summary,
            lines: ScreenText::lines(tapped.text, LINES),
        }
    }

    /// An entry of something that is no message.
    pub(crate) fn signal(tapped: &Captured<'_>) -> Self {
        let label = ScreenText::of(tapped.text);
        Self {
            seqs: vec![tapped.seq],
            flow: tapped.flow,
            at: tapped.at,
            outgoing: tapped.outgoing,
            summary: screen_text!("{label} {} {}", tapped.server, tapped.transport),
            server: tapped.server.clone(),
            kind: Kind::Signal,
            lines: vec![label.clone()],
            label,
            call: ScreenText::default(),
            cseq: ScreenText::default(),
        }
    }

    /// Its number.
    pub(crate) fn seq(&self) -> u64 {
        self.seqs.first().copied().unwrap_or_default()
    }

    /// How often the same message was seen in a row.
    pub(crate) fn times(&self) -> usize {
        self.seqs.len()
    }

    /// A retransmission, or one more keep-alive. Two connections to one server are opened and closed in the same words.
    pub(crate) fn is_copy_of(&self, other: &Entry) -> bool {
        self.flow == other.flow
            && self.outgoing == other.outgoing
            && self.server == other.server
            && self.lines == other.lines
    }
}

/// The value of the first header of one of these names, in lower case.
fn header(text: &str, names: &[&str]) -> ScreenText {
    text.lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| names.iter().any(|wanted| name.trim().eq_ignore_ascii_case(wanted)))
        .map(|(_, value)| ScreenText::of(value.trim()))
        .unwrap_or_default()
}

/// Lines kept of one message.
const LINES: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_cut_into_its_parts() {
        let text =
            "SIP/2.0 301 Moved Permanently\r\ni: abc@phone\r\nCSeq: 3 REGISTER\r\n\r\nCall-ID: not\r\n";
        let tapped = Captured {
            seq: 1,
            flow: 1,
            at: Duration::ZERO,
            outgoing: false,
            server: ScreenText::of("lb.network.com:5061"),
            transport: "TLS",
            text,
        };
        let entry = Entry::message(&tapped);
        assert_eq!(entry.kind, Kind::Response(301));
        assert_eq!(entry.label.as_str(), "301 Moved Permanently");
        assert_eq!((entry.call.as_str(), entry.cseq.as_str()), ("abc@phone", "3 REGISTER"));
        assert!(entry.is_copy_of(&Entry { seqs: vec![2], ..entry.clone() }));
        assert!(!entry.is_copy_of(&Entry { flow: 2, ..entry.clone() }), "it came by another connection");
    }
}
