//! One line of a session description, and attributes among lines.

use std::borrow::Cow;
use std::fmt;

use super::direction::Direction;
use super::error::SdpError;

/// `k=value`.
#[derive(Clone, Eq, PartialEq)]
pub struct Line<'m> {
    /// The letter before the equals sign.
    pub kind: u8,
    /// What stands behind it. When printed, CR, LF and NUL become blanks.
    pub value: Cow<'m, str>,
}

impl<'m> Line<'m> {
    pub(super) fn parse(text: &'m str) -> Result<Line<'m>, SdpError> {
        match text.as_bytes() {
            [kind, b'=', ..] if kind.is_ascii_alphabetic() => {
                Ok(Line { kind: *kind, value: text[2..].into() })
            }
            _ => Err(SdpError::Line),
        }
    }

    /// The same line, owning its text.
    pub fn into_owned(self) -> Line<'static> {
        Line { kind: self.kind, value: self.value.into_owned().into() }
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.kind.is_ascii_alphabetic() { char::from(self.kind) } else { 'x' };
        write!(f, "{kind}={}\r\n", Plain(&self.value))
    }
}

/// Without the value where it holds a key (`k=`, `a=crypto`) or a password of ICE.
impl fmt::Debug for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = char::from(self.kind);
        let attribute = self.value.split(':').next().unwrap_or("");
        match (self.kind, attribute) {
            (b'k', _) => write!(f, "{kind}=…"),
            (b'a', "crypto" | "ice-pwd" | "key-mgmt") => write!(f, "{kind}={attribute}:…"),
            _ => write!(f, "{kind}={:?}", self.value),
        }
    }
}

/// Text that cannot end its line.
pub(super) struct Plain<'t>(pub(super) &'t str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = self.0.split(['\r', '\n', '\0']);
        f.write_str(parts.next().unwrap_or(""))?;
        parts.try_for_each(|part| write!(f, " {part}"))
    }
}

/// The value of the first line of that kind.
pub(super) fn value<'l>(lines: &'l [Line<'_>], kind: u8) -> Option<&'l str> {
    lines.iter().find(|line| line.kind == kind).map(|line| &*line.value)
}

pub(super) fn attributes<'l>(lines: &'l [Line<'_>]) -> impl Iterator<Item = (&'l str, &'l str)> {
    lines
        .iter()
        .filter(|line| line.kind == b'a')
        .map(|line| line.value.split_once(':').unwrap_or((&line.value, "")))
}

pub(super) fn attribute<'l>(lines: &'l [Line<'_>], name: &str) -> Option<&'l str> {
    attributes(lines).find(|(key, _)| *key == name).map(|(_, value)| value)
}

pub(super) fn direction(lines: &[Line<'_>]) -> Option<Direction> {
    attributes(lines).find_map(|(name, _)| Direction::parse(name))
}

pub(super) fn new_attribute<'m>(name: &str, value: &str) -> Line<'m> {
    let text = if value.is_empty() { name.to_owned() } else { format!("{name}:{value}") };
    Line { kind: b'a', value: text.into() }
}
