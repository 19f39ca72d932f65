//! A cursor over the octets of one header value: tokens, quoted strings, linear white space.

use crate::class::Class;

/// Walks one header value from left to right; nothing is read twice.
///
/// The index has made sure that CR LF inside a value is a fold, so both count as white space here.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'m> {
    rest: &'m [u8],
}

impl<'m> Cursor<'m> {
    pub(crate) fn new(value: &'m [u8]) -> Cursor<'m> {
        Cursor { rest: value }
    }

    pub(crate) fn rest(&self) -> &'m [u8] {
        self.rest
    }

    pub(crate) fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Takes `count` octets, or all there are.
    pub(crate) fn take(&mut self, count: usize) -> &'m [u8] {
        let (taken, rest) = self.rest.split_at(count.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    pub(crate) fn eat(&mut self, octet: u8) -> bool {
        match self.rest {
            [first, rest @ ..] if *first == octet => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// `SWS octet SWS`.
    pub(crate) fn eat_spaced(&mut self, octet: u8) -> bool {
        self.skip_white();
        let found = self.eat(octet);
        if found {
            self.skip_white();
        }
        found
    }

    pub(crate) fn skip_white(&mut self) {
        while let [b' ' | b'\t' | b'\r' | b'\n', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    pub(crate) fn take_while(&mut self, accept: impl Fn(u8) -> bool) -> &'m [u8] {
        let end = self.rest.iter().position(|octet| !accept(*octet)).unwrap_or(self.rest.len());
        self.take(end)
    }

    /// RFC 3261 25.1 `token`, at least one octet.
    pub(crate) fn token(&mut self) -> Option<&'m str> {
        let token = self.take_while(is_token);
        if token.is_empty() { None } else { str::from_utf8(token).ok() }
    }

    /// A decimal number up to `u32::MAX`.
    pub(crate) fn number(&mut self) -> Option<u32> {
        let digits = self.take_while(|octet| octet.is_ascii_digit());
        number(digits)
    }

    /// What stands between two quotes, escapes untouched; `None` when the second quote is missing.
    pub(crate) fn quoted(&mut self) -> Option<&'m [u8]> {
        let inside = self.rest.strip_prefix(b"\"")?;
        let end = quote_end(inside)?;
        self.rest = &inside[end + 1..];
        Some(&inside[..end])
    }
}

/// Where the closing quote stands in `inside`, which begins after the opening one.
pub(crate) fn quote_end(inside: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + memchr::memchr2(b'"', b'\\', &inside[from..])?;
        if inside[at] == b'"' {
            return Some(at);
        }
        from = at + 2;
        if from > inside.len() {
            return None;
        }
    }
}

/// Where the first comma stands that is in no quotes and no angle brackets; `Err` when a quote stays open.
pub(crate) fn list_end(value: &[u8]) -> Result<Option<usize>, Unbalanced> {
    let mut from = 0;
    while let Some(found) = memchr::memchr3(b',', b'"', b'<', &value[from..]) {
        let at = from + found;
        from = match value[at] {
            b',' => return Ok(Some(at)),
            b'"' => at + 2 + quote_end(&value[at + 1..]).ok_or(Unbalanced)?,
            _ => at + 1 + memchr::memchr(b'>', &value[at..]).ok_or(Unbalanced)?,
        };
    }
    Ok(None)
}

/// A quote or an angle bracket was opened and not closed.
#[derive(Debug)]
pub(crate) struct Unbalanced;

pub(crate) fn is_white(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

/// Whether white space stands in a text; one that holds other control characters is looked at twice.
pub(crate) fn holds_white(text: &[u8]) -> bool {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    let (words, rest) = text.as_chunks::<8>();
    let holds_low = |word: &[u8; 8]| {
        let word = u64::from_ne_bytes(*word);
        word.wrapping_sub(ONES * u64::from(b' ' + 1)) & !word & HIGH != 0
    };
    (words.iter().any(holds_low) || rest.iter().any(|octet| *octet <= b' '))
        && text.iter().any(|octet| is_white(*octet))
}

pub(crate) fn is_token(octet: u8) -> bool {
    Class::TOKEN.has(octet)
}

/// The value without white space around it.
pub(crate) fn trim(value: &[u8]) -> &[u8] {
    trim_end(trim_start(value))
}

pub(crate) fn trim_start(mut value: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = value
        && is_white(*first)
    {
        value = rest;
    }
    value
}

pub(crate) fn trim_end(mut value: &[u8]) -> &[u8] {
    while let [rest @ .., last] = value
        && is_white(*last)
    {
        value = rest;
    }
    value
}

/// A decimal number up to `u32::MAX`; leading zeros count as nothing.
pub(crate) fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u32, |sum, digit| {
        let digit = digit.is_ascii_digit().then(|| u32::from(digit - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

/// Text with folds undone (each fold becomes one blank) and octets that are no UTF-8 replaced.
pub(crate) fn unfold(value: &[u8]) -> std::borrow::Cow<'_, str> {
    if memchr::memchr(b'\r', value).is_none() {
        return lossy(value);
    }
    let mut flat = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = memchr::memchr(b'\r', rest) {
        flat.extend_from_slice(trim_end(&rest[..at]));
        flat.push(b' ');
        let white = rest[at..].iter().take_while(|octet| is_white(**octet)).count();
        rest = &rest[at + white..];
    }
    flat.extend_from_slice(rest);
    String::from_utf8_lossy(&flat).into_owned().into()
}

/// The octets as text, those that are no UTF-8 replaced; whole texts, which are the rule, are judged at once.
pub(crate) fn lossy(octets: &[u8]) -> std::borrow::Cow<'_, str> {
    match str::from_utf8(octets) {
        Ok(text) => text.into(),
        Err(_) => String::from_utf8_lossy(octets),
    }
}

/// The plain text of what stood between two quotes: escapes and folds undone.
pub(crate) fn unquoted(inside: &[u8]) -> std::borrow::Cow<'_, str> {
    if memchr::memchr(b'\\', inside).is_none() {
        return unfold(inside);
    }
    let mut plain = Vec::with_capacity(inside.len());
    let mut octets = inside.iter();
    while let Some(octet) = octets.next() {
        plain.push(if *octet == b'\\' { *octets.next().unwrap_or(octet) } else { *octet });
    }
    unfold(&plain).into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_in_quotes_and_brackets_do_not_split() {
        assert_eq!(list_end(br#""a, b" <sip:x,y@z>;q=1, c"#).unwrap(), Some(22));
        assert_eq!(list_end(b"abc").unwrap(), None);
        assert!(list_end(br#""abc"#).is_err());
        assert!(list_end(br#""abc\"#).is_err());
        assert!(list_end(b"<sip:a").is_err());
    }

    #[test]
    fn quotes_end_at_the_first_unescaped_quote() {
        assert_eq!(Cursor::new(br#""a\"b\\" rest"#).quoted(), Some(&br#"a\"b\\"#[..]));
        assert_eq!(Cursor::new(br#""a\"#).quoted(), None);
    }

    #[test]
    fn white_space_is_seen_wherever_it_stands() {
        for at in 0..19 {
            for white in *b" \t\r\n" {
                let mut text = *b"sip:alice@example.c";
                assert!(!holds_white(&text));
                text[at] = white;
                assert!(holds_white(&text), "{at}");
            }
        }
        assert!(!holds_white(b"\0\x1f\x0b\x0c\x80\xff\xa0\x89\x0e") && !holds_white(b""));
    }

    #[test]
    fn numbers_stop_at_u32() {
        assert_eq!(number(b"0009"), Some(9));
        assert_eq!(number(b"4294967295"), Some(u32::MAX));
        assert_eq!(number(b"4294967296"), None);
        assert_eq!(number(b"-1"), None);
        assert_eq!(number(b""), None);
    }

    #[test]
    fn folds_become_one_blank() {
        assert_eq!(unfold(b"newfangled value\r\n  continued"), "newfangled value continued");
        assert_eq!(unfold(b"\r\n  a \r\n\t b"), " a b");
    }
}
