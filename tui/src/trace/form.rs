//! The forms a trace can be written in, and which one a file's name asks for.

use std::path::Path;

use thiserror::Error;

/// In which form a trace is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
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
#[error("`{0}` does not say in which form; end the name in {list}", list = Form::list())]
pub(crate) struct FormError(String);

impl Form {
    /// All of them.
    pub(crate) const ALL: [Form; 4] = [Form::Pcap, Form::Text, Form::JsonLines, Form::Mermaid];

    /// The form that the end of a file's name asks for.
    ///
    /// # Errors
    /// The name ends in nothing that is known.
    pub(crate) fn of(path: &Path) -> Result<Self, FormError> {
        let end = path.extension().and_then(|end| end.to_str()).unwrap_or_default();
        let found = Form::ALL.into_iter().find(|form| end.eq_ignore_ascii_case(form.extension()));
        found.ok_or_else(|| FormError(path.display().to_string()))
    }

    /// How the names of such files end.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Form::Text => "txt",
            Form::JsonLines => "jsonl",
            Form::Mermaid => "mmd",
            Form::Pcap => "pcap",
        }
    }

    /// What it is good for, in a few words.
    pub(crate) fn purpose(self) -> &'static str {
        match self {
            Form::Text => "to read",
            Form::JsonLines => "for programs, and to be turned into the others",
            Form::Mermaid => "a sequence diagram for documents",
            Form::Pcap => "for Wireshark",
        }
    }

    /// All extensions, as a sentence lists them.
    pub(crate) fn list() -> String {
        let [first @ .., last] = Form::ALL.map(|form| format!(".{}", form.extension()));
        format!("{} or {last}", first.join(", "))
    }
}
