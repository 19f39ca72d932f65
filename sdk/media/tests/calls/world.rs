//! Two sides of a call, and a network between them that can do anything.

use std::net::SocketAddr;
use std::time::Duration;

use homing_media::{
    Codec, FRAME, LocalAddress, MAX_PACKET, Negotiation, PacketKind, Policy, Security, Session, SessionEvent,
    Setup,
};

pub(crate) const STEP: Duration = Duration::from_millis(20);

/// Which side of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Caller,
    Called,
}

/// A packet on its way.
#[derive(Clone, Debug)]
pub(crate) struct Flying {
    pub(crate) to: Side,
    pub(crate) kind: PacketKind,
    pub(crate) from: SocketAddr,
    pub(crate) destination: SocketAddr,
    pub(crate) octets: Vec<u8>,
    pub(crate) at: Duration,
}

/// What the network does to a packet that left: the packets that arrive in its place.
pub(crate) type Network<'n> = dyn FnMut(Flying) -> Vec<Flying> + 'n;

/// A call and its clock.
pub(crate) struct Call {
    pub(crate) caller: Session,
    pub(crate) called: Session,
    pub(crate) caller_says: Negotiation,
    pub(crate) called_says: Negotiation,
    pub(crate) now: Duration,
    flying: Vec<Flying>,
    pub(crate) events: Vec<(Side, SessionEvent)>,
    /// Packets that left, of all kinds.
    pub(crate) left: u64,
}

pub(crate) fn policy(security: Security, codec: Codec, packet_time: u64) -> Policy {
    let packet_time = Duration::from_millis(packet_time);
    Policy { codecs: vec![codec], packet_time, security, secure_signalling: true }
}

pub(crate) fn address(side: Side) -> SocketAddr {
    match side {
        Side::Caller => ([192, 0, 2, 1], 4000).into(),
        Side::Called => ([192, 0, 2, 2], 5000).into(),
    }
}

impl Call {
    pub(crate) fn new(policy: &Policy, seed: u8) -> Call {
        let side = |side, seed| {
            let local =
                LocalAddress { ip: address(side).ip(), rtp_port: address(side).port(), rtcp_port: None };
            Negotiation::new(policy.clone(), local, &[seed; 32])
        };
        let mut call = Call {
            caller: Session::new(&Setup::new([seed.wrapping_add(100); 32])),
            called: Session::new(&Setup::new([seed.wrapping_add(101); 32])),
            caller_says: side(Side::Caller, seed),
            called_says: side(Side::Called, seed.wrapping_add(1)),
            now: Duration::from_secs(1),
            flying: Vec::new(),
            events: Vec::new(),
            left: 0,
        };
        call.agree([false, false]);
        call
    }

    /// Offer and answer, the caller first; who holds says so.
    pub(crate) fn agree(&mut self, holds: [bool; 2]) {
        self.agree_on(holds, &|offer| offer);
    }

    /// The same with the offer changed on its way.
    pub(crate) fn agree_on(&mut self, holds: [bool; 2], changed: &dyn Fn(String) -> String) {
        let [caller_holds, called_holds] = holds;
        let offer = changed(self.caller_says.offer(caller_holds).unwrap());
        let answer = self.called_says.answer(offer.as_bytes(), called_holds).unwrap();
        let agreed = self.caller_says.take_answer(answer.body.as_bytes()).unwrap();
        self.called.agree(&answer.agreed, self.now);
        self.caller.agree(&agreed, self.now);
    }

    pub(crate) fn session(&mut self, side: Side) -> &mut Session {
        match side {
            Side::Caller => &mut self.caller,
            Side::Called => &mut self.called,
        }
    }

    /// 20 ms: both say something, and both hear something.
    pub(crate) fn step(&mut self, says: [&[i16]; 2], network: &mut Network<'_>) -> [Vec<i16>; 2] {
        self.now += STEP;
        let mut heard = [vec![0; FRAME], vec![0; FRAME]];
        for (side, says) in [Side::Caller, Side::Called].into_iter().zip(says) {
            let now = self.now;
            self.session(side).capture(says, now);
            self.wake(side);
            self.drain(side, network);
        }
        self.deliver(network);
        for (side, heard) in [Side::Caller, Side::Called].into_iter().zip(&mut heard) {
            let now = self.now;
            self.session(side).play(heard, now);
        }
        heard
    }

    fn wake(&mut self, side: Side) {
        let now = self.now;
        let session = self.session(side);
        let mut rounds = 0;
        while session.deadline().is_some_and(|deadline| deadline.at <= now) {
            session.handle_timeout(now);
            rounds += 1;
            assert!(rounds < 10, "a deadline that stays");
        }
    }

    /// What the side wants to send, and to tell.
    pub(crate) fn drain(&mut self, side: Side, network: &mut Network<'_>) {
        let mut buffer = [0; MAX_PACKET];
        let (to, from, now) = (other(side), address(side), self.now);
        while let Some(transmit) = self.session(side).poll_output(&mut buffer) {
            self.left += 1;
            let octets = buffer[..transmit.length].to_vec();
            let flying = Flying { to, kind: transmit.kind, from, destination: transmit.to, octets, at: now };
            self.flying.extend(network(flying));
        }
        while let Some(event) = self.session(side).poll_event() {
            self.events.push((side, event));
        }
    }

    fn deliver(&mut self, network: &mut Network<'_>) {
        self.flying.sort_by_key(|packet| packet.at);
        let due = self.flying.partition_point(|packet| packet.at <= self.now);
        for mut packet in self.flying.drain(..due).collect::<Vec<_>>() {
            let session = self.session(packet.to);
            match packet.kind {
                PacketKind::Rtp => session.handle_rtp(&mut packet.octets, packet.from, packet.at),
                PacketKind::Rtcp => session.handle_rtcp(&mut packet.octets, packet.from, packet.at),
            }
            self.drain(packet.to, network);
        }
    }

    /// What the called side heard while the caller said a tone for so many steps.
    pub(crate) fn listen(&mut self, steps: usize, network: &mut Network<'_>) -> Vec<i16> {
        let mut tone = crate::tone::Tone::default();
        let mut heard = Vec::with_capacity(steps * FRAME);
        for _ in 0..steps {
            let [_, called] = self.step([&tone.frame(), &[0; FRAME]], network);
            heard.extend(called);
        }
        heard
    }

    /// The digits that a side was told, in order.
    pub(crate) fn digits(&self, of: Side) -> String {
        let digit = |(side, event): &(Side, SessionEvent)| match event {
            SessionEvent::Digit { digit, .. } if *side == of => Some(digit.as_char()),
            _ => None,
        };
        self.events.iter().filter_map(digit).collect()
    }
}

pub(crate) fn other(side: Side) -> Side {
    match side {
        Side::Caller => Side::Called,
        Side::Called => Side::Caller,
    }
}

/// A network that does nothing.
pub(crate) fn clean(packet: Flying) -> Vec<Flying> {
    vec![packet]
}

/// A network of numbers that look like chance and are always the same.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        println!("seed {seed}");
        Self(seed)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}
