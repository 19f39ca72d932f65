//! One parsed message: its octets and an index of them.

mod excerpt;
mod index;
mod validate;

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;

use crate::error::{Finding, HeaderError, ParseError};
use crate::header::{Auth, CSeq, Header, NameAddr, Via, read_line};
use crate::limits::Limits;
use crate::method::Method;
use crate::name::{Known, Name};
use crate::scan::{holds_white, is_white, list_end, number, trim, unfold};
use crate::write::write_line;

pub use excerpt::Excerpt;
pub(crate) use index::{Flaws, Index, LineAt, Span, StartAt};

/// A SIP message as it stood on the wire, with an index of its lines.
///
/// Parsing finds the lines and checks nothing inside them; headers are read when asked for, as views that borrow the
/// message. Up to 24 header lines need no allocation. The view keeps the whole read buffer alive:
/// [`Message::into_exact`] is for what is kept longer.
///
/// Two messages are equal when their octets are, and read under limits that both are within.
#[derive(Clone, Eq, PartialEq)]
pub struct Message {
    bytes: Bytes,
    index: Index,
}

/// The first line of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StartLine<'m> {
    /// A request line.
    Request {
        /// As written: `Invite` is another method than `INVITE` (RFC 3261 7.1).
        method: Method<'m>,
        /// The Request-URI as written.
        uri: &'m str,
    },
    /// A status line.
    Response {
        /// The status, 100 to 699.
        status: u16,
        /// The reason phrase, possibly empty; usually UTF-8.
        reason: &'m [u8],
    },
}

/// One header line.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Line<'m> {
    /// The header's name.
    pub name: Name<'m>,
    /// The value without white space around it; folds inside it are kept.
    pub value: &'m [u8],
}

impl Message {
    /// Indexes a datagram or a framed message within the default [`Limits`].
    ///
    /// Octets behind the Content-Length are ignored (RFC 3261 18.3); line ends before the start line too.
    ///
    /// # Errors
    /// The octets are no SIP message, or more than the limits allow. Breaches of the protocol inside a message are
    /// found by [`Message::validate`].
    #[inline]
    pub fn parse(bytes: impl Into<Bytes>) -> Result<Message, ParseError> {
        Message::parse_with(bytes.into(), &Limits::default())
    }

    /// Indexes a message within the given limits.
    ///
    /// # Errors
    /// As [`Message::parse`].
    #[inline]
    pub fn parse_with(bytes: Bytes, limits: &Limits) -> Result<Message, ParseError> {
        let mut message = Message { bytes, index: Index::empty() };
        message.index.fill(&message.bytes, limits)?;
        Ok(message)
    }

    /// A message that was put together here; the index is that of its octets.
    pub(crate) fn of_parts(bytes: Bytes, index: Index) -> Message {
        Message { bytes, index }
    }

    /// The same message with one header line more: before a closing Content-Length, else behind the last line. No other
    /// octet is touched, so that a signature over the message can be put into it.
    ///
    /// The value cannot leave its line: characters that no header may hold become blanks. A Content-Length is not added,
    /// nor a line of a name without any character that a name may have.
    ///
    /// ```
    /// use homing_wire::{Builder, Method, Name};
    /// let unsigned = Builder::request(Method::Options, "sip:example.com").message();
    /// let signed = unsigned.with_header(Name::Authorization, "NTLM response=\"01\"");
    /// assert_eq!(
    ///     &signed.bytes()[..],
    ///     b"OPTIONS sip:example.com SIP/2.0\r\nAuthorization: NTLM response=\"01\"\r\nContent-Length: 0\r\n\r\n",
    /// );
    /// ```
    pub fn with_header(&self, name: Name<'_>, value: impl fmt::Display) -> Message {
        let mut line = String::with_capacity(WRITTEN_LINE);
        let count = self.index.lines.len();
        let last = self.index.lines.last().filter(|line| line.known == Some(Known::ContentLength));
        let (place, at) = match last {
            Some(last) => (count - 1, last.start as usize),
            None => (count, self.index.head_end as usize),
        };
        // The last line of a datagram may lack its end.
        let is_open = !self.bytes[..at].ends_with(b"\r\n");
        let end = if is_open { "\r\n" } else { "" };
        let written =
            write_line(&mut line, name, value).filter(|line| line.known != Some(Known::ContentLength));
        let Some(written) = written else { return self.clone() };
        let mut bytes = Vec::with_capacity(self.bytes.len() + end.len() + line.len());
        bytes.extend_from_slice(&self.bytes[..at]);
        bytes.extend_from_slice(end.as_bytes());
        bytes.extend_from_slice(line.as_bytes());
        bytes.extend_from_slice(&self.bytes[at..]);
        let mut index = self.index.clone();
        index.insert(place, LineAt::written(written).at(at + end.len()), end.len() + line.len());
        Message { bytes: bytes.into(), index }
    }

    /// The message exactly as on the wire.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The same message in storage of its own size, for what outlives its transaction.
    pub fn into_exact(self) -> Message {
        Message { bytes: Bytes::copy_from_slice(&self.bytes), index: self.index }
    }

    /// The first line.
    pub fn start(&self) -> StartLine<'_> {
        match self.index.start {
            StartAt::Request { method, uri } => {
                StartLine::Request { method: Method::parse(self.ascii(method)), uri: self.ascii(uri) }
            }
            StartAt::Response { status, reason } => {
                StartLine::Response { status, reason: &self.bytes[reason.range()] }
            }
        }
    }

    /// Whether this is a request.
    pub fn is_request(&self) -> bool {
        matches!(self.index.start, StartAt::Request { .. })
    }

    /// The method of a request.
    pub fn method(&self) -> Option<Method<'_>> {
        match self.index.start {
            StartAt::Request { method, .. } => Some(Method::parse(self.ascii(method))),
            StartAt::Response { .. } => None,
        }
    }

    /// The Request-URI of a request, as written.
    pub fn request_uri(&self) -> Option<&str> {
        match self.index.start {
            StartAt::Request { uri, .. } => Some(self.ascii(uri)),
            StartAt::Response { .. } => None,
        }
    }

    /// The status of a response.
    pub fn status(&self) -> Option<u16> {
        match self.index.start {
            StartAt::Request { .. } => None,
            StartAt::Response { status, .. } => Some(status),
        }
    }

    /// The body: as long as Content-Length says, or up to the end where there is none (a datagram). Empty where
    /// Content-Length is wrong; [`Message::validate`] tells.
    pub fn body(&self) -> &[u8] {
        &self.bytes[self.index.body.range()]
    }

    /// The header lines in order.
    pub fn headers(&self) -> impl Iterator<Item = Line<'_>> {
        self.index.lines.iter().map(|line| Line { name: self.name_of(line), value: self.value_of(line) })
    }

    /// The lines that are no header and were passed over, at most eight, as they stand without their end. No reader of
    /// headers sees them, and nothing that is built from the message carries them. In a request they are a breach.
    pub fn skipped(&self) -> impl Iterator<Item = &[u8]> {
        self.index.skipped.iter().map(|skipped| trim(&self.bytes[skipped.range()]))
    }

    /// True for SIP/2.0, whatever the letter case.
    pub fn is_sip_2(&self) -> bool {
        !self.index.flaws.has(Flaws::VERSION)
    }

    /// True where Content-Length, if there is one, stands once, is a number, and not more than there is.
    pub fn has_sound_length(&self) -> bool {
        self.index.flaws.has_sound_length()
    }

    /// The value of every line of that name, compact forms included.
    pub fn lines(&self, name: Name<'_>) -> impl Iterator<Item = &[u8]> {
        self.lines_of(name).map(|line| self.value_of(line))
    }

    /// The value of the first line of that name, unfolded; octets that are no UTF-8 are replaced.
    pub fn text(&self, name: Name<'_>) -> Option<Cow<'_, str>> {
        self.lines(name).next().map(unfold)
    }

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

    /// Every value of that header in order, lists split; after a malformed value its line goes on behind the next
    /// comma.
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
                    None => {
                        let end = if H::LIST { list_end(value).ok().flatten() } else { None };
                        rest = end.map(|end| &value[end + 1..]);
                        Err(HeaderError::Malformed(H::NAME))
                    }
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
        self.lines(Name::Via).map(index::count_list).sum()
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
            .filter_map(|item| str::from_utf8(trim(item)).ok())
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

    /// What a user agent server must object to, gravest first; a *response* with any finding is to be dropped.
    ///
    /// 501 (an unknown method) and 416 (a Request-URI of an unknown scheme) are for the end that serves the request:
    /// a proxy forwards both. What depends on abilities (Require, Content-Type) is not judged here; see
    /// [`Message::unsupported`].
    pub fn validate(&self) -> Vec<Finding> {
        validate::findings(self)
    }

    pub(crate) fn index(&self) -> &Index {
        &self.index
    }

    pub(crate) fn lines_of(&self, name: Name<'_>) -> impl Iterator<Item = &LineAt> {
        let known = name.known();
        self.index.lines.iter().filter(move |line| match known {
            Some(_) => line.known == known,
            None => {
                line.known.is_none() && self.name_bytes(line).eq_ignore_ascii_case(name.as_str().as_bytes())
            }
        })
    }

    pub(crate) fn first(&self, known: Known) -> Option<&[u8]> {
        self.index.lines.iter().find(|line| line.known == Some(known)).map(|line| self.value_of(line))
    }

    fn value_of(&self, line: &LineAt) -> &[u8] {
        &self.bytes[line.value.range()]
    }

    fn name_bytes(&self, line: &LineAt) -> &[u8] {
        let start = line.start as usize;
        &self.bytes[start..start + usize::from(line.name_len)]
    }

    fn name_of(&self, line: &LineAt) -> Name<'_> {
        match line.known {
            Some(known) => known.name(),
            // The index takes token characters only, which are ASCII.
            None => Name::Other(str::from_utf8(self.name_bytes(line)).unwrap_or("")),
        }
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

    /// A span the index has found to be UTF-8.
    fn ascii(&self, span: Span) -> &str {
        str::from_utf8(&self.bytes[span.range()]).unwrap_or("")
    }
}

/// Steps over white space and empty values to the next one; `None` at the end of the line.
fn skip_empty(value: &[u8]) -> Option<&[u8]> {
    let start = value.iter().position(|octet| *octet != b',' && !is_white(*octet))?;
    Some(&value[start..])
}

/// Without the value where it is a challenge, credentials or a signature.
impl fmt::Debug for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name.known() {
            Some(known) if known.is_auth() => write!(f, "{}: …", self.name),
            _ => write!(f, "{}: {:?}", self.name, String::from_utf8_lossy(self.value)),
        }
    }
}

/// The start line only: headers and bodies hold credentials and private words.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.start() {
            StartLine::Request { method, uri } => write!(f, "Message({method} {uri:?})"),
            StartLine::Response { status, reason } => {
                write!(f, "Message({status} {:?})", String::from_utf8_lossy(reason))
            }
        }
    }
}

/// The octets of a message.
impl From<Message> for Bytes {
    fn from(message: Message) -> Bytes {
        message.bytes
    }
}

/// Octets that a signature or an answer to a challenge takes.
const WRITTEN_LINE: usize = 512;

#[cfg(test)]
mod tests;
