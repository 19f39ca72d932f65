//! A tone comes out as it went in, whatever lies between.

use homing_media::{Codec, FRAME, Security};

use crate::tone::{assert_clean, frequency, gain, longest_gap};
use crate::world::{Call, Chance, Flying, Side, clean, policy};

const SECOND: usize = 50;

#[test]
fn a_tone_passes_every_codec_packet_time_and_protection() {
    for codec in [Codec::Pcmu, Codec::Pcma] {
        for security in [Security::Off, Security::Required] {
            for packet_time in [10, 20, 30, 40, 50, 60] {
                let mut call = Call::new(&policy(security, codec, packet_time), 1);
                let heard = call.listen(20 * SECOND, &mut clean);
                let what = format!("{codec:?} {security:?} {packet_time} ms");
                assert_clean(&heard[SECOND * FRAME..], &what);
                let statistics = call.called.statistics(call.now);
                assert_eq!(
                    (statistics.lost, statistics.late, statistics.dropped.total()),
                    (0, 0, 0),
                    "{what}"
                );
                assert_eq!(statistics.is_encrypted, security == Security::Required);
            }
        }
    }
}

#[test]
fn every_suite_carries_sound_and_reports() {
    for suite in ["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32", "AEAD_AES_128_GCM"] {
        let mut call = Call::new(&policy(Security::Required, Codec::Pcmu, 20), 9);
        let only = |offer: String| {
            let is_kept = |line: &&str| !line.starts_with("a=crypto") || line.contains(suite);
            offer.split_inclusive("\r\n").filter(is_kept).collect()
        };
        call.agree_on([false, false], &only);
        assert_eq!(call.called_says.agreed().unwrap().keys.as_ref().unwrap().send.suite().name(), suite);
        let heard = call.listen(20 * SECOND, &mut clean);
        assert_clean(&heard[SECOND * FRAME..], suite);
        let statistics = call.called.statistics(call.now);
        assert!(statistics.peer.is_some() && statistics.round_trip.is_some(), "{suite}: {statistics:?}");
        assert_eq!(statistics.dropped.total(), 0, "{suite}");
    }
}

#[test]
fn both_hear_each_other_soon_and_little_waits() {
    let mut call = Call::new(&policy(Security::Optional, Codec::Pcmu, 20), 1);
    let mut tones = [crate::tone::Tone::default(), crate::tone::Tone::default()];
    let mut first = [None, None];
    for step in 0..200 {
        let says = tones.each_mut().map(crate::tone::Tone::frame);
        let heard = call.step([&says[0], &says[1]], &mut clean);
        for (first, heard) in first.iter_mut().zip(&heard) {
            if first.is_none() && heard.iter().any(|sample| sample.unsigned_abs() > 5000) {
                *first = Some(step);
            }
        }
    }
    assert!(first.iter().all(|first| first.is_some_and(|step| step <= 3)), "{first:?}");
    let buffer = call.called.statistics(call.now).buffer;
    assert!(buffer.as_millis() <= 40, "{buffer:?}");
}

#[test]
fn with_loss_jitter_and_reordering_the_tone_stays() {
    for (security, seed) in [(Security::Off, 1), (Security::Required, 2)] {
        let mut call = Call::new(&policy(security, Codec::Pcmu, 20), 3);
        let mut chance = Chance::new(seed);
        let mut network = |mut packet: Flying| {
            packet.at += std::time::Duration::from_millis(30 + chance.below(60));
            if chance.below(100) < 5 { Vec::new() } else { vec![packet] }
        };
        let heard = call.listen(60 * SECOND, &mut network);
        let heard = &heard[5 * SECOND * FRAME..];
        let (frequency, gain, gap) = (frequency(heard), gain(heard), longest_gap(heard));
        assert!((frequency - 1000.0).abs() < 2.0, "{security:?}: {frequency} Hz");
        assert!(gain.abs() < 1.0, "{security:?}: {gain} dB");
        assert!(gap <= 60, "{security:?}: nothing for {gap} ms");
        let statistics = call.called.statistics(call.now);
        assert!((100..220).contains(&statistics.lost), "{statistics:?}");
        assert!(statistics.jitter.as_millis() >= 5, "{statistics:?}");
    }
}

#[test]
fn numbers_wrap_and_the_tone_goes_on() {
    // 65,536 packets of 10 ms: the sequence numbers go round, whatever they began with, and so does SRTP's counter.
    let mut call = Call::new(&policy(Security::Required, Codec::Pcma, 10), 5);
    for _ in 0..11 {
        let heard = call.listen(60 * SECOND, &mut clean);
        assert!(longest_gap(&heard[SECOND * FRAME..]) <= 20);
    }
    let statistics = call.called.statistics(call.now);
    assert_eq!((statistics.received.packets, statistics.dropped.total()), (66_000, 0));
    assert_eq!(statistics.lost, 0);
    // A change that leaves the keys as they are leaves the rounds of their counters, too.
    call.agree([false, false]);
    assert_clean(&call.listen(10 * SECOND, &mut clean)[SECOND * FRAME..], "after a change");
    assert_eq!(call.called.statistics(call.now).dropped.total(), 0);
}

#[test]
fn who_is_muted_is_not_heard_and_stays_reachable() {
    let mut call = Call::new(&policy(Security::Off, Codec::Pcmu, 20), 1);
    call.listen(SECOND, &mut clean);
    call.session(Side::Caller).mute(true);
    let before = call.called.statistics(call.now).received.packets;
    let heard = call.listen(SECOND, &mut clean);
    assert!(heard[10 * FRAME..].iter().all(|sample| sample.unsigned_abs() <= 8));
    assert_eq!(call.called.statistics(call.now).received.packets, before + SECOND as u64);
    call.session(Side::Caller).mute(false);
    assert_clean(&call.listen(SECOND, &mut clean)[10 * FRAME..], "unmuted");
}

#[test]
fn levels_are_those_of_the_tone() {
    let mut call = Call::new(&policy(Security::Off, Codec::Pcmu, 20), 1);
    call.listen(3 * SECOND, &mut clean);
    let said = call.caller.statistics(call.now).captured.dbov.unwrap();
    let heard = call.called.statistics(call.now).played.dbov.unwrap();
    assert!((said + 10.0).abs() < 0.1 && (heard - said).abs() < 0.5, "{said} {heard}");
    assert_eq!(call.caller.statistics(call.now).played.dbov, None, "the other side is silent");
}
