//! The trace as a Mermaid `sequenceDiagram`: the phone, each server it talked to, and what went between.

use crate::text::ScreenText;
use crate::trace::{Record, Seen};

/// A diagram that a document can hold; message bodies and headers stay out.
pub(super) fn write(records: &[Record]) -> String {
    let mut servers: Vec<&str> = Vec::new();
    for record in records {
        if !servers.contains(&record.server.as_str()) {
            servers.push(&record.server);
        }
    }
    let mut text = String::from("sequenceDiagram\n    participant P as phone\n");
    for (at, server) in servers.iter().enumerate() {
        text.push_str(&format!("    participant S{} as {}\n", at + 1, escaped(server)));
    }
    for record in records {
        let server = servers.iter().position(|server| *server == record.server).map_or(0, |at| at + 1);
        let line = match (record.seen, record.outgoing) {
            (Seen::Message | Seen::KeepAlive, true) => format!("P->>S{server}: {}", label(record)),
            (Seen::Message | Seen::KeepAlive, false) => format!("S{server}-->>P: {}", label(record)),
            _ => format!("Note over P,S{server}: {}", escaped(&record.text)),
        };
        text.push_str(&format!("    {line}\n"));
    }
    text
}

/// The method with its number, or status and reason.
fn label(record: &Record) -> String {
    let mut lines = record.text.lines();
    let first = lines.next().unwrap_or_default();
    if let Some(answer) = first.strip_prefix("SIP/2.0 ") {
        return escaped(answer);
    }
    let cseq = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("cseq"))
        .and_then(|(_, value)| value.split_whitespace().next());
    match (first.strip_suffix(" SIP/2.0").and_then(|line| line.split(' ').next()), cseq) {
        (Some(method), Some(number)) => escaped(&format!("{method} ({number})")),
        _ => escaped(first),
    }
}

/// What the grammar of Mermaid or a browser would take as an order is written as an entity.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in ScreenText::of(text).as_str().chars() {
        match c {
            '#' | ';' | '<' | '>' | '&' | '"' | '%' => out.push_str(&format!("#{};", u32::from(c))),
            _ => out.push(c),
        }
    }
    out
}
