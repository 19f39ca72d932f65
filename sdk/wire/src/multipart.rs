//! Bodies of several parts (RFC 2046 5.1, RFC 5621).

use std::fmt;

use memchr::memmem;

use crate::header::{ContentDisposition, ContentType, Header};
use crate::scan::{is_token, trim, trim_end};

/// A body of several parts, and parts within them, read without copying.
///
/// ```
/// use homing_wire::header::{ContentType, Header};
/// use homing_wire::multipart::Multipart;
/// let body = b"--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\nContent-Type: application/sdp\r\n\
///     Content-Disposition: session\r\n\r\nv=0\r\n\r\n--b--\r\n";
/// let (content_type, _) = ContentType::read(b"multipart/mixed;boundary=b").unwrap();
/// let multipart = Multipart::parse(&content_type, body).unwrap();
/// assert_eq!(multipart.parts.len(), 2);
/// assert_eq!(multipart.find("application/sdp").unwrap().body, b"v=0\r\n");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Multipart<'m> {
    /// Its parts in order, at least one.
    pub parts: Vec<Part<'m>>,
    /// They say the same in several ways, the one that the sender likes best last (RFC 2046 5.1.4).
    pub alternative: bool,
}

/// One part. Its `Debug` shows no octet of it.
#[derive(Clone, Eq, PartialEq)]
pub struct Part<'m> {
    head: &'m [u8],
    /// Its octets as they stand; parts within it among them.
    pub body: &'m [u8],
    /// The parts within it, where its type is `multipart`.
    pub inner: Option<Multipart<'m>>,
}

/// Why parts of a body cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MultipartError {
    /// The type names no boundary, or one that is empty, longer than 70 characters, or no visible text.
    #[error("no usable boundary")]
    Boundary,
    /// The line that begins the first part, or the one that ends the last, is missing.
    #[error("a part does not begin or does not end")]
    Open,
    /// A header line of a part is none.
    #[error("a header line of a part cannot be read")]
    Head,
    /// More than 16 parts in all, or one that is within more than two others.
    #[error("too many parts, or too deep")]
    TooMany,
}

impl<'m> Multipart<'m> {
    /// Reads a body of this type, which names the boundary. What stands before the first part and behind the last says
    /// nothing.
    ///
    /// # Errors
    /// Some part, also of those within others, cannot be read.
    pub fn parse(content_type: &ContentType<'_>, body: &'m [u8]) -> Result<Multipart<'m>, MultipartError> {
        let mut left = MOST_PARTS;
        read(content_type, body, MOST_DEPTH, &mut left)
    }

    /// The part of that type (`application/sdp`), also within others; of alternatives the last, else the first. What is
    /// encoded for a network of seven bits is passed over, because in SIP nothing need be (RFC 3261 7.4.1).
    pub fn find(&self, media_type: &str) -> Option<&Part<'m>> {
        let mut found = self.parts.iter().filter_map(|part| match &part.inner {
            Some(inner) => inner.find(media_type),
            None => (part.is(media_type) && !part.is_encoded()).then_some(part),
        });
        if self.alternative { found.next_back() } else { found.next() }
    }
}

impl<'m> Part<'m> {
    /// The value of its first header line of that name, in any case, with its folds.
    pub fn header(&self, name: &str) -> Option<&'m [u8]> {
        head_lines(self.head).find_map(|line| {
            let (key, value) = header_line(line)?;
            key.eq_ignore_ascii_case(name.as_bytes()).then_some(value)
        })
    }

    /// Its type, where it names a sound one.
    pub fn content_type(&self) -> Option<ContentType<'m>> {
        ContentType::read(self.header("Content-Type")?).map(|(read, _)| read)
    }

    /// What to do with it, where it says so.
    pub fn disposition(&self) -> Option<ContentDisposition<'m>> {
        ContentDisposition::read(self.header("Content-Disposition")?).map(|(read, _)| read)
    }

    /// Whether it is of that type; one that names none is text (RFC 2046 5.1).
    pub fn is(&self, media_type: &str) -> bool {
        match self.header("Content-Type") {
            Some(_) => self.content_type().is_some_and(|own| own.is(media_type)),
            None => media_type.eq_ignore_ascii_case("text/plain"),
        }
    }

    fn is_encoded(&self) -> bool {
        let is_plain = |value: &[u8]| {
            ["7bit", "8bit", "binary"].iter().any(|it| value.eq_ignore_ascii_case(it.as_bytes()))
        };
        self.header("Content-Transfer-Encoding").is_some_and(|value| !is_plain(value))
    }
}

impl fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Part({} octets, {:?})", self.body.len(), self.inner)
    }
}

fn read<'m>(
    content_type: &ContentType<'_>,
    body: &'m [u8],
    depth: usize,
    left: &mut usize,
) -> Result<Multipart<'m>, MultipartError> {
    let boundary = content_type.param("boundary").filter(|boundary| is_boundary(boundary));
    let boundary = boundary.ok_or(MultipartError::Boundary)?;
    let mut parts = Vec::new();
    for content in contents(boundary, body)? {
        if *left == 0 || depth == 0 {
            return Err(MultipartError::TooMany);
        }
        *left -= 1;
        let mut part = split(content)?;
        let inner = part.content_type().filter(|inner| inner.kind.eq_ignore_ascii_case("multipart"));
        part.inner = inner.map(|inner| read(&inner, part.body, depth - 1, left)).transpose()?;
        parts.push(part);
    }
    Ok(Multipart { parts, alternative: content_type.subtype.eq_ignore_ascii_case("alternative") })
}

/// What stands between the delimiters, each without the line end before the next.
fn contents<'m>(boundary: &str, body: &'m [u8]) -> Result<Vec<&'m [u8]>, MultipartError> {
    let delimiter = format!("--{boundary}");
    let mut contents = Vec::new();
    let mut begin: Option<usize> = None;
    for at in memmem::find_iter(body, delimiter.as_bytes()) {
        let starts_line = at == 0 || body[at - 1] == b'\n';
        let Some(Delimiter { is_last, end }) = delimiter_end(body, at + delimiter.len()) else { continue };
        if !starts_line {
            continue;
        }
        if let Some(begin) = begin {
            // One line end may stand between two delimiters, which belongs to both: the part is empty.
            contents.push(without_line_end(body.get(begin..at).unwrap_or_default()));
            if contents.len() > MOST_PARTS {
                return Err(MultipartError::TooMany);
            }
        }
        match (begin, is_last) {
            (Some(_), true) => return Ok(contents),
            (None, true) => return Err(MultipartError::Open),
            (_, false) => begin = Some(end),
        }
    }
    Err(MultipartError::Open)
}

/// A line that begins or ends a part.
struct Delimiter {
    is_last: bool,
    /// Where the next line begins.
    end: usize,
}

/// What follows a delimiter's text up to its line end; none where it is a longer word.
fn delimiter_end(body: &[u8], at: usize) -> Option<Delimiter> {
    let rest = body.get(at..)?;
    let is_last = rest.starts_with(b"--");
    let rest = if is_last { &rest[2..] } else { rest };
    let padding = rest.iter().take_while(|octet| matches!(octet, b' ' | b'\t')).count();
    let behind = &rest[padding..];
    let line_end = match behind {
        [b'\r', b'\n', ..] => 2,
        [b'\n', ..] => 1,
        [] if is_last => 0,
        _ => return None,
    };
    Some(Delimiter { is_last, end: body.len() - behind.len() + line_end })
}

fn without_line_end(content: &[u8]) -> &[u8] {
    let content = content.strip_suffix(b"\n").unwrap_or(content);
    content.strip_suffix(b"\r").unwrap_or(content)
}

/// Head and body of a part. Without an empty line it has no body (RFC 2046 5.1.1).
fn split(content: &[u8]) -> Result<Part<'_>, MultipartError> {
    let mut at = 0;
    let mut head = content;
    let mut body = &content[content.len()..];
    while at < content.len() {
        let rest = &content[at..];
        let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        if without_line_end(&rest[..length]).is_empty() {
            (head, body) = (&content[..at], &rest[length..]);
            break;
        }
        at += length;
    }
    if head_lines(head).all(|line| header_line(line).is_some()) {
        Ok(Part { head, body, inner: None })
    } else {
        Err(MultipartError::Head)
    }
}

/// The header lines, each with the lines that continue it.
fn head_lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = head;
    std::iter::from_fn(move || {
        let mut length = 0;
        loop {
            let line = &rest[length..];
            length += memchr::memchr(b'\n', line).map_or(line.len(), |end| end + 1);
            if !matches!(rest.get(length), Some(b' ' | b'\t')) {
                break;
            }
        }
        let (line, behind) = rest.split_at(length);
        rest = behind;
        (!line.is_empty()).then_some(line)
    })
}

/// Name and value of a header line.
fn header_line(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memchr(b':', line)?;
    let name = trim_end(&line[..colon]);
    let is_name = !name.is_empty() && name.iter().all(|octet| is_token(*octet));
    is_name.then(|| (name, trim(&line[colon + 1..])))
}

/// RFC 2046 allows fewer characters; what is visible and no blank at the end does no harm.
fn is_boundary(boundary: &str) -> bool {
    (1..=70).contains(&boundary.len())
        && boundary.bytes().all(|octet| matches!(octet, b' '..=b'~'))
        && !boundary.ends_with(' ')
}

const MOST_PARTS: usize = 16;
const MOST_DEPTH: usize = 3;

#[cfg(test)]
mod tests;
