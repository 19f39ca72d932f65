//! What one side protects the other reads; what anybody changed or repeats, it does not.

use super::transform::{Kind, MAX_TRAILER, Parts, Position, Transform};
use super::*;
use crate::random::{Purpose, Random};
use crate::rtp::Head;

fn key(suite: Suite, fill: u8) -> MasterKey {
    MasterKey::from_start(suite, &[fill; MasterKey::MAX_OCTETS])
}

fn packet(sequence: u16, ssrc: u32) -> Vec<u8> {
    let mut packet = Head::new(0, sequence, u32::from(sequence) * 160, ssrc).to_octets().to_vec();
    packet.extend([0xab; 160]);
    packet
}

fn report(ssrc: u32) -> Vec<u8> {
    let mut report = vec![0x80, 201, 0, 1];
    report.extend(ssrc.to_be_bytes());
    report.extend([0xcd; 24]);
    report
}

fn protected(sender: &mut Sender, plain: &[u8]) -> Vec<u8> {
    let mut buffer = [plain, &[0; MAX_TRAILER]].concat();
    let length = sender.protect(&mut buffer, plain.len()).unwrap();
    buffer.truncate(length);
    buffer
}

fn protected_rtcp(sender: &mut Sender, plain: &[u8]) -> Vec<u8> {
    let mut buffer = [plain, &[0; MAX_TRAILER]].concat();
    let length = sender.protect_rtcp(&mut buffer, plain.len()).unwrap();
    buffer.truncate(length);
    buffer
}

fn opened(receiver: &mut Receiver, sealed: &[u8]) -> Result<Vec<u8>, Rejection> {
    let mut packet = sealed.to_vec();
    let length = receiver.unprotect(&mut packet)?;
    packet.truncate(length);
    Ok(packet)
}

#[test]
fn what_is_protected_is_read_by_the_same_key_only() {
    for suite in Suite::ALL {
        let mut sender = Sender::new(&key(suite, 7));
        let (mut receiver, mut other) = (Receiver::new(&key(suite, 7)), Receiver::new(&key(suite, 8)));
        for sequence in [65_533, 65_534, 65_535, 0, 1] {
            let plain = packet(sequence, 5);
            let sealed = protected(&mut sender, &plain);
            assert_ne!(sealed[12..172], plain[12..]);
            assert_eq!(opened(&mut other, &sealed), Err(Rejection::Unauthenticated));
            assert_eq!(opened(&mut receiver, &sealed), Ok(plain));
            assert_eq!(opened(&mut receiver, &sealed), Err(Rejection::Replayed));
        }
        let plain = report(5);
        let mut sealed = protected_rtcp(&mut sender, &plain);
        let mut copy = sealed.clone();
        assert_eq!(other.unprotect_rtcp(&mut copy), Err(Rejection::Unauthenticated));
        let mut copy = sealed.clone();
        assert_eq!(receiver.unprotect_rtcp(&mut sealed), Ok(plain.len()));
        assert_eq!(sealed[..plain.len()], plain);
        assert_eq!(receiver.unprotect_rtcp(&mut copy), Err(Rejection::Replayed));
    }
}

#[test]
fn no_octet_can_be_changed() {
    for suite in Suite::ALL {
        let sealed = protected(&mut Sender::new(&key(suite, 7)), &packet(9, 5));
        let sealed_report = protected_rtcp(&mut Sender::new(&key(suite, 7)), &report(5));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(Receiver::new(&key(suite, 7)).unprotect(&mut changed).is_err(), "{suite:?}, octet {at}");
        }
        for at in 0..sealed_report.len() {
            let mut changed = sealed_report.clone();
            changed[at] ^= 1;
            assert!(Receiver::new(&key(suite, 7)).unprotect_rtcp(&mut changed).is_err(), "{suite:?}, {at}");
        }
        for length in 0..sealed.len() {
            let mut short = sealed[..length].to_vec();
            assert!(
                Receiver::new(&key(suite, 7)).unprotect(&mut short).is_err(),
                "{suite:?}, {length} octets"
            );
        }
    }
}

/// The packets that libsrtp validates itself with, under the master key of RFC 3711 appendix B.3.
#[test]
fn whole_packets_are_those_of_libsrtp() {
    let octets = [
        0xe1, 0xf9, 0x7a, 0x0d, 0x3e, 0x01, 0x8b, 0xe0, 0xd6, 0x4f, 0xa3, 0x2c, 0x06, 0xde, 0x41, 0x39, 0x0e,
        0xc6, 0x75, 0xad, 0x49, 0x8a, 0xfe, 0xeb, 0xb6, 0x96, 0x0b, 0x3a, 0xab, 0xe6,
    ];
    let key = MasterKey::from_octets(Suite::AesCm128HmacSha1Tag80, &octets).unwrap();
    let mut plain = Head::new(15, 0x1234, 0xdeca_fbad, 0xcafe_babe).to_octets().to_vec();
    plain.extend([0xab; 16]);
    let sealed = protected(&mut Sender::new(&key), &plain);
    let expected = [
        0x4e, 0x55, 0xdc, 0x4c, 0xe7, 0x99, 0x78, 0xd8, 0x8c, 0xa4, 0xd2, 0x15, 0x94, 0x9d, 0x24, 0x02, 0xb7,
        0x8d, 0x6a, 0xcc, 0x99, 0xea, 0x17, 0x9b, 0x8d, 0xbb,
    ];
    assert_eq!(sealed[12..], expected);
    let mut report = vec![0x81, 200, 0, 11, 0xca, 0xfe, 0xba, 0xbe];
    report.extend([0xab; 16]);
    let mut sender = Sender::new(&key);
    protected_rtcp(&mut sender, &report);
    let expected = [
        0x71, 0x28, 0x03, 0x5b, 0xe4, 0x87, 0xb9, 0xbd, 0xbe, 0xf8, 0x90, 0x41, 0xf9, 0x77, 0xa5, 0xa8, 0x80,
        0x00, 0x00, 0x01, 0x99, 0x3e, 0x08, 0xcd, 0x54, 0xd6, 0xc1, 0x23, 0x07, 0x98,
    ];
    assert_eq!(protected_rtcp(&mut sender, &report)[8..], expected);
}

#[test]
fn a_report_that_is_genuine_and_not_encrypted_is_not_taken() {
    for suite in Suite::ALL {
        let transform = Transform::new(&key(suite, 7), Kind::Rtcp);
        let (mut clear, word) = (report(5), 3u32.to_be_bytes());
        let (head, text) = clear.split_at_mut(8);
        let mut tag = vec![0; transform.tag_octets()];
        let parts = Parts { clear: head, text, behind: &word };
        transform.seal(Position { ssrc: 5, index: 3 }, parts, &mut tag).unwrap();
        let mut packet = match suite {
            Suite::AeadAes128Gcm => [&clear[..], &tag, &word].concat(),
            _ => [&clear[..], &word, &tag].concat(),
        };
        let taken = Receiver::new(&key(suite, 7)).unprotect_rtcp(&mut packet);
        assert_eq!(taken, Err(Rejection::Malformed), "{suite:?}");
    }
}

#[test]
fn packets_may_name_their_key() {
    let id = KeyId::new(0x0102, 2).unwrap();
    for suite in Suite::ALL {
        let mut receiver = Receiver::new(&key(suite, 7).with_id(id));
        let sealed = protected(&mut Sender::new(&key(suite, 7)), &packet(9, 5));
        let place = match suite {
            Suite::AeadAes128Gcm => sealed.len(),
            Suite::AesCm128HmacSha1Tag80 => sealed.len() - 10,
            Suite::AesCm128HmacSha1Tag32 => sealed.len() - 4,
        };
        let with = |name: [u8; 2]| [&sealed[..place], &name, &sealed[place..]].concat();
        assert_eq!(opened(&mut receiver, &with([1, 3])), Err(Rejection::Unauthenticated));
        assert_eq!(opened(&mut receiver, &with([1, 2])), Ok(packet(9, 5)), "{suite:?}");
    }
}

#[test]
fn sources_are_bounded_and_none_is_forgotten() {
    let suite = Suite::AesCm128HmacSha1Tag80;
    let mut receiver = Receiver::new(&key(suite, 7));
    let seal = |ssrc| protected(&mut Sender::new(&key(suite, 7)), &packet(1, ssrc));
    for ssrc in 0..32 {
        assert!(opened(&mut receiver, &seal(ssrc)).is_ok());
    }
    assert_eq!(opened(&mut receiver, &seal(32)), Err(Rejection::TooManySources));
    assert_eq!(opened(&mut receiver, &seal(0)), Err(Rejection::Replayed));
}

#[test]
fn a_million_bad_packets_end_nothing() {
    let mut random = Random::new(&[9; 32], Purpose::Source);
    for suite in [Suite::AesCm128HmacSha1Tag80, Suite::AeadAes128Gcm] {
        let mut receiver = Receiver::new(&key(suite, 7));
        let mut sender = Sender::new(&key(suite, 7));
        assert!(opened(&mut receiver, &protected(&mut sender, &packet(1, 5))).is_ok());
        let mut bad = [0; 60];
        for at in 0..500_000u32 {
            if at % 1000 == 0 {
                random.fill(&mut bad);
            }
            // Half of them look as if they were of the known source.
            let head = Head::new(0, (at % 65_536) as u16, at, if at % 2 == 0 { 5 } else { at });
            bad[..12].copy_from_slice(&head.to_octets());
            bad[12..16].copy_from_slice(&at.to_be_bytes());
            let length = 60 - (at % 50) as usize;
            assert!(receiver.unprotect(&mut bad[..length]).is_err());
        }
        assert!(opened(&mut receiver, &protected(&mut sender, &packet(2, 5))).is_ok());
    }
}
