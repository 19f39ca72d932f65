//! The sound of one call: packets, samples and time in; packets, samples and statistics out.

mod deadline;
mod event;
mod setup;
mod statistics;

use std::net::SocketAddr;
use std::time::Duration;

use crate::description::Agreed;
use crate::digits::DigitError;
use crate::tone::Tone;

pub use deadline::{Deadline, Why};
pub use event::SessionEvent;
pub use setup::{Setup, is_private};
pub use statistics::{Dropped, Level, PeerReport, Statistics, Traffic};

/// The sound of one call, without socket, clock or thread.
///
/// Whoever drives it gives it packets with [`handle_rtp`](Self::handle_rtp) and [`handle_rtcp`](Self::handle_rtcp),
/// 20 ms of sound at a time with [`capture`](Self::capture) and [`play`](Self::play), and the time with each; then
/// drains [`poll_output`](Self::poll_output) and [`poll_event`](Self::poll_event), and calls
/// [`handle_timeout`](Self::handle_timeout) when [`deadline`](Self::deadline) is over. `now` is a monotone time since
/// a start of the driver's choice, the same for all calls of one session. After it is made, nothing is allocated for a
/// packet or a frame.
pub struct Session {}

/// A packet on its way out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Transmit {
    /// From which socket it goes.
    pub kind: PacketKind,
    /// Its destination.
    pub to: SocketAddr,
    /// How many octets of the buffer it fills.
    pub length: usize,
}

/// Which of the two sockets a packet belongs to; with one socket for both, that one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PacketKind {
    /// The socket of `m=audio`'s port.
    Rtp,
    /// The socket of RTCP; with `a=rtcp-mux` reports leave as [`PacketKind::Rtp`].
    Rtcp,
}

/// No packet of a session is longer; a buffer of that length fits each.
pub const MAX_PACKET: usize = 640;

impl Session {
    /// A session that nothing is agreed on for: it plays tones, sends nothing and drops what comes.
    pub fn new(setup: &Setup, now: Duration) -> Session {
        todo!("{setup:?} {now:?}")
    }

    /// Takes what offer and answer came to, at first and after each change. Keys that stay the same keep their state,
    /// as does the way of packets while the peer's address stays.
    pub fn agree(&mut self, agreed: &Agreed, now: Duration) {
        todo!("{agreed:?} {now:?}")
    }

    /// A datagram of the RTP socket. Decrypted in place; whatever it holds, it is taken, or dropped and counted.
    pub fn handle_rtp(&mut self, packet: &mut [u8], from: SocketAddr, now: Duration) {
        todo!("{packet:?} {from:?} {now:?}")
    }

    /// A datagram of the RTCP socket.
    pub fn handle_rtcp(&mut self, packet: &mut [u8], from: SocketAddr, now: Duration) {
        todo!("{packet:?} {from:?} {now:?}")
    }

    /// The time is over that [`deadline`](Self::deadline) named. Harmless too early.
    pub fn handle_timeout(&mut self, now: Duration) {
        todo!("{now:?}")
    }

    /// When it has to be called without an input, if ever.
    pub fn deadline(&self) -> Option<Deadline> {
        todo!()
    }

    /// Sound of the microphone, mono, 8000 samples a second ([`SAMPLE_RATE`](crate::SAMPLE_RATE)), usually 20 ms
    /// ([`FRAME`](crate::FRAME)). To be called while the call lasts, held or not; silence is zeros.
    pub fn capture(&mut self, samples: &[i16], now: Duration) {
        todo!("{samples:?} {now:?}")
    }

    /// Fills the buffer with what is to be heard now, usually 20 ms: the peer, a tone, what is made up for a loss, or
    /// silence.
    pub fn play(&mut self, samples: &mut [i16], now: Duration) {
        todo!("{samples:?} {now:?}")
    }

    /// The next packet to send, written to the buffer; best at least [`MAX_PACKET`] long. To be drained after each
    /// input: at most 16 wait.
    pub fn poll_output(&mut self, buffer: &mut [u8]) -> Option<Transmit> {
        todo!("{buffer:?}")
    }

    /// The next thing to tell; at most 64 wait.
    pub fn poll_event(&mut self) -> Option<SessionEvent> {
        todo!()
    }

    /// Sends these keys (RFC 4733), 100 ms each, behind those that wait.
    ///
    /// # Errors
    /// [`DigitError`]: one is no key, the peer takes none, or too many wait. None of them is sent then.
    pub fn send_digits(&mut self, digits: &str) -> Result<(), DigitError> {
        todo!("{digits}")
    }

    /// Sends silence in place of what is captured, so that the peer hears nothing and the way stays open.
    pub fn mute(&mut self, is_muted: bool) {
        todo!("{is_muted}")
    }

    /// Stops sending and playing at once, before the peer has agreed to it; the agreed direction applies besides.
    pub fn hold(&mut self, is_held: bool) {
        todo!("{is_held}")
    }

    /// Plays a tone to this side until another, or none, is said. [`Tone::Ringback`] yields as soon as sound of the
    /// peer arrives.
    pub fn play_tone(&mut self, tone: Option<Tone>) {
        todo!("{tone:?}")
    }

    /// Says goodbye in RTCP (BYE, RFC 3550 section 6.6) and stops sending. To be drained once more.
    pub fn close(&mut self, now: Duration) {
        todo!("{now:?}")
    }

    /// What was counted and measured until now.
    pub fn statistics(&self, now: Duration) -> Statistics {
        todo!("{now:?}")
    }
}
