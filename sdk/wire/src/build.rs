//! Writing messages: new ones, replies, and received ones with a few lines changed.

use std::fmt::{self, Display, Write};
use std::ops::Range;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::header::{Clean, NameAddr, Place, Token, UriText};
use crate::message::{Flaws, Index, LineAt, Message, Span, StartAt};
use crate::method::Method;
use crate::name::{Known, Name};
use crate::write::write_line;

pub use crate::header::AuthValue;

/// A message that is being put together.
///
/// Values come as anything that can be displayed and cannot hold CR, LF, NUL or another control character: such
/// characters become blanks. Content-Length is always written. Lines taken over from a received message stay as they
/// were, octet for octet. So whatever is put in, what comes out is a message: [`Builder::message`] needs no second look
/// at it, and no limit of [`Limits`](crate::Limits) is applied to it.
///
/// ```
/// use homing_wire::{Builder, Message, Method, Name};
/// let request = Builder::request(Method::Options, "sip:example.com")
///     .header(Name::Via, "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1")
///     .header(Name::MaxForwards, 70)
///     .message();
/// assert_eq!(request.max_forwards(), Ok(Some(70)));
/// assert_eq!(Message::parse(request.bytes().clone()), Ok(request));
/// ```
#[derive(Clone)]
pub struct Builder {
    start: Piece,
    /// What the start line says, its places counted from the beginning of the line.
    start_at: StartAt,
    /// What is wrong with a start line that was taken over.
    start_flaws: Flaws,
    lines: SmallVec<[Line; 24]>,
    /// Received messages that lines are taken from.
    sources: SmallVec<[Bytes; 1]>,
    /// Octets written here.
    written: String,
    body: Bytes,
}

/// Where octets stand: in `written`, or in one of the sources.
#[derive(Clone, Copy)]
struct Piece {
    source: Option<u8>,
    at: Span,
}

/// A header line: where its parts stand in its source, and where the line behind it begins there.
#[derive(Clone, Copy)]
struct Line {
    source: Option<u8>,
    end: u32,
    index: LineAt,
}

impl Line {
    #[inline]
    fn piece(&self) -> Piece {
        Piece { source: self.source, at: self.index.through(self.end) }
    }
}

impl Builder {
    /// A request without headers. Characters that no method or URI may hold are left out of the one and escaped in the
    /// other; where nothing is left, the method is `INVALID` and the URI `sip:invalid`, which no server serves.
    pub fn request(method: Method<'_>, uri: &str) -> Builder {
        let mut written = String::with_capacity(WRITTEN);
        // Writing to a String cannot fail.
        let _ = write!(written, "{}", Token(method.as_str()));
        if written.is_empty() {
            written.push_str("INVALID");
        }
        let method = 0..written.len();
        written.push(' ');
        let from = written.len();
        let _ = UriText { to: &mut written }.write_str(if uri.is_empty() { "sip:invalid" } else { uri });
        let uri = from..written.len();
        written.push_str(" SIP/2.0\r\n");
        Builder::starting(written, StartAt::Request { method: Span::of(method), uri: Span::of(uri) })
    }

    /// A response without headers; a status outside 100 to 699 becomes 500.
    pub fn response(status: u16, reason: &str) -> Builder {
        let status = if (100..700).contains(&status) { status } else { 500 };
        let mut written = String::with_capacity(WRITTEN);
        // Writing to a String cannot fail.
        let _ = write!(written, "SIP/2.0 {status} ");
        let from = written.len();
        let _ = Clean { to: &mut written, place: Place::Value }.write_str(reason);
        let reason = from..written.len();
        written.push_str("\r\n");
        Builder::starting(written, StartAt::Response { status, reason: Span::of(reason) })
    }

    /// The response to a request: every Via, then From, To, Call-ID and CSeq as they came (RFC 3261 8.2.6.2).
    pub fn reply_to(request: &Message, status: u16, reason: &str) -> Builder {
        let mut reply = Builder::response(status, reason).copy_from(request, Name::Via);
        for known in [Known::From, Known::To, Known::CallId, Known::CSeq] {
            let first = reply.lines.len();
            reply = reply.copy_from(request, known.name());
            reply.lines.truncate(first + 1);
        }
        reply
    }

    /// A received message to be changed in places, as a relay does: everything that is not touched stays as it was.
    pub fn from_message(message: &Message) -> Builder {
        let index = message.index();
        let mut builder = Builder {
            start: Piece { source: Some(0), at: Span::default() },
            start_at: index.start.since(index.begin),
            start_flaws: index.flaws.of_start_line(),
            lines: SmallVec::new(),
            sources: SmallVec::new(),
            written: String::new(),
            body: message.bytes().slice_ref(message.body()),
        };
        builder.sources.push(message.bytes().clone());
        let end = index.lines.first().map_or(index.head_end, |line| line.start);
        let end = index.line_end(index.begin, end);
        builder.start = builder.piece(message, 0, index.begin as usize..end as usize);
        if builder.start.source.is_none() {
            builder.start_at = builder.start_at.ending_at(builder.written.len() - 2);
        }
        builder.take_lines(message, 0, |_| true);
        let is_length = |line: &Line| line.index.known == Some(Known::ContentLength);
        if builder.lines.iter().filter(|line| is_length(line)).count() != 1 || !index.flaws.has_sound_length()
        {
            builder.lines.retain(|line| !is_length(line));
        }
        builder
    }

    /// Appends a header line.
    pub fn header(mut self, name: Name<'_>, value: impl Display) -> Builder {
        if let Some(line) = self.write_line(name, value) {
            self.lines.push(line);
        }
        self
    }

    /// Puts a header line before all others of that name, or before all others where there is none of that name.
    pub fn prepend(mut self, name: Name<'_>, value: impl Display) -> Builder {
        if let Some(line) = self.write_line(name, value) {
            let at = self.position(name).unwrap_or(0);
            self.lines.insert(at, line);
        }
        self
    }

    /// Puts one header line in the place of all lines of that name, at the place of the first; appends it where there
    /// is none.
    pub fn replace(mut self, name: Name<'_>, value: impl Display) -> Builder {
        let at = self.position(name).unwrap_or(self.lines.len());
        self = self.remove(name);
        if let Some(line) = self.write_line(name, value) {
            self.lines.insert(at.min(self.lines.len()), line);
        }
        self
    }

    /// Puts one header line in the place of the first line of that name, leaving the others: the topmost Via with
    /// `received`, for instance. Appends it where there is none.
    pub fn replace_first(mut self, name: Name<'_>, value: impl Display) -> Builder {
        if let Some(line) = self.write_line(name, value) {
            match self.position(name) {
                Some(at) => self.lines[at] = line,
                None => self.lines.push(line),
            }
        }
        self
    }

    /// Takes all lines of that name away.
    pub fn remove(mut self, name: Name<'_>) -> Builder {
        let keep: SmallVec<[bool; 24]> = self.lines.iter().map(|line| !self.is(line, name)).collect();
        let mut keep = keep.into_iter();
        self.lines.retain(|_| keep.next().unwrap_or(true));
        self
    }

    /// Takes the first value of that list header away, with its line where it was the only one: the topmost Via of a
    /// response, a Route that was reached.
    pub fn remove_first(mut self, name: Name<'_>) -> Builder {
        let Some(at) = self.position(name) else { return self };
        let value = self.value(at);
        match crate::scan::list_end(value) {
            Ok(Some(comma)) => {
                let rest = String::from_utf8_lossy(&value[comma + 1..]).trim().to_owned();
                match self.write_line(name, rest) {
                    Some(line) => self.lines[at] = line,
                    None => drop(self.lines.remove(at)),
                }
            }
            _ => drop(self.lines.remove(at)),
        }
        self
    }

    /// Appends all lines of that name of a received message, as they are.
    pub fn copy_from(mut self, message: &Message, name: Name<'_>) -> Builder {
        let bytes = message.bytes();
        let same = |source: &Bytes| source.as_ptr() == bytes.as_ptr() && source.len() == bytes.len();
        let source = match self.sources.iter().position(same) {
            Some(source) => source,
            None => {
                self.sources.push(bytes.clone());
                self.sources.len() - 1
            }
        };
        match u8::try_from(source) {
            Ok(source) => {
                let wanted = message.lines_of(name).map(|line| line.start).collect::<SmallVec<[u32; 8]>>();
                self.take_lines(message, source, |start| wanted.binary_search(&start).is_ok());
                self
            }
            // A message composed from more than 256 others keeps their lines, printed again.
            Err(_) => message
                .lines(name)
                .fold(self, |built, value| built.header(name, String::from_utf8_lossy(value))),
        }
    }

    /// Gives To a tag, unless it has one.
    pub fn to_tag(self, tag: &str) -> Builder {
        let Some(at) = self.position(Name::To) else { return self };
        let value = self.value(at);
        if NameAddr::parse(value).is_some_and(|to| to.tag().is_some()) {
            return self;
        }
        let value = crate::scan::unfold(value).trim_end_matches([';', ' ']).to_owned();
        self.replace_first(Name::To, format_args!("{value};tag={}", Token(tag)))
    }

    /// Sets the body and its Content-Type; an empty body has none.
    pub fn body(mut self, content_type: &str, body: &[u8]) -> Builder {
        self.body = Bytes::copy_from_slice(body);
        self = self.remove(Name::ContentLength).remove(Name::ContentType);
        if body.is_empty() { self } else { self.header(Name::ContentType, content_type) }
    }

    /// Sets the body alone, whatever the headers say of its type.
    #[cfg(feature = "rsip")]
    pub(crate) fn octets_behind(mut self, body: &[u8]) -> Builder {
        self.body = Bytes::copy_from_slice(body);
        self
    }

    /// The finished message, with the index that [`Message::parse`] would make of its octets.
    pub fn message(mut self) -> Message {
        self.close();
        let bytes = self.assemble();
        let mut index = Index::started(self.start_at, self.start_flaws);
        let mut at = self.start.at.len();
        for line in &self.lines {
            index.lines.push(line.index.at(at));
            at += line.piece().at.len();
        }
        index.end(&bytes, at);
        Message::of_parts(bytes, index)
    }

    /// The octets of [`Builder::message`], in storage of their own size.
    pub fn finish(mut self) -> Bytes {
        self.close();
        self.assemble()
    }

    /// Writes the Content-Length.
    fn close(&mut self) {
        if self.position(Name::ContentLength).is_none()
            && let Some(line) = self.write_line(Name::ContentLength, self.body.len())
        {
            self.lines.push(line);
        }
    }

    #[inline]
    fn assemble(&self) -> Bytes {
        let head: usize = self.lines.iter().map(|line| line.piece().at.len()).sum();
        let start = self.octets(self.start);
        let mut message = Vec::with_capacity(start.len() + head + 2 + self.body.len());
        message.extend_from_slice(start);
        // Lines that stand side by side where they come from are copied at once.
        let mut pending = Piece { source: None, at: Span::default() };
        for piece in self.lines.iter().map(Line::piece) {
            if piece.source == pending.source && pending.at.meets(piece.at) {
                pending.at = pending.at.through(piece.at);
            } else {
                message.extend_from_slice(self.octets(pending));
                pending = piece;
            }
        }
        message.extend_from_slice(self.octets(pending));
        message.extend_from_slice(b"\r\n");
        message.extend_from_slice(&self.body);
        message.into()
    }

    fn starting(written: String, start_at: StartAt) -> Builder {
        Builder {
            start: Piece { source: None, at: Span::of(0..written.len()) },
            start_at,
            start_flaws: Flaws::default(),
            lines: SmallVec::new(),
            sources: SmallVec::new(),
            written,
            body: Bytes::new(),
        }
    }

    /// Writes a line; `None` when nothing of the name can stand on the wire.
    fn write_line(&mut self, name: Name<'_>, value: impl Display) -> Option<Line> {
        let start = self.written.len();
        let written = write_line(&mut self.written, name, value)?;
        let end = Span::of(start..self.written.len()).end();
        Some(Line { source: None, end, index: LineAt::written(written).at(start) })
    }

    fn take_lines(&mut self, message: &Message, source: u8, wanted: impl Fn(u32) -> bool) {
        let index = message.index();
        let ends = index.lines.iter().map(|line| line.start).skip(1).chain([index.head_end]);
        for (line, end) in index.lines.iter().zip(ends) {
            if !wanted(line.start) {
                continue;
            }
            let end = index.line_end(line.start, end);
            let piece = self.piece(message, source, line.start as usize..end as usize);
            let mut index = *line;
            if piece.source.is_none() {
                index = line.at(piece.at.range().start);
                let start = index.value.range().start;
                let value = crate::scan::trim_end(&self.written.as_bytes()[start..]);
                index.value = Span::of(start..start + value.len());
            }
            self.lines.push(Line { source: piece.source, end: piece.at.end(), index });
        }
    }

    /// A line of a received message. The last line of a datagram without an empty line may lack its own end too.
    fn piece(&mut self, message: &Message, source: u8, at: Range<usize>) -> Piece {
        let line = &message.bytes()[at.clone()];
        if line.ends_with(b"\r\n") {
            return Piece { source: Some(source), at: Span::of(at) };
        }
        let start = self.written.len();
        self.written.push_str(&String::from_utf8_lossy(line));
        self.written.push_str("\r\n");
        Piece { source: None, at: Span::of(start..self.written.len()) }
    }

    /// The value of the line at that place.
    fn value(&self, line: usize) -> &[u8] {
        let Line { source, index, .. } = self.lines[line];
        self.octets(Piece { source, at: index.value })
    }

    fn position(&self, name: Name<'_>) -> Option<usize> {
        self.lines.iter().position(|line| self.is(line, name))
    }

    fn is(&self, line: &Line, name: Name<'_>) -> bool {
        match name.known() {
            None if line.index.known.is_none() => {
                let written = &self.octets(line.piece())[..usize::from(line.index.name_len)];
                written.eq_ignore_ascii_case(name.as_str().as_bytes())
            }
            known => line.index.known == known && known.is_some(),
        }
    }

    fn octets(&self, piece: Piece) -> &[u8] {
        match piece.source {
            None => &self.written.as_bytes()[piece.at.range()],
            Some(source) => &self.sources[usize::from(source)][piece.at.range()],
        }
    }
}

/// The start line only.
impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Builder({:?})", String::from_utf8_lossy(self.octets(self.start)).trim_end())
    }
}

/// Octets a message is expected to need: what a REGISTER writes fits without growing.
const WRITTEN: usize = 1024;

#[cfg(test)]
mod tests;
