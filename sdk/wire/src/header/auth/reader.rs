//! Reads auth header lines: schemes, names and values as leniently as peers write them.

use smallvec::SmallVec;

use super::Auth;
use super::key::Key;
use crate::scan::{Cursor, is_white, quote_end, trim_end};

/// Every scheme of one header value, in order. RFC 3261 allows one per line; a known scheme's name begins another.
pub(crate) fn read_line(value: &[u8]) -> Schemes<'_> {
    Schemes { cursor: Cursor::new(value), left: MOST_SCHEMES }
}

/// The schemes of one line.
pub(crate) struct Schemes<'m> {
    cursor: Cursor<'m>,
    left: u8,
}

impl<'m> Iterator for Schemes<'m> {
    type Item = Auth<'m>;

    #[inline]
    fn next(&mut self) -> Option<Auth<'m>> {
        self.left = self.left.checked_sub(1)?;
        read_scheme(&mut self.cursor)
    }
}

/// Small, so that it is compiled into its callers and a header is read where it will stand.
#[inline]
fn read_scheme<'m>(cursor: &mut Cursor<'m>) -> Option<Auth<'m>> {
    skip_commas(cursor);
    let (line, start) = (cursor.rest(), *cursor);
    let mut scheme = cursor.token()?;
    if !lacks_equals(*cursor) {
        // Authentication-Info of Digest names no scheme (RFC 7616 section 3.5): this is its first parameter.
        *cursor = start;
        scheme = "";
    }
    let mut auth = Auth { scheme, line, params: SmallVec::new(), seen: 0, conflicting: false };
    read_params(cursor, &mut auth);
    Some(auth)
}

/// Reads up to the end of the line or to the next scheme.
#[inline(never)]
fn read_params<'m>(cursor: &mut Cursor<'m>, auth: &mut Auth<'m>) {
    let escapes = !is_microsoft(auth.scheme);
    loop {
        skip_commas(cursor);
        let rest = cursor.rest();
        let (key, name) = match Key::begins(rest) {
            Some((key, length)) => {
                cursor.take(length + 1);
                (key, &rest[..length])
            }
            None if rest.is_empty() || begins_scheme(rest) => return,
            None => match read_name(cursor) {
                Some(name) => (Key::parse(name), name),
                None => continue,
            },
        };
        cursor.skip_white();
        let value = read_value(cursor, escapes);
        if !name.is_empty() && !auth.push(key, name, value) {
            cursor.take(usize::MAX);
            return;
        }
    }
}

/// A name up to its equals sign, which is taken too; `None` where a comma or the end comes before it.
fn read_name<'m>(cursor: &mut Cursor<'m>) -> Option<&'m [u8]> {
    let name = trim_end(cursor.take_while(|octet| !matches!(octet, b'=' | b',')));
    cursor.eat(b'=').then_some(name)
}

/// A scheme whose values are never escaped with a backslash (MS-SIPAE 2.2).
pub(super) fn is_microsoft(scheme: &str) -> bool {
    ["NTLM", "Kerberos", "TLS-DSK"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
}

fn skip_commas(cursor: &mut Cursor<'_>) {
    cursor.take_while(|octet| octet == b',' || is_white(octet));
}

/// A known scheme stands here, alone or with a blank behind it.
fn begins_scheme(rest: &[u8]) -> bool {
    let candidates: &[&[u8]] = match rest.first().map(|octet| octet | 0x20) {
        Some(b'n') => &[b"NTLM", b"Negotiate"],
        Some(b'k') => &[b"Kerberos"],
        Some(b't') => &[b"TLS-DSK"],
        Some(b'd') => &[b"Digest"],
        Some(b'b') => &[b"Basic", b"Bearer"],
        _ => return false,
    };
    candidates.iter().any(|scheme| match rest.split_at_checked(scheme.len()) {
        Some((word, behind)) if word.eq_ignore_ascii_case(scheme) => match behind.first() {
            None | Some(b',') => true,
            Some(octet) => is_white(*octet) && lacks_equals(Cursor::new(behind)),
        },
        _ => false,
    })
}

/// Whether there is no `=` behind white space: then the word before was no parameter name.
fn lacks_equals(mut cursor: Cursor<'_>) -> bool {
    cursor.skip_white();
    cursor.peek() != Some(b'=')
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
const MOST_SCHEMES: u8 = 16;
