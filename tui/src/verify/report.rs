//! What verification found: a verdict per message, and the first element that differs.

use std::time::Duration;

use homing::offline::ntlm::Side;
use homing::offline::ntlm::flags::Requirement;
use homing::offline::security_association::{Element, Version};

use super::source::{Kind, Link, Place, Remark};

/// Everything that was found, in the order of the file.
#[derive(Debug)]
pub(crate) struct Report {
    pub(super) kind: Kind,
    pub(super) links: Vec<Link>,
    pub(super) judged: Vec<Judged>,
    pub(super) remarks: Vec<Remark>,
}

/// One message and what is to be said about it.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) place: Place,
    pub(super) link: usize,
    pub(super) sender: Option<String>,
    pub(super) at: Option<Duration>,
    /// `REGISTER 3` or `301 REGISTER 3`.
    pub(super) title: String,
    pub(super) findings: Vec<Finding>,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// Recomputed and equal.
    Holds(Proof),
    /// Recomputed and different.
    Differs(Difference),
    /// Cannot be computed.
    Open(Obstacle),
    /// Worth knowing; changes no verdict.
    Note(Note),
}

/// Something that is as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// The token proves the password.
    Token { user: String, domain: String, mic: bool },
    /// The signature covers the message.
    Signature { side: Side, number: u32, version: Version },
    /// The Digest response proves the password.
    Digest { user: String },
    /// The Digest server proves that it knows the password.
    DigestServer,
    /// The To tag is bound to these Contacts.
    Contacts,
}

/// The first element of a header that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) spot: Spot,
    /// What it ought to be, where that may be shown.
    pub(super) expected: Option<String>,
    /// What stands there, where that may be shown.
    pub(super) found: Option<String>,
    pub(super) cause: Cause,
}

/// Which element it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spot {
    /// The token as a whole.
    Token,
    /// The NTLMv2 proof.
    NtProof,
    /// What the proof covers: nonces, time, attributes.
    ProofInput,
    /// The server's nonce.
    ServerChallenge,
    /// The domain the token was made for; may be empty.
    Domain,
    /// An attribute of the client's list, by its number.
    Attribute(u16),
    /// The wrapped session key.
    SessionKey,
    /// The message check of the token.
    Mic,
    /// An element of a signature buffer.
    Buffer(Element, Side),
    /// The form of the buffer.
    BufferVersion,
    /// The first four bytes of a signature.
    SignatureVersion,
    /// The checksum in a signature.
    Checksum,
    /// The last four bytes of a signature.
    SequenceNumber,
    /// The signature as a whole.
    Signature(Side),
    /// A parameter of the header.
    Parameter(&'static str),
    /// The Contacts of a redirect.
    Contacts,
}

/// Why it may differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The password is not the one the client used.
    WrongPassword { server_accepted: bool },
    /// The element was changed after it was signed or proved.
    Altered,
    /// So many bytes of the signature itself were changed.
    SignatureAltered { first: usize, bytes: usize },
    /// Nothing simple explains it; these elements are confirmed by no other message.
    Unexplained { suspects: Vec<&'static str> },
    /// The signature was made over the buffer of another version.
    OtherVersion,
    /// The token answers another challenge.
    OtherChallenge { number: usize },
    /// Signed with the key of the other direction.
    WrongDirection,
    /// Signed with the keys of another association.
    OtherAssociation { opaque: String },
    /// The same was seen before.
    Replayed { number: Option<usize> },
    /// The counter is 256 or more behind, or no counter.
    BelowWindow,
    /// There must be one, and there is none.
    Missing,
    /// It cannot be read.
    Malformed,
    /// Two parameters contradict each other.
    Conflicting,
    /// An old form that proves too little.
    TooWeak,
}

/// Why something could not be checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// The recording hides it.
    Masked,
    /// The log-on of this association is not in the recording.
    NoLogOn { opaque: String },
    /// The challenge that this token answers is not in the recording.
    NoChallenge { opaque: String },
    /// The token of this association did not fit, so its keys are unknown.
    AfterToken { number: usize },
    /// Keys of this scheme do not come from a password.
    Scheme(String),
    /// The user name is hashed and is not that of From.
    HashedUser,
    /// The message lacks what a signature covers.
    NoBuffer(&'static str),
}

/// Something worth knowing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Note {
    /// The server's offer lacks what a safe session needs.
    Weak(Requirement),
    /// Named otherwise than in the challenge.
    NamedOtherwise { parameter: &'static str, expected: String, found: String },
    /// The proof fits with an empty domain only.
    NilDomain,
    /// The LM response does not fit; servers ignore it.
    LmResponse,
    /// The client did not take the server's time over.
    OwnTime,
    /// The server refused what this password proves.
    RefusedAlthoughRight { status: u16 },
    /// A byte-identical copy.
    CopyOf { number: usize },
    /// The same signature on another connection.
    SeenElsewhere { number: usize },
    /// An unsigned request; the server challenged it.
    UnsignedRequest,
    /// The digest covers another URI than the request.
    OtherUri { expected: String, found: String },
    /// The nonce is of no challenge in the recording.
    UnknownNonce,
}

/// What a report comes down to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Something was checked, and all of it holds.
    Holds,
    /// Something differs.
    Differs,
    /// Nothing differs, but something or everything could not be checked.
    Open,
}

/// The sum of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Tokens, signatures and digests that hold.
    pub(crate) hold: usize,
    /// Proofs that were computed and came out otherwise.
    pub(crate) differ: usize,
    /// Those that could not be checked.
    pub(crate) open: usize,
}

impl Report {
    /// How many hold, differ, and could not be checked.
    pub(crate) fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for finding in self.judged.iter().flat_map(|judged| &judged.findings) {
            match finding {
                Finding::Holds(_) => totals.hold += 1,
                Finding::Differs(_) => totals.differ += 1,
                Finding::Open(_) => totals.open += 1,
                Finding::Note(_) => {}
            }
        }
        totals
    }

    /// The first element that differs, and the number of its message.
    pub(super) fn first_difference(&self) -> Option<(usize, &Difference)> {
        self.judged.iter().zip(1..).find_map(|(judged, number)| {
            judged.findings.iter().find_map(|finding| match finding {
                Finding::Differs(difference) => Some((number, difference)),
                _ => None,
            })
        })
    }

    /// What it comes down to.
    pub(crate) fn verdict(&self) -> Verdict {
        match self.totals() {
            Totals { differ: 1.., .. } => Verdict::Differs,
            Totals { hold: 1.., open: 0, .. } => Verdict::Holds,
            _ => Verdict::Open,
        }
    }
}

impl Verdict {
    /// One word, for programs.
    pub(super) fn word(self) -> &'static str {
        match self {
            Verdict::Holds => "holds",
            Verdict::Differs => "differs",
            Verdict::Open => "open",
        }
    }
}

impl Difference {
    pub(super) fn new(spot: Spot, cause: Cause) -> Self {
        Self { spot, expected: None, found: None, cause }
    }

    pub(super) fn with(self, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { expected: Some(expected.into()), found: Some(found.into()), ..self }
    }
}

impl From<Difference> for Finding {
    fn from(difference: Difference) -> Self {
        Finding::Differs(difference)
    }
}

impl From<Note> for Finding {
    fn from(note: Note) -> Self {
        Finding::Note(note)
    }
}

impl From<Obstacle> for Finding {
    fn from(obstacle: Obstacle) -> Self {
        Finding::Open(obstacle)
    }
}
