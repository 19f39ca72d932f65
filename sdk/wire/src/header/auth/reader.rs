//! Reads auth header lines: schemes, names and values as leniently as peers write them.

use smallvec::SmallVec;

use super::key::Key;
use super::{Auth, Param};
use crate::scan::{Cursor, is_white, quote_end, trim_end};

/// Every scheme of one header value, in order. RFC 3261 allows one per line; a known scheme's name begins another.
pub(crate) fn read_line(value: &[u8]) -> impl Iterator<Item = Auth<'_>> {
    let mut cursor = Cursor::new(value);
    std::iter::from_fn(move || read_scheme(&mut cursor)).take(MOST_SCHEMES)
}

fn read_scheme<'m>(cursor: &mut Cursor<'m>) -> Option<Auth<'m>> {
    skip_commas(cursor);
    let scheme = cursor.token()?;
    let mut auth = Auth { scheme, params: SmallVec::new(), conflicting: false };
    let escapes = !is_microsoft(scheme);
    loop {
        skip_commas(cursor);
        if cursor.is_done() || begins_scheme(cursor.rest()) {
            return Some(auth);
        }
        let name = trim_end(cursor.take_while(|octet| !matches!(octet, b'=' | b',')));
        if !cursor.eat(b'=') {
            continue;
        }
        cursor.skip_white();
        let value = read_value(cursor, escapes);
        if !name.is_empty() && !auth.push(Param { key: Key::parse(name), name, value }) {
            cursor.take(usize::MAX);
            return Some(auth);
        }
    }
}

/// A scheme whose values are never escaped with a backslash (MS-SIPAE 2.2).
pub(super) fn is_microsoft(scheme: &str) -> bool {
    ["NTLM", "Kerberos", "TLS-DSK"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
}

fn skip_commas(cursor: &mut Cursor<'_>) {
    cursor.skip_white();
    while cursor.eat(b',') {
        cursor.skip_white();
    }
}

/// A known scheme stands here, alone or with a blank behind it.
fn begins_scheme(rest: &[u8]) -> bool {
    if !matches!(rest.first().map(|octet| octet | 0x20), Some(b'n' | b'k' | b't' | b'd' | b'b')) {
        return false;
    }
    SCHEMES.iter().any(|scheme| {
        rest.len() >= scheme.len()
            && rest[..scheme.len()].eq_ignore_ascii_case(scheme)
            && match &rest[scheme.len()..] {
                [] | [b',', ..] => true,
                behind => is_white(behind[0]) && Cursor::new(behind).eat_spaced_not_equals(),
            }
    })
}

impl Cursor<'_> {
    /// White space, and behind it no `=`: then the word before was no parameter name.
    fn eat_spaced_not_equals(mut self) -> bool {
        self.skip_white();
        self.peek() != Some(b'=')
    }
}

fn read_value<'m>(cursor: &mut Cursor<'m>, escapes: bool) -> &'m [u8] {
    let rest = cursor.rest();
    let (open, end, close) = match rest {
        [b'"', inside @ ..] if escapes => (1, quote_end(inside), 1),
        [b'"', inside @ ..] => (1, memchr::memchr(b'"', inside), 1),
        [0xe2, 0x80, 0x9c | 0x9d, inside @ ..] => {
            let end = typographic_end(inside);
            (3, end, end.map_or(0, |at| if inside[at] == b'"' { 1 } else { 3 }))
        }
        [0x93 | 0x94, inside @ ..] => (1, memchr::memchr3(0x93, 0x94, b'"', inside), 1),
        _ => return read_bare(cursor),
    };
    cursor.take(open);
    match end {
        Some(end) => {
            let value = cursor.take(end);
            cursor.take(close);
            value
        }
        None => trim_end(cursor.take(usize::MAX)),
    }
}

/// A value without quotes ends at a comma, or at a blank when a name and `=` follow it.
fn read_bare<'m>(cursor: &mut Cursor<'m>) -> &'m [u8] {
    let rest = cursor.rest();
    let end = memchr::memchr(b',', rest).unwrap_or(rest.len());
    let value = &rest[..end];
    if let Some(blank) = value.iter().position(|octet| is_white(*octet))
        && memchr::memchr(b'=', &value[blank..]).is_some()
    {
        return cursor.take(blank);
    }
    trim_end(cursor.take(end))
}

/// U+201C, U+201D or a plain quote.
fn typographic_end(inside: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + memchr::memchr2(0xe2, b'"', &inside[from..])?;
        if matches!(inside[at..], [b'"', ..] | [0xe2, 0x80, 0x9c | 0x9d, ..]) {
            return Some(at);
        }
        from = at + 1;
    }
}

/// More schemes than anybody offers on one line; the rest is not read.
const MOST_SCHEMES: usize = 16;

const SCHEMES: [&[u8]; 7] = [b"NTLM", b"Kerberos", b"TLS-DSK", b"Digest", b"Negotiate", b"Basic", b"Bearer"];
