//! What was answered to an OPTIONS request: whether the peer is there, and what it takes.

use homing_wire::header::Allow;
use homing_wire::{Message, StartLine};

/// The outcome of an OPTIONS request (RFC 3261 section 11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The final status; 408 without an answer.
    pub status: u16,
    /// The peer's words for it, sanitised and cut.
    pub reason: String,
    /// The methods its Allow header lists, at most 32 of them.
    pub allow: Vec<String>,
    /// Milliseconds from request to answer.
    pub millis: u32,
}

impl Answered {
    /// Reads the final answer.
    pub fn of(message: &Message, millis: u32) -> Self {
        let reason = match message.start() {
            StartLine::Response { reason, .. } => printable(&String::from_utf8_lossy(reason)),
            StartLine::Request { .. } => String::new(),
        };
        let methods = message.all::<Allow<'_>>().filter_map(Result::ok);
        let allow = methods.map(|method| printable(method.0)).take(METHODS).collect();
        Self { status: message.status().unwrap_or_default(), reason, allow, millis }
    }

    /// No answer came in time.
    pub fn nobody(millis: u32) -> Self {
        Self { status: 408, reason: "Request Timeout".to_owned(), allow: Vec::new(), millis }
    }
}

fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(SHOWN).collect()
}

const METHODS: usize = 32;
/// Characters of one text of the peer.
const SHOWN: usize = 80;
