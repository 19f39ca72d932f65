//! Unwraps one captured frame down to the bytes of UDP or TCP, joining IP fragments on the way.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use etherparse::{
    EtherType, IpFragOffset, IpNumber, LaxNetSlice, LaxSlicedPacket, TcpSlice, UdpSlice, defrag::IpDefragBuf,
};
use pcap_parser::Linktype;

/// What one packet carried.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) payload: Payload,
}

/// The bytes, and what matters of the header before them.
#[derive(Debug)]
pub(super) enum Payload {
    Datagram(Bytes),
    Tcp(TcpPart),
}

/// One TCP segment.
#[derive(Debug)]
pub(super) struct TcpPart {
    pub(super) sequence: u32,
    pub(super) syn: bool,
    pub(super) ack: bool,
    pub(super) bytes: Bytes,
}

/// Packets that came in pieces and are not whole yet.
#[derive(Default)]
pub(super) struct Fragments {
    waiting: BTreeMap<(IpAddr, IpAddr, u32, u8), IpDefragBuf>,
}

/// The outer `None`: a kind of link that is not read here. The inner one: nothing of interest.
pub(super) fn segment(link: Linktype, frame: &[u8], fragments: &mut Fragments) -> Option<Option<Segment>> {
    let packet = match link {
        Linktype::ETHERNET => LaxSlicedPacket::from_ethernet(frame).ok(),
        // Four bytes of address family, in whatever order; the IP version tells the same.
        Linktype::NULL | Linktype::LOOP => from_ip(frame.get(4..)),
        Linktype::RAW | Linktype(12 | 14) | Linktype::IPV4 | Linktype::IPV6 => from_ip(Some(frame)),
        Linktype::LINUX_SLL => behind_ether_type(frame, 14, 16),
        Linktype::LINUX_SLL2 => behind_ether_type(frame, 0, 20),
        _ => return None,
    };
    Some(packet.and_then(|packet| unwrap(&packet, fragments)))
}

fn from_ip(frame: Option<&[u8]>) -> Option<LaxSlicedPacket<'_>> {
    LaxSlicedPacket::from_ip(frame?).ok()
}

/// The cooked headers of Linux: a type of Ethernet at a fixed place, the packet behind it.
fn behind_ether_type(frame: &[u8], at: usize, length: usize) -> Option<LaxSlicedPacket<'_>> {
    let kind = u16::from_be_bytes(*frame.get(at..)?.first_chunk::<2>()?);
    Some(LaxSlicedPacket::from_ether_type(EtherType(kind), frame.get(length..)?))
}

fn unwrap(packet: &LaxSlicedPacket<'_>, fragments: &mut Fragments) -> Option<Segment> {
    let (from, to) = match packet.net.as_ref()? {
        LaxNetSlice::Ipv4(ip) => {
            (IpAddr::V4(ip.header().source_addr()), IpAddr::V4(ip.header().destination_addr()))
        }
        LaxNetSlice::Ipv6(ip) => {
            (IpAddr::V6(ip.header().source_addr()), IpAddr::V6(ip.header().destination_addr()))
        }
        LaxNetSlice::Arp(_) => return None,
    };
    let ip = packet.net.as_ref()?.ip_payload_ref()?;
    if ip.fragmented {
        let (kind, whole) = fragments.join(packet, from, to)?;
        return transport(kind, &whole, from, to);
    }
    transport(ip.ip_number, ip.payload, from, to)
}

fn transport(kind: IpNumber, payload: &[u8], from: IpAddr, to: IpAddr) -> Option<Segment> {
    match kind {
        IpNumber::UDP => {
            let udp = UdpSlice::from_slice_lax(payload).ok()?;
            Some(Segment {
                from: SocketAddr::new(from, udp.source_port()),
                to: SocketAddr::new(to, udp.destination_port()),
                payload: Payload::Datagram(Bytes::copy_from_slice(udp.payload())),
            })
        }
        IpNumber::TCP => {
            let tcp = TcpSlice::from_slice(payload).ok()?;
            Some(Segment {
                from: SocketAddr::new(from, tcp.source_port()),
                to: SocketAddr::new(to, tcp.destination_port()),
                payload: Payload::Tcp(TcpPart {
                    sequence: tcp.sequence_number(),
                    syn: tcp.syn(),
                    ack: tcp.ack(),
                    bytes: Bytes::copy_from_slice(tcp.payload()),
                }),
            })
        }
        _ => None,
    }
}

impl Fragments {
    /// Takes a piece; gives the whole once it is complete.
    fn join(
        &mut self,
        packet: &LaxSlicedPacket<'_>,
        from: IpAddr,
        to: IpAddr,
    ) -> Option<(IpNumber, Vec<u8>)> {
        let ip = packet.net.as_ref()?.ip_payload_ref()?;
        let piece = match packet.net.as_ref()? {
            LaxNetSlice::Ipv4(v4) => {
                let header = v4.header();
                Piece {
                    id: header.identification().into(),
                    offset: header.fragments_offset(),
                    more: header.more_fragments(),
                }
            }
            LaxNetSlice::Ipv6(v6) => Piece::of_extensions(v6.extensions().clone().into_iter())?,
            LaxNetSlice::Arp(_) => return None,
        };
        if ip.incomplete {
            return None;
        }
        let key = (from, to, piece.id, ip.ip_number.0);
        if self.waiting.len() >= WAITING_LIMIT && !self.waiting.contains_key(&key) {
            self.waiting.pop_first();
        }
        let whole =
            self.waiting.entry(key).or_insert_with(|| IpDefragBuf::new(ip.ip_number, Vec::new(), Vec::new()));
        if whole.add(piece.offset, piece.more, ip.payload).is_err() {
            self.waiting.remove(&key);
            return None;
        }
        if !whole.is_complete() {
            return None;
        }
        let (bytes, _) = self.waiting.remove(&key)?.take_bufs();
        Some((ip.ip_number, bytes))
    }
}

/// Where a fragment belongs.
struct Piece {
    id: u32,
    offset: IpFragOffset,
    more: bool,
}

impl Piece {
    fn of_extensions<'a>(
        mut extensions: impl Iterator<Item = etherparse::Ipv6ExtensionSlice<'a>>,
    ) -> Option<Self> {
        extensions.find_map(|extension| match extension {
            etherparse::Ipv6ExtensionSlice::Fragment(fragment) => Some(Self {
                id: fragment.identification(),
                offset: fragment.fragment_offset(),
                more: fragment.more_fragments(),
            }),
            _ => None,
        })
    }
}

/// Incomplete packets kept at a time.
const WAITING_LIMIT: usize = 1_024;
