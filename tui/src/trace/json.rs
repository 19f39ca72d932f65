//! The trace as JSON lines: written, and read again without loss.

use std::time::Duration;

use homing::Transport;
use serde_json::{Value, json};
use thiserror::Error;

use crate::report::json_line;
use crate::trace::{Record, Seen};

/// A line that is no record of a trace.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {0} is not a record of a trace")]
pub(crate) struct NoRecord(pub(crate) usize);

/// The name of the event that a record is.
pub(crate) const EVENT: &str = "trace";

/// One object per line, with the version and time that every line of this program has.
pub(super) fn write(records: &[Record]) -> String {
    records.iter().map(|record| json_line(EVENT, record.wall, fields(record)) + "\n").collect()
}

/// Reads what [`write`] wrote; blank lines are passed over.
///
/// # Errors
/// The first line that is something else.
pub(crate) fn read(text: &str) -> Result<Vec<Record>, NoRecord> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let record = |line| record(&serde_json::from_str(line).ok()?);
    lines.map(|(at, line)| record(line).ok_or(NoRecord(at + 1))).collect()
}

/// The fields of the event.
pub(crate) fn fields(record: &Record) -> Value {
    json!({
        "seq": record.seq,
        "at_us": micros(record.at),
        "wall_us": micros(record.wall),
        "flow": record.flow,
        "direction": if record.outgoing { "out" } else { "in" },
        "server": record.server,
        "peer": record.peer.to_string(),
        "transport": record.transport.uri_token(),
        "what": record.seen.word(),
        "length": record.length,
        "text": record.text,
    })
}

/// The record that an event is; none if it is another event.
pub(crate) fn record(value: &Value) -> Option<Record> {
    let text = |name: &str| value[name].as_str();
    let number = |name: &str| value[name].as_u64();
    Some(Record {
        seq: number("seq")?,
        at: Duration::from_micros(number("at_us")?),
        wall: Duration::from_micros(number("wall_us")?),
        flow: number("flow")?,
        outgoing: match text("direction")? {
            "out" => true,
            "in" => false,
            _ => return None,
        },
        server: text("server")?.to_owned(),
        peer: text("peer")?.parse().ok()?,
        transport: Transport::parse(text("transport")?)?,
        seen: Seen::ALL.into_iter().find(|seen| Some(seen.word()) == text("what"))?,
        length: usize::try_from(number("length")?).ok()?,
        text: text("text")?.to_owned(),
    })
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
