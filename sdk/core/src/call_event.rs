//! What an agent tells of calls: who calls, how far a call is, and how it ended, with a code, a sentence and a next step.

use homing_wire::header::{AssertedIdentity, Reason};
use homing_wire::{Message, Name, StartLine};

use crate::call_request::{CallHeader, InfoBody};
use crate::description::Description;
use crate::error::LoginError;
use crate::ids::{AccountId, CallId};

/// One thing that happened to a call. None is left out, and none follows [`CallEvent::Ended`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallNotice {
    /// The account that calls or is called.
    pub account: AccountId,
    /// The call; its number is not used again.
    pub call: CallId,
    /// The event by subject: ringing, descriptions, hold, the end.
    pub what: CallEvent,
}

/// What happened to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallEvent {
    /// Somebody calls. The application rings, answers, rejects or redirects; else the caller gives up in time.
    Incoming(Box<Caller>),
    /// A fork of the call that was placed said something other than 100 (RFC 3261 section 13.2.2.1).
    Progress {
        /// Its number, from 0.
        fork: u8,
        /// 101 to 199; 180 rings.
        status: u16,
    },
    /// The peer described the session, in an offer or an answer, early or late.
    Described {
        /// The fork it came from; 0 for a call that came in.
        fork: u8,
        /// True if it may still be withdrawn: it came in a provisional response without acknowledgement.
        preview: bool,
        /// As it came.
        description: Description,
    },
    /// The call is answered, and both sides know it.
    Answered {
        /// The fork that won.
        fork: u8,
    },
    /// The peer holds the call, or takes it up again (RFC 3264 section 8.4).
    PeerHolds(bool),
    /// What this side asked for: the call is on hold, or taken up again.
    Held(bool),
    /// Hold or its end was refused by the peer or by the world; the session is as it was.
    ChangeRefused {
        /// The peer's final response; 0 where the world described nothing.
        status: u16,
    },
    /// The peer sent INFO.
    Info(InfoBody),
    /// The answer to an INFO of this side.
    InfoAnswered {
        /// Its final status; 408 without one.
        status: u16,
    },
    /// The connection of an answered call is lost; another is being opened.
    ConnectionLost,
    /// The call goes on over another connection.
    ConnectionBack,
    /// The call is over.
    Ended(Box<CallEnd>),
}

/// Who calls, and what the INVITE said of it. All texts are the peer's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The URI in From: what the caller says it is.
    pub from: String,
    /// The name beside it.
    pub display: String,
    /// Whom the caller wanted, as To has it.
    pub to: String,
    /// The URI that the home server vouches for (RFC 3325), told only where TLS proved that server.
    pub asserted: Option<String>,
    /// What the INVITE offers; none leaves the first offer to this side.
    pub offer: Option<Description>,
    /// True if a response before the answer can carry media reliably (RFC 3262).
    pub reliable: bool,
    /// Header fields that core does not read, at most 32.
    pub headers: Vec<CallHeader>,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallEnd {
    /// Whose doing it was.
    pub by: EndedBy,
    /// Sorted by what a person does next.
    pub why: EndReason,
    /// The SIP status behind it, if there is one.
    pub status: Option<u16>,
    /// The peer's words, sanitised and cut; may be empty.
    pub words: String,
}

/// Whose doing the end of a call was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndedBy {
    /// This side's application.
    Us,
    /// The other party, or a server for it.
    Peer,
    /// The network, or silence.
    Network,
    /// A rule of this user agent.
    Rule,
}

/// Why a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndReason {
    /// An answered call was hung up.
    HungUp,
    /// It was given up before it was answered.
    Cancelled,
    /// Another device of this user answered (RFC 3326): it is no missed call.
    AnsweredElsewhere,
    /// The called party is busy (486, 600).
    Busy,
    /// The called party declined (603, 403).
    Declined,
    /// Nobody has that address (404, 410, 484, 485, 604).
    NotFound,
    /// The called party is not there now (480, 408, 487).
    Unavailable,
    /// The two have no media in common (488, 606, 415).
    NotAcceptable,
    /// The server asked for a password, and none, or a wrong one, was given (401, 407).
    Unauthorized,
    /// Another final response of the peer or a server.
    Refused,
    /// Nobody answered in time.
    NoAnswer,
    /// No server could be reached.
    Unreachable(LoginError),
    /// The connection is lost, and no other could take its place.
    ConnectionLost,
    /// The peer did not acknowledge the answer.
    NotAcknowledged,
    /// The peer described no session, or one that cannot be read.
    NoDescription,
    /// The peer knows the call no more (481), or was silent when asked (RFC 4028).
    Forgotten,
    /// The account moved to another home server, and calls end with a move.
    Moved,
    /// The request could not be sent: the association signs no more, or a limit is reached.
    NotSent,
    /// The account of the call was removed.
    AccountRemoved,
    /// The user agent was shut down, or nothing held it any more.
    ShutDown,
}

impl EndReason {
    /// The stable code; none for an end that somebody wished.
    pub fn code(&self) -> Option<&'static str> {
        Some(match self {
            EndReason::HungUp | EndReason::Cancelled | EndReason::AnsweredElsewhere => return None,
            EndReason::Busy => "E1201",
            EndReason::Declined => "E1202",
            EndReason::NotFound => "E1203",
            EndReason::Unavailable => "E1204",
            EndReason::NotAcceptable => "E1205",
            EndReason::Unauthorized => "E1206",
            EndReason::Refused => "E1207",
            EndReason::NoAnswer => "E1208",
            EndReason::Unreachable(error) => error.code(),
            EndReason::ConnectionLost => "E1209",
            EndReason::NotAcknowledged => "E1210",
            EndReason::NoDescription => "E1211",
            EndReason::Forgotten => "E1212",
            EndReason::Moved => "E1213",
            EndReason::NotSent => "E1214",
            EndReason::AccountRemoved => "E1215",
            EndReason::ShutDown => "E1216",
        })
    }

    /// One sentence without its full stop.
    pub fn sentence(&self) -> String {
        let text = match self {
            EndReason::HungUp => "the call was hung up",
            EndReason::Cancelled => "the call was given up before it was answered",
            EndReason::AnsweredElsewhere => "another device answered the call",
            EndReason::Busy => "they are busy",
            EndReason::Declined => "they declined the call",
            EndReason::NotFound => "nobody has that address",
            EndReason::Unavailable => "they are not there now",
            EndReason::NotAcceptable => "the two phones have no sound format or protection in common",
            EndReason::Unauthorized => "the server wants a password that it accepts",
            EndReason::Refused => "the call was refused",
            EndReason::NoAnswer => "nobody answered",
            EndReason::Unreachable(error) => return error.to_string(),
            EndReason::ConnectionLost => "the connection was lost and could not be replaced",
            EndReason::NotAcknowledged => "the caller did not confirm the answer",
            EndReason::NoDescription => "the other phone did not say how to send sound",
            EndReason::Forgotten => "the other phone knows the call no more",
            EndReason::Moved => "the account moved to another server, and its calls end with that",
            EndReason::NotSent => "the call could not be sent",
            EndReason::AccountRemoved => "the account of the call was removed",
            EndReason::ShutDown => "the program that held the call ended",
        };
        text.to_owned()
    }

    /// What the person can do next; empty after an end that somebody wished.
    pub fn hint(&self) -> &'static str {
        match self {
            EndReason::HungUp | EndReason::Cancelled | EndReason::AnsweredElsewhere => "",
            EndReason::Busy | EndReason::Declined | EndReason::Unavailable | EndReason::NoAnswer => {
                "Try again later, or write a message."
            }
            EndReason::NotFound => "Check the address that was dialled.",
            EndReason::NotAcceptable => {
                "Compare the sound formats and the encryption that both phones allow."
            }
            EndReason::Unauthorized => "Check the password of the account.",
            EndReason::Refused => "The status says why; ask the server's administrator.",
            EndReason::Unreachable(error) => error.hint(),
            EndReason::ConnectionLost => "Check the network, then call again.",
            EndReason::NotAcknowledged => "The caller may have lost the network; call back.",
            EndReason::NoDescription => "The other phone has a fault; show its owner the trace.",
            EndReason::Forgotten => "Call again.",
            EndReason::Moved => "Call again; to keep calls through a move set calls_on_move to keep.",
            EndReason::NotSent => "Sign in again, then call again.",
            EndReason::AccountRemoved => "Add the account again to call with it.",
            EndReason::ShutDown => "Start the program again to call.",
        }
    }

    /// What the BYE or CANCEL that ends a call for this says of it (RFC 3326); none where it says enough by itself.
    pub(crate) fn header(&self) -> Option<&'static str> {
        match self {
            EndReason::NoAnswer => Some("SIP;cause=408;text=\"No answer in time\""),
            EndReason::NotAcknowledged => Some("SIP;cause=408;text=\"No ACK in time\""),
            EndReason::Forgotten => Some("SIP;cause=408;text=\"No answer inside the dialog\""),
            EndReason::NotAcceptable | EndReason::NoDescription => {
                Some("SIP;cause=488;text=\"No session description in common\"")
            }
            _ => None,
        }
    }

    /// What a final response that refuses a call means.
    pub(crate) fn of_status(status: u16) -> Self {
        match status {
            486 | 600 => EndReason::Busy,
            403 | 603 => EndReason::Declined,
            404 | 410 | 484 | 485 | 604 => EndReason::NotFound,
            408 | 480 | 487 => EndReason::Unavailable,
            415 | 488 | 606 => EndReason::NotAcceptable,
            401 | 407 => EndReason::Unauthorized,
            481 => EndReason::Forgotten,
            _ => EndReason::Refused,
        }
    }
}

impl CallEnd {
    /// The end that this side's application wished.
    pub(crate) fn ours(why: EndReason) -> Self {
        Self { by: EndedBy::Us, why, status: None, words: String::new() }
    }

    /// An end without a message behind it.
    pub(crate) fn of(by: EndedBy, why: EndReason) -> Self {
        Self { by, why, status: None, words: String::new() }
    }

    /// A final response refused the call.
    pub(crate) fn refused(response: &Message) -> Self {
        let status = response.status().unwrap_or_default();
        let by = if status == 408 { EndedBy::Network } else { EndedBy::Peer };
        let reason = match response.start() {
            StartLine::Response { reason, .. } => printable(&String::from_utf8_lossy(reason)),
            StartLine::Request { .. } => String::new(),
        };
        let words = warned(response).unwrap_or(reason);
        Self { by, why: EndReason::of_status(status), status: Some(status), words }
    }

    /// A BYE or CANCEL of the peer, with the cause it gives (RFC 3326).
    pub(crate) fn by_request(request: &Message, why: EndReason) -> Self {
        let mut reasons = request.all::<Reason<'_>>().filter_map(Result::ok);
        let sip = reasons.find(|reason| reason.protocol.eq_ignore_ascii_case("SIP"));
        let status = sip.as_ref().and_then(|reason| u16::try_from(reason.cause?).ok());
        let words = sip.and_then(|reason| reason.text.map(|text| printable(&text))).unwrap_or_default();
        let elsewhere = status == Some(200) && why == EndReason::Cancelled;
        let why = if elsewhere { EndReason::AnsweredElsewhere } else { why };
        Self { by: EndedBy::Peer, why, status, words }
    }
}

impl Caller {
    /// The URI to show and to call back: the one that the home server vouches for, else what From says.
    pub fn identity(&self) -> &str {
        self.asserted.as_deref().unwrap_or(&self.from)
    }

    /// The value of the first header field of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.map(|header| header.value.as_str())
    }

    /// Reads an INVITE. `vouched`: it came from the home server over a flow on which TLS proved that server.
    pub(crate) fn read(invite: &Message, offer: Option<Description>, vouched: bool) -> Self {
        let from = invite.from().ok();
        let asserted = || invite.all::<AssertedIdentity<'_>>().next()?.ok();
        let headers = invite.headers().filter_map(|line| {
            let Name::Other(name) = line.name else {
                return (line.name == Name::Subject)
                    .then(|| CallHeader::new("Subject", printable(&String::from_utf8_lossy(line.value))));
            };
            Some(CallHeader::new(printable(name), printable(&String::from_utf8_lossy(line.value))))
        });
        Self {
            from: from.as_ref().map_or_else(String::new, |from| printable(from.uri_str())),
            display: from.and_then(|from| from.display().map(|text| printable(&text))).unwrap_or_default(),
            to: invite.to().map_or_else(|_| String::new(), |to| printable(to.uri_str())),
            asserted: asserted().filter(|_| vouched).map(|identity| printable(identity.uri_str())),
            offer,
            reliable: [Name::Supported, Name::Require].iter().any(|list| invite.has_token(*list, "100rel")),
            headers: headers.take(MOST_HEADERS).collect(),
        }
    }
}

/// The text of the first Warning.
fn warned(response: &Message) -> Option<String> {
    let warning = response.all::<homing_wire::header::Warning<'_>>().next()?.ok()?;
    Some(printable(&warning.text)).filter(|text| !text.is_empty())
}

/// Peer text cut to what an event may carry.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(SHOWN).collect()
}

/// Characters of one text of the peer.
const SHOWN: usize = 256;
/// Header fields of an INVITE that are told.
const MOST_HEADERS: usize = 32;
