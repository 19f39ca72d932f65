//! The trace as a packet capture: decrypted SIP over made-up UDP and TCP, one packet per message.
//!
//! The servers have their own addresses and ports. The phone's end is made up: an address kept for
//! documentation (RFC 5737, RFC 3849) and port 5060, which makes readers take the bytes for SIP whatever
//! the server's port is. What was no SIP is left out; its bytes are not in the trace.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use crate::trace::stream::{Ends, Stream, datagram};
use crate::trace::{Record, Seen};

/// A capture of classic format, microseconds, link type `RAW`.
pub(super) fn write(records: &[Record]) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [MAGIC, VERSION, 0, 0, SNAP_LENGTH, LINK_TYPE_RAW] {
        file.extend(word.to_le_bytes());
    }
    let mut flows = Flows::default();
    for record in records {
        for packet in flows.packets(record) {
            push(&mut file, record.wall, &packet);
        }
    }
    file
}

fn push(file: &mut Vec<u8>, wall: Duration, packet: &[u8]) {
    let length = u32::try_from(packet.len()).unwrap_or(u32::MAX);
    // The format counts seconds in 32 bits, up to the year 2106.
    let seconds = u32::try_from(wall.as_secs()).unwrap_or(u32::MAX);
    for word in [seconds, wall.subsec_micros(), length, length] {
        file.extend(word.to_le_bytes());
    }
    file.extend_from_slice(packet);
}

/// The flows that are open, each with its two ends.
#[derive(Default)]
struct Flows {
    open: BTreeMap<u64, Stream>,
}

impl Flows {
    /// The packets that stand for one record.
    fn packets(&mut self, record: &Record) -> Vec<Vec<u8>> {
        let bytes = match record.seen {
            Seen::Message => with_true_length(&record.text),
            Seen::KeepAlive => b"\r\n".repeat(record.length.min(LONGEST_PING) / 2),
            Seen::Other | Seen::Open | Seen::Failed | Seen::Dropped | Seen::Close => Vec::new(),
        };
        if !record.transport.is_reliable() {
            let ends = Ends { phone: phone(record.peer, 1), server: record.peer };
            return if bytes.is_empty() { Vec::new() } else { vec![datagram(ends, record.outgoing, &bytes)] };
        }
        let ends = self.ends(record);
        let stream = self.open.entry(record.flow).or_insert_with(|| Stream::new(ends));
        match record.seen {
            Seen::Open => stream.open(),
            Seen::Message | Seen::KeepAlive => stream.send(record.outgoing, &bytes),
            Seen::Other | Seen::Dropped => Vec::new(),
            Seen::Failed => {
                let packets = stream.refuse();
                self.open.remove(&record.flow);
                packets
            }
            Seen::Close => {
                let packets = stream.close(record.outgoing);
                self.open.remove(&record.flow);
                packets
            }
        }
    }

    /// The ends of a flow: two connections to one server at the same time differ in the phone's address.
    fn ends(&self, record: &Record) -> Ends {
        let free = |ends: &Ends| !self.open.values().any(|stream| stream.ends() == *ends);
        let ends = |number| Ends { phone: phone(record.peer, number), server: record.peer };
        (1..=PHONES).map(ends).find(free).unwrap_or_else(|| ends(1))
    }
}

/// The phone's made-up end for a server.
fn phone(server: SocketAddr, number: u8) -> SocketAddr {
    let address = match server.ip() {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::new(192, 0, 2, number)),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, number.into())),
    };
    SocketAddr::new(address, 5060)
}

/// The message with the length of the body that stands here: where a secret in it was masked, readers of a
/// stream would otherwise look for the next message at the wrong place.
fn with_true_length(text: &str) -> Vec<u8> {
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return text.as_bytes().to_vec() };
    let lines = head.split("\r\n").map(|line| match line.split_once(':') {
        Some((name, value)) if is_length(name) && value.trim() != body.len().to_string() => {
            format!("{name}: {}", body.len())
        }
        _ => line.to_owned(),
    });
    let head = lines.collect::<Vec<_>>().join("\r\n");
    format!("{head}\r\n\r\n{body}").into_bytes()
}

fn is_length(name: &str) -> bool {
    ["content-length", "l"].iter().any(|known| name.trim().eq_ignore_ascii_case(known))
}

const MAGIC: u32 = 0xA1B2_C3D4;
/// 2.4, the minor number in the upper half.
const VERSION: u32 = 0x0004_0002;
const SNAP_LENGTH: u32 = 262_144;
/// The packet begins with its IP header.
const LINK_TYPE_RAW: u32 = 101;
/// Connections to one server at the same time.
const PHONES: u8 = 250;
const LONGEST_PING: usize = 64;
