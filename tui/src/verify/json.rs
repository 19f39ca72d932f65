//! The report for programs: one JSON object per line.

use std::time::Duration;

use serde_json::{Value, json};

use super::report::{Cause, Difference, Finding, Judged, Report, Spot};
use super::source::ReadError;
use crate::words::timestamp;

impl Report {
    /// A line per message that has findings, one per remark, and a summary. `wall` is the time of the
    /// report since 1970.
    pub(crate) fn json_lines(&self, wall: Duration) -> Vec<String> {
        let ts = timestamp(wall);
        let mut lines = Vec::new();
        for (judged, number) in self.judged.iter().zip(1..) {
            if !judged.findings.is_empty() {
                lines.push(self.message(judged, number, &ts));
            }
        }
        for remark in &self.remarks {
            let text = self.remark(remark);
            lines.push(json!({ "v": 1, "ts": ts, "event": "verify.remark", "text": text }));
        }
        let tally = self.tally();
        let first = self.first_difference().map(|(number, difference)| {
            let mut first = of_difference(difference);
            first["message"] = json!(number);
            first
        });
        lines.push(json!({
            "v": 1,
            "ts": ts,
            "event": "verify.summary",
            "input": self.kind_word(),
            "messages": self.judged.len(),
            "hold": tally.hold,
            "differ": tally.differ,
            "open": tally.open,
            "first_difference": first,
            "exit": self.exit_code(),
        }));
        lines.iter().map(Value::to_string).collect()
    }

    fn message(&self, judged: &Judged, number: usize, ts: &str) -> Value {
        json!({
            "v": 1,
            "ts": ts,
            "event": "verify.message",
            "message": number,
            "place": judged.place.to_string(),
            "at_ms": judged.at.map(|at| u64::try_from(at.as_millis()).unwrap_or(u64::MAX)),
            "link": self.link_name(judged.link),
            "sender": judged.sender,
            "title": judged.title,
            "findings": judged.findings.iter().map(of_finding).collect::<Vec<_>>(),
        })
    }
}

/// The line about a file that could not be read.
pub(crate) fn trouble(error: &ReadError, wall: Duration) -> String {
    json!({
        "v": 1,
        "ts": timestamp(wall),
        "event": "verify.error",
        "code": error.code(),
        "text": error.to_string(),
        "hint": error.hint(),
        "exit": super::UNREADABLE,
    })
    .to_string()
}

fn of_finding(finding: &Finding) -> Value {
    let mut value = match finding {
        Finding::Differs(difference) => of_difference(difference),
        Finding::Holds(_) | Finding::Open(_) | Finding::Note(_) => json!({}),
    };
    value["verdict"] = json!(finding.word().to_ascii_lowercase());
    value["text"] = json!(finding.to_string());
    value
}

fn of_difference(difference: &Difference) -> Value {
    json!({
        "element": difference.spot.to_string(),
        "kind": kind(difference.spot),
        "expected": difference.expected,
        "found": difference.found,
        "cause": cause(&difference.cause),
        "why": difference.cause.to_string(),
    })
}

/// Where the element stands; stable.
fn kind(spot: Spot) -> &'static str {
    match spot {
        Spot::Token
        | Spot::NtProof
        | Spot::ProofInput
        | Spot::ServerChallenge
        | Spot::Domain
        | Spot::Attribute(_)
        | Spot::SessionKey
        | Spot::Mic => "token",
        Spot::Buffer(..) | Spot::BufferVersion => "buffer",
        Spot::SignatureVersion | Spot::Checksum | Spot::SequenceNumber | Spot::Signature(_) => "signature",
        Spot::Parameter(_) => "parameter",
        Spot::Contacts => "contacts",
    }
}

/// Stable words for causes.
fn cause(cause: &Cause) -> &'static str {
    match cause {
        Cause::WrongPassword { .. } => "wrong-password",
        Cause::Altered => "altered",
        Cause::SignatureAltered { .. } => "bytes-altered",
        Cause::Unexplained { .. } => "unexplained",
        Cause::OtherVersion => "other-version",
        Cause::OtherChallenge { .. } => "other-challenge",
        Cause::WrongDirection => "wrong-direction",
        Cause::OtherAssociation { .. } => "other-association",
        Cause::Replayed { .. } => "replayed",
        Cause::BelowWindow => "below-window",
        Cause::Missing => "missing",
        Cause::Malformed => "malformed",
        Cause::Conflicting => "conflicting",
        Cause::TooWeak => "too-weak",
    }
}
