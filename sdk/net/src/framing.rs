//! Cuts a stream into frames until the wire crate's framer is there.

use bytes::{Buf, Bytes, BytesMut};
use homing_wire::{Frame, Limits};

/// A stream that cannot be cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameError;

pub(crate) struct Framer(BytesMut);

impl Framer {
    pub(crate) fn new(_: Limits) -> Self {
        Self(BytesMut::new())
    }
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    pub(crate) fn next(&mut self) -> Result<Option<Frame>, FrameError> {
        if self.0.starts_with(b"\r\n\r\n") {
            self.0.advance(4);
            return Ok(Some(Frame::Ping));
        }
        if self.0.starts_with(b"\r\n") {
            self.0.advance(2);
            return Ok(Some(Frame::Pong));
        }
        let Some(end) = self.0.windows(4).position(|w| w == b"\r\n\r\n") else {
            return if self.0.len() > 131_072 { Err(FrameError) } else { Ok(None) };
        };
        let head = String::from_utf8_lossy(&self.0[..end]).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.and_then(|text| text.trim().parse().ok()).ok_or(FrameError)?;
        if length > 131_072 {
            return Err(FrameError);
        }
        let whole = end + 4 + length;
        if self.0.len() < whole {
            return Ok(None);
        }
        Ok(Some(Frame::Message(Bytes::copy_from_slice(&self.0.split_to(whole)))))
    }
}

pub(crate) fn datagram(bytes: Bytes) -> Frame {
    Frame::Message(bytes)
}
