//! One paced thread: it sleeps until a packet comes or a slot is due, serves what is due, and never waits for an owner.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use homing_core::time::Moment;
use mio::{Events, Poll, Token};

use super::schedule::{Due, Schedule};
use super::seat::{Seat, Turn};

/// Which seats of a thread are taken. The owner of the threads takes one, the thread frees it.
pub(super) struct Seats(Vec<AtomicBool>);

/// A machine on its way to its seat.
pub(super) struct Arrival {
    pub(super) number: usize,
    pub(super) seat: Box<dyn Seat>,
}

/// What a thread works with.
pub(super) struct Thread {
    pub(super) poll: Poll,
    /// Ends when the owner of the threads is gone.
    pub(super) arrivals: Receiver<Arrival>,
    pub(super) taken: Arc<Seats>,
    pub(super) turn: Turn,
}

/// The machines of a thread and whose turn it is.
struct Machines {
    seats: Vec<Option<Box<dyn Seat>>>,
    schedule: Schedule,
    /// Seats whose sockets may have packets, each once.
    ready: VecDeque<usize>,
    is_ready: Vec<bool>,
    count: usize,
}

impl Seats {
    pub(super) fn new(count: usize) -> Self {
        Self((0..count).map(|_| AtomicBool::new(false)).collect())
    }

    /// A free one, which is the caller's until the thread frees it.
    pub(super) fn take(&self) -> Option<usize> {
        self.0.iter().position(|taken| !taken.swap(true, Ordering::AcqRel))
    }

    pub(super) fn free(&self, number: usize) {
        if let Some(taken) = self.0.get(number) {
            taken.store(false, Ordering::Release);
        }
    }

    pub(super) fn taken(&self) -> usize {
        self.0.iter().filter(|taken| taken.load(Ordering::Acquire)).count()
    }
}

impl Thread {
    /// Runs until the owner of the threads is gone; then every machine is stopped.
    pub(super) fn run(mut self) {
        let seats = self.taken.0.len();
        let mut machines = Machines::new(seats);
        let mut events = Events::with_capacity(EVENTS);
        loop {
            loop {
                match self.arrivals.try_recv() {
                    Ok(arrival) => machines.seat(arrival, (self.turn.clock)()),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return machines.stop(&mut self.turn),
                }
            }
            self.wait(&machines, &mut events);
            for event in &events {
                machines.note_readable(event.token());
            }
            self.serve(&mut machines);
            machines.receive(&mut self.turn);
        }
    }

    /// Sleeps until the next slot is due or a packet comes. With many machines there always is a packet: they are
    /// gathered for up to a millisecond then, which is what a reading of arrival times loses.
    fn wait(&mut self, machines: &Machines, events: &mut Events) {
        let until_slot = machines.schedule.next().map(|due| due.0.saturating_sub((self.turn.clock)().0));
        let mut patience = if machines.ready.is_empty() { until_slot } else { Some(Duration::ZERO) };
        if machines.count > GATHER_FROM
            && let Some(time) = patience.filter(|time| !time.is_zero())
        {
            std::thread::sleep(time.min(GATHERED));
            patience = Some(Duration::ZERO);
        }
        match self.poll.poll(events, patience) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => events.clear(),
            Err(_) => {
                // A queue of events that failed must not spin; slots go on by the clock.
                events.clear();
                std::thread::sleep(GATHERED);
            }
        }
    }

    fn serve(&mut self, machines: &mut Machines) {
        while let Some(due) = machines.schedule.take((self.turn.clock)()) {
            machines.serve(due, &mut self.turn, &self.taken);
        }
    }
}

impl Machines {
    fn new(seats: usize) -> Self {
        Self {
            seats: (0..seats).map(|_| None).collect(),
            schedule: Schedule::new(),
            ready: VecDeque::with_capacity(seats),
            is_ready: vec![false; seats],
            count: 0,
        }
    }

    fn seat(&mut self, arrival: Arrival, now: Moment) {
        let Some(place) = self.seats.get_mut(arrival.number) else { return };
        *place = Some(arrival.seat);
        self.count += 1;
        self.schedule.add(arrival.number, now);
        // What came before it sat here was told to nobody.
        self.make_ready(arrival.number);
    }

    fn note_readable(&mut self, token: Token) {
        if token != WAKE {
            self.make_ready(token.0 / 2);
        }
    }

    fn make_ready(&mut self, number: usize) {
        if let Some(is_ready) = self.is_ready.get_mut(number)
            && !std::mem::replace(is_ready, true)
        {
            self.ready.push_back(number);
        }
    }

    fn serve(&mut self, due: Due, turn: &mut Turn, taken: &Seats) {
        let mut place = 0;
        while let Some(number) = self.schedule.seat(due.phase, place) {
            let goes_on =
                self.seats.get_mut(number).and_then(Option::as_mut).is_some_and(|seat| seat.serve(due, turn));
            if goes_on {
                place += 1;
                continue;
            }
            self.schedule.remove(number);
            if let Some(place) = self.seats.get_mut(number) {
                *place = None;
            }
            self.count = self.count.saturating_sub(1);
            taken.free(number);
        }
    }

    /// Reads a batch of each socket that has packets; once a slot is due, the others wait until it was served.
    fn receive(&mut self, turn: &mut Turn) {
        for read in 0..self.ready.len() {
            let is_due = self.schedule.next().is_some_and(|due| due <= (turn.clock)());
            if is_due && read >= LEAST_READ {
                return;
            }
            let Some(number) = self.ready.pop_front() else { return };
            if let Some(is_ready) = self.is_ready.get_mut(number) {
                *is_ready = false;
            }
            let seat = self.seats.get_mut(number).and_then(Option::as_mut);
            if seat.is_some_and(|seat| seat.receive(turn)) {
                self.make_ready(number);
            }
        }
    }

    fn stop(mut self, turn: &mut Turn) {
        for seat in self.seats.iter_mut().flatten() {
            seat.stop(turn);
        }
    }
}

/// The token of who wakes the thread; sockets have twice the number of their seat, and one more for RTCP.
pub(super) const WAKE: Token = Token(usize::MAX);
/// Events taken from the system at once.
const EVENTS: usize = 1_024;
/// From how many machines on packets are gathered.
const GATHER_FROM: usize = 16;
/// For how long.
const GATHERED: Duration = Duration::from_millis(1);
/// Sockets that are read in each turn even if slots are overdue, so that an overload deafens nobody.
const LEAST_READ: usize = 64;
