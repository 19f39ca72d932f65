//! The paced threads as their owner holds them: started once, given machines, read for how late they are.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Instant;

use homing_core::time::Moment;
use mio::net::UdpSocket;
use mio::{Interest, Poll, Registry, Token, Waker};

use super::counters::{LiveCounters, PacketReader};
use super::lateness::{Lateness, LiveLateness};
use super::machine::{LARGEST_PACKET, PacketMachine};
use super::paced_error::PacedError;
use super::rings::{self, Commands, Reports};
use super::seat::{Occupied, Turn};
use super::sockets::RtpSockets;
use super::thread::{Arrival, Seats, Thread, WAKE};

/// How many threads there are and how much they carry.
#[derive(Clone, Copy, Debug)]
pub struct PacedConfig {
    /// Threads; a machine goes to the one with the fewest.
    pub threads: usize,
    /// Machines of one thread.
    pub machines: usize,
    /// Commands to one machine that wait for its slot.
    pub commands: usize,
    /// Reports of one machine that wait for its owner.
    pub reports: usize,
    /// Where the machines' time begins: that of the state machines beside them, so that their moments compare.
    pub origin: Instant,
}

/// A few threads that drive many machines.
///
/// Dropped, they stop every machine, send what it has to say last, and end; that takes a few milliseconds.
pub struct PacedThreads {
    threads: Vec<Running>,
    config: PacedConfig,
}

/// A machine that is driven, as its owner holds it.
pub struct Driven<C, R> {
    /// To the machine; dropped, it stops, and its ports are free within a slot.
    pub commands: Commands<C>,
    /// From the machine.
    pub reports: Reports<R>,
    /// What is counted of its packets.
    pub packets: PacketReader,
}

struct Running {
    registry: Registry,
    waker: Waker,
    /// None only while it ends.
    arrivals: Option<SyncSender<Arrival>>,
    taken: Arc<Seats>,
    lateness: LiveLateness,
    thread: Option<JoinHandle<()>>,
}

impl PacedConfig {
    /// One thread for a thousand machines, with 64 commands and 64 reports each.
    pub fn new(origin: Instant) -> Self {
        Self { threads: 1, machines: 1_000, commands: 64, reports: 64, origin }
    }
}

impl PacedThreads {
    /// Starts the threads; without a machine they sleep.
    ///
    /// # Errors
    /// `Thread` when the system gives none.
    pub fn start(config: PacedConfig) -> Result<Self, PacedError> {
        let threads = (0..config.threads.max(1)).map(|number| Running::start(number, &config));
        Ok(Self { threads: threads.collect::<Result<_, _>>()?, config })
    }

    /// Has a machine driven by the sockets of its session, from its next slot on.
    ///
    /// # Errors
    /// `Full` when every thread has as many as it may, `Socket` when the system does not watch the sockets, `Gone` when
    /// the thread has ended.
    pub fn add<M: PacketMachine>(
        &self,
        sockets: RtpSockets,
        machine: M,
    ) -> Result<Driven<M::Command, M::Report>, PacedError> {
        let full = PacedError::Full(self.config.machines.saturating_mul(self.threads.len()));
        let Some(running) = self.threads.iter().min_by_key(|running| running.taken.taken()) else {
            return Err(full);
        };
        let number = running.taken.take().ok_or(full)?;
        let added = self.add_at(running, number, sockets, machine);
        if added.is_err() {
            running.taken.free(number);
        }
        added
    }

    fn add_at<M: PacketMachine>(
        &self,
        running: &Running,
        number: usize,
        sockets: RtpSockets,
        machine: M,
    ) -> Result<Driven<M::Command, M::Report>, PacedError> {
        let mut rtp = UdpSocket::from_std(sockets.rtp);
        let mut rtcp = sockets.rtcp.map(UdpSocket::from_std);
        for (socket, token) in std::iter::once(&mut rtp).chain(&mut rtcp).zip(number * 2..) {
            let watched = running.registry.register(socket, Token(token), Interest::READABLE);
            watched.map_err(PacedError::Socket)?;
        }
        let (commands, command_queue) = rings::commands(self.config.commands);
        let (report_queue, reports) = rings::reports(self.config.reports);
        let counters = LiveCounters::default();
        let seat = Occupied {
            machine,
            rtp,
            rtcp,
            commands: command_queue,
            reports: report_queue,
            counters: counters.clone(),
        };
        let arrivals = running.arrivals.as_ref().ok_or(PacedError::Gone)?;
        // There is room: one place for each seat, and the seat was free.
        arrivals.try_send(Arrival { number, seat: Box::new(seat) }).map_err(|_| PacedError::Gone)?;
        running.waker.wake().map_err(PacedError::Socket)?;
        Ok(Driven { commands, reports, packets: counters.reader() })
    }

    /// How many machines are driven, those included that stop within a slot.
    pub fn machines(&self) -> usize {
        self.threads.iter().map(|running| running.taken.taken()).sum()
    }

    /// How late packets left after their slots since the threads were started, of all threads together.
    pub fn lateness(&self) -> Lateness {
        let mut sum = Lateness::none();
        self.threads.iter().for_each(|running| sum.add(&running.lateness));
        sum
    }
}

impl Running {
    fn start(number: usize, config: &PacedConfig) -> Result<Self, PacedError> {
        let poll = Poll::new().map_err(PacedError::Thread)?;
        let registry = poll.registry().try_clone().map_err(PacedError::Thread)?;
        let waker = Waker::new(&registry, WAKE).map_err(PacedError::Thread)?;
        let taken = Arc::new(Seats::new(config.machines.max(1)));
        let (arrivals, inbox) = sync_channel(config.machines.max(1));
        let (lateness, origin) = (LiveLateness::new(), config.origin);
        let turn = Turn {
            inbound: [0; LARGEST_PACKET + 1],
            outbound: [0; LARGEST_PACKET],
            lateness: lateness.clone(),
            clock: Box::new(move || Moment(origin.elapsed())),
        };
        let thread = Thread { poll, arrivals: inbox, taken: Arc::clone(&taken), turn };
        let started = std::thread::Builder::new().name(format!("homing-rtp-{number}"));
        let thread = started.spawn(move || thread.run()).map_err(PacedError::Thread)?;
        Ok(Self { registry, waker, arrivals: Some(arrivals), taken, lateness, thread: Some(thread) })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.arrivals = None;
        // A thread that cannot be woken finds out at its next slot; one without a slot would never, and is left behind.
        if self.waker.wake().is_ok()
            && let Some(thread) = self.thread.take()
        {
            // It fails only where the thread panicked, and then it has ended, too.
            let _ = thread.join();
        }
    }
}

impl<C, R> fmt::Debug for Driven<C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driven").field("packets", &self.packets.read()).finish_non_exhaustive()
    }
}

impl fmt::Debug for PacedThreads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PacedThreads").field("config", &self.config).finish_non_exhaustive()
    }
}
