//! The one pass over a message: where its lines begin and end.

mod start;

use std::ops::Range;

use smallvec::SmallVec;

use crate::error::{Bound, ParseError};
use crate::limits::Limits;
use crate::name::Known;
use crate::scan::{is_token, is_white, list_end, number};

/// A part of the message.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// Callers stay below [`MOST_OCTETS`], so no offset is cut.
    fn new(start: usize, end: usize) -> Span {
        #[expect(clippy::cast_possible_truncation, reason = "a message is at most MOST_OCTETS long")]
        Span { start: start as u32, end: end as u32 }
    }

    pub(crate) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum StartAt {
    Request { method: Span, uri: Span },
    Response { status: u16, reason: Span },
}

/// One header line: where its name begins, where its value stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LineAt {
    pub(crate) start: u32,
    pub(crate) value: Span,
    pub(crate) name_len: u16,
    pub(crate) known: Option<Known>,
}

#[derive(Clone, Debug)]
pub(crate) struct Index {
    /// Where the start line begins: line ends may come before it.
    pub(crate) begin: u32,
    pub(crate) start: StartAt,
    pub(crate) lines: SmallVec<[LineAt; 24]>,
    /// Where the line behind the last header begins.
    pub(crate) head_end: u32,
    pub(crate) body: Span,
    pub(crate) flaws: Flaws,
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

    pub(crate) fn has(self, flaw: Flaws) -> bool {
        self.0 & flaw.0 != 0
    }

    /// Content-Length, where there is one, tells the truth.
    pub(crate) fn has_sound_length(self) -> bool {
        self.0 & (Flaws::LENGTH_MALFORMED.0 | Flaws::LENGTH_TWICE.0 | Flaws::LENGTH_OVER.0) == 0
    }

    fn add(&mut self, flaw: Flaws) {
        self.0 |= flaw.0;
    }
}

pub(super) fn index(bytes: &[u8], limits: &Limits) -> Result<Index, ParseError> {
    if bytes.len() > limits.message.min(MOST_OCTETS) {
        return Err(ParseError::TooLarge(Bound::Message));
    }
    let begin = skip_line_ends(bytes);
    if begin == bytes.len() {
        return Err(ParseError::Empty);
    }
    let mut flaws = Flaws::default();
    let (end, next) = line_end(bytes, begin)?;
    let start = start::read(bytes, begin..end, limits, &mut flaws)?;
    let mut pass = Pass { bytes, limits, at: next, lines: SmallVec::new(), length: None, flaws };
    pass.headers()?;
    let (head_end, body) = pass.body()?;
    check_counts(bytes, &pass.lines, limits)?;
    let begin = Span::new(begin, begin).start;
    Ok(Index { begin, start, lines: pass.lines, head_end, body, flaws: pass.flaws })
}

struct Pass<'m> {
    bytes: &'m [u8],
    limits: &'m Limits,
    at: usize,
    lines: SmallVec<[LineAt; 24]>,
    length: Option<Span>,
    flaws: Flaws,
}

impl Pass<'_> {
    fn headers(&mut self) -> Result<(), ParseError> {
        loop {
            match self.bytes.get(self.at..).unwrap_or(&[]) {
                [b'\r', b'\n', ..] => return Ok(()),
                [] => {
                    self.flaws.add(Flaws::OPEN_HEAD);
                    return Ok(());
                }
                _ => self.line()?,
            }
        }
    }

    fn line(&mut self) -> Result<(), ParseError> {
        let start = self.at;
        let (name_len, known, colon) = self.name()?;
        let value = self.value(colon + 1)?;
        let most = if known.is_some_and(Known::is_auth) { self.limits.auth_line } else { self.limits.line };
        if self.at - start > most.max(self.limits.line) {
            return Err(ParseError::TooLarge(Bound::Line));
        }
        if self.lines.len() == self.limits.headers {
            return Err(ParseError::TooLarge(Bound::Headers));
        }
        if known == Some(Known::ContentLength) && self.length.replace(value).is_some() {
            self.flaws.add(Flaws::LENGTH_TWICE);
        }
        self.lines.push(LineAt { start: Span::new(start, start).start, value, name_len, known });
        Ok(())
    }

    /// The name at the beginning of the line: its length, which one it is, and where its colon stands.
    fn name(&self) -> Result<(u16, Option<Known>, usize), ParseError> {
        let line = &self.bytes[self.at..];
        if let Some(colon) = near_colon(line)
            && let Some(known) = Known::parse(&line[..colon])
        {
            // No known name is longer than the few octets just looked at.
            return Ok((u16::try_from(colon).unwrap_or(u16::MAX), Some(known), self.at + colon));
        }
        let end = line.iter().position(|octet| !is_token(*octet)).ok_or(ParseError::HeaderLine)?;
        let blanks = line[end..].iter().take_while(|octet| matches!(octet, b' ' | b'\t')).count();
        if end == 0 || line.get(end + blanks) != Some(&b':') {
            return Err(ParseError::HeaderLine);
        }
        let length = u16::try_from(end).map_err(|_| ParseError::TooLarge(Bound::Line))?;
        Ok((length, Known::parse(&line[..end]), self.at + end + blanks))
    }

    /// The value that begins behind the colon, with its folds; moves to the line behind it.
    fn value(&mut self, mut from: usize) -> Result<Span, ParseError> {
        while matches!(self.bytes.get(from), Some(b' ' | b'\t')) {
            from += 1;
        }
        let (mut end, mut next) = line_end(self.bytes, from)?;
        while matches!(self.bytes.get(next), Some(b' ' | b'\t')) && next > end {
            (end, next) = line_end(self.bytes, next)?;
        }
        self.at = next;
        while from < end && is_white(self.bytes[from]) {
            from += 1;
        }
        while end > from && is_white(self.bytes[end - 1]) {
            end -= 1;
        }
        Ok(Span::new(from, end))
    }

    /// The body, and where the head's lines end.
    fn body(&mut self) -> Result<(u32, Span), ParseError> {
        let head_end = Span::new(self.at, self.at).start;
        let from = if self.flaws.has(Flaws::OPEN_HEAD) { self.at } else { self.at + 2 };
        let there = self.bytes.len() - from;
        let length = match self.length {
            None => there,
            Some(_) if self.flaws.has(Flaws::LENGTH_TWICE) => 0,
            Some(span) => match number(&self.bytes[span.range()]).map(|length| length as usize) {
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
        if length > self.limits.body {
            return Err(ParseError::TooLarge(Bound::Body));
        }
        Ok((head_end, Span::new(from, from + length)))
    }
}

/// Where the first colon stands, as far as it is among the first 32 octets; eight are judged at a time.
fn near_colon(line: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    const COLONS: u64 = u64::from_ne_bytes([b':'; 8]);
    let (words, _) = line[..line.len().min(32)].as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        let differs = u64::from_le_bytes(*word) ^ COLONS;
        // The lowest octet that is zero shows as a high bit, whatever stands above it.
        let zero = differs.wrapping_sub(ONES) & !differs & HIGH;
        if zero != 0 {
            return Some(number * 8 + zero.trailing_zeros() as usize / 8);
        }
    }
    None
}

fn skip_line_ends(bytes: &[u8]) -> usize {
    let mut at = 0;
    while bytes[at..].starts_with(b"\r\n") {
        at += 2;
    }
    at
}

/// Where the line that holds `from` ends, and where the next one begins. The last line may end with the message.
fn line_end(bytes: &[u8], from: usize) -> Result<(usize, usize), ParseError> {
    match memchr::memchr2(b'\r', b'\n', &bytes[from..]) {
        None => Ok((bytes.len(), bytes.len())),
        Some(found) => match bytes[from + found..] {
            [b'\r', b'\n', ..] => Ok((from + found, from + found + 2)),
            _ => Err(ParseError::BareLineEnd),
        },
    }
}

/// Via and Contact values are counted where they could be too many; most messages show it by their line count.
fn check_counts(bytes: &[u8], lines: &[LineAt], limits: &Limits) -> Result<(), ParseError> {
    for (known, most, bound) in
        [(Known::Via, limits.vias, Bound::Vias), (Known::Contact, limits.contacts, Bound::Contacts)]
    {
        let values =
            || lines.iter().filter(|line| line.known == Some(known)).map(|line| &bytes[line.value.range()]);
        let at_most: usize = values().map(|value| commas(value) + 1).sum();
        if at_most > most && values().map(count_list).sum::<usize>() > most {
            return Err(ParseError::TooLarge(bound));
        }
    }
    Ok(())
}

/// Counted in octets, a chunk at a time, so that many are counted at once.
fn commas(value: &[u8]) -> usize {
    let in_chunk = |chunk: &[u8]| chunk.iter().map(|octet| u8::from(*octet == b',')).sum::<u8>();
    value.chunks(128).map(|chunk| usize::from(in_chunk(chunk))).sum()
}

/// How many values a list has, empty ones not counted; a value whose quote stays open ends it.
pub(crate) fn count_list(mut value: &[u8]) -> usize {
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

/// Offsets are 32 bits wide, whatever the limits say.
const MOST_OCTETS: usize = u32::MAX as usize;
