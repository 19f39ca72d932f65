//! SIP and SDP messages: bytes and values, nothing else.
use bytes::Bytes;
/// Replaced by the wire builder: limits.rs
#[derive(Clone, Debug, Default)]
pub struct Limits {}
/// Replaced by the wire builder: frame.rs. These four variants are binding; `Frame::from_datagram(Bytes)` tells STUN (first two bits zero, magic cookie) from SIP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A SIP message.
    Message(Bytes),
    /// CRLFCRLF (RFC 5626 section 3.5.1).
    Ping,
    /// CRLF: the answer to a ping.
    Pong,
    /// A STUN message on a UDP flow (RFC 5626 section 3.5.2).
    Stun(Bytes),
}
