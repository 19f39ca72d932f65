//! A party's call on the paced thread: a session with a voice, and packets that may be spoiled on their way out.

use std::net::SocketAddr;

use homing_core::ids::Seed;
use homing_core::time::Moment;
use homing_media::{Agreed, FRAME, PacketKind, Session, Setup};
use homing_net::rtp::{Component, PacketMachine, Transmit};

use super::voice::Voice;
use crate::node::sound::{PartySound, SoundFault};

/// Offer and answer came to this.
pub(crate) struct Agree(pub(crate) Box<Agreed>);

/// The machine of one call.
pub(crate) struct PartyMachine {
    session: Session,
    voice: Voice,
    fault: Option<SoundFault>,
    seed: Seed,
    agreed: Option<Box<Agreed>>,
    heard: [i16; FRAME],
    /// Since something was agreed on.
    slots: u64,
    first_sequence: Option<u16>,
}

impl PartyMachine {
    /// For a party of the server of that short name.
    pub(crate) fn new(sound: PartySound, server: &str, seed: Seed) -> Self {
        Self {
            session: session(&seed, 0),
            voice: Voice::new(sound.speech, server),
            fault: sound.fault,
            seed,
            agreed: None,
            heard: [0; FRAME],
            slots: 0,
            first_sequence: None,
        }
    }

    fn take_another_source(&mut self, now: Moment) {
        let Some(agreed) = &self.agreed else { return };
        self.session = session(&self.seed, 1);
        self.session.agree(agreed, now.0);
    }

    /// Spoils a packet; false if it is not to leave.
    fn spoil(&mut self, packet: &mut [u8]) -> bool {
        let is_encrypted = self.agreed.as_ref().is_some_and(|agreed| agreed.keys.is_some());
        match self.fault {
            None | Some(SoundFault::NewSource) => {}
            Some(SoundFault::NoPackets) => return false,
            Some(_) if is_rtcp(packet) => {}
            Some(SoundFault::BadTags) => {
                if let Some(last) = packet.last_mut() {
                    *last ^= 0x55;
                }
            }
            Some(SoundFault::SequenceWrap) if is_encrypted => {}
            Some(SoundFault::SequenceWrap) => {
                if let Some([high, low]) = packet.get_mut(2..4) {
                    let sequence = u16::from_be_bytes([*high, *low]);
                    let first = *self.first_sequence.get_or_insert(sequence);
                    let wrapping = sequence.wrapping_sub(first).wrapping_add(BEFORE_WRAP);
                    [*high, *low] = wrapping.to_be_bytes();
                }
            }
        }
        true
    }
}

impl PacketMachine for PartyMachine {
    type Command = Agree;
    type Report = ();

    fn handle_packet(&mut self, component: Component, packet: &mut [u8], from: SocketAddr, now: Moment) {
        match component {
            Component::Rtp => self.session.handle_rtp(packet, from, now.0),
            Component::Rtcp => self.session.handle_rtcp(packet, from, now.0),
        }
    }

    fn handle_command(&mut self, command: Agree, now: Moment) {
        self.session.agree(&command.0, now.0);
        self.agreed = Some(command.0);
    }

    fn handle_slot(&mut self, _: u64, now: Moment) {
        self.session.handle_timeout(now.0);
        if self.agreed.is_some() {
            self.slots += 1;
            if self.slots == NEW_SOURCE_AT && self.fault == Some(SoundFault::NewSource) {
                self.take_another_source(now);
            }
        }
        let said = self.voice.frame(&self.heard);
        self.session.capture(&said, now.0);
        self.session.play(&mut self.heard, now.0);
        // What happens is seen in the packets; there is nobody here to tell.
        while self.session.poll_event().is_some() {}
    }

    fn handle_stop(&mut self, now: Moment) {
        self.session.close(now.0);
    }

    fn poll_transmit(&mut self, buffer: &mut [u8], _: Moment) -> Option<Transmit> {
        loop {
            let packet = self.session.poll_output(buffer)?;
            let leaves = buffer.get_mut(..packet.length).is_some_and(|packet| self.spoil(packet));
            if leaves {
                let component = match packet.kind {
                    PacketKind::Rtp => Component::Rtp,
                    PacketKind::Rtcp => Component::Rtcp,
                };
                return Some(Transmit { component, to: packet.to, length: packet.length });
            }
        }
    }

    fn poll_report(&mut self) -> Option<()> {
        None
    }
}

fn session(seed: &Seed, number: u64) -> Session {
    Session::new(&Setup::new(seed.stream("media session", &[number]).0))
}

/// By the place of its packet type (RFC 5761 4).
pub(super) fn is_rtcp(packet: &[u8]) -> bool {
    packet.get(1).is_some_and(|octet| (192..=223).contains(octet))
}

/// A second after something was agreed on.
const NEW_SOURCE_AT: u64 = 50;
const BEFORE_WRAP: u16 = 65_500;
