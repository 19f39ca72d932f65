//! Parties: users whose calls a server takes and makes by itself, well or badly, for tests of telephones.

use std::time::Duration;

use super::sound::PartySound;

/// A user of a server who is no person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// The address of record without scheme, lower case.
    pub user: String,
    /// What becomes of a call to it.
    pub plays: Play,
    /// Until its next step: the answer, or the refusal after 183.
    pub after: Duration,
    /// What it does once a call is answered and acknowledged.
    pub then: Then,
    /// What the calls that it answers sound like; none for a description that leads nowhere, as in those it makes.
    pub sound: Option<PartySound>,
}

/// What a party does with a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Play {
    /// It rings and answers.
    #[default]
    Answers,
    /// It rings until the caller gives up or is gone, and says so each minute; after two hours it is 480.
    Rings,
    /// 486 at once.
    Busy,
    /// 183 with a session, then 486.
    EarlyThenBusy,
    /// 603 at once.
    Declines,
    /// 302 at once, to this URI.
    Redirects(String),
}

/// What a party does in an answered call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// Nothing: it never hangs up.
    #[default]
    Stays,
    /// BYE as soon as the call is acknowledged.
    HangsUp,
    /// So many re-INVITEs, each as soon as the one before is answered.
    Reinvites(u32),
    /// Each re-INVITE of the other end meets one of its own at the same instant, and gets 491.
    Glare,
}

/// How a party makes a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manners {
    /// Whether its INVITE has an offer; without, the callee's 200 has it, and the ACK the answer (RFC 3264 4).
    pub offers: bool,
    /// When it acknowledges.
    pub ack: AckManner,
}

/// When a party acknowledges the answer to its INVITE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AckManner {
    /// At once, and each copy of the answer again.
    #[default]
    Prompt,
    /// So long after the first answer, whatever is repeated meanwhile.
    Late(Duration),
    /// Not at all: the callee ends the call after 64·T1 (RFC 3261 13.3.1.4).
    Never,
}

impl Party {
    /// A party that answers after two seconds and stays.
    pub fn new(user: &str) -> Self {
        Self {
            user: user.to_ascii_lowercase(),
            plays: Play::default(),
            after: Duration::from_secs(2),
            then: Then::default(),
            sound: None,
        }
    }
}
