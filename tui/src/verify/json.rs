//! The report for programs: names and fields of its events.

use serde_json::{Value, json};

use super::render;
use super::report::{Cause, Difference, Finding, Judged, Report, Spot};

/// An event per message that has findings, one per remark, and a summary: name and fields.
pub(crate) fn events(report: &Report) -> Vec<(&'static str, Value)> {
    let mut events = Vec::new();
    for (judged, number) in report.judged.iter().zip(1..) {
        if !judged.findings.is_empty() {
            events.push(("verify.message", message(report, judged, number)));
        }
    }
    for remark in &report.remarks {
        events.push(("verify.remark", json!({ "text": render::remark(report, remark) })));
    }
    let totals = report.totals();
    let first = report.first_difference().map(|(number, difference)| {
        let mut first = of_difference(difference);
        first["message"] = json!(number);
        first
    });
    let summary = json!({
        "input": render::kind_word(report),
        "messages": report.judged.len(),
        "hold": totals.hold,
        "differ": totals.differ,
        "open": totals.open,
        "first_difference": first,
        "verdict": report.verdict().word(),
    });
    events.push(("verify.summary", summary));
    events
}

fn message(report: &Report, judged: &Judged, number: usize) -> Value {
    json!({
        "message": number,
        "place": judged.place.to_string(),
        "at_ms": judged.at.map(|at| u64::try_from(at.as_millis()).unwrap_or(u64::MAX)),
        "link": render::link_name(report, judged.link),
        "sender": judged.sender,
        "title": judged.title,
        "findings": judged.findings.iter().map(of_finding).collect::<Vec<_>>(),
    })
}

fn of_finding(finding: &Finding) -> Value {
    let mut value = match finding {
        Finding::Differs(difference) => of_difference(difference),
        Finding::Holds(_) | Finding::Open(_) | Finding::Note(_) => json!({}),
    };
    value["verdict"] = json!(render::word(finding).to_ascii_lowercase());
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
