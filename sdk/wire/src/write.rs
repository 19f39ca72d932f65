//! Writing texts so that they cannot leave the place they are written to.

use std::fmt::{self, Write};
use std::ops::Range;

use crate::name::{Known, Name};
use crate::scan::is_token;

/// A place in a message, and with it the characters that must not be written there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    /// A header value: no CR, LF, NUL nor other control characters; they become blanks.
    Value,
    /// Inside a quoted string: quotes and backslashes get a backslash besides.
    Quoted,
}

/// A writer that lets through only what its place may hold.
pub(crate) struct Clean<'w, W: Write> {
    pub(crate) to: &'w mut W,
    pub(crate) place: Place,
}

impl<W: Write> Write for Clean<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let quoted = self.place == Place::Quoted;
        // Nearly all text is clean: one pass without branches finds that out.
        let is_dirty = |octet: u8| octet < b' ' || octet == 0x7f || quoted && matches!(octet, b'"' | b'\\');
        if !text.bytes().fold(false, |dirty, octet| dirty | is_dirty(octet)) {
            return self.to.write_str(text);
        }
        let mut from = 0;
        for (at, octet) in text.bytes().enumerate() {
            let instead = match octet {
                0..b' ' | 0x7f => " ",
                b'"' if quoted => "\\\"",
                b'\\' if quoted => "\\\\",
                _ => continue,
            };
            self.to.write_str(&text[from..at])?;
            self.to.write_str(instead)?;
            from = at + 1;
        }
        self.to.write_str(&text[from..])
    }
}

/// A writer for a URI: blanks, controls, quotes, angle brackets and what is not ASCII are escaped.
pub(crate) struct UriText<'w, W: Write> {
    pub(crate) to: &'w mut W,
}

impl<W: Write> Write for UriText<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut from = 0;
        for (at, octet) in text.bytes().enumerate() {
            if !matches!(octet, 0..=b' ' | 0x7f.. | b'<' | b'>' | b'"') {
                continue;
            }
            // Every octet of a character beyond ASCII is replaced, so both cuts fall between characters.
            self.to.write_str(text.get(from..at).unwrap_or(""))?;
            write!(self.to, "%{octet:02X}")?;
            from = at + 1;
        }
        self.to.write_str(text.get(from..).unwrap_or(""))
    }
}

/// A token; what no token may hold is left out.
pub(crate) struct Token<'t>(pub(crate) &'t str);

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.bytes().all(is_token) {
            return f.write_str(self.0);
        }
        self.0
            .chars()
            .filter(|c| c.is_ascii() && u8::try_from(*c).is_ok_and(is_token))
            .try_for_each(|c| f.write_char(c))
    }
}

/// A quoted string around any text.
pub(crate) struct Quoted<'t>(pub(crate) &'t str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        Clean { to: f, place: Place::Quoted }.write_str(self.0)?;
        f.write_char('"')
    }
}

/// `;name`, `;name=token` or, where the value is no token, `;name="text"`.
pub(crate) fn param(f: &mut impl Write, name: &str, value: Option<&str>) -> fmt::Result {
    write!(f, ";{}", Token(name))?;
    match value {
        None => Ok(()),
        Some(value) if !value.is_empty() && value.bytes().all(is_token) => write!(f, "={value}"),
        Some(value) => write!(f, "={}", Quoted(value)),
    }
}

/// Where the parts of a written header line stand, counted from its beginning.
pub(crate) struct WrittenLine {
    pub(crate) known: Option<Known>,
    pub(crate) name_len: u16,
    /// The value without blanks around it.
    pub(crate) value: Range<usize>,
}

/// Appends one header line with its end; nothing and `None` where the name has no character that may stand in one.
pub(crate) fn write_line(to: &mut String, name: Name<'_>, value: impl fmt::Display) -> Option<WrittenLine> {
    let start = to.len();
    // Writing to a String cannot fail.
    let _ = write!(to, "{}", Token(name.as_str()));
    let name_len = to.len() - start;
    let Some(length) = u16::try_from(name_len).ok().filter(|length| *length > 0) else {
        to.truncate(start);
        return None;
    };
    // What was left out of a name can make a known one of it.
    let known = match name {
        Name::Other(_) => Known::parse(&to.as_bytes()[start..]),
        known => known.known(),
    };
    to.push_str(": ");
    let _ = write!(Clean { to, place: Place::Value }, "{value}");
    to.truncate(to.trim_end_matches(' ').len().max(start + name_len + 1));
    let text = &to[start + name_len + 1..];
    let value = to.len() - start - text.trim_start_matches(' ').len()..to.len() - start;
    to.push_str("\r\n");
    Some(WrittenLine { known, name_len: length, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_leaves_its_quotes() {
        assert_eq!(Quoted("a\"b\\\r\nc\0").to_string(), "\"a\\\"b\\\\  c \"");
    }

    #[test]
    fn a_uri_keeps_its_brackets() {
        let mut text = String::new();
        UriText { to: &mut text }.write_str("sip:a>\r\nb\"ж@c").unwrap();
        assert_eq!(text, "sip:a%3E%0D%0Ab%22%D0%B6@c");
    }

    #[test]
    fn a_token_is_only_tokens() {
        assert_eq!(Token("tag: x\r\n").to_string(), "tagx");
    }

    #[test]
    fn a_parameter_is_quoted_where_it_must() {
        let mut text = String::new();
        param(&mut text, "lr", None).unwrap();
        param(&mut text, "tag", Some("a1")).unwrap();
        param(&mut text, "+sip.instance", Some("<urn:uuid:1>")).unwrap();
        assert_eq!(text, r#";lr;tag=a1;+sip.instance="<urn:uuid:1>""#);
    }
}
