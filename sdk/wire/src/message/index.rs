//! The one pass over a message: where its lines begin and end.

pub(super) mod start;

use std::ops::Range;

use smallvec::SmallVec;

use crate::error::{Bound, ParseError};
use crate::limits::Limits;
use crate::name::Known;
use crate::scan::{is_token, is_white, list_end, number, trim, trim_end, trim_start};
use crate::write::WrittenLine;

/// A part of the message.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// Callers stay below [`MOST_OCTETS`], so no offset is cut.
    #[inline]
    pub(super) fn new(start: usize, end: usize) -> Span {
        #[expect(clippy::cast_possible_truncation, reason = "a message is at most MOST_OCTETS long")]
        Span { start: start as u32, end: end as u32 }
    }

    #[inline]
    pub(crate) fn of(range: Range<usize>) -> Span {
        Span::new(range.start, range.end)
    }

    #[inline]
    pub(crate) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    #[inline]
    pub(crate) fn end(self) -> u32 {
        self.end
    }

    #[inline]
    pub(super) fn start(self) -> u32 {
        self.start
    }

    #[inline]
    pub(crate) fn len(self) -> usize {
        self.range().len()
    }

    /// Whether `next` begins where this ends.
    #[inline]
    pub(crate) fn meets(self, next: Span) -> bool {
        self.end == next.start
    }

    /// From the beginning of this to the end of `last`.
    #[inline]
    pub(crate) fn through(self, last: Span) -> Span {
        Span { start: self.start, end: last.end }
    }

    /// The same part once `octets` were put before it.
    #[inline]
    fn moved(self, octets: usize) -> Span {
        Span::new(self.start as usize + octets, self.end as usize + octets)
    }

    /// The same part, counted from `begin`.
    #[inline]
    fn since(self, begin: u32) -> Span {
        Span { start: self.start - begin, end: self.end - begin }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum StartAt {
    Request { method: Span, uri: Span },
    Response { status: u16, reason: Span },
}

impl StartAt {
    /// The same places, counted from `begin`.
    pub(crate) fn since(self, begin: u32) -> StartAt {
        match self {
            StartAt::Request { method, uri } => {
                StartAt::Request { method: method.since(begin), uri: uri.since(begin) }
            }
            StartAt::Response { status, reason } => StartAt::Response { status, reason: reason.since(begin) },
        }
    }

    /// The same places in a line that ends elsewhere, since octets that are no UTF-8 were replaced in its reason.
    pub(crate) fn ending_at(self, end: usize) -> StartAt {
        match self {
            StartAt::Request { .. } => self,
            StartAt::Response { status, reason } => {
                StartAt::Response { status, reason: Span::new(reason.start as usize, end) }
            }
        }
    }
}

/// One header line: where its name begins, where its value stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct LineAt {
    pub(crate) start: u32,
    pub(crate) value: Span,
    pub(crate) name_len: u16,
    pub(crate) known: Option<Known>,
}

impl LineAt {
    /// A line of ours, counted from its beginning.
    pub(crate) fn written(line: WrittenLine) -> LineAt {
        LineAt { start: 0, value: Span::of(line.value), name_len: line.name_len, known: line.known }
    }

    /// From its beginning to `end`, which stands behind it.
    #[inline]
    pub(crate) fn through(self, end: u32) -> Span {
        Span { start: self.start, end }
    }

    /// The same line where it begins at `start`.
    #[inline]
    pub(crate) fn at(self, start: usize) -> LineAt {
        let value = self.value.since(self.start).moved(start);
        LineAt { start: Span::new(start, start).start, value, ..self }
    }

    /// The same line once `octets` were put before it.
    fn moved(self, octets: usize) -> LineAt {
        let start = Span::new(self.start as usize, 0).moved(octets).start;
        LineAt { start, value: self.value.moved(octets), ..self }
    }
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Index {
    /// Where the start line begins: line ends may come before it.
    pub(crate) begin: u32,
    pub(crate) start: StartAt,
    pub(crate) lines: SmallVec<[LineAt; 24]>,
    /// Where the line behind the last header begins.
    pub(crate) head_end: u32,
    pub(crate) body: Span,
    pub(crate) flaws: Flaws,
    /// Lines that are no header, each to the beginning of the next line; nearly no message has one.
    pub(crate) skipped: Vec<Span>,
}

/// Breaches that the pass itself sees; [`validate`](crate::Message::validate) names their status.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Flaws(u8);

impl Flaws {
    /// Blanks in the start line where none belong, or brackets around the Request-URI.
    pub(crate) const START_LINE: Flaws = Flaws(1);
    /// Another version than SIP/2.0.
    pub(crate) const VERSION: Flaws = Flaws(2);
    /// Content-Length is not a number.
    pub(crate) const LENGTH_MALFORMED: Flaws = Flaws(4);
    /// Content-Length stands more than once.
    pub(crate) const LENGTH_TWICE: Flaws = Flaws(8);
    /// Content-Length is more than there is.
    pub(crate) const LENGTH_OVER: Flaws = Flaws(16);
    /// The head ends without an empty line.
    pub(crate) const OPEN_HEAD: Flaws = Flaws(32);
    /// A line of a request is no header.
    pub(crate) const NO_HEADER: Flaws = Flaws(64);

    pub(crate) fn has(self, flaw: Flaws) -> bool {
        self.0 & flaw.0 != 0
    }

    /// Those of the start line alone.
    pub(crate) fn of_start_line(self) -> Flaws {
        Flaws(self.0 & (Flaws::START_LINE.0 | Flaws::VERSION.0))
    }

    /// Content-Length, where there is one, tells the truth.
    pub(crate) fn has_sound_length(self) -> bool {
        self.0 & (Flaws::LENGTH_MALFORMED.0 | Flaws::LENGTH_TWICE.0 | Flaws::LENGTH_OVER.0) == 0
    }

    fn add(&mut self, flaw: Flaws) {
        self.0 |= flaw.0;
    }
}

impl Index {
    /// The index of nothing, to be filled where it stands: it is too large to be handed about.
    #[inline]
    pub(super) fn empty() -> Index {
        Index {
            begin: 0,
            start: StartAt::Response { status: 0, reason: Span::default() },
            lines: SmallVec::new(),
            head_end: 0,
            body: Span::default(),
            flaws: Flaws::default(),
            skipped: Vec::new(),
        }
    }

    /// The index of a start line, to be filled line by line and ended with [`Index::end`].
    #[inline]
    pub(crate) fn started(start: StartAt, flaws: Flaws) -> Index {
        Index { start, flaws, ..Index::empty() }
    }

    /// Ends the index of octets that were put together here: the lines end at `head_end`, and an empty one follows.
    pub(crate) fn end(&mut self, bytes: &[u8], head_end: usize) {
        self.head_end = Span::new(head_end, head_end).start;
        let mut lengths = self.lines.iter().filter(|line| line.known == Some(Known::ContentLength));
        let length = lengths.next().map(|line| line.value);
        if lengths.next().is_some() {
            self.flaws.add(Flaws::LENGTH_TWICE);
        }
        self.find_body(bytes, length);
    }

    /// Takes a line in at that place; it and all that follows stand `octets` further back.
    pub(super) fn insert(&mut self, at: usize, line: LineAt, octets: usize) {
        let from = self.lines.get(at).map_or(self.head_end, |behind| behind.start);
        for behind in self.skipped.iter_mut().filter(|skipped| skipped.start >= from) {
            *behind = behind.moved(octets);
        }
        for behind in &mut self.lines[at..] {
            *behind = behind.moved(octets);
        }
        self.lines.insert(at, line);
        let head_end = self.head_end as usize + octets;
        self.head_end = Span::new(head_end, head_end).start;
        self.body = self.body.moved(octets);
    }

    /// Where a line ends that begins at `start`, if the next header line begins at `next`: lines that were skipped
    /// stand between.
    pub(crate) fn line_end(&self, start: u32, next: u32) -> u32 {
        let between = |skipped: &&Span| start <= skipped.start && skipped.start < next;
        self.skipped.iter().find(between).map_or(next, |skipped| skipped.start)
    }

    /// Finds the body behind the head: as long as Content-Length says, which stands at `length`.
    #[inline]
    fn find_body(&mut self, bytes: &[u8], length: Option<Span>) {
        let gap = if self.flaws.has(Flaws::OPEN_HEAD) { 0 } else { 2 };
        let from = self.head_end as usize + gap;
        let there = bytes.len() - from;
        let length = match length {
            None => there,
            Some(_) if self.flaws.has(Flaws::LENGTH_TWICE) => 0,
            Some(span) => match number(&bytes[span.range()]).map(|length| length as usize) {
                Some(length) if length <= there => length,
                Some(_) => {
                    self.flaws.add(Flaws::LENGTH_OVER);
                    0
                }
                None => {
                    self.flaws.add(Flaws::LENGTH_MALFORMED);
                    0
                }
            },
        };
        self.body = Span::new(from, from + length);
    }

    #[inline(never)]
    pub(super) fn fill(&mut self, bytes: &[u8], limits: &Limits) -> Result<(), ParseError> {
        if bytes.len() > limits.message.min(MOST_OCTETS) {
            return Err(ParseError::TooLarge(Bound::Message));
        }
        let begin = skip_line_ends(bytes);
        if begin == bytes.len() {
            return Err(ParseError::Empty);
        }
        self.begin = Span::new(begin, begin).start;
        let (end, next) = line_end(bytes, begin)?;
        self.start = start::read(bytes, begin..end, limits, &mut self.flaws)?;
        let mut pass = Pass { index: self, bytes, limits, at: next, length: None, vias: 0, contacts: 0 };
        pass.headers()?;
        pass.body()
    }
}

struct Pass<'m> {
    index: &'m mut Index,
    bytes: &'m [u8],
    limits: &'m Limits,
    at: usize,
    length: Option<Span>,
    vias: usize,
    contacts: usize,
}

impl Pass<'_> {
    fn headers(&mut self) -> Result<(), ParseError> {
        loop {
            match &self.bytes[self.at..] {
                [b'\r', b'\n', ..] => break,
                [] => {
                    self.index.flaws.add(Flaws::OPEN_HEAD);
                    break;
                }
                rest => self.line(rest)?,
            }
        }
        if self.vias > self.limits.vias {
            return Err(ParseError::TooLarge(Bound::Vias));
        }
        // A registrar lists every binding of the address of record (RFC 3261 section 10.3); only a request chooses its own.
        if self.contacts > self.limits.contacts && self.is_request() {
            return Err(ParseError::TooLarge(Bound::Contacts));
        }
        Ok(())
    }

    /// Takes the line that `rest` begins with, and moves to the line behind it.
    fn line(&mut self, rest: &[u8]) -> Result<(), ParseError> {
        let (end, next) = folded_end(rest)?;
        let (name_len, known, colon) = match name(rest, end) {
            Err(ParseError::HeaderLine) => return self.skip(&rest[..end], next),
            named => named?,
        };
        if next > self.limits.line && next > self.limits.of_line(known.is_some_and(Known::is_auth)) {
            return Err(ParseError::TooLarge(Bound::Line));
        }
        if self.index.lines.len() == self.limits.headers {
            return Err(ParseError::TooLarge(Bound::Headers));
        }
        let text = trim_start(&rest[colon + 1..end]);
        let start = self.at + end - text.len();
        let value = trim_end(text);
        let value_at = Span::new(start, start + value.len());
        match known {
            Some(Known::Via) => self.vias += count_list(value),
            Some(Known::Contact) => self.contacts += count_list(value),
            Some(Known::ContentLength) if self.length.replace(value_at).is_some() => {
                self.index.flaws.add(Flaws::LENGTH_TWICE);
            }
            _ => {}
        }
        let start = Span::new(self.at, self.at).start;
        self.index.lines.push(LineAt { start, value: value_at, name_len, known });
        self.at += next;
        Ok(())
    }

    /// Passes over a line that is no header, `next` octets with its end. One that begins with the name of a header
    /// that is known here is not passed over: another reader may take it for that header.
    fn skip(&mut self, line: &[u8], next: usize) -> Result<(), ParseError> {
        let name = line.iter().position(|octet| !is_token(*octet)).unwrap_or(line.len());
        // One letter is a word as often as it is the short form of a name.
        let is_misleading =
            name > 1 && Known::parse(&line[..name]).is_some() || memchr::memchr(0, line).is_some();
        if is_misleading || self.index.skipped.len() == MOST_SKIPPED {
            return Err(ParseError::HeaderLine);
        }
        if next > self.limits.line {
            return Err(ParseError::TooLarge(Bound::Line));
        }
        if self.is_request() {
            self.index.flaws.add(Flaws::NO_HEADER);
        }
        self.index.skipped.push(Span::new(self.at, self.at + next));
        self.at += next;
        Ok(())
    }

    fn is_request(&self) -> bool {
        matches!(self.index.start, StartAt::Request { .. })
    }

    fn body(&mut self) -> Result<(), ParseError> {
        self.index.head_end = Span::new(self.at, self.at).start;
        self.index.find_body(self.bytes, self.length);
        let too_large = self.index.body.len() > self.limits.body;
        if too_large { Err(ParseError::TooLarge(Bound::Body)) } else { Ok(()) }
    }
}

/// Where the line ends that `rest` begins with, its folds taken along, and where the next one begins.
pub(super) fn folded_end(rest: &[u8]) -> Result<(usize, usize), ParseError> {
    let (mut end, mut next) = line_end(rest, 0)?;
    while matches!(rest.get(next), Some(b' ' | b'\t')) && next > end {
        (end, next) = line_end(rest, next)?;
    }
    Ok((end, next))
}

/// The name at the beginning of a line that ends at `end`: its length, which one it is, and where its colon stands.
pub(super) fn name(rest: &[u8], end: usize) -> Result<(u16, Option<Known>, usize), ParseError> {
    if let Some((known, colon)) = Known::begins(rest) {
        // Known names are short.
        return Ok((u16::try_from(colon).unwrap_or(u16::MAX), Some(known), colon));
    }
    let line = &rest[..end];
    let length = line.iter().position(|octet| !is_token(*octet)).ok_or(ParseError::HeaderLine)?;
    let blanks = line[length..].iter().take_while(|octet| matches!(octet, b' ' | b'\t')).count();
    let colon = length + blanks;
    if length == 0 || line.get(colon) != Some(&b':') {
        return Err(ParseError::HeaderLine);
    }
    let name_len = u16::try_from(length).map_err(|_| ParseError::TooLarge(Bound::Line))?;
    Ok((name_len, Known::parse(&line[..length]), colon))
}

pub(super) fn skip_line_ends(bytes: &[u8]) -> usize {
    let mut at = 0;
    while bytes[at..].starts_with(b"\r\n") {
        at += 2;
    }
    at
}

/// Where the line that holds `from` ends, and where the next one begins. The last line may end with the message.
pub(super) fn line_end(bytes: &[u8], from: usize) -> Result<(usize, usize), ParseError> {
    match memchr::memchr2(b'\r', b'\n', &bytes[from..]) {
        None => Ok((bytes.len(), bytes.len())),
        Some(found) => match bytes[from + found..] {
            [b'\r', b'\n', ..] => Ok((from + found, from + found + 2)),
            _ => Err(ParseError::BareLineEnd),
        },
    }
}

/// How many values a list has, empty ones not counted; a value whose quote stays open ends it.
pub(crate) fn count_list(mut value: &[u8]) -> usize {
    if memchr::memchr(b',', value).is_none() {
        return usize::from(!trim(value).is_empty());
    }
    let mut count = 0;
    loop {
        let end = list_end(value).unwrap_or(None);
        let item = &value[..end.unwrap_or(value.len())];
        count += usize::from(!item.iter().all(|octet| is_white(*octet)));
        match end {
            Some(end) => value = &value[end + 1..],
            None => return count,
        }
    }
}

/// Lines of one message that are passed over because they are no header.
const MOST_SKIPPED: usize = 8;
/// Offsets are 32 bits wide, whatever the limits say.
const MOST_OCTETS: usize = u32::MAX as usize;
