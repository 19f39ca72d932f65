//! Reports, round trips, keep-alives.

use std::time::Duration;

use homing_media::{Codec, FRAME, PacketKind, Security, Why};

use crate::tone::Tone;
use crate::world::{Call, Flying, Side, policy};

#[test]
fn round_trip_losses_and_jitter_are_reported() {
    for security in [Security::Off, Security::Required] {
        let mut call = Call::new(&policy(security, Codec::Pcmu, 20), 1);
        assert_eq!(call.caller.statistics(call.now).peer, None, "no report from the peer yet");
        let mut number = 0;
        let mut network = |mut packet: Flying| {
            packet.at += Duration::from_millis(40);
            number += u32::from(packet.to == Side::Called);
            let is_lost = packet.to == Side::Called && packet.octets.len() > 170 && number % 10 == 0;
            if is_lost { Vec::new() } else { vec![packet] }
        };
        let mut tone = Tone::default();
        for _ in 0..50 * 30 {
            let frame = tone.frame();
            call.step([&frame, &frame], &mut network);
        }
        let statistics = call.caller.statistics(call.now);
        let trip = statistics.round_trip.unwrap();
        assert!((78..=82).contains(&trip.as_millis()), "{security:?}: {trip:?}");
        let peer = statistics.peer.unwrap();
        assert!((20..=30).contains(&peer.fraction_lost) && (80..=150).contains(&peer.lost), "{peer:?}");
        let share = call.called.statistics(call.now).lost_of_last_second.unwrap();
        assert!((0.05..0.15).contains(&share), "{share}");
    }
}

#[test]
fn reports_leave_every_few_seconds_by_the_way_that_was_agreed_on() {
    let mut call = Call::new(&policy(Security::Off, Codec::Pcmu, 20), 1);
    let mut reports = Vec::new();
    let mut network = |packet: Flying| {
        if packet.octets[1] >= 200 {
            reports.push((packet.at, packet.kind));
        }
        vec![packet]
    };
    call.listen(50 * 120, &mut network);
    assert!((40..=80).contains(&reports.len()), "{} reports of two sides in two minutes", reports.len());
    assert!(reports.iter().all(|(_, kind)| *kind == PacketKind::Rtp), "one port for both");
}

#[test]
fn while_nothing_is_sent_the_way_is_kept_open() {
    let mut call = Call::new(&policy(Security::Off, Codec::Pcmu, 20), 1);
    // Without a shared port reports keep no way open but their own.
    let body =
        call.caller_says.offer(true).unwrap().replace("a=rtcp-mux\r\n", "").replace("a=rtcp:4000\r\n", "");
    let answer = call.called_says.answer(body.as_bytes(), true).unwrap();
    let agreed = call.caller_says.take_answer(answer.body.as_bytes()).unwrap();
    call.caller.agree(&agreed, call.now);
    call.called.agree(&answer.agreed, call.now);
    let mut kept = Vec::new();
    let mut network = |packet: Flying| {
        if packet.kind == PacketKind::Rtp && packet.to == Side::Called {
            kept.push((packet.at, packet.octets.len(), packet.octets[1]));
        }
        vec![packet]
    };
    for _ in 0..50 * 61 {
        call.step([&[0; FRAME], &[0; FRAME]], &mut network);
    }
    assert_eq!(kept.len(), 4, "{kept:?}");
    assert!(
        kept.iter().all(|(_, length, payload)| *length == 12 && ![0, 8, 101].contains(payload)),
        "{kept:?}"
    );
    assert_eq!(call.called.statistics(call.now).dropped.unknown_payload, 4);
    assert!([Why::Report, Why::KeepAlive].contains(&call.caller.deadline().unwrap().why));
}
