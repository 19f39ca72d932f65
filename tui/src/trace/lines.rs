//! The trace as text: who, when and where in one line, the message below; harmless on a terminal.

use crate::messages::timestamp;
use crate::text::{ScreenText, screen_text};
use crate::trace::{Record, Seen};

/// One paragraph per record. The words of the first lines are those that `homing verify` looks for in a log.
pub(super) fn write(records: &[Record]) -> String {
    let mut text = String::new();
    for record in records {
        push(&mut text, &head(record));
        match record.seen {
            Seen::Message => {
                ScreenText::lines(&record.text, LINES).iter().for_each(|line| push(&mut text, line))
            }
            _ => push(&mut text, &ScreenText::of(&record.text)),
        }
        text.push('\n');
    }
    text
}

fn head(record: &Record) -> ScreenText {
    let way = match record.seen {
        Seen::Open | Seen::Failed | Seen::Dropped | Seen::Close => "at",
        Seen::Message | Seen::KeepAlive | Seen::Other if record.outgoing => "sent to",
        Seen::Message | Seen::KeepAlive | Seen::Other => "received from",
    };
    let Record { seq, server, transport, peer, .. } = record;
    let (secs, millis) = (record.at.as_secs(), record.at.subsec_millis());
    screen_text!(
        "#{seq} {} +{secs}.{millis:03} {way} {server} over {transport} ({peer})",
        timestamp(record.wall)
    )
}

fn push(text: &mut String, line: &ScreenText) {
    text.push_str(line.as_str().trim_end());
    text.push('\n');
}

/// More lines than any message within our limits has.
const LINES: usize = 100_000;
