//! The trace as a file: JSON lines that `homing verify` and other programs read; secrets were masked at the tap.

use serde_json::json;

use crate::effect::{Effect, TraceFile};
use crate::screen::trace::Entry;
use crate::text::ScreenText;
use crate::words::{News, Weight};

/// One JSON line per entry, to be written beside the person.
pub(crate) fn save<'a>(entries: impl Iterator<Item = &'a Entry>) -> Result<Vec<Effect>, News> {
    let mut text = String::new();
    for entry in entries {
        let lines: Vec<&str> = entry.lines.iter().map(ScreenText::as_str).collect();
        let line = json!({
            "v": 1,
            "event": "trace",
            "seq": entry.seq,
            "at_us": u64::try_from(entry.at.as_micros()).unwrap_or(u64::MAX),
            "direction": if entry.outgoing { "out" } else { "in" },
            "server": entry.server.as_str(),
            "text": lines.join("\r\n"),
        });
        text.push_str(&line.to_string());
        text.push('\n');
    }
    if text.is_empty() {
        return Err(News::plain(Weight::Warning, ScreenText::of("nothing is traced yet")));
    }
    Ok(vec![Effect::SaveTrace(TraceFile { name: "homing-trace", text })])
}
