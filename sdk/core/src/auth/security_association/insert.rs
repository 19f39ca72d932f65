//! Puts one header line into a finished message without touching any other byte.

use bytes::{BufMut, Bytes, BytesMut};
use homing_wire::{Message, Name};
use std::fmt::{Display, Write};

/// The bytes of `message` with the line `name: value` added at the end of its head, but before a
/// closing Content-Length.
///
/// A signature depends on the message it goes into, so messages are built first and signed last.
pub fn with_header(message: &Message, name: Name<'_>, value: &impl Display) -> Bytes {
    let bytes = message.bytes();
    let at = insertion_point(bytes);
    let mut out = BytesMut::with_capacity(bytes.len() + 512);
    out.put_slice(&bytes[..at]);
    let written = write!(out, "{name}: {value}\r\n");
    debug_assert!(written.is_ok(), "writing into memory does not fail");
    out.put_slice(&bytes[at..]);
    out.freeze()
}

/// Where a line of the head may begin: the last one's start if it is Content-Length, else the
/// empty line.
fn insertion_point(bytes: &[u8]) -> usize {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 2) else {
        return bytes.len();
    };
    let head = &bytes[..end];
    let last = head[..end - 2].windows(2).rposition(|pair| pair == b"\r\n").map_or(0, |at| at + 2);
    let name = head[last..].split(|byte| *byte == b':').next().unwrap_or_default().trim_ascii();
    let is_length = name.eq_ignore_ascii_case(b"Content-Length") || name.eq_ignore_ascii_case(b"l");
    if is_length { last } else { end }
}
