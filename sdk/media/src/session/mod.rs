//! The sound of one call: packets, samples and time in; packets, samples and statistics out.

mod deadline;
mod event;
mod events;
mod exit;
mod gate;
mod inbound;
mod meter;
mod outbound;
mod outbox;
mod reports;
mod security;
mod setup;
mod statistics;
mod transmit;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use homing_wire::sdp::Direction;

use crate::description::Agreed;
use crate::digits::DigitError;
use crate::random::{Purpose, Random};
use crate::rtcp::{self, MAX_REPORT};
use crate::rtp::{self, Head};
use crate::tone::{Tone, ToneGenerator};
use events::Events;
use exit::Exit;
use gate::{Gate, Pass, Sighting};
use inbound::{Inbound, Packet};
use meter::Meter;
use outbound::Outbound;
use outbox::{Fetched, Outbox};
use reports::{Own, Reports};
use security::Security;

pub use deadline::{Deadline, Why};
pub use event::SessionEvent;
pub use setup::{Setup, is_private};
pub use statistics::{Dropped, Level, PeerReport, Statistics, Traffic};
pub use transmit::{MAX_PACKET, PacketKind, Transmit};

/// The sound of one call, without socket, clock or thread.
///
/// Whoever drives it gives it packets with [`handle_rtp`](Self::handle_rtp) and [`handle_rtcp`](Self::handle_rtcp),
/// 20 ms of sound at a time with [`capture`](Self::capture) and [`play`](Self::play), and the time with each; then
/// drains [`poll_output`](Self::poll_output) and [`poll_event`](Self::poll_event), and calls
/// [`handle_timeout`](Self::handle_timeout) when [`deadline`](Self::deadline) is over. `now` is a monotone time since
/// a start of the driver's choice, the same for all calls of one session. After it is made, nothing is allocated for a
/// packet or a frame.
///
/// ```
/// use std::time::Duration;
/// use homing_media::{FRAME, LocalAddress, MAX_PACKET, Negotiation, Policy, Session, Setup};
///
/// let at = |port| LocalAddress { ip: [127, 0, 0, 1].into(), rtp_port: port, rtcp_port: None };
/// let mut caller = Negotiation::new(Policy::default(), at(4000), &[1; 32]);
/// let mut called = Negotiation::new(Policy::default(), at(5000), &[2; 32]);
/// let answer = called.answer(caller.offer(false)?.as_bytes(), false)?;
///
/// let mut session = Session::new(&Setup::new([3; 32]));
/// session.agree(&caller.take_answer(answer.body.as_bytes())?, Duration::ZERO);
/// session.capture(&[0; FRAME], Duration::from_millis(20));
/// let mut packet = [0; MAX_PACKET];
/// let transmit = session.poll_output(&mut packet).expect("20 ms fill a packet");
/// assert_eq!((transmit.to.port(), transmit.length), (5000, 172));
/// # Ok::<(), homing_media::Refusal>(())
/// ```
pub struct Session {
    is_private: fn(IpAddr) -> bool,
    silence: Duration,
    agreed: Option<Active>,
    outbound: Outbound,
    inbound: Inbound,
    reports: Reports,
    security: Security,
    outbox: Outbox,
    events: Events,
    tone: Option<ToneGenerator>,
    sound: Sound,
    captured: Meter,
    played: Meter,
    dropped: Dropped,
}

/// What was agreed on, as far as it is needed for each packet.
struct Active {
    direction: Direction,
    /// None while the peer takes nothing.
    rtp: Option<SocketAddr>,
    rtcp: Option<SocketAddr>,
    rtcp_mux: bool,
    /// None as long as the peer never named an address.
    gate: Option<Gate>,
    /// When a packet left last by the way of RTP.
    sent: Duration,
    /// When the peer counts as silent; none while it does.
    silent_at: Option<Duration>,
    /// Sound of the peer was heard since it was silent.
    is_heard: bool,
}

/// What this side wants besides.
#[derive(Clone, Copy, Default)]
struct Sound {
    is_muted: bool,
    is_held: bool,
    /// How often our source met another of the same number.
    collisions: u8,
}

impl Session {
    /// A session that nothing is agreed on for: it plays tones, sends nothing and drops what comes.
    pub fn new(setup: &Setup) -> Session {
        Session {
            is_private: setup.is_private,
            silence: setup.silence,
            agreed: None,
            outbound: Outbound::new(Random::new(&setup.seed, Purpose::Source)),
            inbound: Inbound::new(),
            reports: Reports::new(&setup.seed),
            security: Security::default(),
            outbox: Outbox::new(),
            events: Events::new(),
            tone: None,
            sound: Sound::default(),
            captured: Meter::default(),
            played: Meter::default(),
            dropped: Dropped::default(),
        }
    }

    /// Takes what offer and answer came to, at first and after each change. Keys that stay the same keep their state,
    /// as does the way of packets while the peer's address stays.
    pub fn agree(&mut self, agreed: &Agreed, now: Duration) {
        if self.security.agree(agreed.keys.as_ref()) {
            // Under another key the numbers of packets begin anew; no two packets may share key, source and number.
            self.outbound.change_source();
            self.inbound.let_go();
        }
        let before = self.agreed.take();
        let known = before.as_ref().and_then(|active| active.gate);
        let gate = match agreed.remote.rtp() {
            Some(signalled) => {
                let fresh = Gate::new(signalled, self.is_private);
                Some(known.filter(|known| known.signalled() == fresh.signalled()).unwrap_or(fresh))
            }
            // Who holds a call from nowhere comes back from where it was.
            None => known,
        };
        let receives = agreed.direction.receives();
        self.agreed = Some(Active {
            direction: agreed.direction,
            rtp: agreed.remote.rtp(),
            rtcp: agreed.remote.rtcp(),
            rtcp_mux: agreed.remote.rtcp_mux,
            gate,
            sent: before.as_ref().map_or(now, |active| active.sent),
            silent_at: receives.then(|| now + self.silence),
            is_heard: before.is_some_and(|active| active.is_heard && active.direction.receives() && receives),
        });
        if !receives {
            self.inbound.playout.restart();
        }
        self.outbound.agree(agreed);
        self.inbound.agree(agreed);
        self.reports.start(now);
    }

    /// A datagram of the RTP socket. Decrypted in place; whatever it holds, it is taken, or dropped and counted.
    pub fn handle_rtp(&mut self, packet: &mut [u8], from: SocketAddr, now: Duration) {
        if rtp::is_rtcp(packet) {
            return self.handle_rtcp(packet, from, now);
        }
        self.inbound.tick(now);
        let Some(active) = &mut self.agreed else {
            self.dropped.unexpected += 1;
            return;
        };
        let Some(head) = Head::parse(packet) else {
            self.dropped.malformed += 1;
            return;
        };
        let is_authentic = self.security.is_on();
        let Some(length) = self.security.unprotect(packet, &mut self.dropped) else { return };
        let Some(payload) = packet.get(..length).and_then(|packet| head.payload_of(packet)) else {
            self.dropped.malformed += 1;
            return;
        };
        let seen = Sighting { from, ssrc: head.ssrc, is_authentic, at: now };
        match active.gate.as_mut().map_or(Pass::Drop, |gate| gate.judge(&seen)) {
            Pass::Take => {}
            Pass::Learn => self.events.push(SessionEvent::SourceLearnt(from), &mut self.dropped),
            Pass::Drop => {
                self.dropped.foreign += 1;
                return;
            }
        }
        let may_play = active.direction.receives() && !self.sound.is_held;
        if active.direction.receives() {
            active.silent_at = Some(now + self.silence);
        }
        self.take(&Packet { head, payload, is_authentic, at: now }, may_play);
    }

    /// A packet of the peer.
    fn take(&mut self, packet: &Packet<'_>, may_play: bool) {
        if packet.head.ssrc == self.outbound.ssrc() {
            self.collide(packet.at);
        }
        let Some(taken) = self.inbound.take(packet, may_play, &mut self.dropped) else { return };
        for pressed in taken.pressed.into_iter().flatten() {
            self.events.push(pressed.into(), &mut self.dropped);
        }
        if !taken.is_sound {
            return;
        }
        if self.tone.as_ref().is_some_and(|tone| tone.tone() == Tone::Ringback) {
            self.tone = None;
        }
        if let Some(active) = &mut self.agreed
            && !std::mem::replace(&mut active.is_heard, true)
        {
            self.events.push(SessionEvent::PeerHeard, &mut self.dropped);
        }
    }

    /// The peer chose our number for its source: we take another (RFC 3550 section 8.2). Who sends our own packets back
    /// does so again with the next number, so that this ends.
    fn collide(&mut self, now: Duration) {
        if self.sound.collisions < MAX_COLLISIONS {
            self.sound.collisions += 1;
            self.report(now, true);
            self.outbound.change_source();
        }
    }

    /// A datagram of the RTCP socket.
    pub fn handle_rtcp(&mut self, packet: &mut [u8], from: SocketAddr, now: Duration) {
        let Some(active) = &self.agreed else {
            self.dropped.unexpected += 1;
            return;
        };
        let is_peer = active.gate.as_ref().is_some_and(|gate| gate.is_peer(from.ip()))
            || active.rtcp.is_some_and(|rtcp| rtcp.ip().to_canonical() == from.ip().to_canonical());
        if !is_peer && !self.security.is_on() {
            self.dropped.foreign += 1;
            return;
        }
        let Some(length) = self.security.unprotect_rtcp(packet, &mut self.dropped) else { return };
        let compound = packet.get(..length).and_then(rtcp::packets);
        let Some(compound) = compound else {
            self.dropped.malformed += 1;
            return;
        };
        for packet in compound {
            self.reports.take(&packet, self.outbound.ssrc(), now);
            if packet.goodbyes().any(|source| Some(source) == self.inbound.ssrc()) {
                self.inbound.let_go();
                self.events.push(SessionEvent::PeerLeft, &mut self.dropped);
            }
        }
    }

    /// The time is over that [`deadline`](Self::deadline) named. Harmless too early.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.inbound.tick(now);
        if self.reports.due().is_some_and(|due| due <= now) {
            self.report(now, false);
        }
        if self.inbound.digits.deadline().is_some_and(|end| end <= now)
            && let Some(pressed) = self.inbound.digits.let_go()
        {
            self.events.push(pressed.into(), &mut self.dropped);
        }
        let Some(active) = &mut self.agreed else { return };
        if active.silent_at.is_some_and(|silent| silent <= now) {
            (active.silent_at, active.is_heard) = (None, false);
            self.events.push(SessionEvent::PeerSilent, &mut self.dropped);
        }
        let Some(to) = active.rtp_to().filter(|_| now.saturating_sub(active.sent) >= KEEP_ALIVE) else {
            return;
        };
        active.sent = now;
        let (security, outbox, dropped) = (&mut self.security, &mut self.outbox, &mut self.dropped);
        if let Some(ready) = self.outbound.keep_alive(now) {
            Exit { security, outbox, dropped }.rtp(to, ready.packet());
        }
    }

    /// When it has to be called without an input, if ever.
    pub fn deadline(&self) -> Option<Deadline> {
        let active = self.agreed.as_ref();
        let keep_alive = active.filter(|active| active.rtp.is_some()).map(|active| active.sent + KEEP_ALIVE);
        let due = [
            (self.reports.due(), Why::Report),
            (keep_alive, Why::KeepAlive),
            (self.inbound.digits.deadline(), Why::DigitEnd),
            (active.and_then(|active| active.silent_at), Why::Silence),
        ];
        let due = due.into_iter().filter_map(|(at, why)| Some(Deadline { at: at?, why }));
        due.min_by_key(|deadline| deadline.at)
    }

    /// Sound of the microphone, mono, 8000 samples a second ([`SAMPLE_RATE`](crate::SAMPLE_RATE)), usually 20 ms
    /// ([`FRAME`](crate::FRAME)), that ends at `now`. To be called while the call lasts, held or not; silence is zeros.
    pub fn capture(&mut self, samples: &[i16], now: Duration) {
        self.captured.hear(samples);
        let is_held = self.sound.is_held;
        let Some(active) = &mut self.agreed else { return };
        let Some(to) = active.rtp_to().filter(|_| active.direction.sends() && !is_held) else {
            self.outbound.pause();
            return;
        };
        let (security, outbox, dropped) = (&mut self.security, &mut self.outbox, &mut self.dropped);
        let mut exit = Exit { security, outbox, dropped };
        let mut are_digits_sent = false;
        self.outbound.capture(samples, self.sound.is_muted, now, |ready| {
            are_digits_sent |= ready.ends_digits;
            exit.rtp(to, ready.packet());
            active.sent = now;
        });
        if are_digits_sent {
            self.events.push(SessionEvent::DigitsSent, &mut self.dropped);
        }
    }

    /// Fills the buffer with what is to be heard now, usually 20 ms: the peer, a tone, what is made up for a loss, or
    /// silence.
    pub fn play(&mut self, samples: &mut [i16], now: Duration) {
        self.inbound.tick(now);
        let is_open =
            self.agreed.as_ref().is_some_and(|active| active.direction.receives()) && !self.sound.is_held;
        match &mut self.tone {
            Some(tone) => tone.fill(samples),
            None if is_open => self.inbound.playout.take(samples, now),
            None => samples.fill(0),
        }
        self.played.hear(samples);
    }

    /// The next packet to send, written to the buffer; best at least [`MAX_PACKET`] long. To be drained after each
    /// input: at most 16 wait.
    pub fn poll_output(&mut self, buffer: &mut [u8]) -> Option<Transmit> {
        loop {
            match self.outbox.pop(buffer)? {
                Fetched::Whole(transmit) => return Some(transmit),
                Fetched::TooLong => self.dropped.not_fetched += 1,
            }
        }
    }

    /// The next thing to tell; at most 64 wait.
    pub fn poll_event(&mut self) -> Option<SessionEvent> {
        self.events.pop()
    }

    /// Sends these keys (RFC 4733), 100 ms each, behind those that wait.
    ///
    /// # Errors
    /// [`DigitError`]: one is no key, the peer takes none, or too many wait. None of them is sent then.
    pub fn send_digits(&mut self, digits: &str) -> Result<(), DigitError> {
        if !self.outbound.takes_digits() {
            return Err(DigitError::NotTaken);
        }
        self.outbound.digits.push(digits)
    }

    /// Sends silence in place of what is captured, so that the peer hears nothing and the way stays open. Digits are
    /// sent all the same.
    pub fn mute(&mut self, is_muted: bool) {
        self.sound.is_muted = is_muted;
    }

    /// Stops sending and playing at once, before the peer has agreed to it; the agreed direction applies besides.
    pub fn hold(&mut self, is_held: bool) {
        self.sound.is_held = is_held;
        if is_held {
            self.inbound.playout.restart();
        }
    }

    /// Plays a tone to this side until another, or none, is said. [`Tone::Ringback`] yields as soon as sound of the
    /// peer arrives.
    pub fn play_tone(&mut self, tone: Option<Tone>) {
        self.tone = tone.map(ToneGenerator::new);
    }

    /// Says goodbye in RTCP (BYE, RFC 3550 section 6.6) and ends the agreement: nothing is sent or taken any more. To
    /// be drained once more.
    pub fn close(&mut self, now: Duration) {
        self.report(now, true);
        self.reports.stop();
        self.agreed = None;
    }

    /// What was counted and measured until now.
    pub fn statistics(&self, now: Duration) -> Statistics {
        let (sent, inbound) = (&self.outbound, &self.inbound);
        Statistics {
            sent: Traffic { packets: sent.packets, octets: sent.octets_sent },
            received: inbound.received,
            lost: inbound.lost(),
            lost_of_last_second: inbound.lost_of_last_second(),
            jitter: inbound.jitter(),
            round_trip: self.reports.round_trip,
            peer: self.reports.peer,
            buffer: inbound.playout.buffered(),
            buffer_target: inbound.playout.target(),
            concealed: inbound.playout.concealed(),
            late: inbound.playout.late(),
            captured: self.captured.level(),
            played: self.played.level(),
            dropped: self.dropped,
            silent_for: inbound.heard().map(|heard| now.saturating_sub(heard)),
            is_encrypted: self.security.is_on(),
        }
    }

    fn report(&mut self, now: Duration, is_goodbye: bool) {
        let Some(active) = &mut self.agreed else { return };
        let outbound = &self.outbound;
        let own = Own {
            ssrc: outbound.ssrc(),
            timestamp: outbound.timestamp_at(now),
            packets: outbound.packets,
            octets: outbound.octets_sent,
            is_goodbye,
        };
        let mut report = [0; MAX_REPORT];
        let length = self.reports.write(&own, self.inbound.source(), now, &mut report);
        let (security, outbox, dropped) = (&mut self.security, &mut self.outbox, &mut self.dropped);
        let mut exit = Exit { security, outbox, dropped };
        let kind = if active.rtcp_mux { PacketKind::Rtp } else { PacketKind::Rtcp };
        if let Some(to) = active.rtcp_to() {
            exit.rtcp(kind, to, report.get(..length).unwrap_or_default());
            if active.rtcp_mux {
                active.sent = now;
            }
        }
    }
}

impl Active {
    fn rtp_to(&self) -> Option<SocketAddr> {
        self.rtp.map(|signalled| self.gate.as_ref().map_or(signalled, Gate::peer))
    }

    /// With packets of sound; else as signalled, and beside a peer that was learnt.
    fn rtcp_to(&self) -> Option<SocketAddr> {
        if self.rtcp_mux {
            return self.rtp_to();
        }
        match self.gate.as_ref().filter(|gate| gate.is_learnt()) {
            Some(gate) => Some(SocketAddr::new(gate.peer().ip(), gate.peer().port().checked_add(1)?)),
            None => self.rtcp,
        }
    }
}

/// Nothing leaves for so long at most (RFC 6263 section 7).
const KEEP_ALIVE: Duration = Duration::from_secs(15);
const MAX_COLLISIONS: u8 = 2;
