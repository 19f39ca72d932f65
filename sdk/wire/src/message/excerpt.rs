//! What can be read of a message that is over a limit: enough to refuse it, or to find whom it is for.

use bytes::Bytes;

use super::Message;
use super::index::{Index, LineAt, Span, count_list, folded_end, line_end, name, skip_line_ends, start};
use crate::error::{Bound, Excess};
use crate::limits::Limits;
use crate::name::Known;
use crate::scan::{trim_end, trim_start};

/// The start line of a message with those header lines that identify it, and what is too large in it.
#[derive(Clone, Debug)]
pub struct Excerpt {
    /// Every Via, and From, To, Call-ID and CSeq where they can be read; no body.
    pub message: Message,
    /// The first limit that is passed; none where the message is refused for another reason.
    pub excess: Option<Excess>,
}

impl Excerpt {
    /// Reads on where the index gives up; `None` without a start line of SIP.
    pub fn read(bytes: &Bytes, limits: &Limits) -> Option<Excerpt> {
        let mut index = Index::empty();
        let begin = skip_line_ends(bytes);
        let (end, next) = line_end(bytes, begin).ok()?;
        let unlimited = Limits { line: usize::MAX, uri: usize::MAX, ..*limits };
        index.begin = Span::new(begin, begin).start();
        index.start = start::read(bytes, begin..end, &unlimited, &mut index.flaws).ok()?;
        let mut tally = Tally { limits, lines: 0, vias: 0, contacts: 0, excess: None };
        let uri = match index.start {
            super::StartAt::Request { uri, .. } => uri.len(),
            super::StartAt::Response { .. } => 0,
        };
        tally.hold(Bound::Uri, uri, limits.uri, None);
        tally.hold(Bound::Line, next - begin, limits.line, None);
        let at = read_lines(bytes, next, &mut index, &mut tally);
        tally.hold(Bound::Body, bytes.len().saturating_sub(at + 2), limits.body, None);
        tally.hold(Bound::Message, bytes.len(), limits.message, None);
        let end = Span::new(at, at);
        index.head_end = end.start();
        index.body = end;
        Some(Excerpt { message: Message::of_parts(bytes.clone(), index), excess: tally.excess })
    }
}

/// What was counted so far, and the first limit that it passed.
struct Tally<'l> {
    limits: &'l Limits,
    lines: usize,
    vias: usize,
    contacts: usize,
    excess: Option<Excess>,
}

impl Tally<'_> {
    fn hold(&mut self, bound: Bound, count: usize, most: usize, header: Option<&[u8]>) {
        if count > most && self.excess.is_none() {
            let header = header.map(|name| String::from_utf8_lossy(name).into_owned());
            self.excess = Some(Excess { bound, most, header });
        }
    }
}

/// Takes the lines that identify a message, as far as lines can be told apart; returns where the head ends.
fn read_lines(bytes: &[u8], mut at: usize, index: &mut Index, tally: &mut Tally<'_>) -> usize {
    let is_request = matches!(index.start, super::StartAt::Request { .. });
    while at < bytes.len() && !bytes[at..].starts_with(b"\r\n") {
        let rest = &bytes[at..];
        let Ok((end, next)) = folded_end(rest) else { break };
        if let Ok((name_len, known, colon)) = name(rest, end) {
            let limits = tally.limits;
            let most = limits.of_line(known.is_some_and(Known::is_auth));
            tally.lines += 1;
            tally.hold(Bound::Line, next, most, Some(&rest[..usize::from(name_len)]));
            tally.hold(Bound::Headers, tally.lines, limits.headers, None);
            let text = trim_start(&rest[colon + 1..end]);
            let start = at + end - text.len();
            let value = trim_end(text);
            match known {
                Some(Known::Via) => tally.vias += count_list(value),
                Some(Known::Contact) if is_request => tally.contacts += count_list(value),
                _ => {}
            }
            tally.hold(Bound::Vias, tally.vias, limits.vias, Some(b"Via"));
            tally.hold(Bound::Contacts, tally.contacts, limits.contacts, Some(b"Contact"));
            if next <= most && known.is_some_and(|known| IDENTIFYING.contains(&known)) {
                let value = Span::new(start, start + value.len());
                index.lines.push(LineAt { start: Span::new(at, at).start(), value, name_len, known });
            } else {
                index.skipped.push(Span::new(at, at + next));
            }
        }
        at += next;
    }
    at
}

const IDENTIFYING: [Known; 5] = [Known::Via, Known::From, Known::To, Known::CallId, Known::CSeq];
