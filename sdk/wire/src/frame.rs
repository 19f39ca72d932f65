//! Cuts a stream into messages: one framing rule, limits counted while reading.

use std::fmt;

use bytes::{Bytes, BytesMut};

use crate::error::{Bound, FrameError, FrameFault};
use crate::limits::Limits;
use crate::name::Known;
use crate::scan::{is_token, number, trim};

/// What a stream holds next.
#[derive(Clone, Eq, PartialEq)]
pub enum Frame {
    /// One message, head and body.
    Message(Bytes),
    /// CR LF CR LF: a keep-alive that asks for an answer (RFC 5626 3.5.1).
    Ping,
    /// A single CR LF: the answer.
    Pong,
    /// A STUN message on a UDP flow (RFC 5626 3.5.2); never on a stream.
    Stun(Bytes),
}

impl Frame {
    /// What a datagram holds: line ends alone are a keep-alive, STUN shows by its two leading zero bits and its cookie
    /// (RFC 8489 5), everything else has to be a SIP message.
    pub fn from_datagram(datagram: Bytes) -> Frame {
        match datagram[..] {
            [b'\r', b'\n'] => Frame::Pong,
            [b'\r', b'\n', b'\r', b'\n'] => Frame::Ping,
            [0..0x40, _, _, _, 0x21, 0x12, 0xa4, 0x42, ..] if datagram.len() >= STUN_HEADER => {
                Frame::Stun(datagram)
            }
            _ => Frame::Message(datagram),
        }
    }
}

/// Lengths only: messages hold credentials and private words.
impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Frame::Message(bytes) => write!(f, "Message({} octets)", bytes.len()),
            Frame::Ping => f.write_str("Ping"),
            Frame::Pong => f.write_str("Pong"),
            Frame::Stun(bytes) => write!(f, "Stun({} octets)", bytes.len()),
        }
    }
}

/// Cuts the octets of one connection into frames.
///
/// A message needs exactly one valid Content-Length; everything else ends the stream with an error, because
/// the place of the next message is unknown then. Each octet of a head is looked at once, however it arrives.
///
/// The side that answers also ends a stream for a line or a number of lines over the limits. The side that dialled does
/// not: the end of such a message is known, so that what can be read of it is answered, or ends what waited for it, and
/// the connection stands.
///
/// ```
/// use homing_wire::{Frame, Framer, Limits};
/// let mut framer = Framer::new(Limits::default());
/// framer.push(b"\r\n\r\nOPTIONS sip:a@b SIP/2.0\r\nContent-Len");
/// assert_eq!(framer.next(), Ok(Some(Frame::Ping)));
/// assert_eq!(framer.next(), Ok(None));
/// framer.push(b"gth: 2\r\n\r\nhi");
/// assert!(matches!(framer.next(), Ok(Some(Frame::Message(_)))));
/// ```
pub struct Framer {
    limits: Limits,
    buffer: BytesMut,
    state: State,
    answering: bool,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Between messages.
    Between,
    /// Inside a head.
    Head(Head),
    /// Behind a head: the message is so many octets long.
    Body { whole: usize },
    /// Broken for good, behind a head of so many octets (0 where it did not end), at this octet of the message.
    Broken { error: FrameError, head: usize, octet: usize },
}

/// How far a head has been read.
#[derive(Clone, Copy, Debug, Default)]
struct Head {
    /// Where the octets begin that were not looked at.
    at: usize,
    /// Where the line that is being read began.
    line: usize,
    /// How many lines have ended, the start line among them.
    lines: usize,
    length: Length,
    /// Where the last Content-Length began.
    length_at: usize,
}

#[derive(Clone, Copy, Debug, Default)]
enum Length {
    #[default]
    Unseen,
    Seen(Option<u32>),
    SeenTwice,
}

impl Framer {
    /// A framer for a fresh connection; a lone CR LF is a pong.
    pub fn new(limits: Limits) -> Framer {
        Framer { limits, buffer: BytesMut::new(), state: State::Between, answering: false }
    }

    /// A framer for a side that answers pings and sends none: a lone CR LF is the first half of a ping that was torn
    /// in two, and waits for the second.
    pub fn answering(limits: Limits) -> Framer {
        Framer { answering: true, ..Framer::new(limits) }
    }

    /// Takes what was read from the connection.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The buffer to read into; only append to it.
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// How many octets wait for the rest of their frame.
    pub fn pending(&self) -> usize {
        self.buffer.len()
    }

    /// The next frame; `None` until more octets arrive.
    ///
    /// # Errors
    /// The stream cannot be cut any further. The error stays: answer what [`Framer::refused`] gives, then close.
    #[expect(clippy::should_implement_trait, reason = "a stream that waits for octets is no iterator")]
    pub fn next(&mut self) -> Result<Option<Frame>, FrameError> {
        loop {
            let step = match self.state {
                State::Broken { error, .. } => return Err(error),
                State::Between => self.between(),
                State::Head(head) => self.head(head),
                State::Body { whole } if self.buffer.len() < whole => return Ok(None),
                State::Body { whole } => Step::Frame(whole, Frame::Message),
            };
            match step {
                Step::Wait(state) => {
                    self.state = state;
                    return Ok(None);
                }
                Step::On(state) => self.state = state,
                Step::Frame(octets, frame) => {
                    self.state = State::Between;
                    return Ok(Some(frame(self.buffer.split_to(octets).freeze())));
                }
            }
        }
    }

    /// The head of the message that broke the stream, where it could be read to its end: what a 400 answers.
    pub fn refused(&self) -> Option<Bytes> {
        match self.state {
            State::Broken { head, .. } if head > 0 => Some(Bytes::copy_from_slice(&self.buffer[..head])),
            _ => None,
        }
    }

    /// What broke the stream, and at which octet of its message.
    pub fn fault(&self) -> Option<FrameFault> {
        match self.state {
            State::Broken { error, octet, .. } => Some(FrameFault { rule: error, octet }),
            _ => None,
        }
    }

    fn between(&self) -> Step {
        match self.buffer[..] {
            [] | [b'\r'] | [b'\r', b'\n', b'\r'] => Step::Wait(State::Between),
            [b'\r', b'\n', b'\r', b'\n', ..] => Step::Frame(4, |_| Frame::Ping),
            [b'\r', b'\n'] if self.answering => Step::Wait(State::Between),
            [b'\r', b'\n', ..] => Step::Frame(2, |_| Frame::Pong),
            _ => Step::On(State::Head(Head::default())),
        }
    }

    /// Reads on in the head, line by line.
    fn head(&self, mut head: Head) -> Step {
        loop {
            let found = memchr::memchr2(b'\r', b'\n', &self.buffer[head.at..]);
            let end = found.map_or(self.buffer.len(), |found| head.at + found);
            head.at = end;
            // Whether a line goes on, and whether the head does, shows in the octets behind the line.
            match self.buffer[end..] {
                [] | [b'\r'] | [b'\r', b'\n'] | [b'\r', b'\n', b'\r'] => {
                    return match self.check_open(&head) {
                        Ok(()) => Step::Wait(State::Head(head)),
                        Err(error) => broken(error, 0, head.line),
                    };
                }
                [b'\r', b'\n', b' ' | b'\t', ..] if head.lines == 0 => {
                    return broken(FrameError::StrayFold, 0, end + 2);
                }
                [b'\r', b'\n', b' ' | b'\t', ..] => head.at = end + 2,
                [b'\r', b'\n', behind, after, ..] if behind != b'\r' || after == b'\n' => {
                    if let Err(error) = self.line(&mut head, end) {
                        return broken(error, 0, head.line);
                    }
                    if behind == b'\r' {
                        return self.end(&head, end + 4);
                    }
                }
                [b'\r', b'\n', behind] if behind != b'\r' => {
                    if let Err(error) = self.line(&mut head, end) {
                        return broken(error, 0, head.line);
                    }
                }
                _ => return broken(FrameError::BareLineEnd, 0, end),
            }
        }
    }

    /// Takes the line into account that goes from `head.line` to `end`.
    fn line(&self, head: &mut Head, end: usize) -> Result<(), FrameError> {
        let start = head.line;
        let line = &self.buffer[start..end];
        head.at = end + 2;
        head.line = end + 2;
        head.lines += 1;
        if end > self.limits.message {
            return Err(FrameError::TooLarge(Bound::Message));
        }
        if self.answering && head.lines - 1 > self.limits.headers {
            return Err(FrameError::TooLarge(Bound::Headers));
        }
        let known = if head.lines == 1 { None } else { name(line) };
        self.check_line(line, known, head.lines == 1)?;
        if known == Some(Known::ContentLength) {
            let colon = memchr::memchr(b':', line).unwrap_or(0);
            head.length_at = start;
            head.length = match head.length {
                Length::Unseen => Length::Seen(number(trim(&line[colon + 1..]))),
                Length::Seen(_) | Length::SeenTwice => Length::SeenTwice,
            };
        }
        Ok(())
    }

    /// Holds a line that has not ended to its limit, so that none grows for ever.
    fn check_open(&self, head: &Head) -> Result<(), FrameError> {
        if self.buffer.len() > self.limits.message {
            return Err(FrameError::TooLarge(Bound::Message));
        }
        let line = &self.buffer[head.line..head.at];
        if line.len() + LINE_END <= self.limits.line {
            return Ok(());
        }
        let is_start = head.lines == 0;
        self.check_line(line, if is_start { None } else { name(line) }, is_start)
    }

    /// A start line is held to its limit on both sides: one that is too long is no SIP, and its end may never come.
    fn check_line(&self, line: &[u8], known: Option<Known>, is_start: bool) -> Result<(), FrameError> {
        let most = self.limits.of_line(known.is_some_and(Known::is_auth));
        if (self.answering || is_start) && line.len() + LINE_END > most {
            Err(FrameError::TooLarge(Bound::Line))
        } else {
            Ok(())
        }
    }

    /// The head is complete: it says how long the message is.
    fn end(&self, head: &Head, head_len: usize) -> Step {
        let length = match head.length {
            Length::Unseen => return broken(FrameError::NoContentLength, head_len, head_len),
            Length::SeenTwice => return broken(FrameError::ManyContentLengths, head_len, head.length_at),
            Length::Seen(None) => return broken(FrameError::BadContentLength, head_len, head.length_at),
            Length::Seen(Some(length)) => length as usize,
        };
        if length > self.limits.body {
            return broken(FrameError::TooLarge(Bound::Body), head_len, head.length_at);
        }
        match head_len.checked_add(length) {
            Some(whole) if whole <= self.limits.message => Step::On(State::Body { whole }),
            _ => broken(FrameError::TooLarge(Bound::Message), head_len, head.length_at),
        }
    }
}

impl fmt::Debug for Framer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Framer")
            .field("state", &self.state)
            .field("pending", &self.pending())
            .finish_non_exhaustive()
    }
}

enum Step {
    Wait(State),
    On(State),
    Frame(usize, fn(Bytes) -> Frame),
}

fn broken(error: FrameError, head: usize, octet: usize) -> Step {
    Step::On(State::Broken { error, head, octet })
}

/// The header a line belongs to, as far as it is one of ours.
fn name(line: &[u8]) -> Option<Known> {
    if let Some((known, _)) = Known::begins(line) {
        return Some(known);
    }
    let end = line.iter().position(|octet| !is_token(*octet))?;
    let behind = line[end..].iter().find(|octet| !matches!(octet, b' ' | b'\t'))?;
    (*behind == b':').then(|| Known::parse(&line[..end]))?
}

/// Octets of CR and LF, which count as part of their line.
const LINE_END: usize = 2;
/// Octets of a STUN header (RFC 8489 5).
const STUN_HEADER: usize = 20;

#[cfg(test)]
mod tests;
