//! The offers and answers of one dialog.

use std::fmt;

use homing_wire::sdp::{Direction, Media, Session};

use super::agreed::{Agreed, Format, Keys};
use super::audio::{Audio, Flow, Profile, sendable};
use super::keys::{OwnKeys, PeerCrypto, choose, usable};
use super::policy::{LocalAddress, Policy, Security};
use super::refusal::Refusal;
use super::writer::{OwnAudio, Slot, Writer};
use crate::codec::Codec;
use crate::random::{Purpose, Random};
use crate::srtp::Suite;

/// The offers and answers of one dialog: what they say and what they come to.
///
/// Forks of one offer are clones of it, each of which takes the answer of its own dialog. An offer that comes to
/// nothing leaves what was agreed on as it was.
///
/// ```
/// use homing_media::{LocalAddress, Negotiation, Policy};
/// let at = |port| LocalAddress { ip: [127, 0, 0, 1].into(), rtp_port: port, rtcp_port: None };
/// let mut caller = Negotiation::new(Policy::default(), at(4000), &[1; 32]);
/// let mut called = Negotiation::new(Policy::default(), at(5000), &[2; 32]);
/// let answer = called.answer(caller.offer(false)?.as_bytes(), false)?;
/// let agreed = caller.take_answer(answer.body.as_bytes())?;
/// assert_eq!(agreed.send.codec, answer.agreed.send.codec);
/// # Ok::<(), homing_media::Refusal>(())
/// ```
#[derive(Clone)]
pub struct Negotiation {
    policy: Policy,
    writer: Writer,
    own_keys: OwnKeys,
    /// The `m=` lines of the dialog, ours and the peer's alike.
    slots: Vec<Slot>,
    /// Which of them is the sound.
    place: usize,
    /// What `telephone-event` is called in our descriptions.
    digits: u8,
    /// What was agreed on last.
    agreed: Option<Agreed>,
    /// What the peer said last of its own direction.
    peer_holds: bool,
    offered: Option<Offered>,
    answered: Option<Answered>,
}

/// What our last offer said.
#[derive(Clone, Debug)]
struct Offered {
    formats: Vec<Format>,
    direction: Direction,
    profile: Profile,
    has_keys: bool,
}

/// The last offer that was answered.
#[derive(Clone)]
struct Answered {
    offer: Box<[u8]>,
    is_held: bool,
    answer: Answer,
}

/// An answer of ours, and what it comes to. Its `Debug` leaves the body out, which may hold a key.
#[derive(Clone, Eq, PartialEq)]
pub struct Answer {
    /// The body, of type `application/sdp`.
    pub body: String,
    /// To be handed to the session.
    pub agreed: Agreed,
}

/// An `m=audio` of an offer that is taken.
struct Taken {
    place: usize,
    audio: Audio,
    crypto: Option<PeerCrypto>,
}

impl Negotiation {
    /// Before the first offer of either side. The seed is to be fit for keys.
    pub fn new(policy: Policy, local: LocalAddress, seed: &[u8; 32]) -> Negotiation {
        let mut random = Random::new(seed, Purpose::Origin);
        // Small enough for readers that keep it in 32 bits, signed or not.
        let session = u64::from(random.u32() >> 2);
        Negotiation {
            policy,
            writer: Writer::new(local, session),
            own_keys: OwnKeys::new(seed),
            slots: Vec::new(),
            place: 0,
            digits: DIGITS,
            agreed: None,
            peer_holds: false,
            offered: None,
            answered: None,
        }
    }

    /// An offer, at first or of a change: `is_held` asks the peer to be silent (RFC 3264 section 8.4). Said twice
    /// without a change between, it is the same octets.
    ///
    /// # Errors
    /// [`Refusal::KeysInClear`]: encryption is required, and this signalling may carry no keys.
    pub fn offer(&mut self, is_held: bool) -> Result<String, Refusal> {
        let has_keys = self.policy.takes_keys();
        if self.policy.security == Security::Required && !has_keys {
            return Err(Refusal::KeysInClear);
        }
        let proto = self.offered_proto();
        let formats = self.offered_formats();
        let direction = match is_held {
            false => Direction::SendRecv,
            true if self.peer_holds => Direction::Inactive,
            true => Direction::SendOnly,
        };
        let cryptos = Suite::ALL.into_iter().zip(1..).filter(|_| has_keys);
        // A payload type has one meaning (RFC 8866 section 6.6); the peer's codecs keep theirs.
        let is_free = |payload: &u8| formats.iter().all(|format| format.payload != *payload);
        self.digits = std::iter::once(self.digits).chain(DYNAMIC).find(is_free).unwrap_or(DIGITS);
        let audio = OwnAudio {
            proto: &proto,
            formats: &formats,
            digits: Some(self.digits),
            packet_time: sendable(self.policy.packet_time),
            direction,
            rtcp_mux: true,
            cryptos: cryptos.map(|(suite, tag)| self.own_keys.attribute(tag, suite)).collect(),
        };
        if self.slots.is_empty() {
            let (kind, formats) = ("audio".to_owned(), String::new());
            self.slots.push(Slot { kind, proto: proto.clone(), formats });
        }
        let body = self.writer.print(&self.slots, self.place, &audio);
        let profile = Profile::parse(&proto)?;
        self.offered = Some(Offered { formats, direction, profile, has_keys });
        Ok(body)
    }

    /// Reads the answer to our last offer. May be repeated: the answer of a final response replaces that of a
    /// provisional one.
    ///
    /// # Errors
    /// [`Refusal`]: nothing is agreed on, and what was before stands.
    pub fn take_answer(&mut self, answer: &[u8]) -> Result<Agreed, Refusal> {
        let offered = self.offered.clone().ok_or(Refusal::Mismatch)?;
        let session = Session::parse(answer).map_err(|_| Refusal::Unreadable)?;
        let media = session.media.get(self.place).filter(|media| media.kind == "audio");
        let media = media.ok_or(Refusal::Mismatch)?;
        if media.port == 0 {
            return Err(Refusal::NoAudio);
        }
        if Profile::parse(&media.proto)? != offered.profile {
            return Err(Refusal::Mismatch);
        }
        let audio = Audio::read(&session, media, &self.policy, self.writer.local().ip)?;
        let keys = self.answered_keys(media, &offered)?;
        let send = audio.formats.iter().find(|format| {
            offered.formats.iter().any(|ours| ours.codec == format.codec && ours.payload == format.payload)
        });
        let flow = Flow {
            sends: offered.direction.sends() && audio.direction.receives(),
            receives: offered.direction.receives() && audio.direction.sends(),
        };
        let agreed = Agreed {
            send: *send.ok_or(Refusal::NoCommonCodec)?,
            receive: offered.formats.clone(),
            send_digits: audio.digits,
            receive_digits: audio.digits.map(|_| self.digits),
            packet_time: audio.packet_time.unwrap_or(sendable(self.policy.packet_time)),
            direction: flow.direction(),
            remote: audio.remote,
            keys,
        };
        self.peer_holds = !audio.direction.receives();
        self.agreed = Some(agreed.clone());
        self.answered = None;
        Ok(agreed)
    }

    /// Answers an offer of the peer. The same offer gets the same answer, to the octet.
    ///
    /// # Errors
    /// [`Refusal`]: the offer is to be answered by 488; what was agreed on before stands.
    pub fn answer(&mut self, offer: &[u8], is_held: bool) -> Result<Answer, Refusal> {
        if let Some(before) = &self.answered
            && (&*before.offer, before.is_held) == (offer, is_held)
        {
            return Ok(before.answer.clone());
        }
        let session = Session::parse(offer).map_err(|_| Refusal::Unreadable)?;
        let taken = self.take(&session)?;
        let proto = session.media.get(taken.place).map_or("RTP/AVP", |media| &media.proto).to_owned();
        let agreed = self.agree(&taken, is_held)?;
        let cryptos = taken.crypto.as_ref().map(|peer| self.own_keys.attribute(peer.tag, peer.key.suite()));
        self.slots = session.media.iter().map(Slot::of).collect();
        self.place = taken.place;
        self.digits = agreed.receive_digits.unwrap_or(self.digits);
        self.peer_holds = !taken.audio.direction.receives();
        let audio = OwnAudio {
            proto: &proto,
            formats: &agreed.receive,
            digits: agreed.receive_digits,
            packet_time: agreed.packet_time,
            direction: agreed.direction,
            rtcp_mux: agreed.remote.rtcp_mux,
            cryptos: cryptos.into_iter().collect(),
        };
        let body = self.writer.print(&self.slots, self.place, &audio);
        let answer = Answer { body, agreed };
        self.agreed = Some(answer.agreed.clone());
        self.offered = None;
        self.answered = Some(Answered { offer: offer.into(), is_held, answer: answer.clone() });
        Ok(answer)
    }

    /// True between an offer of ours and the next one of the peer: an answer of the peer is one to it.
    pub fn awaits_answer(&self) -> bool {
        self.offered.is_some()
    }

    /// What was agreed on last; an offer under way changes nothing of it.
    pub fn agreed(&self) -> Option<&Agreed> {
        self.agreed.as_ref()
    }

    /// The first `m=audio` that can be taken, or why none can.
    fn take(&self, session: &Session<'_>) -> Result<Taken, Refusal> {
        let mut refusal = None;
        // In a dialog the sound stays at its place if it can.
        let first = session.media.iter().enumerate().skip(self.place).take(1);
        let places = first.chain(session.media.iter().enumerate());
        for (place, media) in places.filter(|(_, media)| media.kind == "audio" && media.port != 0) {
            match self.read(session, media) {
                Ok((audio, crypto)) => return Ok(Taken { place, audio, crypto }),
                Err(why) => refusal = refusal.or(Some(why)),
            }
        }
        Err(refusal.unwrap_or(Refusal::NoAudio))
    }

    fn read(&self, session: &Session<'_>, media: &Media<'_>) -> Result<(Audio, Option<PeerCrypto>), Refusal> {
        let profile = Profile::parse(&media.proto)?;
        let audio = Audio::read(session, media, &self.policy, self.writer.local().ip)?;
        Ok((audio, choose(media, profile, &self.policy)?))
    }

    /// What an offer that is taken comes to. One codec is answered, so that neither side changes it unasked.
    fn agree(&self, taken: &Taken, is_held: bool) -> Result<Agreed, Refusal> {
        let audio = &taken.audio;
        let send = *audio.formats.first().ok_or(Refusal::NoCommonCodec)?;
        let flow = Flow { sends: audio.direction.receives(), receives: audio.direction.sends() && !is_held };
        Ok(Agreed {
            send,
            receive: vec![send],
            send_digits: audio.digits,
            receive_digits: audio.digits,
            packet_time: audio.packet_time.unwrap_or(sendable(self.policy.packet_time)),
            direction: flow.direction(),
            remote: audio.remote.clone(),
            keys: taken.crypto.as_ref().map(|peer| self.keys(peer)),
        })
    }

    fn answered_keys(&self, media: &Media<'_>, offered: &Offered) -> Result<Option<Keys>, Refusal> {
        let needed = offered.profile == Profile::Secure || self.policy.security == Security::Required;
        let Some(line) = media.cryptos().next().filter(|_| offered.has_keys) else {
            return if needed { Err(Refusal::SecurityRequired) } else { Ok(None) };
        };
        let peer = usable(&line).ok_or(Refusal::NoCommonSuite)?;
        let mut ours = Suite::ALL.into_iter().zip(1..);
        let is_ours = ours.any(|(suite, tag)| tag == peer.tag && suite == peer.key.suite());
        if is_ours { Ok(Some(self.keys(&peer))) } else { Err(Refusal::Mismatch) }
    }

    fn keys(&self, peer: &PeerCrypto) -> Keys {
        Keys { send: self.own_keys.of(peer.key.suite()).clone(), receive: peer.key.clone() }
    }

    /// That of the dialog, else the one the policy asks for.
    fn offered_proto(&self) -> String {
        match self.slots.get(self.place) {
            Some(slot) => slot.proto.clone(),
            None if self.policy.security == Security::Required => "RTP/SAVP".to_owned(),
            None => "RTP/AVP".to_owned(),
        }
    }

    /// All codecs of the policy; in a dialog the agreed one first, and each by its payload type there (RFC 3264
    /// section 8.3.2).
    fn offered_formats(&self) -> Vec<Format> {
        let agreed = self.agreed.as_ref();
        let payload_of = |codec: Codec| {
            let known = agreed.and_then(|agreed| agreed.receive.iter().find(|format| format.codec == codec));
            Format { payload: known.map_or(codec.payload(), |format| format.payload), codec }
        };
        let mut formats: Vec<Format> = self.policy.codecs.iter().copied().map(payload_of).collect();
        if let Some(agreed) = agreed {
            formats.sort_by_key(|format| format.codec != agreed.send.codec);
        }
        formats
    }
}

/// Without descriptions, which may hold keys.
impl fmt::Debug for Negotiation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Negotiation")
            .field("policy", &self.policy)
            .field("agreed", &self.agreed)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("agreed", &self.agreed).finish_non_exhaustive()
    }
}

/// What most call `telephone-event`.
const DIGITS: u8 = 101;

/// Payload types without a meaning of their own (RFC 3551 section 6).
const DYNAMIC: std::ops::RangeInclusive<u8> = 96..=127;
