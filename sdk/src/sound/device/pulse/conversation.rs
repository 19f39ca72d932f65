//! What a connection carries: a machine without socket and clock, and the loop that gives it both.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use mio::event::Source;
use mio::net::{TcpStream, UnixStream};
use mio::{Events, Interest, Poll, Token};

use super::super::error::DeviceError;
use super::address::Address;
use super::outbound::Outbound;

/// A conversation with the sound server.
pub(super) trait Conversation {
    fn receive(&mut self, octets: &[u8], now: Duration) -> Result<(), DeviceError>;

    /// Does what is due, and gives on what waits.
    fn handle_timeout(&mut self, now: Duration) -> Result<(), DeviceError>;

    /// None while it waits for nothing but the server.
    fn deadline(&self) -> Option<Duration>;

    fn outbound(&mut self) -> &mut Outbound;

    /// Nobody needs it any more.
    fn is_over(&self) -> bool;
}

/// Where a thread waits, and what it tells time by.
pub(super) struct Reactor {
    poll: Poll,
    events: Events,
    origin: Instant,
}

/// A connection to a server.
pub(super) struct Line {
    socket: Box<dyn Socket>,
}

trait Socket: Read + Write + Source + Send {}

impl Socket for UnixStream {}
impl Socket for TcpStream {}

impl Reactor {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { poll: Poll::new()?, events: Events::with_capacity(8), origin: Instant::now() })
    }

    /// Rouses the thread from elsewhere.
    pub(super) fn waker(&self) -> io::Result<mio::Waker> {
        mio::Waker::new(self.poll.registry(), WAKER)
    }

    pub(super) fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    /// Sleeps until then, until something comes, or until it is roused.
    pub(super) fn sleep(&mut self, until: Duration) {
        let time = until.saturating_sub(self.now());
        if self.poll.poll(&mut self.events, Some(time)).is_err() {
            // A signal; were it anything else, it must not make a loop that never rests.
            std::thread::sleep(time.min(Duration::from_millis(10)));
        }
    }

    /// # Errors
    /// `NoServer` where nobody listens.
    pub(super) fn dial(&self, address: &Address) -> Result<Line, DeviceError> {
        let socket: io::Result<Box<dyn Socket>> = match address {
            Address::Unix(path) => UnixStream::connect(path).map(|socket| Box::new(socket) as _),
            Address::Tcp(host, port) => match Address::resolve(host, *port) {
                Some(address) => TcpStream::connect(address).map(|socket| Box::new(socket) as _),
                None => Err(io::ErrorKind::NotFound.into()),
            },
        };
        let mut socket = socket.map_err(|error| match error.kind() {
            // The queue of a server that stands still is full.
            io::ErrorKind::WouldBlock => DeviceError::Mute,
            io::ErrorKind::PermissionDenied => DeviceError::Refused,
            _ => DeviceError::NoServer,
        })?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut socket, LINE, interest).map_err(|_| DeviceError::NoServer)?;
        Ok(Line { socket })
    }

    /// Carries a conversation until it is over, or until it fails.
    pub(super) fn carry(
        &mut self,
        line: &mut Line,
        conversation: &mut dyn Conversation,
    ) -> Result<(), DeviceError> {
        let mut flood = Flood { until: self.now() + SECOND, octets: 0 };
        let mut written_at = self.now();
        loop {
            let now = self.now();
            let more = line.read(conversation, &mut flood, now)?;
            conversation.handle_timeout(now)?;
            if line.write(conversation.outbound())? || conversation.outbound().waiting().is_empty() {
                written_at = now;
            }
            if written_at + TAKEN <= now {
                return Err(DeviceError::Mute);
            }
            if conversation.is_over() {
                return Ok(());
            }
            if !more {
                let taken = (!conversation.outbound().waiting().is_empty()).then_some(written_at + TAKEN);
                let due = conversation.deadline().into_iter().chain(taken).min();
                self.sleep(due.unwrap_or(now + IDLE));
            }
        }
    }
}

/// How much came within a second.
struct Flood {
    until: Duration,
    octets: usize,
}

impl Flood {
    fn count(&mut self, octets: usize, now: Duration) -> Result<(), DeviceError> {
        if self.until <= now {
            *self = Flood { until: now + SECOND, octets: 0 };
        }
        self.octets += octets;
        if self.octets > MOST_OCTETS { Err(DeviceError::Garbled) } else { Ok(()) }
    }
}

impl Line {
    /// Reads what is there; true if there may be more.
    fn read(
        &mut self,
        conversation: &mut dyn Conversation,
        flood: &mut Flood,
        now: Duration,
    ) -> Result<bool, DeviceError> {
        let mut octets = [0; 4_096];
        for _ in 0..READS {
            match self.socket.read(&mut octets) {
                Ok(0) => return Err(DeviceError::Closed),
                Ok(length) => {
                    flood.count(length, now)?;
                    conversation.receive(octets.get(..length).unwrap_or_default(), now)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(Self::failure(&error)),
            }
        }
        Ok(true)
    }

    /// Writes what the socket takes; true if that was some.
    fn write(&mut self, out: &mut Outbound) -> Result<bool, DeviceError> {
        let mut is_some = false;
        while !out.waiting().is_empty() {
            match self.socket.write(out.waiting()) {
                Ok(0) => return Err(DeviceError::Closed),
                Ok(length) => {
                    out.written(length);
                    is_some = true;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(Self::failure(&error)),
            }
        }
        Ok(is_some)
    }

    fn failure(error: &io::Error) -> DeviceError {
        match error.kind() {
            io::ErrorKind::ConnectionRefused
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable => DeviceError::NoServer,
            _ => DeviceError::Closed,
        }
    }
}

const LINE: Token = Token(0);
const WAKER: Token = Token(1);
const READS: usize = 16;
const SECOND: Duration = Duration::from_secs(1);
/// 200 times what two streams need, and room for a list of devices: a server that sends more is none.
const MOST_OCTETS: usize = 4 << 20;
/// A server that takes nothing for so long is mute.
const TAKEN: Duration = Duration::from_secs(4);
/// Without a deadline the server is awaited; the thread looks round all the same.
const IDLE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_floods_is_garbled_and_one_that_sends_for_long_is_not() {
        let mut flood = Flood { until: SECOND, octets: 0 };
        for second in 0..10_u32 {
            assert_eq!(flood.count(MOST_OCTETS, SECOND * second), Ok(()));
        }
        assert_eq!(flood.count(1, SECOND * 9), Err(DeviceError::Garbled));
    }
}
