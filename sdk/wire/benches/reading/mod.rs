//! What is read out of the two messages of the parse figures.

use std::hint::black_box;

use bytes::Bytes;
use homing_wire::sdp::Session;
use homing_wire::{Contact, Message, Name};

pub(crate) const REGISTER: &[u8] = include_bytes!("../../../../tests/data/bench/register.sip");
pub(crate) const INVITE: &[u8] = include_bytes!("../../../../tests/data/bench/invite.sip");

pub(crate) fn index(bytes: &Bytes) -> Message {
    Message::parse(black_box(bytes.clone())).unwrap()
}

/// Via, From, To, CSeq, Contact and, where there is one, Authorization: what every hop reads.
pub(crate) fn typed(message: &Message) -> usize {
    let via = message.via().unwrap();
    let (from, to) = (message.from().unwrap(), message.to().unwrap());
    let cseq = message.cseq().unwrap();
    let contact: Contact<'_> = message.get().unwrap().unwrap();
    let auth = message.auth(Name::Authorization).next();
    black_box((via.branch(), from.tag(), to.tag(), cseq.seq, contact.addr().map(|addr| addr.uri_str())));
    black_box(&auth).as_ref().map_or(0, |auth| auth.param("realm").map_or(0, str::len))
}

pub(crate) fn typed_with_sdp(message: &Message) -> usize {
    typed(message) + black_box(Session::parse(message.body()).unwrap()).media.len()
}
