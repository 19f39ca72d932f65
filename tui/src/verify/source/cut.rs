//! Finds where a message begins and cuts a stream into messages, also after damage or from the middle.

use bytes::Bytes;
use homing::offline::{Frame, FrameError, Framer};

use super::limits;

/// Cuts one direction of a connection.
pub(super) struct Cutter {
    framer: Framer,
    /// What waits for a first line; empty while the framer is in step.
    searching: Option<Vec<u8>>,
}

impl Cutter {
    pub(super) fn new() -> Self {
        Self { framer: Framer::new(limits()), searching: Some(Vec::new()) }
    }

    /// Takes bytes in order; gives whole messages, and why the stream broke if it did.
    pub(super) fn take(&mut self, bytes: &[u8], messages: &mut Vec<Bytes>, faults: &mut Vec<FrameError>) {
        match &mut self.searching {
            None => self.framer.push(bytes),
            Some(waiting) => {
                waiting.extend_from_slice(bytes);
                self.search();
            }
        }
        while self.searching.is_none() {
            match self.framer.next() {
                Ok(Some(Frame::Message(message))) => messages.push(message),
                Ok(Some(Frame::Ping | Frame::Pong | Frame::Stun(_))) => {}
                Ok(None) => return,
                Err(why) => {
                    faults.push(why);
                    self.resume();
                }
            }
        }
    }

    /// Bytes are missing: what is half read is given up.
    pub(super) fn lose_step(&mut self) {
        *self = Self::new();
    }

    /// Goes on behind the first line of what could not be cut.
    fn resume(&mut self) {
        let rest = self.framer.buffer().split();
        let behind = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
        *self = Self { framer: Framer::new(limits()), searching: Some(rest[behind..].to_vec()) };
        self.search();
    }

    fn search(&mut self) {
        let Some(waiting) = &mut self.searching else { return };
        let mut at = 0;
        while at < waiting.len() {
            let end = waiting[at..].iter().position(|byte| *byte == b'\n').map(|end| at + end);
            if end.is_some() && is_first_line(&waiting[at..end.unwrap_or_default()]) {
                self.framer.push(&waiting[at..]);
                self.searching = None;
                return;
            }
            match end {
                Some(end) => at = end + 1,
                None => break,
            }
        }
        // Only the line that has not ended can still turn out to be a first one.
        waiting.drain(..at);
        if waiting.len() > LONGEST_LINE {
            waiting.clear();
        }
    }
}

/// True if these bytes begin, behind line ends, with the first line of a message.
pub(super) fn starts_message(bytes: &[u8]) -> bool {
    let begin = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(bytes.len());
    let line = bytes[begin..].split(|byte| *byte == b'\n').next().unwrap_or_default();
    is_first_line(line)
}

/// True for a request line or a status line of SIP.
pub(super) fn is_first_line(line: &[u8]) -> bool {
    first_line_at(line) == Some(0)
}

/// Where on this line a first line of a message begins, if it ends with the line.
pub(super) fn first_line_at(line: &[u8]) -> Option<usize> {
    let line = line.trim_ascii_end();
    if let Some(at) = status_line_at(line) {
        return Some(at);
    }
    let head = line.strip_suffix(VERSION)?.strip_suffix(b" ")?;
    let uri = head.iter().rposition(|byte| *byte == b' ')? + 1;
    if !head[uri..].contains(&b':') {
        return None;
    }
    let before = head[..uri - 1].trim_ascii_end();
    let word = before.iter().rposition(|byte| !byte.is_ascii_alphabetic()).map_or(0, |at| at + 1);
    let method = &before[word..];
    (!method.is_empty() && method.iter().all(u8::is_ascii_uppercase)).then_some(word)
}

fn status_line_at(line: &[u8]) -> Option<usize> {
    let at = line.windows(VERSION.len()).position(|window| window == VERSION)?;
    let alone = at == 0 || !line[at - 1].is_ascii_alphanumeric();
    let status = line[at + VERSION.len()..].strip_prefix(b" ")?;
    let digits = status.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let ends = status.get(3).is_none_or(|byte| *byte == b' ');
    (alone && digits == 3 && ends).then_some(at)
}

const VERSION: &[u8] = b"SIP/2.0";
const LONGEST_LINE: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_lines_are_told_from_everything_else() {
        for (line, at) in [
            ("SIP/2.0 200 OK", Some(0)),
            ("REGISTER sip:network.com SIP/2.0\r", Some(0)),
            ("<<< SIP/2.0 301 Moved", Some(4)),
            (">>> REGISTER sip:network.com SIP/2.0", Some(4)),
            ("Via: SIP/2.0/TCP 10.0.0.1", None),
            ("SIP/2.0 banana", None),
            ("SIP/2.0 2000 x", None),
            ("GET http://x HTTP/1.1", None),
            ("about the method SIP/2.0", None),
            ("", None),
        ] {
            assert_eq!(first_line_at(line.as_bytes()), at, "{line}");
        }
    }

    #[test]
    fn a_stream_is_cut_from_the_middle_and_after_damage() {
        let good = "OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n";
        let bad = "OPTIONS sip:b SIP/2.0\r\nVia: x\r\n\r\n";
        let stream = format!("half a line\r\nX: 1\r\n\r\n{good}{bad}{good}\r\n\r\n{good}");
        for size in [1, 7, 4096] {
            let (mut cutter, mut messages, mut faults) = (Cutter::new(), Vec::new(), Vec::new());
            for chunk in stream.as_bytes().chunks(size) {
                cutter.take(chunk, &mut messages, &mut faults);
            }
            assert_eq!(messages, [good, good, good]);
            assert_eq!(faults, [FrameError::NoContentLength]);
        }
    }
}
