//! Whose packets are heard, and how ours are numbered.

use std::time::Duration;

use homing_media::{Codec, FRAME, MAX_PACKET, Security, SessionEvent};

use crate::world::{Call, Flying, Side, address, clean, policy};

/// A packet of the caller's kind, of another source.
fn packet(payload: u8, numbers: [u32; 3], octets: &[u8]) -> Vec<u8> {
    let [sequence, timestamp, ssrc] = numbers;
    let mut packet = vec![0x80, payload];
    packet.extend((sequence as u16).to_be_bytes());
    packet.extend(timestamp.to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend(octets);
    packet
}

/// Source, timestamp and marker of the caller's next packet of sound.
fn sent(call: &mut Call) -> (Vec<u8>, u32, bool) {
    let mut sent = None;
    let mut network = |packet: Flying| {
        let is_sound = packet.to == Side::Called && packet.octets[1] & 0x7f == 0;
        if is_sound {
            let timestamp = u32::from_be_bytes(packet.octets[4..8].try_into().unwrap());
            sent = Some((packet.octets[8..12].to_vec(), timestamp, packet.octets[1] & 0x80 != 0));
        }
        vec![packet]
    };
    call.listen(1, &mut network);
    sent.unwrap()
}

#[test]
fn one_packet_of_another_source_in_a_pause_is_not_heard() {
    let mut call = Call::new(&policy(Security::Off, Codec::Pcmu, 20), 1);
    call.listen(50, &mut clean);
    let mut silent = |_: Flying| Vec::new();
    call.listen(50, &mut silent);
    let now = call.now;
    for (at, ssrc) in [1, 2, 3, 4].into_iter().enumerate() {
        let mut stray = packet(0, [at as u32, 0, ssrc], &[0x80; 160]);
        call.called.handle_rtp(&mut stray, address(Side::Caller), now);
    }
    assert_eq!(call.called.statistics(now).dropped.other_source, 4);
    assert!(call.listen(10, &mut silent).iter().all(|sample| *sample == 0));
}

#[test]
fn a_key_that_is_down_when_the_source_changes_was_let_go() {
    let mut call = Call::new(&policy(Security::Off, Codec::Pcmu, 20), 1);
    let from = address(Side::Caller);
    let at = |call: &mut Call, millis: u64, mut octets: Vec<u8>| {
        call.called.handle_rtp(&mut octets, from, Duration::from_millis(1000 + millis));
        let digit = |event| match event {
            SessionEvent::Digit { digit, duration } => Some((digit.as_char(), duration.as_millis())),
            _ => None,
        };
        std::iter::from_fn(|| call.called.poll_event()).filter_map(digit).collect::<Vec<_>>()
    };
    let key = |code: u8, end: u8, length: u8| [code, end | 10, 0, length];
    assert_eq!(at(&mut call, 0, packet(101, [1, 5000, 7], &key(1, 0, 160))), []);
    // Another source, with the timestamp of the one before.
    assert_eq!(at(&mut call, 100, packet(101, [1, 5000, 8], &key(2, 0, 160))), []);
    assert_eq!(at(&mut call, 120, packet(101, [2, 5000, 8], &key(2, 0, 240))), [('1', 20)]);
    assert_eq!(at(&mut call, 140, packet(101, [3, 5000, 8], &key(2, 0x80, 240))), [('2', 30)]);
}

#[test]
fn a_source_that_is_ours_makes_us_take_another_but_not_for_ever() {
    let mut call = Call::new(&policy(Security::Off, Codec::Pcmu, 20), 1);
    let mut sources = Vec::new();
    let mut goodbyes = 0;
    for step in 1..200u64 {
        let now = call.now + Duration::from_millis(step * 20);
        call.caller.capture(&[0; FRAME], now);
        let mut octets = [0; MAX_PACKET];
        while let Some(transmit) = call.caller.poll_output(&mut octets) {
            let octets = &mut octets[..transmit.length];
            if octets[1] >= 200 {
                // A report, a name, and a goodbye if it is so long.
                goodbyes += usize::from(octets[octets.len() - 8..][1] == 203);
                continue;
            }
            let source = octets[8..12].to_vec();
            if sources.last() != Some(&source) {
                sources.push(source);
            }
            // Who is called sends everything back as it came.
            call.caller.handle_rtp(octets, address(Side::Called), now);
        }
    }
    assert_eq!((sources.len(), goodbyes), (3, 2));
    let received = call.caller.statistics(call.now).received.packets;
    assert!(received > 150, "{received}: and what comes back is heard");
}

#[test]
fn timestamps_count_time_over_a_pause_and_begin_with_a_marker() {
    let mut call = Call::new(&policy(Security::Off, Codec::Pcmu, 20), 1);
    let (_, first, marker) = sent(&mut call);
    let (_, second, none) = sent(&mut call);
    assert_eq!((marker, none, second.wrapping_sub(first)), (true, false, 160));
    // A thread that was held up goes on; one that paused leaves a gap.
    call.now += Duration::from_millis(80);
    let (_, third, none) = sent(&mut call);
    assert_eq!((none, third.wrapping_sub(second)), (false, 160));
    call.now += Duration::from_secs(10);
    let (_, fourth, marker) = sent(&mut call);
    assert_eq!((marker, fourth.wrapping_sub(third)), (true, 80_160));
}
