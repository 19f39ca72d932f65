//! A machine in its place on a thread: its sockets, its rings, and what is done with it in a turn.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use homing_core::time::Moment;
use mio::net::UdpSocket;

use super::counters::LiveCounters;
use super::lateness::LiveLateness;
use super::machine::{Component, LARGEST_PACKET, PacketMachine};
use super::rings::{CommandQueue, ReportQueue};
use super::schedule::Due;

/// What every machine of a thread shares while it is its turn.
pub(super) struct Turn {
    /// For what is received: one octet more than a packet may have, so that a cut one is told from a whole one.
    pub(super) inbound: [u8; LARGEST_PACKET + 1],
    pub(super) outbound: [u8; LARGEST_PACKET],
    pub(super) lateness: LiveLateness,
    /// Reads the thread's clock.
    pub(super) clock: Box<dyn Fn() -> Moment + Send>,
}

/// A machine of any kind, with what belongs to it.
pub(super) trait Seat: Send {
    /// Reads at most a batch; true if more may wait.
    fn receive(&mut self, turn: &mut Turn) -> bool;

    /// Serves a slot; false once its owner let go of it, and then it has stopped.
    fn serve(&mut self, due: Due, turn: &mut Turn) -> bool;

    /// Stops it because the thread ends.
    fn stop(&mut self, turn: &mut Turn);
}

/// A machine of one kind.
pub(super) struct Occupied<M: PacketMachine> {
    pub(super) machine: M,
    pub(super) rtp: UdpSocket,
    pub(super) rtcp: Option<UdpSocket>,
    pub(super) commands: CommandQueue<M::Command>,
    pub(super) reports: ReportQueue<M::Report>,
    pub(super) counters: LiveCounters,
}

impl<M: PacketMachine> Seat for Occupied<M> {
    fn receive(&mut self, turn: &mut Turn) -> bool {
        let mut more = self.receive_by(Component::Rtp, turn);
        if self.rtcp.is_some() {
            more |= self.receive_by(Component::Rtcp, turn);
        }
        self.report();
        more
    }

    fn serve(&mut self, due: Due, turn: &mut Turn) -> bool {
        // Asked first, so that what was said before the end is still heard.
        let is_abandoned = self.commands.is_abandoned();
        let now = (turn.clock)();
        while let Some(command) = self.commands.next() {
            self.machine.handle_command(command, now);
        }
        if is_abandoned {
            self.stop(turn);
            return false;
        }
        self.counters.slots_missed.many(due.missed);
        self.machine.handle_slot(due.missed, now);
        self.transmit(turn, Some(due.at));
        self.report();
        true
    }

    fn stop(&mut self, turn: &mut Turn) {
        self.machine.handle_stop((turn.clock)());
        self.transmit(turn, None);
        self.report();
    }
}

impl<M: PacketMachine> Occupied<M> {
    fn receive_by(&mut self, component: Component, turn: &mut Turn) -> bool {
        for _ in 0..BATCH {
            let socket = match (component, &self.rtcp) {
                (Component::Rtcp, Some(rtcp)) => rtcp,
                _ => &self.rtp,
            };
            match socket.recv_from(&mut turn.inbound) {
                Ok((length, _)) if length > LARGEST_PACKET => self.counters.too_large.one(),
                Ok((length, from)) => {
                    self.counters.received.one();
                    if let Some(packet) = turn.inbound.get_mut(..length) {
                        self.machine.handle_packet(component, packet, from, (turn.clock)());
                    }
                    self.transmit(turn, None);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                // It tells of one packet that we sent, or of nothing; the next one may be read.
                Err(_) => self.counters.receive_errors.one(),
            }
        }
        true
    }

    /// Sends what the machine has, a bounded number; of a slot, how late each packet left is noted.
    fn transmit(&mut self, turn: &mut Turn, slot: Option<Moment>) {
        for _ in 0..MOST_SENT {
            let now = (turn.clock)();
            let Some(transmit) = self.machine.poll_transmit(&mut turn.outbound, now) else { return };
            let Some(packet) = turn.outbound.get(..transmit.length) else { continue };
            let socket = match (transmit.component, &self.rtcp) {
                (Component::Rtcp, Some(rtcp)) => rtcp,
                _ => &self.rtp,
            };
            let sent = send(socket, packet, transmit.to);
            match sent {
                Ok(_) => self.counters.sent.one(),
                Err(error) if has_no_room(&error) => self.counters.no_room.one(),
                Err(_) => self.counters.send_errors.one(),
            }
            if let Some(slot) = slot {
                let late = (turn.clock)().0.checked_sub(slot.0).unwrap_or(Duration::ZERO);
                turn.lateness.note(late);
            }
        }
    }

    fn report(&mut self) {
        while self.reports.has_room() {
            let Some(report) = self.machine.poll_report() else { return };
            self.reports.push(report);
        }
    }
}

/// Sends a packet. Where the system first tells what became of an earlier one (ICMP), it is sent all the same.
fn send(socket: &UdpSocket, packet: &[u8], to: SocketAddr) -> io::Result<usize> {
    match socket.send_to(packet, to) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => socket.send_to(packet, to),
        sent => sent,
    }
}

fn has_no_room(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::OutOfMemory)
        || error.raw_os_error().is_some_and(|code| NO_BUFFERS.contains(&code))
}

/// Packets read of one socket before others have their turn: a flood delays nobody else by more than these.
const BATCH: usize = 32;
/// Packets sent after one input. A machine has one or two.
const MOST_SENT: usize = 64;
/// `ENOBUFS` of Linux and of the BSDs.
const NO_BUFFERS: [i32; 2] = [105, 55];
