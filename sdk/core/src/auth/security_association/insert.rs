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
    let at = message.insertion_point();
    let mut out = BytesMut::with_capacity(bytes.len() + 512);
    out.put_slice(&bytes[..at]);
    let written = write!(out, "{name}: {value}\r\n");
    debug_assert!(written.is_ok(), "writing into memory does not fail");
    out.put_slice(&bytes[at..]);
    out.freeze()
}
