//! The sound of a call: packets to samples and back.
#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::cast_possible_truncation, reason = "the numbers of a test are small"))]

mod codec;
mod description;
mod digits;
mod playout;
mod random;
mod rtcp;
mod rtp;
mod session;
mod srtp;
mod tone;

pub use codec::{Codec, FRAME, SAMPLE_RATE};
pub use description::{
    Agreed, Answer, Format, Keys, LocalAddress, Negotiation, Policy, Refusal, Remote, RemoteHost, Security,
};
pub use digits::{Digit, DigitError, InfoDigit};
pub use session::{
    Deadline, Dropped, Level, MAX_PACKET, PacketKind, PeerReport, Session, SessionEvent, Setup, Statistics,
    Traffic, Transmit, Why, is_private,
};
pub use srtp::{MasterKey, Suite};
pub use tone::Tone;

/// Which way sound flows, as its speaker sees it.
pub use homing_wire::sdp::Direction;
