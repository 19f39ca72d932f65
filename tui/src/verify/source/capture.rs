//! Walks a packet capture, classic or next-generation, and collects the messages of its packets.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use homing::offline::{Frame, Message};
use pcap_parser::traits::PcapNGPacketBlock as _;
use pcap_parser::{
    Block, Linktype, parse_block_be, parse_block_le, parse_pcap_frame, parse_pcap_frame_be, parse_pcap_header,
};

use super::cut::starts_message;
use super::packet::{Fragments, Payload, Segment, segment};
use super::stream::{Stream, Yield};
use super::{Kind, Link, Place, ReadError, Recorded, Recording, Remark, Repeats, limits};

/// Reads a capture; what is damaged behind its beginning is remarked and left out.
pub(super) fn read(bytes: &[u8]) -> Result<Recording, ReadError> {
    let mut walk =
        Walk { recording: Recording { kind: Kind::Capture, ..Recording::default() }, ..Walk::default() };
    let whole = if bytes.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) {
        next_generation(bytes, &mut walk)?
    } else {
        classic(bytes, &mut walk)?
    };
    if !whole {
        walk.recording.remark(Remark::CutOff { packets: walk.packets });
    }
    walk.finish()
}

/// One recorded frame.
struct Captured<'a> {
    link_type: Linktype,
    /// By the wall clock.
    at: Duration,
    data: &'a [u8],
    /// Its length on the wire.
    original: usize,
}

/// Where a message was found, and on which way.
#[derive(Clone, Copy)]
struct Origin {
    link: usize,
    from: SocketAddr,
    place: Place,
    at: Duration,
}

/// The state of one pass over a capture.
#[derive(Default)]
struct Walk {
    recording: Recording,
    packets: u64,
    snapped: u64,
    first: Option<Duration>,
    unknown_link: Option<Linktype>,
    understood: bool,
    fragments: Fragments,
    /// The two directions of every connection, by (source, destination).
    streams: BTreeMap<(SocketAddr, SocketAddr), Stream>,
    /// Links by their two ends in order.
    links: BTreeMap<(SocketAddr, SocketAddr, bool), usize>,
}

fn classic(bytes: &[u8], walk: &mut Walk) -> Result<bool, ReadError> {
    let (mut rest, header) = parse_pcap_header(bytes).map_err(|_| ReadError::NoCapture)?;
    let per_tick = if header.is_nanosecond_precision() { 1 } else { 1_000 };
    while !rest.is_empty() {
        let frame = if header.is_bigendian() { parse_pcap_frame_be(rest) } else { parse_pcap_frame(rest) };
        let Ok((behind, frame)) = frame else { return Ok(false) };
        rest = behind;
        walk.take(&Captured {
            link_type: Linktype(header.network.0 & 0x0fff_ffff),
            at: Duration::from_secs(frame.ts_sec.into())
                + Duration::from_nanos(u64::from(frame.ts_usec).saturating_mul(per_tick)),
            data: frame.data,
            original: frame.origlen as usize,
        });
    }
    Ok(true)
}

fn next_generation(bytes: &[u8], walk: &mut Walk) -> Result<bool, ReadError> {
    let (mut rest, mut big_endian) = (bytes, false);
    // Link type and ticks per second of each interface of the section.
    let mut interfaces: Vec<(Linktype, u64)> = Vec::new();
    let mut sections = 0;
    while !rest.is_empty() {
        let block = if big_endian { parse_block_be(rest) } else { parse_block_le(rest) };
        let Ok((behind, block)) = block else { break };
        // A block that takes nothing would never end.
        if behind.len() >= rest.len() {
            break;
        }
        rest = behind;
        match block {
            Block::SectionHeader(header) => {
                sections += 1;
                big_endian = header.big_endian();
                interfaces.clear();
            }
            Block::InterfaceDescription(interface) => {
                let ticks = interface.ts_resolution().filter(|ticks| *ticks > 0).unwrap_or(1_000_000);
                interfaces.push((interface.linktype, ticks));
            }
            Block::EnhancedPacket(packet) => {
                let Some(&(link_type, ticks)) = interfaces.get(packet.if_id as usize) else { continue };
                let count = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
                let nanos = u128::from(count % ticks) * 1_000_000_000 / u128::from(ticks);
                let at = Duration::from_secs(count / ticks)
                    + Duration::from_nanos(u64::try_from(nanos).unwrap_or_default());
                let original = packet.origlen as usize;
                walk.take(&Captured { link_type, at, data: packet.packet_data(), original });
            }
            Block::SimplePacket(packet) => {
                let Some(&(link_type, _)) = interfaces.first() else { continue };
                let original = packet.origlen as usize;
                let at = walk.first.unwrap_or_default();
                walk.take(&Captured { link_type, at, data: packet.packet_data(), original });
            }
            _ => {}
        }
    }
    if sections == 0 { Err(ReadError::NoCapture) } else { Ok(rest.is_empty()) }
}

impl Walk {
    fn take(&mut self, frame: &Captured<'_>) {
        self.packets += 1;
        self.snapped += u64::from(frame.data.len() < frame.original);
        let at = frame.at.saturating_sub(*self.first.get_or_insert(frame.at));
        let Some(packet) = segment(frame.link_type, frame.data, &mut self.fragments) else {
            self.unknown_link = Some(frame.link_type);
            return;
        };
        self.understood = true;
        let Some(segment) = packet else { return };
        let place = Place::Packet(self.packets);
        match &segment.payload {
            Payload::Datagram(bytes) => self.datagram(&segment, bytes, place, at),
            Payload::Tcp(tcp) => {
                let way = (segment.from, segment.to);
                let opens = tcp.syn && !tcp.ack;
                let fresh = opens && self.streams.get(&way).is_some_and(Stream::has_begun);
                if fresh {
                    // The same ports again: a new connection.
                    self.close(way, at);
                }
                if self.streams.len() >= STREAM_LIMIT && !self.streams.contains_key(&way) {
                    return;
                }
                let link = self.link(&segment, true);
                let mut out = Yield::default();
                let stream = self.streams.entry(way).or_insert_with(|| Stream::new(link));
                stream.take(tcp, &mut out);
                self.collect(out, Origin { link, from: segment.from, place, at });
            }
        }
    }

    fn datagram(&mut self, segment: &Segment, bytes: &Bytes, place: Place, at: Duration) {
        if !starts_message(bytes) {
            return;
        }
        let Frame::Message(bytes) = Frame::from_datagram(bytes.clone()) else { return };
        let link = self.link(segment, false);
        self.message(bytes, Origin { link, from: segment.from, place, at });
    }

    /// The link between the two ends; the same for both directions.
    fn link(&mut self, segment: &Segment, stream: bool) -> usize {
        let (low, high) = (segment.from.min(segment.to), segment.from.max(segment.to));
        *self.links.entry((low, high, stream)).or_insert_with(|| {
            let (word, repeats) = match stream {
                true => ("TCP", Repeats::AreReplays),
                false => ("UDP", Repeats::AreRetransmissions),
            };
            let name = format!("{word} {} – {}", segment.from, segment.to);
            self.recording.links.push(Link { name, repeats });
            self.recording.links.len() - 1
        })
    }

    /// Ends both directions of a connection.
    fn close(&mut self, way: (SocketAddr, SocketAddr), at: Duration) {
        for way in [way, (way.1, way.0)] {
            if let Some(stream) = self.streams.remove(&way) {
                self.drain(stream, way.0, at);
            }
        }
        self.links.remove(&(way.0.min(way.1), way.0.max(way.1), true));
    }

    fn drain(&mut self, mut stream: Stream, from: SocketAddr, at: Duration) {
        let mut out = Yield::default();
        stream.finish(&mut out);
        self.collect(out, Origin { link: stream.link(), from, place: Place::Packet(self.packets), at });
    }

    fn collect(&mut self, out: Yield, origin: Origin) {
        let Origin { place, link, .. } = origin;
        if out.gap {
            self.recording.remark(Remark::Gap { place, link });
        }
        for why in out.uncut {
            self.recording.remark(Remark::Uncut { place, link, why });
        }
        for bytes in out.messages {
            self.message(bytes, origin);
        }
    }

    fn message(&mut self, bytes: Bytes, origin: Origin) {
        let Origin { link, from, place, at } = origin;
        match Message::parse_with(bytes, &limits()) {
            Ok(message) => {
                let sender = Some(from.to_string());
                self.recording.push(Recorded {
                    place,
                    link,
                    sender,
                    at: Some(at),
                    message: message.into_exact(),
                });
            }
            Err(why) => self.recording.remark(Remark::NoMessage { place, why }),
        }
    }

    fn finish(mut self) -> Result<Recording, ReadError> {
        let mut encrypted = std::collections::BTreeSet::new();
        for (way, stream) in std::mem::take(&mut self.streams) {
            if stream.is_encrypted() {
                encrypted.insert((way.0.min(way.1), way.0.max(way.1)));
            }
            let at = self.recording.messages.last().and_then(|last| last.at).unwrap_or_default();
            self.drain(stream, way.0, at);
        }
        if !encrypted.is_empty() {
            self.recording.remark(Remark::Encrypted { connections: encrypted.len() });
        }
        if self.snapped > 0 {
            self.recording.remark(Remark::Snapped { packets: self.snapped });
        }
        match self.unknown_link {
            Some(link) if !self.understood => Err(ReadError::UnknownLink(link.0)),
            _ => Ok(self.recording),
        }
    }
}

/// Directions of connections kept at a time.
const STREAM_LIMIT: usize = 20_000;
