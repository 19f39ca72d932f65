//! Keys are heard once each, in order, whatever is lost.

use homing_media::{Codec, DigitError, FRAME, Policy, Security, Session, SessionEvent, Setup};

use crate::tone::Tone;
use crate::world::{Call, Chance, Flying, Side, clean, policy};

const KEYS: &str = "0123456789*#ABCD1155";

fn press(call: &mut Call, steps: usize, network: &mut dyn FnMut(Flying) -> Vec<Flying>) {
    call.session(Side::Caller).send_digits(KEYS).unwrap();
    let mut tone = Tone::default();
    for _ in 0..steps {
        call.step([&tone.frame(), &[0; FRAME]], network);
    }
}

#[test]
fn every_key_is_told_once_with_its_length() {
    for (security, packet_time) in [(Security::Off, 20), (Security::Required, 20), (Security::Off, 60)] {
        let mut call = Call::new(&policy(security, Codec::Pcmu, packet_time), 1);
        press(&mut call, 250, &mut clean);
        assert_eq!(call.digits(Side::Called), KEYS);
        assert_eq!(call.digits(Side::Caller), "");
        let lengths = call.events.iter().filter_map(|(_, event)| match event {
            SessionEvent::Digit { duration, .. } => Some(duration.as_millis()),
            _ => None,
        });
        assert!(lengths.into_iter().all(|length| length == 100));
        let sent = call.events.iter().filter(|(_, event)| *event == SessionEvent::DigitsSent).count();
        assert_eq!(sent, 1);
    }
}

#[test]
fn every_key_is_told_once_though_ends_are_lost_and_packets_repeated() {
    let mut call = Call::new(&policy(Security::Off, Codec::Pcmu, 20), 1);
    let mut no_ends = |packet: Flying| {
        let is_end = packet.octets.len() == 16 && packet.octets[13] & 0x80 != 0;
        if is_end { Vec::new() } else { vec![packet.clone(), packet] }
    };
    press(&mut call, 250, &mut no_ends);
    assert_eq!(call.digits(Side::Called), KEYS);
}

#[test]
fn every_key_is_told_once_in_a_bad_network() {
    for seed in 0..20 {
        let mut call = Call::new(&policy(Security::Off, Codec::Pcmu, 20), 1);
        let mut chance = Chance::new(seed);
        let mut network = |mut packet: Flying| {
            packet.at += std::time::Duration::from_millis(chance.below(40));
            if chance.below(100) < 10 { Vec::new() } else { vec![packet] }
        };
        press(&mut call, 300, &mut network);
        assert_eq!(call.digits(Side::Called), KEYS, "seed {seed}");
    }
}

#[test]
fn keys_are_refused_where_nobody_takes_them() {
    let mut alone = Session::new(&Setup::new([1; 32]));
    assert_eq!(alone.send_digits("1"), Err(DigitError::NotTaken));
    let mut call = Call::new(&Policy::default(), 1);
    assert_eq!(call.caller.send_digits("1x"), Err(DigitError::NotAKey('x')));
}
