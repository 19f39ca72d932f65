//! The trace as a file: text, JSON lines, a Mermaid diagram or a packet capture, secrets masked in all of them.
//!
//! [`Record::of`] takes an entry of the agent's trace, whose secrets are masked before they get here;
//! [`write()`] prints records in the [`TraceFormat`] that a file's name asks for. JSON lines lose nothing and are
//! read again with [`json::read`]; the other forms are for people and for other programs.

mod format;
pub(crate) mod json;
mod lines;
mod mermaid;
mod pcap;
mod record;
mod stream;

#[cfg(test)]
mod tests;

pub(crate) use format::{TraceFormat, TraceFormatError};
pub(crate) use record::{Record, Seen};

/// Prints records, oldest first, in this form.
pub(crate) fn write(records: &[Record], form: TraceFormat) -> Vec<u8> {
    match form {
        TraceFormat::Text => lines::write(records).into_bytes(),
        TraceFormat::JsonLines => json::write(records).into_bytes(),
        TraceFormat::Mermaid => mermaid::write(records).into_bytes(),
        TraceFormat::Pcap => pcap::write(records),
    }
}
