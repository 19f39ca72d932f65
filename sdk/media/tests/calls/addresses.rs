//! Where packets come from and go to, with a translator between.

use std::time::Duration;

use homing_media::{
    Codec, FRAME, LocalAddress, MAX_PACKET, Negotiation, Security, Session, SessionEvent, Setup,
};

use crate::tone::assert_clean;
use crate::world::{Call, Flying, Side, address, clean, policy};

/// The caller signals an address behind a translator, and its packets come from a public one.
fn behind_translator(security: Security) -> Call {
    let mut call = Call::new(&policy(security, Codec::Pcmu, 20), 1);
    let offer = call.caller_says.offer(false).unwrap().replace("192.0.2.1", "10.0.0.1");
    let answer = call.called_says.answer(offer.as_bytes(), false).unwrap();
    call.called.agree(&answer.agreed, call.now);
    call
}

#[test]
fn a_peer_behind_a_translator_is_learnt_from_its_packets() {
    for (security, unheard) in [(Security::Off, 4), (Security::Required, 0)] {
        let mut call = behind_translator(security);
        let mut destinations = Vec::new();
        let mut network = |packet: Flying| {
            if packet.to == Side::Caller {
                destinations.push(packet.destination);
            }
            vec![packet]
        };
        let heard = call.listen(100, &mut network);
        assert_clean(&heard[20 * FRAME..], "from behind a translator");
        assert_eq!(call.called.statistics(call.now).dropped.foreign, unheard, "{security:?}");
        assert_eq!(destinations.first(), Some(&([10, 0, 0, 1], 4000).into()), "the signalled address first");
        assert_eq!(destinations.last(), Some(&address(Side::Caller)), "then where it is");
        let learnt = (Side::Called, SessionEvent::SourceLearnt(address(Side::Caller)));
        assert_eq!(call.events.iter().filter(|event| **event == learnt).count(), 1);
    }
}

#[test]
fn once_learnt_only_signalling_moves_it() {
    let mut call = behind_translator(Security::Off);
    call.listen(50, &mut clean);
    // A change that names the same address again leaves it as it is.
    let offer = call.caller_says.offer(true).unwrap().replace("192.0.2.1", "10.0.0.1");
    let answer = call.called_says.answer(offer.as_bytes(), false).unwrap();
    call.called.agree(&answer.agreed, call.now);
    let before = call.called.statistics(call.now).received.packets;
    call.listen(3, &mut clean);
    assert_eq!(call.called.statistics(call.now).received.packets, before + 3);
    let mut moved = |mut packet: Flying| {
        if packet.to == Side::Called {
            packet.from = ([198, 51, 100, 7], 9).into();
        }
        vec![packet]
    };
    let before = call.called.statistics(call.now).received.packets;
    call.listen(200, &mut moved);
    assert_eq!(call.called.statistics(call.now).received.packets, before);
    // The same description again changes nothing; another address does.
    let offer = call.caller_says.offer(false).unwrap();
    let answer = call.called_says.answer(offer.as_bytes(), false).unwrap();
    call.called.agree(&answer.agreed, call.now);
    assert_clean(&call.listen(100, &mut clean)[20 * FRAME..], "signalled anew");
}

#[test]
fn two_sides_with_ipv6_hear_each_other() {
    let says = |last: u16, port: u16| {
        let ip = std::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last).into();
        let local = LocalAddress { ip, rtp_port: port, rtcp_port: Some(port + 1) };
        Negotiation::new(policy(Security::Off, Codec::Pcmu, 20), local, &[1; 32])
    };
    let (mut caller, mut called) = (says(1, 4000), says(2, 5000));
    let offer = caller.offer(false).unwrap();
    assert!(offer.contains("c=IN IP6 2001:db8::1\r\n"), "{offer}");
    let answer = called.answer(offer.as_bytes(), false).unwrap();
    let (mut one, mut other) = (Session::new(&Setup::new([1; 32])), Session::new(&Setup::new([2; 32])));
    one.agree(&caller.take_answer(answer.body.as_bytes()).unwrap(), Duration::ZERO);
    other.agree(&answer.agreed, Duration::ZERO);
    let mut packet = [0; MAX_PACKET];
    one.capture(&[1000; FRAME], Duration::from_millis(20));
    let transmit = one.poll_output(&mut packet).unwrap();
    assert_eq!(transmit.to, "[2001:db8::2]:5000".parse().unwrap());
    let from = "[2001:db8::1]:4000".parse().unwrap();
    other.handle_rtp(&mut packet[..transmit.length], from, Duration::from_millis(20));
    assert_eq!(other.statistics(Duration::from_millis(20)).received.packets, 1);
}

#[test]
fn reports_of_strangers_are_dropped() {
    let mut call = Call::new(&policy(Security::Off, Codec::Pcmu, 20), 1);
    call.listen(10, &mut clean);
    let now = call.now;
    // The peer's own goodbye, from elsewhere and then from its host.
    call.session(Side::Caller).close(now);
    let mut goodbye = [0; MAX_PACKET];
    let length = call.caller.poll_output(&mut goodbye).unwrap().length;
    for (from, left) in [("198.51.100.1:4000", false), ("192.0.2.1:9", true)] {
        call.called.handle_rtcp(&mut goodbye[..length], from.parse().unwrap(), now);
        let told =
            std::iter::from_fn(|| call.called.poll_event()).any(|event| event == SessionEvent::PeerLeft);
        assert_eq!(told, left, "{from}");
    }
    assert_eq!(call.called.statistics(now).dropped.foreign, 1);
}
