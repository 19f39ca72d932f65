//! Percent escapes in URIs: undone, compared, written.

use std::borrow::Cow;

/// The text with its escapes undone once; octets that are no UTF-8 are replaced.
pub(crate) fn undo(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let octets: Vec<u8> = octets(text).map(|(octet, _)| octet).collect();
    Cow::Owned(String::from_utf8_lossy(&octets).into_owned())
}

/// Equal without case, escapes undone.
pub(crate) fn same(one: &str, two: &str) -> bool {
    if !one.contains('%') && !two.contains('%') {
        return one.eq_ignore_ascii_case(two);
    }
    let lower = |(octet, _): (u8, bool)| octet.to_ascii_lowercase();
    octets(one).map(lower).eq(octets(two).map(lower))
}

/// Equal with case; an escape equals its character, except where the character is reserved (RFC 3261 19.1.4).
pub(crate) fn same_exact(one: &str, two: &str) -> bool {
    let key = |(octet, escaped): (u8, bool)| (octet, escaped && reserved(octet));
    octets(one).map(key).eq(octets(two).map(key))
}

/// The text with every character escaped that `keep` does not name and RFC 3261 does not call unreserved.
pub(crate) fn escaped(text: &str, keep: &[u8]) -> String {
    let mut written = String::with_capacity(text.len());
    for octet in text.bytes() {
        if unreserved(octet) || keep.contains(&octet) {
            written.push(octet.into());
        } else {
            written.push('%');
            written.push(DIGITS[usize::from(octet >> 4)].into());
            written.push(DIGITS[usize::from(octet & 15)].into());
        }
    }
    written
}

/// The text as a user part may stand in a URI: a valid escape stays as written, every other character that
/// may not stand there is escaped, so that a `%` which begins no escape becomes `%25`.
pub(crate) fn user_part(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        written.push_str(&escaped(&rest[..at], USER));
        let escape = rest.as_bytes().get(at + 1..at + 3);
        let valid = escape.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let end = if valid { at + 3 } else { at + 1 };
        written.push_str(if valid { &rest[at..end] } else { "%25" });
        rest = &rest[end..];
    }
    written.push_str(&escaped(rest, USER));
    written
}

/// Octets of the text, and whether each was written as an escape.
fn octets(text: &str) -> impl Iterator<Item = (u8, bool)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        let octet = *bytes.get(at)?;
        if octet == b'%'
            && let Some([high, low]) = bytes.get(at + 1..at + 3)
            && let (Some(high), Some(low)) = (digit(*high), digit(*low))
        {
            at += 3;
            return Some((high << 4 | low, true));
        }
        at += 1;
        Some((octet, false))
    })
}

fn digit(octet: u8) -> Option<u8> {
    match octet {
        b'0'..=b'9' => Some(octet - b'0'),
        b'a'..=b'f' => Some(octet - b'a' + 10),
        b'A'..=b'F' => Some(octet - b'A' + 10),
        _ => None,
    }
}

fn unreserved(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&octet)
}

fn reserved(octet: u8) -> bool {
    b";/?:@&=+$,".contains(&octet)
}

/// `user-unreserved` of RFC 3261 25.1.
pub(super) const USER: &[u8] = b"&=+$,;?/";
const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_once() {
        assert_eq!(undo("v%61lue%25%34%31"), "value%41");
        assert_eq!(undo("%Z%45%"), "%ZE%");
        assert_eq!(undo("null-%00-null"), "null-\0-null");
        assert_eq!(undo("%ff"), "\u{fffd}");
    }

    #[test]
    fn reserved_characters_differ_from_their_escapes() {
        assert!(same_exact("%61lice", "alice"));
        assert!(!same_exact("a%3Bb", "a;b"));
        assert!(!same_exact("%41lice", "alice"));
    }

    #[test]
    fn a_user_part_keeps_its_valid_escapes_only() {
        for (text, written) in [
            ("alice", "alice"),
            ("9901#1", "9901%231"),
            ("100%", "100%25"),
            ("100%2", "100%252"),
            ("100%2g", "100%252g"),
            ("a%2Fb%e4", "a%2Fb%e4"),
            ("%%41", "%25%41"),
            ("[x]", "%5Bx%5D"),
            ("ä#b", "%C3%A4%23b"),
            ("%ä", "%25%C3%A4"),
            ("+1;ext=2", "+1;ext=2"),
        ] {
            assert_eq!(user_part(text), written, "{text}");
            assert_eq!(user_part(written), written, "written once, it stays: {text}");
        }
    }

    #[test]
    fn writing_escapes_what_would_end_the_part() {
        assert_eq!(escaped("a b@c;d\r\n", b";"), "a%20b%40c;d%0D%0A");
        assert_eq!(undo(&escaped("жук %41", b"")), "жук %41");
    }
}
