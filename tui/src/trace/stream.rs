//! Made-up UDP and TCP around decrypted messages: enough of both that every reader puts them together.

use std::net::{IpAddr, SocketAddr};

use etherparse::{IpHeaders, PacketBuilder, PacketBuilderStep, TcpHeader};

/// The two ends of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) phone: SocketAddr,
    pub(super) server: SocketAddr,
}

/// One TCP connection that never was: what each end would have sent so far.
#[derive(Debug)]
pub(super) struct Stream {
    ends: Ends,
    /// The next sequence numbers of phone and server.
    next: [u32; 2],
}

/// A UDP packet.
pub(super) fn datagram(ends: Ends, outgoing: bool, bytes: &[u8]) -> Vec<u8> {
    let (from, to) = ends.seen(outgoing);
    let bytes = &bytes[..bytes.len().min(LONGEST_DATAGRAM)];
    let mut packet = Vec::new();
    let written = ip(from.ip(), to.ip()).map(|ip| ip.udp(from.port(), to.port()).write(&mut packet, bytes));
    debug_assert!(matches!(written, None | Some(Ok(()))), "a bounded packet is written to memory");
    packet
}

impl Stream {
    /// A connection whose first bytes are still to come.
    pub(super) fn new(ends: Ends) -> Self {
        Self { ends, next: [1, 1] }
    }

    /// The two addresses it runs between.
    pub(super) fn ends(&self) -> Ends {
        self.ends
    }

    /// The three-way handshake of RFC 9293 section 3.5.
    pub(super) fn open(&mut self) -> Vec<Vec<u8>> {
        self.next = [0, 0];
        let first = self.segment(true, &[], |tcp| (tcp.syn, tcp.ack) = (true, false));
        self.next[PHONE] = 1;
        let second = self.segment(false, &[], |tcp| tcp.syn = true);
        self.next[SERVER] = 1;
        vec![first, second, self.segment(true, &[], |_| ())]
    }

    /// An attempt that came to nothing.
    pub(super) fn refuse(&mut self) -> Vec<Vec<u8>> {
        self.next = [0, 0];
        vec![self.segment(true, &[], |tcp| (tcp.syn, tcp.ack) = (true, false))]
    }

    /// Bytes in as many segments as they need.
    pub(super) fn send(&mut self, outgoing: bool, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        for chunk in bytes.chunks(LONGEST_SEGMENT) {
            packets.push(self.segment(outgoing, chunk, |tcp| tcp.psh = true));
            let sender = &mut self.next[if outgoing { PHONE } else { SERVER }];
            *sender = sender.wrapping_add(u32::try_from(chunk.len()).unwrap_or(0));
        }
        packets
    }

    /// Both ends say that they are done, this one first.
    pub(super) fn close(&mut self, outgoing: bool) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        for from_phone in [outgoing, !outgoing] {
            packets.push(self.segment(from_phone, &[], |tcp| tcp.fin = true));
            let sender = &mut self.next[if from_phone { PHONE } else { SERVER }];
            *sender = sender.wrapping_add(1);
        }
        packets.push(self.segment(outgoing, &[], |_| ()));
        packets
    }

    /// One segment that acknowledges everything before it; `shape` sets what else it says.
    fn segment(&self, outgoing: bool, bytes: &[u8], shape: impl FnOnce(&mut TcpHeader)) -> Vec<u8> {
        let (from, to) = self.ends.seen(outgoing);
        let (own, others) = if outgoing { (PHONE, SERVER) } else { (SERVER, PHONE) };
        let mut header = TcpHeader::new(from.port(), to.port(), self.next[own], WINDOW);
        header.ack = true;
        shape(&mut header);
        if header.ack {
            header.acknowledgment_number = self.next[others];
        }
        let mut packet = Vec::new();
        let written = ip(from.ip(), to.ip()).map(|ip| ip.tcp_header(header).write(&mut packet, bytes));
        debug_assert!(matches!(written, None | Some(Ok(()))), "a bounded packet is written to memory");
        packet
    }
}

impl Ends {
    /// Sender and receiver.
    fn seen(self, outgoing: bool) -> (SocketAddr, SocketAddr) {
        if outgoing { (self.phone, self.server) } else { (self.server, self.phone) }
    }
}

/// The beginning of a packet; none if the two addresses are of different families.
fn ip(from: IpAddr, to: IpAddr) -> Option<PacketBuilderStep<IpHeaders>> {
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => Some(PacketBuilder::ipv4(from.octets(), to.octets(), HOPS)),
        (IpAddr::V6(from), IpAddr::V6(to)) => Some(PacketBuilder::ipv6(from.octets(), to.octets(), HOPS)),
        _ => None,
    }
}

const PHONE: usize = 0;
const SERVER: usize = 1;
const HOPS: u8 = 64;
const WINDOW: u16 = u16::MAX;
/// With both headers it stays below the 65,535 bytes of an IPv4 packet.
const LONGEST_SEGMENT: usize = 32 * 1024;
const LONGEST_DATAGRAM: usize = 65_000;
