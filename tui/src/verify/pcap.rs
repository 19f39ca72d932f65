//! Classic pcap files: SIP over UDP and TCP, IPv4 and IPv6, streams put together again.

use std::collections::BTreeMap;
use std::net::IpAddr;

use homing::offline::{Frame, Framer, Limits};

use crate::verify::Recorded;

/// The SIP messages of a capture in the order they were complete; none if this is no pcap file.
pub(crate) fn read(file: &[u8]) -> Option<Vec<Recorded>> {
    let order = match file.first_chunk::<4>()? {
        [0xd4, 0xc3, 0xb2, 0xa1] | [0x4d, 0x3c, 0xb2, 0xa1] => Order::Little,
        [0xa1, 0xb2, 0xc3, 0xd4] | [0xa1, 0xb2, 0x3c, 0x4d] => Order::Big,
        _ => return None,
    };
    let link = order.u32(file, 20)?;
    let mut found: Vec<(usize, Recorded)> = Vec::new();
    let mut streams: BTreeMap<Way, Stream> = BTreeMap::new();
    let mut at = 24;
    for number in 1.. {
        let Some(length) = order.u32(file, at + 8).and_then(|length| usize::try_from(length).ok()) else {
            break;
        };
        let Some(packet) = at.checked_add(16).and_then(|from| file.get(from..from.checked_add(length)?))
        else {
            break;
        };
        at += 16 + length;
        match segment(packet, link) {
            Some(Segment::Datagram(bytes)) => found.extend(message(number, bytes.to_vec())),
            Some(Segment::Tcp { way, sequence, bytes }) => {
                streams.entry(way).or_default().take(sequence, number, bytes);
            }
            None => {}
        }
    }
    found.extend(streams.into_values().flat_map(Stream::messages));
    found.sort_by_key(|(number, _)| *number);
    Some(found.into_iter().map(|(_, recorded)| recorded).collect())
}

/// Byte order of the file's own numbers.
#[derive(Clone, Copy)]
enum Order {
    Little,
    Big,
}

/// What a packet carries.
enum Segment<'a> {
    Datagram(&'a [u8]),
    Tcp { way: Way, sequence: u32, bytes: &'a [u8] },
}

/// One direction of one connection.
type Way = (IpAddr, u16, IpAddr, u16);

/// The segments of one direction, by their offset from the first one seen.
#[derive(Default)]
struct Stream {
    first: Option<u32>,
    segments: BTreeMap<i64, (usize, Vec<u8>)>,
}

impl Order {
    fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let four = *bytes.get(at..)?.first_chunk::<4>()?;
        Some(match self {
            Order::Little => u32::from_le_bytes(four),
            Order::Big => u32::from_be_bytes(four),
        })
    }
}

impl Stream {
    fn take(&mut self, sequence: u32, number: usize, bytes: &[u8]) {
        let first = *self.first.get_or_insert(sequence);
        // Sequence numbers wrap around; the difference does not, within 2 GiB either way.
        let offset = i64::from(sequence.wrapping_sub(first).cast_signed());
        let known = self.segments.get(&offset).map_or(0, |(_, known)| known.len());
        if bytes.len() > known {
            self.segments.insert(offset, (number, bytes.to_vec()));
        }
    }

    /// The messages, each with the number of the packet that completed it. After a gap the stream is
    /// taken up again at the next segment.
    fn messages(self) -> Vec<(usize, Recorded)> {
        let mut found = Vec::new();
        let mut framer = Framer::new(Limits::default());
        let mut next: Option<i64> = None;
        for (offset, (number, bytes)) in self.segments {
            let due = next.unwrap_or(offset);
            let repeated = usize::try_from(due.saturating_sub(offset)).unwrap_or(0);
            if offset > due {
                framer = Framer::new(Limits::default());
            }
            framer.push(bytes.get(repeated..).unwrap_or_default());
            let end = offset.saturating_add(i64::try_from(bytes.len()).unwrap_or(i64::MAX));
            next = Some(due.max(end));
            loop {
                match framer.next() {
                    Ok(Some(Frame::Message(bytes))) => found.extend(message(number, bytes.to_vec())),
                    Ok(Some(Frame::Ping | Frame::Pong | Frame::Stun(_))) => {}
                    Ok(None) => break,
                    Err(_) => {
                        framer = Framer::new(Limits::default());
                        break;
                    }
                }
            }
        }
        found
    }
}

fn message(number: usize, bytes: Vec<u8>) -> Option<(usize, Recorded)> {
    let head = bytes.get(..bytes.len().min(2_048))?;
    let is_sip = head.windows(8).any(|window| window == b"SIP/2.0 " || window == b"SIP/2.0\r");
    is_sip.then(|| (number, Recorded { place: format!("packet {number}"), bytes }))
}

fn segment(packet: &[u8], link: u32) -> Option<Segment<'_>> {
    let ip = match link {
        // BSD loopback: four octets of address family.
        0 | 108 => packet.get(4..)?,
        1 => ethernet(packet)?,
        101 | 228 | 229 => packet,
        // Linux cooked, both versions.
        113 => packet.get(16..)?,
        276 => packet.get(20..)?,
        _ => return None,
    };
    let (from, to, protocol, payload) = match ip.first()? >> 4 {
        4 => ipv4(ip)?,
        6 => ipv6(ip)?,
        _ => return None,
    };
    let port = |at: usize| Some(u16::from_be_bytes(*payload.get(at..)?.first_chunk::<2>()?));
    match protocol {
        17 => Some(Segment::Datagram(payload.get(8..)?)),
        6 => {
            let header = usize::from(payload.get(12)? >> 4) * 4;
            let bytes = payload.get(header..)?;
            let sequence = u32::from_be_bytes(*payload.get(4..)?.first_chunk::<4>()?);
            // A SYN takes one number and carries nothing here.
            if bytes.is_empty() {
                return None;
            }
            Some(Segment::Tcp { way: (from, port(0)?, to, port(2)?), sequence, bytes })
        }
        _ => None,
    }
}

fn ethernet(packet: &[u8]) -> Option<&[u8]> {
    let mut at = 12;
    loop {
        match packet.get(at..at + 2)? {
            // VLAN tags.
            [0x81, 0x00] | [0x88, 0xa8] => at += 4,
            [0x08, 0x00] | [0x86, 0xdd] => return packet.get(at + 2..),
            _ => return None,
        }
    }
}

/// Sender, receiver, protocol and payload.
type Parts<'a> = (IpAddr, IpAddr, u8, &'a [u8]);

fn ipv4(ip: &[u8]) -> Option<Parts<'_>> {
    let header = usize::from(ip.first()? & 15) * 4;
    let total = usize::from(u16::from_be_bytes(*ip.get(2..)?.first_chunk::<2>()?));
    let fragment = u16::from_be_bytes(*ip.get(6..)?.first_chunk::<2>()?) & 0x3fff;
    if fragment != 0 {
        return None;
    }
    let address = |at: usize| Some(IpAddr::from(*ip.get(at..)?.first_chunk::<4>()?));
    // Segmentation by the network card leaves a total length of 0; link padding makes the packet longer.
    let end = if total > header { total.min(ip.len()) } else { ip.len() };
    Some((address(12)?, address(16)?, *ip.get(9)?, ip.get(header..end)?))
}

fn ipv6(ip: &[u8]) -> Option<Parts<'_>> {
    let address = |at: usize| Some(IpAddr::from(*ip.get(at..)?.first_chunk::<16>()?));
    let length = usize::from(u16::from_be_bytes(*ip.get(4..)?.first_chunk::<2>()?));
    let end = if length > 0 { (40 + length).min(ip.len()) } else { ip.len() };
    Some((address(8)?, address(24)?, *ip.get(6)?, ip.get(40..end)?))
}
