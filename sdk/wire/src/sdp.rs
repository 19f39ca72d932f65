//! SDP as lines: what is understood is typed, what is not is kept (RFC 8866).

mod connection;
mod crypto;
mod direction;
mod error;
mod fmtp;
mod line;
mod media;
mod origin;
mod rtcp;
mod rtpmap;

use std::borrow::Cow;
use std::fmt;

use crate::scan::lossy;

pub use connection::Connection;
pub use crypto::{Crypto, InlineKey, Mki};
pub use direction::Direction;
pub use error::SdpError;
pub use fmtp::Fmtp;
pub use line::Line;
pub use media::Media;
pub use origin::Origin;
pub use rtcp::Rtcp;
pub use rtpmap::RtpMap;

/// A session description: the lines before the first `m=`, and the media.
///
/// Lenient: lines may end with LF alone, stand in any order, be missing or unknown; all are kept in order, so printing
/// a parsed description gives it back.
///
/// ```
/// use homing_wire::sdp::Session;
/// let body = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 49170 RTP/AVP 0\r\na=ptime:20\r\n";
/// let session = Session::parse(body.as_bytes()).unwrap();
/// assert_eq!(session.media[0].port, 49170);
/// assert_eq!(session.media[0].attribute("ptime"), Some("20"));
/// assert_eq!(session.to_string(), body);
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Session<'m> {
    /// The lines of the session level, `v=` first.
    pub lines: Vec<Line<'m>>,
    /// The media in order; an answer has as many as its offer.
    pub media: Vec<Media<'m>>,
}

impl<'m> Session<'m> {
    /// A description of our own with the usual lines: `v=0`, the origin, `s=-`, its address and `t=0 0`.
    pub fn new(origin: &Origin<'_>) -> Session<'m> {
        let line = |kind, value: String| Line { kind, value: value.into() };
        let connection = Connection { network: origin.network, address: origin.address };
        Session {
            lines: vec![
                line(b'v', "0".to_owned()),
                line(b'o', origin.to_string()),
                line(b's', "-".to_owned()),
                line(b'c', connection.to_string()),
                line(b't', "0 0".to_owned()),
            ],
            media: Vec::new(),
        }
    }

    /// Reads a body. Octets that are no UTF-8 are replaced.
    ///
    /// # Errors
    /// It is no session description, or larger than anybody needs.
    pub fn parse(body: &'m [u8]) -> Result<Session<'m>, SdpError> {
        if body.len() > MOST_OCTETS {
            return Err(SdpError::TooLarge);
        }
        match lossy(body) {
            Cow::Borrowed(text) => read(text),
            Cow::Owned(text) => read(&text).map(Session::into_owned),
        }
    }

    /// The origin, where the `o=` line is sound.
    pub fn origin(&self) -> Option<Origin<'_>> {
        Origin::parse(line::value(&self.lines, b'o')?)
    }

    /// The connection of the session level, where there is a sound one.
    pub fn connection(&self) -> Option<Connection<'_>> {
        Connection::parse(line::value(&self.lines, b'c')?)
    }

    /// The connection of one of the media: its own, or the session's.
    pub fn connection_of<'s>(&'s self, media: &'s Media<'_>) -> Option<Connection<'s>> {
        media.connection().or_else(|| self.connection())
    }

    /// The direction of one of the media: its own, the session's, or both ways (RFC 8866 6.7).
    pub fn direction_of(&self, media: &Media<'_>) -> Direction {
        media.direction().or_else(|| line::direction(&self.lines)).unwrap_or(Direction::SendRecv)
    }

    /// Name and value of the attributes of the session level; the value is empty where there is none.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        line::attributes(&self.lines)
    }

    /// The value of the first attribute of that name, empty where it has none.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        line::attribute(&self.lines, name)
    }

    /// Appends an attribute to the session level; an empty value gives `a=name`.
    pub fn push_attribute(&mut self, name: &str, value: &str) {
        self.lines.push(line::new_attribute(name, value));
    }

    /// The same description, owning its text.
    pub fn into_owned(self) -> Session<'static> {
        Session {
            lines: self.lines.into_iter().map(Line::into_owned).collect(),
            media: self.media.into_iter().map(Media::into_owned).collect(),
        }
    }
}

impl fmt::Display for Session<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| line.fmt(f))?;
        self.media.iter().try_for_each(|media| media.fmt(f))
    }
}

fn read(text: &str) -> Result<Session<'_>, SdpError> {
    let mut session = Session { lines: Vec::with_capacity(8), media: Vec::new() };
    for text in lines(text) {
        let line = Line::parse(text)?;
        if session.lines.is_empty() && (line.kind, &*line.value) != (b'v', "0") {
            return Err(SdpError::Version);
        }
        if line.kind == b'm' {
            if session.media.len() == MOST_MEDIA {
                return Err(SdpError::TooLarge);
            }
            session.media.push(Media::parse(line.value)?);
            continue;
        }
        match session.media.last_mut() {
            Some(media) => media.lines.push(line),
            None => session.lines.push(line),
        }
    }
    if session.lines.is_empty() { Err(SdpError::Version) } else { Ok(session) }
}

/// The lines of a text, whichever way they end; empty ones say nothing.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            if rest.is_empty() {
                return None;
            }
            let end = memchr::memchr(b'\n', rest.as_bytes());
            let line = &rest[..end.unwrap_or(rest.len())];
            rest = end.map_or("", |end| &rest[end + 1..]);
            let line = line.strip_suffix('\r').unwrap_or(line);
            if !line.is_empty() {
                return Some(line);
            }
        }
    })
}

const MOST_OCTETS: usize = 16 * 1024;
const MOST_MEDIA: usize = 32;

#[cfg(test)]
mod tests;
