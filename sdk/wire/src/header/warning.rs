//! Warning: what a server wants a person to know (RFC 3261 20.43).

use std::borrow::Cow;
use std::fmt;

use super::{Header, read_item};
use crate::name::Name;
use crate::scan::{is_white, unquoted};
use crate::write::Quoted;

/// An entry of the header field, which may hold several.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Warning<'m> {
    /// Three digits.
    pub code: u16,
    /// Who warns: a host or a pseudonym; empty where it is left out, as some servers do.
    pub agent: &'m str,
    /// Words, in plain text.
    pub text: Cow<'m, str>,
}

impl<'m> Header<'m> for Warning<'m> {
    const NAME: Name<'static> = Name::Warning;
    const LIST: bool = true;

    fn read(value: &'m [u8]) -> Option<(Self, &'m [u8])> {
        read_item(value, |cursor| {
            cursor.skip_white();
            let code = cursor.number().filter(|code| *code <= 999)?;
            cursor.skip_white();
            let agent = cursor.take_while(|octet| !is_white(octet) && octet != b'"' && octet != b',');
            let agent = str::from_utf8(agent).ok()?;
            cursor.skip_white();
            Some(Warning { code: u16::try_from(code).ok()?, agent, text: unquoted(cursor.quoted()?) })
        })
    }
}

impl fmt::Display for Warning<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let agent = if self.agent.is_empty() { "-" } else { self.agent };
        write!(f, "{:03} {agent} {}", self.code, Quoted(&self.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_printed() {
        let warning = Warning {
            code: 307,
            agent: "isi.edu:5060",
            text: "Session parameter \"foo\", not understood".into(),
        };
        let text = warning.to_string();
        assert_eq!(Warning::read(text.as_bytes()).unwrap().0, warning);
        let (_, rest) = Warning::read(b"301 a \"x, y\" , 302 b \"z\"").unwrap();
        assert_eq!(rest, b", 302 b \"z\"");
    }

    #[test]
    fn codes_have_three_digits() {
        for wrong in ["1812 overture \"In Progress\"", "399 x", "x y \"z\"", "399 a \"open", "\"x\""] {
            assert!(Warning::read(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }

    #[test]
    fn the_agent_may_be_left_out() {
        let (read, _) = Warning::read(b"399 \"no agent\"").unwrap();
        assert_eq!((read.agent, &*read.text), ("", "no agent"));
    }
}
