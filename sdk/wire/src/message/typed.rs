//! Typed views of a message's headers, read when asked.

use super::Message;
use super::index::count_list;
use crate::error::HeaderError;
use crate::header::{Auth, CSeq, Header, NameAddr, Via, read_line};
use crate::name::{Known, Name};
use crate::scan::{holds_white, is_white, number};

impl Message {
    /// The first value of that header.
    ///
    /// # Errors
    /// The header is there and malformed.
    pub fn get<'m, H: Header<'m>>(&'m self) -> Result<Option<H>, HeaderError> {
        for line in self.lines(H::NAME) {
            let value = if H::LIST { skip_empty(line) } else { Some(line) };
            if let Some(value) = value {
                let header = H::read(value).ok_or(HeaderError::Malformed(H::NAME))?;
                return Ok(Some(header.0));
            }
        }
        Ok(None)
    }

    /// Every value of that header in order, lists split; a malformed value ends its line.
    pub fn all<'m, H: Header<'m>>(&'m self) -> impl Iterator<Item = Result<H, HeaderError>> {
        self.lines(H::NAME).flat_map(|line| {
            let mut rest = Some(line);
            std::iter::from_fn(move || {
                let mut value = rest.take()?;
                if H::LIST {
                    value = skip_empty(value)?;
                }
                Some(match H::read(value) {
                    Some((header, behind)) => {
                        rest = behind.strip_prefix(b",");
                        Ok(header)
                    }
                    None => Err(HeaderError::Malformed(H::NAME)),
                })
            })
        })
    }

    /// The topmost Via.
    ///
    /// # Errors
    /// It is missing or malformed.
    pub fn via(&self) -> Result<Via<'_>, HeaderError> {
        self.get()?.ok_or(HeaderError::Missing(Name::Via))
    }

    /// How many Via values there are: lists split, compact forms counted, empty values not.
    pub fn via_count(&self) -> usize {
        self.lines(Name::Via).map(count_list).sum()
    }

    /// From.
    ///
    /// # Errors
    /// It is missing or malformed.
    pub fn from(&self) -> Result<NameAddr<'_>, HeaderError> {
        self.address(Known::From)
    }

    /// To.
    ///
    /// # Errors
    /// It is missing or malformed.
    pub fn to(&self) -> Result<NameAddr<'_>, HeaderError> {
        self.address(Known::To)
    }

    /// Call-ID, compared octet by octet.
    ///
    /// # Errors
    /// It is missing, empty, holds a blank or is no UTF-8.
    pub fn call_id(&self) -> Result<&str, HeaderError> {
        let value = self.first(Known::CallId).ok_or(HeaderError::Missing(Name::CallId))?;
        if value.is_empty() || holds_white(value) {
            return Err(HeaderError::Malformed(Name::CallId));
        }
        str::from_utf8(value).map_err(|_| HeaderError::Malformed(Name::CallId))
    }

    /// CSeq.
    ///
    /// # Errors
    /// It is missing, malformed or its number is no `u32`.
    pub fn cseq(&self) -> Result<CSeq<'_>, HeaderError> {
        let value = self.first(Known::CSeq).ok_or(HeaderError::Missing(Name::CSeq))?;
        CSeq::read(value).map(|(cseq, _)| cseq).ok_or(HeaderError::Malformed(Name::CSeq))
    }

    /// Expires, in seconds.
    ///
    /// # Errors
    /// It is there and no `u32`; RFC 3261 20.19 then has the default apply.
    pub fn expires(&self) -> Result<Option<u32>, HeaderError> {
        self.number(Known::Expires, u32::MAX)
    }

    /// Max-Forwards.
    ///
    /// # Errors
    /// It is there and no number from 0 to 255.
    pub fn max_forwards(&self) -> Result<Option<u8>, HeaderError> {
        let hops = self.number(Known::MaxForwards, u8::MAX.into())?;
        Ok(hops.and_then(|hops| u8::try_from(hops).ok()))
    }

    /// Whether a list header (Supported, Require, Allow, …) holds that token, in any case.
    pub fn has_token(&self, list: Name<'_>, token: &str) -> bool {
        self.tokens(list).any(|item| item.eq_ignore_ascii_case(token))
    }

    /// The items of a list header without blanks; items that are no UTF-8 are left out.
    pub fn tokens(&self, list: Name<'_>) -> impl Iterator<Item = &str> {
        self.lines(list)
            .flat_map(|line| line.split(|octet| *octet == b','))
            .filter_map(|item| str::from_utf8(crate::scan::trim(item)).ok())
            .filter(|item| !item.is_empty())
    }

    /// The items of a list header that are not among `known`: what Unsupported has to name when the list is Require
    /// (RFC 3261 8.2.2.3).
    pub fn unsupported<'m>(&'m self, list: Name<'_>, known: &'m [&str]) -> impl Iterator<Item = &'m str> {
        self.tokens(list).filter(|item| !known.iter().any(|known| known.eq_ignore_ascii_case(item)))
    }

    /// Every challenge, credential or signature of that header, in the one lenient grammar.
    pub fn auth(&self, name: Name<'_>) -> impl Iterator<Item = Auth<'_>> {
        // Written out, because a header is large and adapters would move it from hand to hand.
        let mut lines = self.lines(name);
        let mut line = None;
        std::iter::from_fn(move || {
            loop {
                let schemes = match &mut line {
                    Some(schemes) => schemes,
                    none => none.insert(read_line(lines.next()?)),
                };
                match schemes.next() {
                    None => line = None,
                    found => return found,
                }
            }
        })
    }

    fn address(&self, known: Known) -> Result<NameAddr<'_>, HeaderError> {
        let value = self.first(known).ok_or(HeaderError::Missing(known.name()))?;
        NameAddr::parse(value).ok_or(HeaderError::Malformed(known.name()))
    }

    fn number(&self, known: Known, most: u32) -> Result<Option<u32>, HeaderError> {
        let Some(value) = self.first(known) else { return Ok(None) };
        let value = number(value).filter(|value| *value <= most);
        value.map(Some).ok_or(HeaderError::Malformed(known.name()))
    }
}

/// Steps over white space and empty values to the next one; `None` at the end of the line.
fn skip_empty(value: &[u8]) -> Option<&[u8]> {
    let start = value.iter().position(|octet| *octet != b',' && !is_white(*octet))?;
    Some(&value[start..])
}
