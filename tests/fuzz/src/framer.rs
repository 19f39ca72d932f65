//! A stream: however its octets are cut on the way, the same messages come out, within the limits.

use bytes::Bytes;
use homing_wire::{Frame, Framer, Limits, Message};

/// The first octet says how the rest is cut.
pub fn check(octets: &[u8]) {
    let Some((cut, stream)) = octets.split_first() else { return };
    let pieces = usize::from(*cut % 64) + 1;
    let cut: Vec<&[u8]> = stream.chunks(pieces).collect();
    let (whole, cut) = (taken(&[stream]), taken(&cut));
    assert_eq!(cut, whole, "cut into pieces of {pieces}");
    let _datagram = Frame::from_datagram(Bytes::copy_from_slice(stream));
}

/// What a user agent takes of a stream: the frames before the first that breaks a limit. A limit is found
/// broken by the framer while the octets come, or by the parser once they are all there.
fn taken(pieces: &[&[u8]]) -> Vec<Frame> {
    // While it comes, a line is measured with the octets that may yet turn out to end it.
    let coming = Limits { line: LIMITS.line + 2, auth_line: LIMITS.auth_line + 2, ..LIMITS };
    let (mut framer, mut found) = (Framer::answering(coming), Vec::new());
    for piece in pieces {
        framer.push(piece);
        loop {
            match framer.next() {
                Ok(Some(Frame::Message(bytes))) => {
                    assert!(bytes.len() <= LIMITS.message);
                    if Message::parse_with(bytes.clone(), &LIMITS).is_err() {
                        return found;
                    }
                    found.push(Frame::Message(bytes));
                }
                Ok(Some(frame)) => found.push(frame),
                Ok(None) => break,
                Err(_) => return found,
            }
        }
        assert!(framer.pending() <= LIMITS.message + piece.len());
    }
    found
}

/// Small, so that the fuzzer meets them.
const LIMITS: Limits = Limits {
    message: 1_024,
    line: 128,
    auth_line: 256,
    headers: 16,
    vias: 4,
    contacts: 4,
    uri: 64,
    body: 512,
};
