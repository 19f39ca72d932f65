//! Parties heard by a session at the other end, in virtual time.

use std::net::SocketAddr;
use std::time::Duration;

use homing_core::ids::Seed;
use homing_core::time::Moment;
use homing_media::{
    Agreed, FRAME, LocalAddress, MAX_PACKET, Negotiation, PacketKind, Policy, Security, Session, Setup,
    Statistics,
};
use homing_net::rtp::{Component, PacketMachine};

use super::{Agree, PartyMachine};
use crate::node::sound::{PartySound, SoundFault, Speech};

/// A party and who listens to it.
struct Talk {
    party: PartyMachine,
    listener: Session,
    /// Packets of RTP that the party sent, in the clear or not.
    packets: Vec<Vec<u8>>,
    heard: Vec<i16>,
    slots: u64,
}

const PARTY: u16 = 5_000;
const LISTENER: u16 = 4_000;

fn address(port: u16) -> SocketAddr {
    SocketAddr::new([127, 0, 0, 1].into(), port)
}

/// What both ends come to; first the listener's.
fn agreed(is_secure: bool) -> [Agreed; 2] {
    let side = |port: u16, seed| {
        let local = LocalAddress { ip: [127, 0, 0, 1].into(), rtp_port: port, rtcp_port: Some(port + 1) };
        let policy =
            Policy { security: Security::Optional, secure_signalling: is_secure, ..Policy::default() };
        Negotiation::new(policy, local, &[seed; 32])
    };
    let (mut listener, mut party) = (side(LISTENER, 1), side(PARTY, 2));
    let answer = party.answer(listener.offer(false).unwrap().as_bytes(), false).unwrap();
    [listener.take_answer(answer.body.as_bytes()).unwrap(), answer.agreed]
}

impl Talk {
    fn new(speech: Speech, fault: Option<SoundFault>, is_secure: bool) -> Self {
        let [own, partys] = agreed(is_secure);
        let mut party = PartyMachine::new(PartySound { speech, fault }, "hs1", Seed::from_number(3));
        party.handle_command(Agree(Box::new(partys)), Moment::default());
        let mut listener = Session::new(&Setup::new([9; 32]));
        listener.agree(&own, Duration::ZERO);
        Self { party, listener, packets: Vec::new(), heard: Vec::new(), slots: 0 }
    }

    /// So much time, in which the listener says this over and over.
    fn run(&mut self, time: Duration, said: &[i16; FRAME]) -> Statistics {
        for _ in 0..time.as_millis() / 20 {
            self.slots += 1;
            let now = Moment(Duration::from_millis(20) * u32::try_from(self.slots).unwrap());
            self.listener.handle_timeout(now.0);
            self.listener.capture(said, now.0);
            let mut buffer = [0; MAX_PACKET];
            while let Some(packet) = self.listener.poll_output(&mut buffer) {
                let component = match packet.kind {
                    PacketKind::Rtp => Component::Rtp,
                    PacketKind::Rtcp => Component::Rtcp,
                };
                self.party.handle_packet(component, &mut buffer[..packet.length], address(LISTENER), now);
            }
            self.party.handle_slot(0, now);
            while let Some(packet) = self.party.poll_transmit(&mut buffer, now) {
                let octets = &mut buffer[..packet.length];
                if !super::machine::is_rtcp(octets) {
                    self.packets.push(octets.to_vec());
                }
                self.listener.handle_rtp(octets, address(PARTY), now.0);
            }
            let mut frame = [0; FRAME];
            self.listener.play(&mut frame, now.0);
            self.heard.extend(frame);
        }
        self.listener.statistics(Duration::from_millis(20) * u32::try_from(self.slots).unwrap())
    }
}

fn crossings(samples: &[i16]) -> usize {
    samples.windows(2).filter(|two| two[0] < 0 && two[1] >= 0).count()
}

const SILENCE: [i16; FRAME] = [0; FRAME];

#[test]
fn a_tone_has_its_pitch_and_level() {
    let mut talk = Talk::new(Speech::Tone(440), None, true);
    // The delay settles in the first three seconds.
    talk.run(Duration::from_secs(4), &SILENCE);
    let second = &talk.heard[24_000..32_000];
    assert!((439..=441).contains(&crossings(second)), "{}", crossings(second));
    let loudest = second.iter().copied().max().unwrap();
    assert!((5_000..5_400).contains(&loudest), "{loudest}");
}

#[test]
fn an_echo_says_what_it_hears_and_nothing_else() {
    let mut talk = Talk::new(Speech::Echo, None, true);
    talk.run(Duration::from_secs(1), &SILENCE);
    assert!(talk.heard.iter().all(|sample| sample.abs() < 20));
    let mut said = SILENCE;
    said.iter_mut().enumerate().for_each(|(at, sample)| *sample = if at % 8 < 4 { 3_000 } else { -3_000 });
    talk.run(Duration::from_secs(1), &said);
    let late = &talk.heard[14_400..15_200];
    assert!((95..=105).contains(&crossings(late)), "{}", crossings(late));
}

#[test]
fn an_announcement_keys_the_name_of_the_server() {
    let mut talk = Talk::new(Speech::Announcement, None, false);
    talk.run(Duration::from_secs(3), &SILENCE);
    // Units of 60 ms from the first tone on, heard in their middle.
    let start = talk.heard.iter().position(|sample| sample.abs() > 1_000).unwrap() - 40;
    let units = talk.heard[start..].chunks(480).take(31);
    let keyed: String = units
        .map(|unit| if unit[160..320].iter().any(|sample| sample.abs() > 2_000) { '#' } else { ' ' })
        .collect();
    assert_eq!(keyed, "# # # #   # # #   # ### ### ###", "hs1");
}

#[test]
fn a_new_source_is_another_stream_with_the_same_keys() {
    for is_secure in [false, true] {
        let mut talk = Talk::new(Speech::Tone(440), Some(SoundFault::NewSource), is_secure);
        let statistics = talk.run(Duration::from_secs(3), &SILENCE);
        let source = |packet: &Vec<u8>| packet[8..12].to_vec();
        assert_ne!(source(&talk.packets[0]), source(talk.packets.last().unwrap()));
        assert_eq!(statistics.dropped.unauthenticated, 0, "{statistics:?}");
        assert!(talk.heard[20_000..].iter().any(|sample| sample.abs() > 4_000), "the new one is heard");
    }
}

#[test]
fn sequence_numbers_wrap_in_the_clear_and_are_heard_on() {
    let mut talk = Talk::new(Speech::Tone(440), Some(SoundFault::SequenceWrap), false);
    let statistics = talk.run(Duration::from_secs(2), &SILENCE);
    let numbers: Vec<u16> =
        talk.packets.iter().map(|packet| u16::from_be_bytes([packet[2], packet[3]])).collect();
    assert_eq!((numbers[0], numbers[35], numbers[36]), (65_500, 65_535, 0));
    assert_eq!((statistics.lost, statistics.received.packets), (0, 100), "{statistics:?}");
    let mut sealed = Talk::new(Speech::Tone(440), Some(SoundFault::SequenceWrap), true);
    let statistics = sealed.run(Duration::from_secs(1), &SILENCE);
    assert_eq!(statistics.dropped.unauthenticated, 0);
}

#[test]
fn bad_tags_are_dropped_by_whoever_checks_them() {
    let mut talk = Talk::new(Speech::Tone(440), Some(SoundFault::BadTags), true);
    let statistics = talk.run(Duration::from_secs(1), &SILENCE);
    assert_eq!((statistics.received.packets, statistics.dropped.unauthenticated), (0, 50), "{statistics:?}");
    assert!(talk.heard.iter().all(|sample| *sample == 0));
}

#[test]
fn no_packets_is_silence_without_an_end() {
    let mut talk = Talk::new(Speech::Tone(440), Some(SoundFault::NoPackets), false);
    let statistics = talk.run(Duration::from_secs(6), &SILENCE);
    assert_eq!((statistics.received.packets, talk.packets.len()), (0, 0));
}
