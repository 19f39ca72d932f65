//! Reads the trace that the phone saves: one JSON object per line, secrets masked.

use bytes::Bytes;
use homing::offline::Message;
use serde_json::Value;
use std::time::Duration;

use super::cut::starts_message;
use super::log::link_of;
use super::{Kind, Place, Recorded, Recording, Remark, limits};

/// True if the first line that is not blank is an entry of a trace.
pub(super) fn is_trace(bytes: &[u8]) -> bool {
    let first = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).find(|line| !line.is_empty());
    first.is_some_and(|line| line.starts_with(b"{") && line.len() <= ENTRY_LIMIT && text_of(line).is_some())
}

/// Reads a trace; entries that are no messages, such as opened connections, are passed over.
pub(super) fn read(bytes: &[u8]) -> Recording {
    let mut recording = Recording { kind: Kind::Trace, ..Recording::default() };
    let mut first = None;
    for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let place = Place::Line(at as u64 + 1);
        if line.len() > ENTRY_LIMIT {
            continue;
        }
        let Some((entry, text)) = text_of(line) else { continue };
        let whole = with_line_ends(&text);
        if !starts_message(&whole) {
            continue;
        }
        let place = entry["seq"].as_u64().map_or(place, Place::Entry);
        match Message::parse_with(whole, &limits()) {
            Ok(message) => {
                let server = entry["server"].as_str().filter(|name| !name.is_empty()).unwrap_or("trace");
                let link = link_of(&mut recording, server.to_owned());
                let sender = match entry["direction"].as_str() {
                    Some("out") => Some("client".to_owned()),
                    Some("in") => Some("server".to_owned()),
                    _ => None,
                };
                let at = entry["at_us"].as_u64().map(Duration::from_micros);
                let at = at.map(|at| at.saturating_sub(*first.get_or_insert(at)));
                recording.push(Recorded { place, link, sender, at, message });
            }
            Err(why) => recording.remark(Remark::NoMessage { place, why }),
        }
    }
    recording
}

/// An entry and the text of its message, under any of the names that tracers give it.
fn text_of(line: &[u8]) -> Option<(Value, String)> {
    let entry: Value = serde_json::from_slice(line).ok()?;
    let text = ["text", "message", "raw"].iter().find_map(|name| entry[*name].as_str())?.to_owned();
    Some((entry, text))
}

/// Lines end with CR LF, and the head ends.
fn with_line_ends(text: &str) -> Bytes {
    let mut whole = String::with_capacity(text.len() + 4);
    for line in text.split('\n') {
        if !whole.is_empty() {
            whole.push_str("\r\n");
        }
        whole.push_str(line.strip_suffix('\r').unwrap_or(line));
    }
    while !whole.contains("\r\n\r\n") {
        whole.push_str("\r\n");
    }
    Bytes::from(whole)
}

const ENTRY_LIMIT: usize = 1 << 20;
