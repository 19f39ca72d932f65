//! What can be wrong with a peer's octets: closed enums, no free text.

use crate::name::Name;

/// A datagram or framed message that is not a SIP message at all: drop and count.
///
/// What is a SIP message but breaks a rule is found by [`Message::validate`](crate::Message::validate), which names
/// the status to answer with.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// No octets besides line ends.
    #[error("empty message")]
    Empty,
    /// The first line is neither a request line nor a status line of SIP.
    #[error("no SIP start line")]
    StartLine,
    /// The status is not a number from 100 to 699.
    #[error("status code out of range")]
    StatusCode,
    /// A line without a name and a colon that cannot be passed over: it begins with the name of a known header, holds a
    /// NUL, or is the ninth.
    #[error("a line that is no header")]
    HeaderLine,
    /// CR or LF stands alone in the head: two readers could see different lines.
    #[error("bare CR or LF in the head")]
    BareLineEnd,
    /// Over a bound of [`Limits`](crate::Limits).
    #[error("over the limit: {0}")]
    TooLarge(Bound),
}

/// Which bound of [`Limits`](crate::Limits) was passed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Bound {
    /// The whole message.
    Message,
    /// One header line.
    Line,
    /// The number of header lines.
    Headers,
    /// The number of Via values.
    Vias,
    /// The number of Contact values.
    Contacts,
    /// The Request-URI.
    Uri,
    /// The octets behind the head, as Content-Length counts them.
    Body,
}

impl Bound {
    /// The status that tells the sender: 413, 414 or 513 (RFC 3261 21.4.11, 21.4.12, 21.5.7).
    pub fn status(self) -> u16 {
        match self {
            Bound::Body => 413,
            Bound::Uri => 414,
            Bound::Message | Bound::Line | Bound::Headers | Bound::Vias | Bound::Contacts => 513,
        }
    }
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Bound::Message => "message",
            Bound::Line => "line",
            Bound::Headers => "header lines",
            Bound::Vias => "Via values",
            Bound::Contacts => "Contact values",
            Bound::Uri => "Request-URI",
            Bound::Body => "body",
        })
    }
}

/// What was too large in a message, for a sentence.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Excess {
    /// Which bound was passed.
    pub bound: Bound,
    /// How much it allows.
    pub most: usize,
    /// The header at fault, as written; none for the start line and the message as a whole.
    pub header: Option<String>,
}

/// `a line of more than 8,192 octets (X-Long)`
impl std::fmt::Display for Excess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let most = Thousands(self.most);
        match self.bound {
            Bound::Message => write!(f, "a message of more than {most} octets"),
            Bound::Line => write!(f, "a line of more than {most} octets"),
            Bound::Headers => write!(f, "more than {most} header lines"),
            Bound::Vias => write!(f, "more than {most} Via values"),
            Bound::Contacts => write!(f, "more than {most} Contact values"),
            Bound::Uri => write!(f, "a Request-URI of more than {most} octets"),
            Bound::Body => write!(f, "a body of more than {most} octets"),
        }?;
        match (&self.header, self.bound) {
            (Some(header), Bound::Line | Bound::Body) => write!(f, " ({header})"),
            _ => Ok(()),
        }
    }
}

/// A number with a comma between thousands.
struct Thousands(usize);

impl std::fmt::Display for Thousands {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.0 / 1_000, self.0 % 1_000) {
            (0, rest) => write!(f, "{rest}"),
            (thousands, rest) => write!(f, "{},{rest:03}", Thousands(thousands)),
        }
    }
}

/// One header is absent where it is needed, or does not follow its grammar.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// The header is mandatory and absent.
    #[error("{} is missing", .0.as_str())]
    Missing(Name<'static>),
    /// The header is there and does not follow its grammar or range.
    #[error("{} is malformed", .0.as_str())]
    Malformed(Name<'static>),
    /// The header may stand once and stands more often.
    #[error("{} stands more than once", .0.as_str())]
    TooMany(Name<'static>),
}

/// One breach of the protocol.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Finding {
    /// The status to refuse a request with: 400, 416, 501, 505.
    pub status: u16,
    /// The header at fault; [`Name::Other`] with an empty text for the start line.
    pub header: Name<'static>,
    /// What is wrong, for a reason phrase or a log.
    pub why: &'static str,
}

/// A stream that cannot be cut into messages any more: answer 400 where a head is there, then close.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// No Content-Length: the end of the message is unknown (RFC 3261 18.3).
    #[error("no Content-Length on a stream")]
    NoContentLength,
    /// Content-Length is not a number.
    #[error("Content-Length is not a number")]
    BadContentLength,
    /// Content-Length stands more than once, equal or not.
    #[error("more than one Content-Length")]
    ManyContentLengths,
    /// CR or LF stands alone in the head.
    #[error("bare CR or LF in the head")]
    BareLineEnd,
    /// A line that begins like a header and is none: two readers could see different headers.
    #[error("a line that begins like a header and is none")]
    HeaderLine,
    /// A fold stands where no header line came before.
    #[error("fold without a header line")]
    StrayFold,
    /// Over a bound of [`Limits`](crate::Limits).
    #[error("over the limit: {0}")]
    TooLarge(Bound),
}

/// What broke the framing of a stream, and where.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{rule}, at octet {octet} of the message")]
pub struct FrameFault {
    /// The rule that was broken.
    pub rule: FrameError,
    /// The octet of the message, from 0, at which that showed.
    pub octet: usize,
}

/// Why a text is no URI.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum UriError {
    /// No scheme and colon at the beginning.
    #[error("no scheme")]
    Scheme,
    /// A blank, a control character, a quote or an angle bracket.
    #[error("character that no URI may hold")]
    Character,
    /// `@` without a user before it.
    #[error("empty user")]
    User,
    /// The host is empty, or no name and no address.
    #[error("no valid host")]
    Host,
    /// The port is not a number from 0 to 65535.
    #[error("no valid port")]
    Port,
}
