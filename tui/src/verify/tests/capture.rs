//! Packet captures, written here byte by byte: every container, link and way of sending gives the same report.

use super::*;
use crate::verify::source::{Place, Remark};

/// How packets are wrapped.
#[derive(Clone, Copy, Debug)]
enum Link {
    Ethernet,
    Vlan,
    Loopback,
    Raw,
    Cooked,
    Cooked2,
}

/// How the file is written.
#[derive(Clone, Copy, Debug)]
enum File {
    Micro,
    MicroBig,
    Nano,
    NanoBig,
    Next,
    NextBig,
}

const LINKS: [Link; 6] = [Link::Ethernet, Link::Vlan, Link::Loopback, Link::Raw, Link::Cooked, Link::Cooked2];
const FILES: [File; 6] = [File::Micro, File::MicroBig, File::Nano, File::NanoBig, File::Next, File::NextBig];

impl Link {
    fn number(self) -> u32 {
        match self {
            Link::Ethernet | Link::Vlan => 1,
            Link::Loopback => 0,
            Link::Raw => 101,
            Link::Cooked => 113,
            Link::Cooked2 => 276,
        }
    }

    fn wrap(self, ip: &[u8]) -> Vec<u8> {
        let kind = if ip[0] >> 4 == 6 { [0x86, 0xdd] } else { [0x08, 0x00] };
        let mut head = match self {
            Link::Ethernet => vec![0; 12],
            Link::Vlan => [&[0; 12][..], &[0x81, 0x00, 0x00, 0x05]].concat(),
            Link::Loopback => return [&[2, 0, 0, 0], ip].concat(),
            Link::Raw => return ip.to_vec(),
            Link::Cooked => vec![0; 14],
            Link::Cooked2 => return [&kind[..], &[0; 18], ip].concat(),
        };
        head.extend_from_slice(&kind);
        head.extend_from_slice(ip);
        head
    }
}

impl File {
    fn is_big(self) -> bool {
        matches!(self, File::MicroBig | File::NanoBig | File::NextBig)
    }

    fn write(self, link: Link, packets: &[Vec<u8>]) -> Vec<u8> {
        let w4 = |value: u32| if self.is_big() { value.to_be_bytes() } else { value.to_le_bytes() };
        let w2 = |value: u16| if self.is_big() { value.to_be_bytes() } else { value.to_le_bytes() };
        let framed = packets.iter().map(|packet| link.wrap(packet));
        let mut file = Vec::new();
        if let File::Next | File::NextBig = self {
            let block = |kind: u32, body: Vec<u8>| {
                let length = w4(u32::try_from(body.len()).unwrap() + 12);
                [&w4(kind)[..], &length, &body, &length].concat()
            };
            let section = [&w4(0x1A2B_3C4D)[..], &w2(1), &w2(0), &[0xff; 8]].concat();
            file.extend(block(0x0A0D_0D0A, section));
            let number = u16::try_from(link.number()).unwrap();
            file.extend(block(1, [&w2(number)[..], &w2(0), &w4(65_535)].concat()));
            for (frame, time) in framed.zip(0u32..) {
                let size = w4(u32::try_from(frame.len()).unwrap());
                let mut body =
                    [&w4(0)[..], &w4(0), &w4(1_000_000 + time * 1_000), &size, &size, &frame].concat();
                body.resize(body.len().next_multiple_of(4), 0);
                file.extend(block(6, body));
            }
            return file;
        }
        let nano = matches!(self, File::Nano | File::NanoBig);
        file.extend(w4(if nano { 0xA1B2_3C4D } else { 0xA1B2_C3D4 }));
        file.extend([&w2(2)[..], &w2(4), &w4(0), &w4(0), &w4(65_535), &w4(link.number())].concat());
        for (frame, time) in framed.zip(0u32..) {
            let ticks = if nano { time * 1_000_000 } else { time * 1_000 };
            let size = w4(u32::try_from(frame.len()).unwrap());
            file.extend([&w4(1)[..], &w4(ticks), &size, &size, &frame].concat());
        }
        file
    }
}

/// The addresses and sequence numbers of a conversation under construction.
struct Network {
    v6: bool,
    /// Next sequence number of client and server.
    next: [u32; 2],
    packets: Vec<Vec<u8>>,
}

impl Network {
    fn new(v6: bool) -> Self {
        Self { v6, next: [u32::MAX - 700, 5_000], packets: Vec::new() }
    }

    fn ip(&self, from_client: bool, protocol: u8, payload: &[u8]) -> Vec<u8> {
        let ends = if from_client { [1, 2] } else { [2, 1] };
        let length = u16::try_from(payload.len()).unwrap();
        if self.v6 {
            let address = |last: u8| [&[0xfd; 15][..], &[last]].concat();
            let head = [&[0x60, 0, 0, 0][..], &length.to_be_bytes(), &[protocol, 64]].concat();
            return [head, address(ends[0]), address(ends[1]), payload.to_vec()].concat();
        }
        let total = (length + 20).to_be_bytes();
        let head = [0x45, 0, total[0], total[1], 0, 1, 0, 0, 64, protocol, 0, 0];
        [&head[..], &[10, 0, 0, ends[0]], &[10, 0, 0, ends[1]], payload].concat()
    }

    fn tcp(&mut self, from_client: bool, server_port: u16, flags: u8, data: &[u8]) {
        let sequence = self.next[usize::from(!from_client)];
        let (from, to) = if from_client { (40_000, server_port) } else { (server_port, 40_000) };
        let mut segment = [u16::to_be_bytes(from), u16::to_be_bytes(to)].concat();
        segment.extend(sequence.to_be_bytes());
        segment.extend([0, 0, 0, 0, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        segment.extend_from_slice(data);
        let packet = self.ip(from_client, 6, &segment);
        self.packets.push(packet);
        let grown = u32::try_from(data.len()).unwrap() + u32::from(flags & 2 != 0);
        self.next[usize::from(!from_client)] = sequence.wrapping_add(grown);
    }

    fn udp(&mut self, from_client: bool, server_port: u16, data: &[u8]) {
        let (from, to) = if from_client { (40_000, server_port) } else { (server_port, 40_000) };
        let length = u16::try_from(data.len() + 8).unwrap();
        let head = [u16::to_be_bytes(from), u16::to_be_bytes(to), length.to_be_bytes(), [0, 0]].concat();
        let packet = self.ip(from_client, 17, &[&head, data].concat());
        self.packets.push(packet);
    }
}

/// The servers of a session, by the port they listen on here.
fn port(session: &Session, server: &str) -> u16 {
    let first = session.steps.iter().position(|step| step.server == server).unwrap();
    5_060 + u16::try_from(first).unwrap()
}

/// A stream in segments of 500 bytes; every third pair of segments comes in the wrong order, every
/// fifth segment twice.
fn tcp_packets(session: &Session, v6: bool) -> Vec<Vec<u8>> {
    let mut network = Network::new(v6);
    let mut open = None;
    for step in &session.steps {
        let port = port(session, &step.server);
        if open != Some(port) {
            open = Some(port);
            network.tcp(true, port, 2, b"");
            network.tcp(false, port, 0x12, b"");
        }
        let from = network.packets.len();
        for chunk in step.text.as_bytes().chunks(500) {
            network.tcp(step.from_client, port, 0x18, chunk);
        }
        if from.is_multiple_of(3) && network.packets.len() > from + 1 {
            network.packets.swap(from, from + 1);
        }
        if from.is_multiple_of(5) {
            let again = network.packets[from].clone();
            network.packets.push(again);
        }
        network.tcp(!step.from_client, port, 0x10, b"");
    }
    network.packets
}

fn udp_packets(session: &Session) -> Vec<Vec<u8>> {
    let mut network = Network::new(false);
    for step in &session.steps {
        network.udp(step.from_client, port(session, &step.server), step.text.as_bytes());
    }
    network.packets
}

#[test]
fn a_capture_of_any_kind_gives_the_same_report_as_the_log() {
    for session in sessions() {
        let expected = session.judge();
        for (at, link) in LINKS.into_iter().enumerate() {
            let file = FILES[(at + session.name.len()) % FILES.len()];
            for v6 in [false, true] {
                let bytes = file.write(link, &tcp_packets(&session, v6));
                let report = judge(&bytes, &session.password);
                let context = format!("{} {link:?} {file:?} v6 {v6}:\n{}", session.name, shown(&report));
                assert_eq!(report.totals(), expected.totals(), "{context}");
                assert_eq!(report.judged.len(), session.steps.len(), "{context}");
                assert_eq!(report.remarks, [], "{context}");
                let servers: std::collections::BTreeSet<_> =
                    session.steps.iter().map(|s| &s.server).collect();
                assert_eq!(report.links.len(), servers.len(), "{context}");
            }
        }
    }
}

#[test]
fn every_container_is_read_the_same() {
    let session = session("r1");
    for file in FILES {
        let report = judge(&file.write(Link::Ethernet, &tcp_packets(&session, false)), &session.password);
        assert_eq!(report.verdict(), Verdict::Holds, "{file:?}:\n{}", shown(&report));
        let last = report.judged.last().unwrap();
        assert!(matches!(last.place, Place::Packet(_)));
        let millis = last.at.unwrap().as_millis();
        assert!((20..200).contains(&millis), "{file:?}: {millis}");
    }
}

#[test]
fn datagrams_are_read_and_their_copies_are_no_replays() {
    let session = session("a4");
    let mut packets = udp_packets(&session);
    packets.insert(7, packets[6].clone());
    let report = judge(&File::Micro.write(Link::Ethernet, &packets), &session.password);
    assert_eq!(report.verdict(), Verdict::Holds, "{}", shown(&report));
    assert!(notes(&report).iter().any(|note| note == "retransmission of message #7"));
    // On a stream the same bytes are a replay.
    let mut replayed = session.steps.clone();
    replayed.push(replayed[6].clone());
    let replayed = Session { steps: replayed, ..session };
    let report =
        judge(&File::Micro.write(Link::Ethernet, &tcp_packets(&replayed, false)), &replayed.password);
    assert_eq!(first(&report).1.cause, Cause::Replayed { number: Some(7) });
}

#[test]
fn fragments_are_joined() {
    let session = session("v3");
    let mut packets = Vec::new();
    for (packet, id) in udp_packets(&session).into_iter().zip(1u8..) {
        let (head, payload) = packet.split_at(20);
        let size = 640;
        let pieces = payload.chunks(size).count();
        let mut fragments: Vec<Vec<u8>> = Vec::new();
        for (at, piece) in payload.chunks(size).enumerate() {
            let mut head = head.to_vec();
            let total = u16::try_from(piece.len() + 20).unwrap().to_be_bytes();
            let more = if at + 1 < pieces { 0x2000 } else { 0 };
            let offset = (u16::try_from(at * size / 8).unwrap() | more).to_be_bytes();
            head[2..4].copy_from_slice(&total);
            head[5] = id;
            head[6..8].copy_from_slice(&offset);
            fragments.push([&head[..], piece].concat());
        }
        fragments.reverse();
        packets.extend(fragments);
    }
    let report = judge(&File::Nano.write(Link::Ethernet, &packets), &session.password);
    assert_eq!(
        (report.verdict(), report.judged.len()),
        (Verdict::Holds, session.steps.len()),
        "{}",
        shown(&report)
    );
}

#[test]
fn a_capture_that_ends_early_is_judged_as_far_as_it_goes() {
    let session = session("a4");
    for file in FILES {
        let whole = file.write(Link::Ethernet, &tcp_packets(&session, false));
        let report = judge(&whole[..whole.len() - 700], &session.password);
        assert!(report.remarks.iter().any(|remark| matches!(remark, Remark::CutOff { .. })), "{file:?}");
        assert!(report.totals().hold > 5 && report.totals().differ == 0, "{file:?}:\n{}", shown(&report));
        assert!(shown(&report).contains("ends in the middle of packet"));
    }
}

#[test]
fn a_lost_packet_is_remarked_and_costs_one_message() {
    let session = session("a4");
    let mut packets = tcp_packets(&session, false);
    let lost = packets.len() / 2;
    // One with bytes in it, behind the log-on.
    let lost = (lost..packets.len()).find(|at| packets[*at].len() > 500).unwrap();
    packets.remove(lost);
    let report = judge(&File::Micro.write(Link::Raw, &packets), &session.password);
    assert!(report.judged.len() + 1 >= session.steps.len() - 1, "{}", shown(&report));
    assert_eq!(report.totals().differ, 0, "{}", shown(&report));
}

#[test]
fn what_is_encrypted_or_of_an_unknown_network_is_said_to_be() {
    let mut network = Network::new(false);
    network.tcp(true, 5_061, 2, b"");
    network.tcp(true, 5_061, 0x18, &[0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5]);
    let bytes = File::Micro.write(Link::Ethernet, &network.packets);
    assert!(matches!(read_error(&bytes), ReadError::OnlyEncrypted { connections: 1 }));
    let mut odd = File::Micro.write(Link::Raw, &network.packets);
    odd[20] = 147;
    assert!(matches!(read_error(&odd), ReadError::UnknownLink(147)));
    assert!(matches!(read_error(&odd[..12]), ReadError::NoCapture));
}

/// A capture of the session of one of 36 kinds.
pub(super) fn sample(session: &Session, kind: usize) -> Vec<u8> {
    let packets = if kind.is_multiple_of(4) {
        udp_packets(session)
    } else {
        tcp_packets(session, kind.is_multiple_of(2))
    };
    FILES[kind % 6].write(LINKS[kind / 6], &packets)
}
