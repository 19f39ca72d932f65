//! Session descriptions as core sees them: a body that belongs to an offer or its answer, and the question for one.

use bytes::Bytes;

use crate::ids::{AccountId, CallId};

/// A body that describes a session (RFC 3264, RFC 4566): what it says is the world's business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The media type as it stands in Content-Type, such as `application/sdp`.
    pub content_type: Box<str>,
    /// The octets between the head and the end of the message.
    pub body: Bytes,
}

/// The question for a session description: whose turn it is is core's to know, what it says the world's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescriptionQuestion {
    /// The account that calls or is called.
    pub account: AccountId,
    /// For which call.
    pub call: CallId,
    /// The early dialog it is for, from 0 in the order in which the forks of an INVITE were heard of.
    pub fork: u8,
    /// Offer or answer.
    pub turn: Turn,
    /// True while this side holds the call: media are to be `sendonly`, or `inactive` where the peer holds it, too.
    pub hold: bool,
}

/// Whose turn it is (RFC 3264 section 4).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Turn {
    /// This side offers.
    Offer,
    /// The peer offered this.
    Answer(Description),
}

/// The world does not describe a session: the offer is refused with 488 and this warning (RFC 3261 section 21.4.26).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescriptionRefusal {
    /// The warn-code of RFC 3261 section 20.43, such as 305 "incompatible media format".
    pub warning: u16,
    /// The warn-text, for people.
    pub text: String,
}

impl Description {
    /// A session description in SDP.
    pub fn sdp(body: impl Into<Bytes>) -> Self {
        Self { content_type: SDP.into(), body: body.into() }
    }
}

impl DescriptionRefusal {
    /// A refusal with a warn-code of RFC 3261 section 20.43 (300 to 399) and its text.
    pub fn new(warning: u16, text: impl Into<String>) -> Self {
        Self { warning, text: text.into() }
    }

    /// Nobody answered the question: 399 is for what no other code says.
    pub(crate) fn unanswered() -> Self {
        Self { warning: 399, text: "no session description is at hand".to_owned() }
    }
}

/// The media type of RFC 8866.
pub(crate) const SDP: &str = "application/sdp";
