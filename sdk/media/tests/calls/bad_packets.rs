//! What no peer sent is never heard, and ends nothing.

use homing_media::{Codec, FRAME, PacketKind, Security};

use crate::tone::{Tone, assert_clean};
use crate::world::{Call, Chance, Flying, Side, address, clean, policy};

/// Silence at full level, so that each sample that is played of it shows.
fn injected(sequence: u16, timestamp: u32, ssrc: u32) -> Vec<u8> {
    let mut packet = vec![0x80, 0];
    packet.extend(sequence.to_be_bytes());
    packet.extend(timestamp.to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend([0x80; 160]);
    packet
}

fn loud(heard: &[i16]) -> usize {
    heard.iter().filter(|sample| sample.unsigned_abs() > 20_000).count()
}

#[test]
fn a_million_bad_packets_end_no_encrypted_call() {
    let mut call = Call::new(&policy(Security::Required, Codec::Pcmu, 20), 1);
    assert_clean(&call.listen(50, &mut clean)[25 * FRAME..], "before");
    let (mut chance, from, now) = (Chance::new(7), address(Side::Caller), call.now);
    for at in 0..1_000_000u64 {
        let mut packet = [0; 64];
        let length = chance.below(65) as usize;
        packet[..8].copy_from_slice(&chance.below(u64::MAX).to_be_bytes());
        packet[0] = 0x80 | packet[0] & 0x3f;
        packet[8..12].copy_from_slice(&(at as u32 % 3).to_be_bytes());
        call.session(Side::Called).handle_rtp(&mut packet[..length], from, now);
    }
    let dropped = call.called.statistics(now).dropped;
    assert_eq!(dropped.total(), 1_000_000, "{dropped:?}");
    let heard = call.listen(100, &mut clean);
    assert_clean(&heard[10 * FRAME..], "after");
}

#[test]
fn bad_and_repeated_packets_among_good_ones_are_not_heard() {
    let mut call = Call::new(&policy(Security::Required, Codec::Pcmu, 20), 1);
    let mut chance = Chance::new(3);
    let mut network = |packet: Flying| {
        let mut bad = packet.clone();
        let at = chance.below(bad.octets.len() as u64) as usize;
        bad.octets[at] ^= 1 << chance.below(8);
        vec![bad, packet.clone(), packet]
    };
    let heard = call.listen(500, &mut network);
    assert_clean(&heard[50 * FRAME..], "bad SRTP between");
    let statistics = call.called.statistics(call.now);
    assert_eq!(statistics.received.packets, 500);
    assert!(statistics.dropped.replayed >= 500 && statistics.dropped.total() >= 1000, "{statistics:?}");
}

#[test]
fn nothing_injected_is_heard_in_an_encrypted_call() {
    let mut call = Call::new(&policy(Security::Required, Codec::Pcmu, 20), 1);
    let mut sequence = 0u16;
    let mut network = |packet: Flying| {
        // From the peer's own address, with its numbers and without its key.
        sequence = sequence.wrapping_add(1);
        let ssrc = u32::from_be_bytes(packet.octets[8..12].try_into().unwrap());
        let [s0, s1] = [packet.octets[2], packet.octets[3]];
        let number = u16::from_be_bytes([s0, s1]).wrapping_add(1);
        let fake = Flying { octets: injected(number, u32::from(sequence) * 160, ssrc), ..packet.clone() };
        vec![fake, packet]
    };
    let mut heard = Vec::new();
    for _ in 0..500 {
        heard.extend(call.step([&[0; FRAME], &[0; FRAME]], &mut network)[1].clone());
    }
    assert_eq!(loud(&heard), 0);
}

#[test]
fn of_what_is_injected_in_the_clear_at_most_five_packets_are_heard() {
    // From elsewhere: nothing. From the peer's very address, as another source, while the peer speaks: nothing either.
    for (from, most) in [(([198, 51, 100, 1], 4000).into(), 0), (address(Side::Caller), 0)] {
        let mut call = Call::new(&policy(Security::Off, Codec::Pcmu, 20), 1);
        let mut sequence = 0u16;
        let mut network = |packet: Flying| {
            let mut packets = vec![packet.clone()];
            for _ in 0..3 {
                sequence = sequence.wrapping_add(1);
                let octets = injected(sequence, u32::from(sequence) * 160, 0x6666_6666);
                packets.push(Flying { octets, from, ..packet.clone() });
            }
            packets
        };
        let mut heard = Vec::new();
        for _ in 0..500 {
            heard.extend(call.step([&[0; FRAME], &[0; FRAME]], &mut network)[1].clone());
        }
        assert!(loud(&heard) <= most * 160, "{from}: {} samples", loud(&heard));
    }
}

#[test]
fn random_octets_on_both_sockets_end_nothing() {
    for security in [Security::Off, Security::Required] {
        let mut call = Call::new(&policy(security, Codec::Pcmu, 20), 1);
        let mut chance = Chance::new(11);
        let from = address(Side::Caller);
        let mut tone = Tone::default();
        let mut heard = Vec::new();
        for step in 0..1000 {
            let now = call.now;
            for kind in [PacketKind::Rtp, PacketKind::Rtcp] {
                let mut octets: Vec<u8> = (0..chance.below(120)).map(|_| chance.below(256) as u8).collect();
                // Half of them look like RTCP, half of those with a length that fits.
                if octets.len() >= 8 && step % 2 == 0 {
                    octets.truncate(octets.len() & !3);
                    (octets[0], octets[1], octets[2]) = (0x80 | octets[0] & 0x3f, 200 + octets[1] % 5, 0);
                    octets[3] = if step % 4 == 0 { (octets.len() / 4 - 1) as u8 } else { octets[3] };
                }
                match kind {
                    PacketKind::Rtp => call.called.handle_rtp(&mut octets, from, now),
                    PacketKind::Rtcp => call.called.handle_rtcp(&mut octets, from, now),
                }
            }
            heard.extend(call.step([&tone.frame(), &[0; FRAME]], &mut clean)[1].clone());
        }
        assert_clean(&heard[100 * FRAME..], "between octets at random");
    }
}
