//! What goes into the authentication of a request, and what comes out of it.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::time::Duration;

use homing_core::auth::security_association::Style;
use homing_core::ids::FlowId;
use homing_core::time::Now;
use homing_wire::{Message, Name};

use super::dialect::DialectInUse;
use super::failure::AuthFailure;
use super::guessing::Source;
use super::sessions::{SessionId, Sessions};
use crate::node::accounts::Accounts;
use crate::node::config::Identity;
use crate::node::endpoint::Endpoint;
use crate::node::random::Random;

/// A request to be authenticated, with what is known of the flow it came by.
#[derive(Clone, Copy)]
pub struct AuthRequest<'r> {
    /// As received.
    pub request: &'r Message,
    /// Associations are bound to it.
    pub flow: FlowId,
    /// The dialect of that flow, once it is settled.
    pub dialect_in_use: Option<DialectInUse>,
    /// Wrong credentials on that flow so far.
    pub attempts: u8,
    /// True if the other end is a server of the estate, which brings many clients.
    pub trusted: bool,
    /// Whom wrong answers are booked against.
    pub source: &'r Source,
    /// Who it names, if bound over this very flow: no guesses of others keep that user from refreshing.
    pub bound: Option<&'r str>,
    /// Which server it came to, and where.
    pub here: Here<'r>,
    /// Who may sign in.
    pub accounts: &'r Accounts,
    /// The time of arrival.
    pub now: Now,
}

/// Where a request came in.
#[derive(Clone, Copy)]
pub struct Here<'r> {
    /// Of this server.
    pub identity: &'r Identity,
    /// This end of the flow.
    pub local: SocketAddr,
}

/// A request with the flow and the time it came.
#[derive(Clone, Copy)]
pub struct Received<'r> {
    /// As received.
    pub request: &'r Message,
    /// Associations are bound to it.
    pub flow: FlowId,
    /// The time of arrival.
    pub now: Now,
}

/// What authentication changes: the associations of the node and its random values.
pub struct AuthState<'s> {
    /// Half-open and established associations.
    pub sessions: &'s mut Sessions,
    /// Names, challenges and nonces.
    pub random: &'s mut dyn Random,
}

/// The outcome of authenticating a request.
pub enum AuthOutcome {
    /// The sender is known.
    Authenticated(Principal),
    /// It must show credentials.
    Challenge(Challenge),
    /// It is refused.
    Refuse(Refused),
    /// It is dropped, with the reason, and what was wrong with what it showed.
    Discard(&'static str, Option<AuthFailure>),
}

/// Who sent a request, and how responses to it are authenticated.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The address of record with the device.
    pub endpoint: Endpoint,
    /// Proves a response to the client.
    pub response_auth: ResponseAuth,
    /// How the sender was proved, in words.
    pub proof: &'static str,
}

impl Principal {
    /// False for who is only taken at their word, as the sender of an ACK or CANCEL that cannot be challenged.
    pub fn is_proved(&self) -> bool {
        self.response_auth != ResponseAuth::Unsigned(Unsigned::Unauthenticated)
    }
}

/// What is put on a response so that its receiver knows whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResponseAuth {
    /// Nothing, for this reason.
    Unsigned(Unsigned),
    /// The signature of an association.
    Association(SessionId),
    /// This value of Authentication-Info (Digest).
    Digest(String),
}

/// Why a response or a request of the server leaves without a signature. There is no other reason: what should
/// be signed and cannot be is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsigned {
    /// The request proved nothing that could be answered for: it is challenged or refused.
    Unauthenticated,
    /// This server asks for no credentials (patent paragraph 31).
    OpenNetwork,
    /// Another server of the estate asked; mutual TLS proves both, and that one signs towards its client.
    MutualTls,
    /// A response passes through; the server behind this one owns the association.
    Relayed,
}

/// A demand for credentials.
pub struct Challenge {
    /// 401 or 407.
    pub style: Style,
    /// Header values, one for each scheme and algorithm.
    pub values: Vec<String>,
    /// The dialect of this flow from now on.
    pub dialect_in_use: Option<DialectInUse>,
    /// For the journal.
    pub why: Cow<'static, str>,
    /// What was wrong with the credentials that were shown, if any were.
    pub failure: Option<AuthFailure>,
}

/// A refusal that is no challenge.
pub struct Refused {
    /// 400, 403 or 503.
    pub status: u16,
    /// A signed 403 for a user who is known but not entitled; unsigned otherwise.
    pub response_auth: ResponseAuth,
    /// For the journal and ms-diagnostics.
    pub why: &'static str,
    /// What was wrong with the credentials that were shown, if any were.
    pub failure: Option<AuthFailure>,
    /// Seconds of a pause after too many wrong answers; the credentials were not looked at.
    pub pause: Option<u32>,
}

/// What a scheme makes of credentials that are for it.
pub(super) enum SchemeOutcome {
    /// They prove the password of the account with this address.
    Proved(String, Principal),
    /// They are signed under an association that proved its user before.
    Signed(Principal),
    /// They are a step of a handshake, or a nonce that is no longer good.
    Challenge(Challenge),
    /// They cannot be used at all.
    Refuse(Refused),
    /// They prove nothing: a fresh challenge follows.
    Unproved(AuthFailure, Cow<'static, str>),
    /// They were to prove a password and did not: a connection has only so many attempts.
    FailedAttempt(AuthFailure, Cow<'static, str>),
    /// They are a copy.
    Discard(&'static str, AuthFailure),
}

impl Principal {
    /// True where this server itself found out who it is; false where it takes the word of another.
    pub(crate) fn is_proved_here(&self) -> bool {
        self.response_auth != ResponseAuth::Unsigned(Unsigned::MutualTls)
    }
}

impl Refused {
    /// A refusal without a signature.
    pub fn new(status: u16, why: &'static str) -> Self {
        let response_auth = ResponseAuth::Unsigned(Unsigned::Unauthenticated);
        Self { status, response_auth, why, failure: None, pause: None }
    }

    /// A refusal of credentials that are not looked at now.
    pub(super) fn paused(pause: Duration) -> Self {
        let seconds = u32::try_from(pause.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX);
        Self {
            pause: Some(seconds),
            ..Self::new(503, "too many wrong answers: nothing is looked at for a while")
        }
    }

    /// An unsigned refusal of credentials that were shown.
    pub fn failed(status: u16, failure: AuthFailure, why: &'static str) -> Self {
        Self { failure: Some(failure), ..Self::new(status, why) }
    }
}

impl Challenge {
    /// The header its values stand in.
    pub fn header(&self) -> Name<'static> {
        self.style.challenge()
    }
}
