//! Holds, new sources, new keys, tones and ends.

use std::time::Duration;

use homing_media::{Codec, FRAME, Negotiation, Security, Session, SessionEvent, Setup, Tone};

use crate::tone::{assert_clean, longest_gap};
use crate::world::{Call, Flying, Side, clean, policy};

#[test]
fn who_holds_neither_hears_nor_is_heard_and_comes_back() {
    for security in [Security::Off, Security::Required] {
        let mut call = Call::new(&policy(security, Codec::Pcmu, 20), 1);
        assert_clean(&call.listen(50, &mut clean)[10 * FRAME..], "before");
        call.agree([true, true]);
        let sent = call.caller.statistics(call.now).sent.packets;
        let heard = call.listen(50, &mut clean);
        assert!(heard[4 * FRAME..].iter().all(|sample| *sample == 0), "held");
        assert_eq!(
            call.caller.statistics(call.now).sent.packets,
            sent,
            "nothing is sent to who receives nothing"
        );
        call.agree([false, false]);
        assert_clean(&call.listen(100, &mut clean)[20 * FRAME..], "resumed");
        assert_eq!(call.called.statistics(call.now).dropped.total(), 0, "{security:?}: the keys went on");
    }
}

#[test]
fn holding_is_at_once() {
    let mut call = Call::new(&policy(Security::Off, Codec::Pcmu, 20), 1);
    call.listen(50, &mut clean);
    call.session(Side::Called).hold(true);
    assert!(call.listen(20, &mut clean).iter().all(|sample| *sample == 0));
    assert!(call.called.statistics(call.now).dropped.unexpected >= 19);
    call.session(Side::Called).hold(false);
    assert_clean(&call.listen(50, &mut clean)[10 * FRAME..], "resumed");
}

#[test]
fn another_source_in_the_same_stream_is_heard_after_the_old_one_ends() {
    let mut call = Call::new(&policy(Security::Off, Codec::Pcmu, 20), 1);
    call.listen(50, &mut clean);
    let mut other = |mut packet: Flying| {
        if packet.octets.len() == 172 {
            packet.octets[8] ^= 0x55;
            packet.octets[4] ^= 0x55;
        }
        vec![packet]
    };
    let heard = call.listen(100, &mut other);
    assert!(longest_gap(&heard) <= 60, "{} ms", longest_gap(&heard));
    assert_clean(&heard[10 * FRAME..], "another source");
    assert!((1..=4).contains(&call.called.statistics(call.now).dropped.other_source));
}

#[test]
fn a_new_key_is_a_new_source_and_is_heard() {
    let mut call = Call::new(&policy(Security::Required, Codec::Pcmu, 20), 1);
    call.listen(50, &mut clean);
    let local = homing_media::LocalAddress { ip: [192, 0, 2, 1].into(), rtp_port: 4000, rtcp_port: None };
    call.caller_says = Negotiation::new(policy(Security::Required, Codec::Pcmu, 20), local, &[77; 32]);
    let before = source_of(&mut call);
    call.agree([false, false]);
    assert_ne!(
        source_of(&mut call),
        before,
        "numbers begin anew, and no two packets share key, source and number"
    );
    let heard = call.listen(100, &mut clean);
    assert!(longest_gap(&heard) <= 20, "{} ms", longest_gap(&heard));
    assert_clean(&heard[10 * FRAME..], "another key");
    assert_eq!(call.called.statistics(call.now).dropped.unauthenticated, 0);
}

/// The SSRC of the caller's packets.
fn source_of(call: &mut Call) -> Vec<u8> {
    let mut source = Vec::new();
    let mut network = |packet: Flying| {
        if packet.to == Side::Called && packet.octets[1] & 0x7f < 64 {
            source = packet.octets[8..12].to_vec();
        }
        vec![packet]
    };
    call.listen(1, &mut network);
    source
}

#[test]
fn ringback_yields_to_early_media_and_busy_does_not() {
    let mut alone = Session::new(&Setup::new([1; 32]));
    alone.play_tone(Some(Tone::Ringback));
    let mut heard = vec![0; 8000 * 10];
    for (at, frame) in heard.chunks_mut(FRAME).enumerate() {
        alone.play(frame, Duration::from_millis(at as u64 * 20));
    }
    let loud: Vec<bool> = heard.chunks(8000).map(|second| second.iter().any(|sample| *sample != 0)).collect();
    assert_eq!(loud, [true, false, false, false, false, true, false, false, false, false]);
    let rises = heard[..8000].windows(2).filter(|two| two[0] < 0 && two[1] >= 0).count();
    assert!((423..=426).contains(&rises), "{rises} Hz");

    let mut call = Call::new(&policy(Security::Off, Codec::Pcmu, 20), 1);
    call.session(Side::Called).play_tone(Some(Tone::Ringback));
    let mut nothing = |_: Flying| Vec::new();
    assert!(call.listen(10, &mut nothing).iter().any(|sample| *sample != 0));
    assert_clean(&call.listen(50, &mut clean)[10 * FRAME..], "early media");
    call.session(Side::Called).play_tone(Some(Tone::Busy));
    let heard = call.listen(50, &mut clean);
    assert!(heard[4100..7900].iter().all(|sample| *sample == 0), "busy pauses");
}

#[test]
fn a_silent_peer_is_told_and_ends_nothing() {
    let mut call = Call::new(&policy(Security::Off, Codec::Pcmu, 20), 1);
    call.listen(50, &mut clean);
    let mut lost = |packet: Flying| if packet.to == Side::Called { Vec::new() } else { vec![packet] };
    call.listen(300, &mut lost);
    call.listen(50, &mut clean);
    let told = |event| call.events.iter().filter(|told| **told == (Side::Called, event)).count();
    assert_eq!((told(SessionEvent::PeerSilent), told(SessionEvent::PeerHeard)), (1, 2));
    assert!(call.called.statistics(call.now).silent_for.unwrap() <= Duration::from_millis(20));
}

#[test]
fn an_end_is_said_once_and_nothing_follows() {
    for security in [Security::Off, Security::Required] {
        let mut call = Call::new(&policy(security, Codec::Pcmu, 20), 1);
        call.listen(50, &mut clean);
        let now = call.now;
        call.session(Side::Caller).close(now);
        call.listen(5, &mut clean);
        let left = (Side::Called, SessionEvent::PeerLeft);
        assert_eq!(call.events.iter().filter(|event| **event == left).count(), 1, "{security:?}");
        let sent = call.caller.statistics(call.now).sent.packets;
        call.listen(50, &mut clean);
        assert_eq!(call.caller.statistics(call.now).sent.packets, sent);
        assert_eq!(call.caller.deadline(), None);
    }
}
