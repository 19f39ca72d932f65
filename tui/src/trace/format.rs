//! The forms a trace can be written in, and which one a file's name asks for.

use std::path::Path;

use thiserror::Error;

/// In which form a trace is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TraceFormat {
    /// One message after the other, for people.
    Text,
    /// One object per line; loses nothing.
    JsonLines,
    /// A `sequenceDiagram`, for documents.
    Mermaid,
    /// Decrypted SIP over made-up UDP and TCP, for Wireshark and its like.
    Pcap,
}

/// A file's name that asks for no form there is.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` does not say in which form; end the name in {list}", list = TraceFormat::list())]
pub(crate) struct TraceFormatError(String);

impl TraceFormat {
    /// In the order in which the screen offers them.
    pub(crate) const ALL: [TraceFormat; 4] =
        [TraceFormat::Pcap, TraceFormat::Text, TraceFormat::JsonLines, TraceFormat::Mermaid];

    /// The form that the end of a file's name asks for.
    ///
    /// # Errors
    /// The name ends in nothing that is known.
    pub(crate) fn of(path: &Path) -> Result<Self, TraceFormatError> {
        let end = path.extension().and_then(|end| end.to_str()).unwrap_or_default();
        let found = TraceFormat::ALL.into_iter().find(|form| end.eq_ignore_ascii_case(form.extension()));
        found.ok_or_else(|| TraceFormatError(path.display().to_string()))
    }

    /// How the names of such files end.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            TraceFormat::Text => "txt",
            TraceFormat::JsonLines => "jsonl",
            TraceFormat::Mermaid => "mmd",
            TraceFormat::Pcap => "pcap",
        }
    }

    /// What it is good for, in a few words.
    pub(crate) fn purpose(self) -> &'static str {
        match self {
            TraceFormat::Text => "to read",
            TraceFormat::JsonLines => "for programs, and to be turned into the others",
            TraceFormat::Mermaid => "a sequence diagram for documents",
            TraceFormat::Pcap => "for Wireshark",
        }
    }

    /// All extensions, as a sentence lists them.
    pub(crate) fn list() -> String {
        let [first @ .., last] = TraceFormat::ALL.map(|form| format!(".{}", form.extension()));
        format!("{} or {last}", first.join(", "))
    }
}
