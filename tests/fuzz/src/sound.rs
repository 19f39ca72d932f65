//! Datagrams for a session: each is taken, or dropped and counted, and the sound goes on.

use std::time::Duration;

use homing_media::{FRAME, LocalAddress, MAX_PACKET, Negotiation, Policy, Security, Session, Setup};

/// Cuts octets into datagrams, each behind an octet of its length and the socket it comes by, and feeds them to a
/// session in the clear and to one with keys.
pub fn check(octets: &[u8]) {
    for security in [Security::Off, Security::Required] {
        play(octets, security);
    }
}

fn play(octets: &[u8], security: Security) {
    let policy = Policy { security, secure_signalling: true, ..Policy::default() };
    let local = |port| LocalAddress { ip: [192, 0, 2, 1].into(), rtp_port: port, rtcp_port: None };
    let mut caller = Negotiation::new(policy.clone(), local(4000), &[1; 32]);
    let offer = caller.offer(false).expect("keys may be offered");
    let answer = Negotiation::new(policy, local(5000), &[2; 32]).answer(offer.as_bytes(), false);
    let mut session = Session::new(&Setup::new([3; 32]));
    session.agree(&answer.expect("one policy agrees with itself").agreed, Duration::ZERO);
    let (from, mut now) = (([192, 0, 2, 1], 4000).into(), Duration::ZERO);
    let (mut rest, mut datagrams) = (octets, 0);
    while let [how, behind @ ..] = rest {
        let (datagram, behind) = behind.split_at(usize::from(how & 0x7f).min(behind.len()));
        rest = behind;
        let mut datagram = datagram.to_vec();
        match how & 0x80 {
            0 => session.handle_rtp(&mut datagram, from, now),
            _ => session.handle_rtcp(&mut datagram, from, now),
        }
        datagrams += 1;
        now += Duration::from_millis(20);
        session.capture(&[0; FRAME], now);
        session.play(&mut [0; FRAME], now);
        session.handle_timeout(now);
        let mut packet = [0; MAX_PACKET];
        while session.poll_output(&mut packet).is_some() {}
        while session.poll_event().is_some() {}
    }
    let statistics = session.statistics(now);
    // A packet of a payload type that was not agreed on is received and dropped; a report is neither.
    assert!(statistics.received.packets <= datagrams && statistics.dropped.total() <= datagrams);
    assert!(security == Security::Off || statistics.received.packets == 0, "nobody else has the key");
    assert!(statistics.dropped.not_fetched == 0 && statistics.dropped.events == 0);
    assert!(session.deadline().is_some_and(|deadline| deadline.at > now), "all that was due was done");
}
