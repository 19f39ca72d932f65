//! After a call has begun nothing is allocated for a packet or a frame.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::cast_possible_truncation, reason = "the numbers of a test are small")]

use std::net::SocketAddr;
use std::time::Duration;

use homing_media::{
    FRAME, LocalAddress, MAX_PACKET, Negotiation, PacketKind, Policy, Security, Session, Setup,
};

/// Two sessions that send each other everything they have to send, without a network between.
struct Pair {
    sides: [Session; 2],
    addresses: [SocketAddr; 2],
    now: Duration,
}

impl Pair {
    fn new(security: Security) -> Pair {
        let addresses: [SocketAddr; 2] = [([192, 0, 2, 1], 4000).into(), ([192, 0, 2, 2], 5000).into()];
        let policy = Policy { security, secure_signalling: true, ..Policy::default() };
        let [mut caller, mut called] = addresses.map(|at| {
            let local = LocalAddress { ip: at.ip(), rtp_port: at.port(), rtcp_port: None };
            Negotiation::new(policy.clone(), local, &[at.port().to_be_bytes()[0]; 32])
        });
        let answer = called.answer(caller.offer(false).unwrap().as_bytes(), false).unwrap();
        let agreed = caller.take_answer(answer.body.as_bytes()).unwrap();
        let mut sides = [Session::new(&Setup::new([1; 32])), Session::new(&Setup::new([2; 32]))];
        sides[0].agree(&agreed, Duration::ZERO);
        sides[1].agree(&answer.agreed, Duration::ZERO);
        Pair { sides, addresses, now: Duration::ZERO }
    }

    /// 20 ms, with every tenth packet lost.
    fn step(&mut self) {
        self.now += Duration::from_millis(20);
        let (mut packet, mut frame) = ([0; MAX_PACKET], [1000; FRAME]);
        for at in [0, 1] {
            self.sides[at].capture(&frame, self.now);
            self.sides[at].handle_timeout(self.now);
            while let Some(transmit) = self.sides[at].poll_output(&mut packet) {
                if transmit.length > 100 && self.now.as_millis().is_multiple_of(200) {
                    continue;
                }
                let octets = &mut packet[..transmit.length];
                match transmit.kind {
                    PacketKind::Rtp => self.sides[1 - at].handle_rtp(octets, self.addresses[at], self.now),
                    PacketKind::Rtcp => self.sides[1 - at].handle_rtcp(octets, self.addresses[at], self.now),
                }
                // A copy, and a bad packet.
                self.sides[1 - at].handle_rtp(&mut packet[..40], self.addresses[at], self.now);
            }
            self.sides[at].play(&mut frame, self.now);
            while self.sides[at].poll_event().is_some() {}
            let _ = (self.sides[at].deadline(), self.sides[at].statistics(self.now));
        }
    }
}

#[test]
fn neither_sound_nor_reports_digits_or_losses_allocate() {
    for security in [Security::Off, Security::Required] {
        let mut pair = Pair::new(security);
        pair.step();
        let allocated = allocation_counter::measure(|| {
            for step in 0..3000 {
                if step % 500 == 0 {
                    pair.sides[0].send_digits("12#").unwrap();
                }
                pair.step();
            }
        });
        assert_eq!((allocated.count_total, allocated.bytes_total), (0, 0), "{security:?}");
        let statistics = pair.sides[1].statistics(pair.now);
        assert!(statistics.received.packets > 2500 && statistics.peer.is_some(), "{statistics:?}");
        assert!(statistics.concealed > Duration::from_secs(1), "{statistics:?}");
    }
}

#[test]
fn memory_of_a_session_is_below_64_kib() {
    let pair = |security| allocation_counter::measure(|| std::mem::forget(Pair::new(security))).bytes_current;
    for security in [Security::Off, Security::Required] {
        let each = pair(security) / 2 + i64::try_from(size_of::<Session>()).unwrap();
        println!("{security:?}: {each} octets");
        assert!(each < 64 * 1024, "{security:?}: {each} octets");
    }
}
