//! Puts the segments of one direction of a TCP connection in order and cuts messages from them.

use bytes::Bytes;
use homing::offline::FrameError;

use super::cut::Cutter;
use super::packet::TcpPart;

/// One direction of a connection.
pub(super) struct Stream {
    link: usize,
    /// The next byte that is due, as a sequence number.
    next: Option<u32>,
    /// Segments that came too early.
    early: Vec<(u32, Bytes)>,
    early_bytes: usize,
    talk: Talk,
}

/// What is spoken on it.
enum Talk {
    Unknown,
    Sip(Box<Cutter>),
    Tls,
}

/// What one segment brought to light.
#[derive(Default)]
pub(super) struct Yield {
    pub(super) messages: Vec<Bytes>,
    pub(super) uncut: Vec<FrameError>,
    /// Bytes are missing before these messages.
    pub(super) gap: bool,
}

impl Stream {
    pub(super) fn new(link: usize) -> Self {
        Self { link, next: None, early: Vec::new(), early_bytes: 0, talk: Talk::Unknown }
    }

    pub(super) fn link(&self) -> usize {
        self.link
    }

    /// True once it has carried anything.
    pub(super) fn has_begun(&self) -> bool {
        !matches!(self.talk, Talk::Unknown)
    }

    pub(super) fn is_encrypted(&self) -> bool {
        matches!(self.talk, Talk::Tls)
    }

    pub(super) fn take(&mut self, tcp: &TcpPart, out: &mut Yield) {
        let sequence = if tcp.syn { tcp.sequence.wrapping_add(1) } else { tcp.sequence };
        if tcp.syn {
            self.next = Some(sequence);
        }
        if tcp.bytes.is_empty() {
            return;
        }
        self.place(sequence, tcp.bytes.clone(), out);
        self.catch_up(out);
        if self.early.len() > EARLY_SEGMENTS || self.early_bytes > EARLY_BYTES {
            self.skip_gap(out);
        }
    }

    /// The capture is over: what waits for lost segments is looked at without them.
    pub(super) fn finish(&mut self, out: &mut Yield) {
        while !self.early.is_empty() {
            self.skip_gap(out);
        }
    }

    /// Delivers a segment that is due, keeps one that is early, drops what was seen.
    fn place(&mut self, sequence: u32, bytes: Bytes, out: &mut Yield) {
        let next = *self.next.get_or_insert(sequence);
        let behind = next.wrapping_sub(sequence);
        if behind < HALF {
            let seen = behind as usize;
            if seen < bytes.len() {
                self.deliver(&bytes[seen..], out);
                let fresh = u32::try_from(bytes.len() - seen).unwrap_or_default();
                self.next = Some(next.wrapping_add(fresh));
            }
        } else {
            self.early_bytes += bytes.len();
            self.early.push((sequence, bytes));
        }
    }

    /// Delivers the early segments whose time has come.
    fn catch_up(&mut self, out: &mut Yield) {
        while let Some(next) = self.next {
            let due = self.early.iter().position(|(sequence, _)| next.wrapping_sub(*sequence) < HALF);
            let Some(due) = due else { return };
            let (sequence, bytes) = self.early.swap_remove(due);
            self.early_bytes -= bytes.len();
            self.place(sequence, bytes, out);
        }
    }

    /// Gives up on missing bytes: goes on with the earliest segment there is.
    fn skip_gap(&mut self, out: &mut Yield) {
        let next = self.next.unwrap_or_default();
        let Some(first) =
            self.early.iter().map(|(sequence, _)| *sequence).min_by_key(|s| s.wrapping_sub(next))
        else {
            return;
        };
        out.gap = true;
        self.next = Some(first);
        if let Talk::Sip(cutter) = &mut self.talk {
            cutter.lose_step();
        }
        self.catch_up(out);
    }

    fn deliver(&mut self, bytes: &[u8], out: &mut Yield) {
        if let Talk::Unknown = self.talk {
            // A TLS record begins with its kind (handshake) and the major version.
            self.talk = match bytes {
                [0x16, 0x03, ..] => Talk::Tls,
                _ => Talk::Sip(Box::new(Cutter::new())),
            };
        }
        if let Talk::Sip(cutter) = &mut self.talk {
            cutter.take(bytes, &mut out.messages, &mut out.uncut);
        }
    }
}

/// Below this, a distance of sequence numbers means "already seen".
const HALF: u32 = 1 << 31;
const EARLY_SEGMENTS: usize = 64;
const EARLY_BYTES: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn part(sequence: u32, text: &str) -> TcpPart {
        TcpPart { sequence, syn: false, ack: true, bytes: Bytes::copy_from_slice(text.as_bytes()) }
    }

    const MESSAGE: &str = "OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n";

    #[test]
    fn segments_out_of_order_twice_and_overlapping_are_one_stream() {
        let start = u32::MAX - 10;
        let syn = TcpPart { sequence: start, syn: true, ack: false, bytes: Bytes::new() };
        let at = |offset: u32| start.wrapping_add(1).wrapping_add(offset);
        let mut stream = Stream::new(0);
        let mut out = Yield::default();
        stream.take(&syn, &mut out);
        stream.take(&part(at(20), &MESSAGE[20..]), &mut out);
        stream.take(&part(at(5), &MESSAGE[5..25]), &mut out);
        assert!(out.messages.is_empty());
        stream.take(&part(at(0), &MESSAGE[..10]), &mut out);
        stream.take(&part(at(0), MESSAGE), &mut out);
        assert_eq!(out.messages, [MESSAGE]);
        assert!(!out.gap);
    }

    #[test]
    fn a_lost_segment_costs_its_message_only() {
        let mut stream = Stream::new(0);
        let mut out = Yield::default();
        stream.take(&part(1, &MESSAGE[..20]), &mut out);
        stream.take(&part(1_000, &format!("rest\r\n\r\n{MESSAGE}")), &mut out);
        stream.finish(&mut out);
        assert_eq!(out.messages, [MESSAGE]);
        assert!(out.gap);
    }
}
