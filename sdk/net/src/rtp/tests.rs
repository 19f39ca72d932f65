//! The paced threads over loopback sockets, with machines that count.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use homing_core::ids::Seed;
use homing_core::time::Moment;

use super::counters::LiveCounters;
use super::lateness::LiveLateness;
use super::rings;
use super::schedule::Due;
use super::seat::{Occupied, Seat as _, Turn};
use super::{
    Commands, Component, Driven, PacedConfig, PacedError, PacedThreads, PacketMachine, PortRange, Reports,
    RtpAddress, RtpPair, RtpPorts, RtpSockets, Transmit,
};

/// Sends its number in each slot, and tells what it sees.
struct Counting {
    peer: Option<SocketAddr>,
    component: Component,
    slots: u64,
    unsent: VecDeque<Vec<u8>>,
    unread: VecDeque<Seen>,
}

#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Packet(Component, Vec<u8>),
    /// How many slots there were, the missed ones included, and when.
    Slot(u64, Moment),
    Told(u32),
    Stopped,
}

enum Tell {
    SendTo(SocketAddr),
    Word(u32),
}

impl Counting {
    fn new(peer: Option<SocketAddr>) -> Self {
        let (unsent, unread) = (VecDeque::new(), VecDeque::new());
        Self { peer, component: Component::Rtp, slots: 0, unsent, unread }
    }
}

impl PacketMachine for Counting {
    type Command = Tell;
    type Report = Seen;

    fn handle_packet(&mut self, component: Component, packet: &mut [u8], _: SocketAddr, _: Moment) {
        self.unread.push_back(Seen::Packet(component, packet.to_vec()));
    }

    fn handle_command(&mut self, command: Tell, _: Moment) {
        match command {
            Tell::SendTo(peer) => self.peer = Some(peer),
            Tell::Word(word) => self.unread.push_back(Seen::Told(word)),
        }
    }

    fn handle_slot(&mut self, missed: u64, now: Moment) {
        self.slots += 1 + missed;
        self.unread.push_back(Seen::Slot(self.slots, now));
        self.unsent.push_back(self.slots.to_be_bytes().to_vec());
    }

    fn handle_stop(&mut self, _: Moment) {
        self.unsent.push_back(b"bye".to_vec());
        self.unread.push_back(Seen::Stopped);
    }

    fn poll_transmit(&mut self, buffer: &mut [u8], _: Moment) -> Option<Transmit> {
        let to = self.peer?;
        let packet = self.unsent.pop_front()?;
        buffer[..packet.len()].copy_from_slice(&packet);
        Some(Transmit { component: self.component, to, length: packet.len() })
    }

    fn poll_report(&mut self) -> Option<Seen> {
        self.unread.pop_front()
    }
}

/// Ranges that do not meet, for tests run at the same time.
fn bind(first: u16, address: IpAddr, pair: RtpPair) -> RtpSockets {
    let range = PortRange::new(first, first + 499).unwrap();
    let mut ports = RtpPorts::new(range, &Seed::from_number(u64::from(first)));
    ports.bind(RtpAddress { bind: address, advertise: None }, pair).unwrap()
}

fn bind_v4(first: u16) -> RtpSockets {
    bind(first, Ipv4Addr::LOCALHOST.into(), RtpPair::Two)
}

fn start(threads: usize, machines: usize) -> PacedThreads {
    PacedThreads::start(PacedConfig { threads, machines, ..PacedConfig::new(Instant::now()) }).unwrap()
}

/// A peer without a machine; what does not come in ten seconds does not come.
fn plain_peer(address: IpAddr) -> UdpSocket {
    let socket = UdpSocket::bind((address, 0)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    socket
}

fn received(socket: &UdpSocket) -> Vec<u8> {
    let mut packet = [0; 64];
    let length = socket.recv(&mut packet).unwrap();
    packet[..length].to_vec()
}

fn next(driven: &mut Driven<Tell, Seen>) -> Option<Seen> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let report = async { tokio::time::timeout(Duration::from_secs(10), driven.reports.next()).await };
    runtime.block_on(report).expect("a report comes within ten seconds")
}

fn next_packet(driven: &mut Driven<Tell, Seen>) -> (Component, Vec<u8>) {
    loop {
        if let Seen::Packet(component, packet) = next(driven).unwrap() {
            return (component, packet);
        }
    }
}

#[test]
fn each_slot_sends_one_packet_and_slots_follow_the_clock() {
    let threads = start(1, 4);
    let peer = plain_peer(Ipv4Addr::LOCALHOST.into());
    let mut driven = threads.add(bind_v4(20_000), Counting::new(peer.local_addr().ok())).unwrap();
    let mut packets: Vec<u64> = Vec::new();
    while packets.len() < 25 {
        packets.push(u64::from_be_bytes(received(&peer).try_into().unwrap()));
    }
    let mut slots: Vec<(u64, Moment)> = Vec::new();
    while slots.len() < 25 {
        if let Seen::Slot(number, now) = next(&mut driven).unwrap() {
            slots.push((number, now));
        }
    }
    assert_eq!(packets, slots.iter().map(|slot| slot.0).collect::<Vec<_>>());
    let (first, last) = (slots[0], slots[24]);
    // However late the machine of the test is, no slot comes before its time.
    assert!(last.1.0 + Duration::from_millis(20) >= first.1.0 + Duration::from_millis(20) * (24 - 5));
    let by_clock = (last.1.0 - first.1.0).as_millis() / 20;
    assert!(u128::from(last.0 - first.0) >= by_clock.saturating_sub(5), "{slots:?}");
    let counters = driven.packets.read();
    assert!(counters.sent >= 25 && counters.send_errors + counters.no_room == 0, "{counters:?}");
    assert!(threads.lateness().packets() >= 25);
}

#[test]
fn packets_come_by_the_port_they_were_sent_to() {
    let threads = start(1, 4);
    let sockets = bind_v4(20_500);
    let (rtp, rtcp) = (sockets.local(), sockets.local_rtcp().unwrap());
    let peer = plain_peer(Ipv4Addr::LOCALHOST.into());
    // It waits in the system's buffer until the machine sits.
    peer.send_to(b"early", rtp).unwrap();
    let mut driven = threads.add(sockets, Counting::new(None)).unwrap();
    assert_eq!(next_packet(&mut driven), (Component::Rtp, b"early".to_vec()));
    peer.send_to(b"control", rtcp).unwrap();
    assert_eq!(next_packet(&mut driven), (Component::Rtcp, b"control".to_vec()));
    peer.send_to(&[0; super::LARGEST_PACKET + 1], rtp).unwrap();
    peer.send_to(&[1; super::LARGEST_PACKET], rtp).unwrap();
    assert_eq!(next_packet(&mut driven).1.len(), super::LARGEST_PACKET);
    let counters = driven.packets.read();
    assert_eq!((counters.received, counters.too_large), (3, 1));
}

#[test]
fn without_a_port_of_its_own_rtcp_leaves_by_that_of_rtp() {
    let threads = start(1, 4);
    let mut sockets = bind_v4(21_000);
    sockets.multiplex();
    let (rtp, peer) = (sockets.local(), plain_peer(Ipv4Addr::LOCALHOST.into()));
    let machine = Counting { component: Component::Rtcp, ..Counting::new(peer.local_addr().ok()) };
    let _driven = threads.add(sockets, machine).unwrap();
    let mut packet = [0; 64];
    assert_eq!(peer.recv_from(&mut packet).unwrap().1, rtp);
}

#[test]
fn a_session_over_ipv6_is_one_like_any_other() {
    let threads = start(1, 4);
    let sockets = bind(21_500, Ipv6Addr::LOCALHOST.into(), RtpPair::Two);
    let (rtp, peer) = (sockets.local(), plain_peer(Ipv6Addr::LOCALHOST.into()));
    let mut driven = threads.add(sockets, Counting::new(peer.local_addr().ok())).unwrap();
    assert_eq!(received(&peer).len(), 8);
    peer.send_to(b"six", rtp).unwrap();
    assert_eq!(next_packet(&mut driven).1, b"six");
}

#[test]
fn forty_machines_on_two_threads_hear_each_other() {
    let threads = start(2, 20);
    let bound: Vec<RtpSockets> = (0..40).map(|_| bind_v4(22_000)).collect();
    let addresses: Vec<SocketAddr> = bound.iter().map(RtpSockets::local).collect();
    let mut driven: Vec<_> = bound
        .into_iter()
        .enumerate()
        .map(|(number, sockets)| threads.add(sockets, Counting::new(Some(addresses[number ^ 1]))).unwrap())
        .collect();
    assert_eq!(threads.machines(), 40);
    for one in &mut driven {
        let heard: Vec<u64> =
            (0..5).map(|_| u64::from_be_bytes(next_packet(one).1.try_into().unwrap())).collect();
        assert!(heard.windows(2).all(|two| two[1] > two[0]), "{heard:?}");
    }
    let error = threads.add(bind_v4(22_000), Counting::new(None)).unwrap_err();
    assert_eq!((error.code(), matches!(error, PacedError::Full(40))), ("E1606", true));
}

#[test]
fn a_machine_let_go_says_its_last_word_and_frees_port_and_seat() {
    let threads = start(1, 1);
    let peer = plain_peer(Ipv4Addr::LOCALHOST.into());
    let sockets = bind_v4(22_500);
    let (rtp, rtcp) = (sockets.local(), sockets.local_rtcp().unwrap());
    let Driven { mut commands, mut reports, .. } = threads.add(sockets, Counting::new(None)).unwrap();
    commands.send(Tell::SendTo(peer.local_addr().unwrap())).unwrap();
    commands.send(Tell::Word(9)).unwrap();
    drop(commands);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut seen = Vec::new();
    while let Some(report) = runtime.block_on(reports.next()) {
        seen.push(report);
    }
    assert!(seen.contains(&Seen::Told(9)) && seen.last() == Some(&Seen::Stopped), "{seen:?}");
    assert!(std::iter::repeat_with(|| received(&peer)).any(|packet| packet == b"bye"));
    UdpSocket::bind(rtp).and(UdpSocket::bind(rtcp)).unwrap();
    // The seat is free just after the sockets are closed.
    while threads.machines() > 0 {
        std::thread::yield_now();
    }
    threads.add(bind_v4(22_500), Counting::new(None)).unwrap();
}

#[test]
fn machines_come_and_go_while_others_speak() {
    let threads = start(1, 8);
    let peer = plain_peer(Ipv4Addr::LOCALHOST.into());
    let steady = threads.add(bind_v4(23_000), Counting::new(peer.local_addr().ok())).unwrap();
    let mut last = 0;
    for _ in 0..10 {
        let passing = threads.add(bind_v4(23_000), Counting::new(None)).unwrap();
        for _ in 0..3 {
            let number = u64::from_be_bytes(received(&peer).try_into().unwrap());
            // A machine of tests may be late; no other machine makes it so.
            assert!(number > last && number - last <= 1 + steady.packets.read().slots_missed);
            last = number;
        }
        drop(passing);
    }
}

#[test]
fn too_many_commands_at_once_come_back() {
    let config = PacedConfig { commands: 2, ..PacedConfig::new(Instant::now()) };
    let threads = PacedThreads::start(config).unwrap();
    let mut driven = threads.add(bind_v4(23_500), Counting::new(None)).unwrap();
    let mut sent = 0;
    let refused = loop {
        match driven.commands.send(Tell::Word(sent)) {
            Ok(()) => sent += 1,
            Err(refused) => break refused,
        }
    };
    assert_eq!(refused.code(), "E1609");
    // What was taken is heard in its order, all of it.
    let mut told = 0;
    while told < sent {
        if let Seen::Told(word) = next(&mut driven).unwrap() {
            assert_eq!(word, told);
            told += 1;
        }
    }
}

#[test]
fn a_peer_that_is_gone_or_of_another_family_is_counted_and_ends_nothing() {
    let threads = start(1, 4);
    let gone = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut driven = threads.add(bind_v4(24_000), Counting::new(Some(gone))).unwrap();
    driven.commands.send(Tell::SendTo("[2001:db8::1]:9".parse().unwrap())).unwrap();
    while driven.packets.read().send_errors == 0 {
        next(&mut driven).unwrap();
    }
    let peer = plain_peer(Ipv4Addr::LOCALHOST.into());
    driven.commands.send(Tell::SendTo(peer.local_addr().unwrap())).unwrap();
    assert_eq!(received(&peer).len(), 8);
}

/// A machine in a seat of its own, without a thread; its owner's ends of the rings.
struct Seated<M: PacketMachine> {
    seat: Occupied<M>,
    counters: LiveCounters,
    turn: Turn,
    _commands: Commands<M::Command>,
    _reports: Reports<M::Report>,
}

impl<M: PacketMachine> Seated<M> {
    fn new(mut sockets: RtpSockets, machine: M) -> Self {
        sockets.multiplex();
        let (commands, queue) = rings::commands(1);
        let (report_queue, reports) = rings::reports(1);
        let (rtp, counters) = (mio::net::UdpSocket::from_std(sockets.rtp), LiveCounters::default());
        let seat = Occupied {
            machine,
            rtp,
            rtcp: None,
            commands: queue,
            reports: report_queue,
            counters: counters.clone(),
        };
        let turn = Turn {
            inbound: [0; super::LARGEST_PACKET + 1],
            outbound: [0; super::LARGEST_PACKET],
            lateness: LiveLateness::new(),
            clock: Box::new(Moment::default),
        };
        Self { seat, counters, turn, _commands: commands, _reports: reports }
    }
}

#[test]
fn a_flood_is_read_in_batches_so_that_others_have_their_turn() {
    let sockets = bind_v4(24_500);
    let flooded = sockets.local();
    let flood = plain_peer(Ipv4Addr::LOCALHOST.into());
    assert!((0..50).all(|_| flood.send_to(b"flood", flooded).is_ok()));
    let mut seated = Seated::new(sockets, Counting::new(None));
    assert!(seated.seat.receive(&mut seated.turn));
    assert_eq!(seated.counters.read().received, 32);
    assert!(!seated.seat.receive(&mut seated.turn));
    assert_eq!(seated.counters.read().received, 50);
}

/// Sends back each packet, and one more in each slot.
struct Mirror {
    peer: SocketAddr,
    unsent: u32,
}

impl PacketMachine for Mirror {
    type Command = ();
    type Report = ();

    fn handle_packet(&mut self, _: Component, _: &mut [u8], _: SocketAddr, _: Moment) {
        self.unsent += 1;
    }

    fn handle_command(&mut self, (): (), _: Moment) {}

    fn handle_slot(&mut self, _: u64, _: Moment) {
        self.unsent += 1;
    }

    fn handle_stop(&mut self, _: Moment) {}

    fn poll_transmit(&mut self, buffer: &mut [u8], _: Moment) -> Option<Transmit> {
        self.unsent = self.unsent.checked_sub(1)?;
        buffer[..172].fill(1);
        Some(Transmit { component: Component::Rtp, to: self.peer, length: 172 })
    }

    fn poll_report(&mut self) -> Option<()> {
        None
    }
}

#[test]
fn nothing_is_allocated_for_a_packet_or_a_slot() {
    let sockets = bind_v4(25_500);
    let (mirror, peer) = (sockets.local(), plain_peer(Ipv4Addr::LOCALHOST.into()));
    let mut seated = Seated::new(sockets, Mirror { peer: peer.local_addr().unwrap(), unsent: 0 });
    let due = Due { phase: 0, at: Moment::default(), missed: 0 };
    let mut packet = [0; 200];
    let allocated = allocation_counter::measure(|| {
        for _ in 0..100 {
            assert!(peer.send_to(&[0; 172], mirror).is_ok());
            seated.seat.receive(&mut seated.turn);
            assert!(seated.seat.serve(due, &mut seated.turn));
            assert!((0..2).all(|_| peer.recv(&mut packet).is_ok_and(|length| length == 172)));
        }
    });
    assert_eq!((allocated.count_total, seated.counters.read().sent), (0, 200));
}

#[test]
fn threads_that_end_stop_their_machines_and_tell_their_owners() {
    let threads = start(2, 4);
    let peer = plain_peer(Ipv4Addr::LOCALHOST.into());
    let mut driven = threads.add(bind_v4(25_000), Counting::new(peer.local_addr().ok())).unwrap();
    drop(threads);
    assert!(std::iter::repeat_with(|| received(&peer)).any(|packet| packet == b"bye"));
    while next(&mut driven).is_some() {}
    assert_eq!(driven.commands.send(Tell::Word(1)).unwrap_err().code(), "E1608");
}
