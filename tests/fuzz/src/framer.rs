//! A stream: however its octets are cut on the way, the same frames come out, within the limits.

use bytes::Bytes;
use homing_wire::{Frame, FrameError, Framer, Limits};

/// The first octet says how the rest is cut.
pub fn check(octets: &[u8]) {
    let Some((cut, stream)) = octets.split_first() else { return };
    let pieces = usize::from(*cut % 64) + 1;
    let whole = frames(&[stream]);
    let cut: Vec<&[u8]> = stream.chunks(pieces).collect();
    let cut = frames(&cut);
    if whole.1.is_none() || cut.1.is_none() {
        assert_eq!(cut, whole, "cut into pieces of {pieces}");
    }
    // A stream that breaks a limit ends with an error either way. How much of it still comes out depends on
    // the cuts: a line is measured as it comes, a whole message at once.
    let both = whole.0.len().min(cut.0.len());
    assert_eq!(cut.0[..both], whole.0[..both], "cut into pieces of {pieces}");
    if let [Frame::Message(message), ..] = &whole.0[..] {
        assert!(message.len() <= LIMITS.message);
    }
    let _datagram = Frame::from_datagram(Bytes::copy_from_slice(stream));
}

fn frames(pieces: &[&[u8]]) -> (Vec<Frame>, Option<FrameError>) {
    let (mut framer, mut found) = (Framer::answering(LIMITS), Vec::new());
    for piece in pieces {
        framer.push(piece);
        loop {
            match framer.next() {
                Ok(Some(frame)) => found.push(frame),
                Ok(None) => break,
                Err(why) => return (found, Some(why)),
            }
        }
        assert!(framer.pending() <= LIMITS.message + piece.len());
    }
    (found, None)
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
