//! Errors, sorted by who can act: each has a stable code, one sentence and a next step.
//!
//! What a peer sends wrongly is dropped and counted, not reported here; what the caller does wrongly
//! is [`Misuse`], returned at once.

use std::net::IpAddr;

use thiserror::Error;

use crate::connect::ConnectError;
use crate::dns::DnsError;
use crate::server::ServerName;

/// Why a login failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LoginError {
    /// No server could be found in DNS.
    #[error("no SIP server found for {domain}: {why}")]
    Resolve {
        /// The domain asked for.
        domain: String,
        /// What DNS said last.
        why: DnsError,
    },
    /// Every server failed before it said anything in SIP.
    #[error("{server} cannot be reached: {why}")]
    Connect {
        /// The last one tried.
        server: ServerName,
        /// Why that one failed.
        why: ConnectError,
    },
    /// The login was refused for reasons of authentication.
    #[error("{0}")]
    Auth(#[from] AuthError),
    /// A redirect was not followed.
    #[error("{0}")]
    Redirect(#[from] RedirectError),
    /// The server answered with a final refusal.
    #[error("{server} refused with {status} {reason}")]
    Refused {
        /// Who.
        server: ServerName,
        /// The status code.
        status: u16,
        /// The peer's words: the reason of ms-diagnostics or Warning, else the reason phrase.
        reason: String,
    },
    /// A connection was open, but no answer came in 64·T1.
    #[error("{server} did not answer")]
    NoAnswer {
        /// Who.
        server: ServerName,
    },
    /// An answer came whose signature was missing or wrong; it was not believed (settled: 2 s, then this).
    #[error("{server} answered, but {why}")]
    Unbelieved {
        /// Who.
        server: ServerName,
        /// What was wrong with the answer.
        why: SignatureFault,
    },
    /// The user or the administrator ended the registration.
    #[error("the server ended the registration: {0}")]
    Deregistered(Deregistration),
}

/// What was wrong with a signed message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SignatureFault {
    /// It carries no signature although an association exists.
    #[error("the answer is not signed")]
    Unsigned,
    /// The signature does not fit the message.
    #[error("its signature is wrong")]
    BadSignature,
    /// The signature was seen before.
    #[error("it is a replay")]
    Replayed,
    /// The signature belongs to the association of another server.
    #[error("another server's association signed it")]
    OtherAssociation,
}

/// Why the server ended a registration by itself (MS-SIPREGE).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Deregistration {
    /// Another endpoint took the place.
    #[error("another device signed in and took this one's place")]
    Unregistered,
    /// The account was disabled.
    #[error("the account was disabled")]
    Rejected,
}

/// Why authentication did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AuthError {
    /// The server refused the credentials.
    #[error("{server} does not accept this user name and password")]
    Rejected {
        /// Who.
        server: ServerName,
    },
    /// The server offers nothing this account may answer.
    #[error("{server} offers no login this account allows (offered: {offered})")]
    NoCommonScheme {
        /// Who.
        server: ServerName,
        /// Scheme tokens offered, sanitised and cut.
        offered: String,
    },
    /// No password was given.
    #[error("no password was given for {server}")]
    NoCredentials {
        /// Who asked for it.
        server: ServerName,
    },
    /// The server's token is malformed or demands too little security.
    #[error("{server} sent an unusable login token: {why}")]
    BadToken {
        /// Who.
        server: ServerName,
        /// What is wrong with it.
        why: TokenFault,
    },
    /// The server's challenge names another server than the one that was verified (relay attack).
    #[error("{server} asks for a login at {named}")]
    OtherTarget {
        /// Who asked.
        server: ServerName,
        /// The name in its challenge.
        named: String,
    },
    /// The clocks differ too much for the login to be safe.
    #[error("the clock of this machine and that of {server} differ by {minutes} minutes")]
    Clock {
        /// Who.
        server: ServerName,
        /// Difference.
        minutes: u64,
    },
    /// The server challenged more often than any honest one does.
    #[error("{server} keeps asking for the same login")]
    ChallengeLoop {
        /// Who.
        server: ServerName,
    },
}

/// What is wrong with a login token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TokenFault {
    /// Not base64, or too long.
    #[error("it is not base64")]
    Encoding,
    /// Its structure is broken.
    #[error("its structure is broken")]
    Structure,
    /// It lacks extended session security, 128-bit keys, key exchange or datagram mode.
    #[error("it asks for weak security")]
    Weak,
    /// It lacks the names the computation needs.
    #[error("it names no server or domain")]
    NoNames,
    /// Extended protection is required and the server does not take it.
    #[error("it does not take part in extended protection")]
    NoProtection,
}

/// Why a redirect was not followed (patent paragraph 67; settled 1 to 6).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RedirectError {
    /// The target was visited before in this login.
    #[error("redirect ignored: {server} was already visited (loop)")]
    Loop {
        /// The target.
        server: ServerName,
        /// Its position in the journey, from 1.
        first_seen: usize,
    },
    /// One redirect more than the limit.
    #[error("stopped after {limit} redirects")]
    TooMany {
        /// The limit.
        limit: u8,
    },
    /// Nothing signs it.
    #[error("redirect from {server} ignored: it is not signed")]
    Unsigned {
        /// Who sent it.
        server: ServerName,
    },
    /// Its signature is wrong, replayed or another server's.
    #[error("redirect from {server} ignored: {why}")]
    BadSignature {
        /// Who sent it.
        server: ServerName,
        /// What is wrong.
        why: SignatureFault,
    },
    /// The Contact list is not the one the server signed by its To tag.
    #[error("redirect from {server} ignored: its Contact was changed on the way")]
    ContactChanged {
        /// Who sent it.
        server: ServerName,
    },
    /// It leads from TLS to something readable.
    #[error("redirect drops TLS (tls to {to}) and was refused")]
    Downgrade {
        /// The transport it leads to.
        to: crate::transport::Transport,
    },
    /// The target lies outside the account's domains.
    #[error("redirect to {target} refused: it lies outside {domain}")]
    OtherDomain {
        /// The host.
        target: String,
        /// The account's domain.
        domain: String,
    },
    /// The target is an address literal that no rule allows.
    #[error("redirect to the address {address} refused")]
    IpLiteral {
        /// The literal.
        address: IpAddr,
    },
    /// The Contact has a `maddr` parameter or URI headers.
    #[error("redirect to {target} refused: its address carries instructions of its own")]
    Instructions {
        /// The host.
        target: String,
    },
    /// There is no Contact, or none that is a SIP URI.
    #[error("redirect from {server} names no usable server")]
    NoUsableContact {
        /// Who sent it.
        server: ServerName,
    },
    /// The status is not 301 and the account allows no other.
    #[error("redirect with status {status} is not followed")]
    Status {
        /// The status.
        status: u16,
    },
    /// The connection is not TLS and the account follows only over TLS.
    #[error("redirect from {server} ignored: the connection is not TLS")]
    NotSecure {
        /// Who sent it.
        server: ServerName,
    },
    /// The application or the person said no.
    #[error("redirect to {target} declined")]
    Declined {
        /// Where it led.
        target: String,
    },
}

/// A call that the contract does not allow: the caller's mistake, told at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Misuse {
    /// No such account.
    #[error("there is no such account")]
    UnknownAccount,
    /// The account cannot do that in its state.
    #[error("the account cannot do that now")]
    WrongState,
    /// A bound of [`crate::limits::Limits`] is reached.
    #[error("a limit of this agent is reached")]
    Limit,
    /// The message given cannot be sent as it is.
    #[error("the message cannot be sent as it is")]
    BadMessage,
}

/// The family of a failure; decides the exit code of the command line and the predicates of the SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Name resolution.
    Resolve,
    /// Transport and TLS.
    Transport,
    /// Authentication.
    Auth,
    /// Redirect rules.
    Redirect,
    /// Refused by the peer.
    Refused,
    /// Nobody answered.
    Timeout,
}

impl LoginError {
    /// The family of the failure.
    pub fn family(&self) -> Family {
        match self {
            LoginError::Resolve { .. } => Family::Resolve,
            LoginError::Connect { why: ConnectError::Timeout, .. } | LoginError::NoAnswer { .. } => {
                Family::Timeout
            }
            LoginError::Connect { .. } => Family::Transport,
            LoginError::Auth(_) | LoginError::Unbelieved { .. } => Family::Auth,
            LoginError::Redirect(_) => Family::Redirect,
            LoginError::Refused { .. } | LoginError::Deregistered(_) => Family::Refused,
        }
    }

    /// The stable code, such as `E0702`.
    pub fn code(&self) -> &'static str {
        match self {
            LoginError::Resolve { why, .. } => why.code(),
            LoginError::Connect { why, .. } => why.code(),
            LoginError::Auth(error) => error.code(),
            LoginError::Redirect(error) => error.code(),
            LoginError::Refused { .. } => "E0801",
            LoginError::NoAnswer { .. } => "E0901",
            LoginError::Unbelieved { why: SignatureFault::Unsigned, .. } => "E0608",
            LoginError::Unbelieved { .. } => "E0609",
            LoginError::Deregistered(Deregistration::Unregistered) => "E0802",
            LoginError::Deregistered(Deregistration::Rejected) => "E0803",
        }
    }

    /// What the person can do next, one sentence.
    pub fn hint(&self) -> &'static str {
        match self {
            LoginError::Resolve { why: DnsError::NoNetwork | DnsError::Timeout, .. } => {
                "Check the network and the name servers of this machine."
            }
            LoginError::Resolve { .. } => {
                "Check the domain's spelling, or name a server in the account; `homing resolve` shows every step."
            }
            LoginError::Connect { why, .. } => why.hint(),
            LoginError::Auth(error) => error.hint(),
            LoginError::Redirect(error) => error.hint(),
            LoginError::Refused { status: 403, .. } => {
                "Ask the administrator whether this user may sign in here."
            }
            LoginError::Refused { status: 404, .. } => {
                "Ask the administrator to assign this user to a server."
            }
            LoginError::Refused { status: 500..=599, .. } => {
                "The server has a fault; it is tried again by itself."
            }
            LoginError::Refused { .. } => "Show the status and the server's words to its administrator.",
            LoginError::NoAnswer { .. } => {
                "The server accepts connections but does not answer; it is tried again."
            }
            LoginError::Unbelieved { .. } => {
                "Somebody may be answering in the server's place; compare the trace with the administrator."
            }
            LoginError::Deregistered(Deregistration::Unregistered) => {
                "Sign in again if this device should be used."
            }
            LoginError::Deregistered(Deregistration::Rejected) => {
                "Ask the administrator to enable the account."
            }
        }
    }
}

impl AuthError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            AuthError::Rejected { .. } => "E0601",
            AuthError::NoCommonScheme { .. } => "E0602",
            AuthError::NoCredentials { .. } => "E0603",
            AuthError::BadToken { .. } => "E0604",
            AuthError::OtherTarget { .. } => "E0605",
            AuthError::Clock { .. } => "E0606",
            AuthError::ChallengeLoop { .. } => "E0607",
        }
    }

    /// What the person can do next.
    pub fn hint(&self) -> &'static str {
        match self {
            AuthError::Rejected { .. } => "Type the password again; check the user name and its domain.",
            AuthError::NoCommonScheme { .. } => {
                "Allow one of the offered logins in the account (for MD5: `allow_md5 = true`)."
            }
            AuthError::NoCredentials { .. } => {
                "Give the password by prompt, file, command or file descriptor."
            }
            AuthError::BadToken { .. } => "The server must offer NTLMv2 with extended session security.",
            AuthError::OtherTarget { .. } => "Do not sign in here; somebody may be relaying the login.",
            AuthError::Clock { .. } => "Set this machine's clock.",
            AuthError::ChallengeLoop { .. } => "The server has a fault; show its administrator the trace.",
        }
    }
}

impl RedirectError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            RedirectError::TooMany { .. } => "E0701",
            RedirectError::Loop { .. } => "E0702",
            RedirectError::Unsigned { .. } => "E0703",
            RedirectError::BadSignature { .. } => "E0704",
            RedirectError::ContactChanged { .. } => "E0705",
            RedirectError::Downgrade { .. } => "E0706",
            RedirectError::OtherDomain { .. } => "E0707",
            RedirectError::IpLiteral { .. } => "E0708",
            RedirectError::Instructions { .. } => "E0709",
            RedirectError::NoUsableContact { .. } => "E0710",
            RedirectError::Status { .. } => "E0711",
            RedirectError::NotSecure { .. } => "E0712",
            RedirectError::Declined { .. } => "E0713",
        }
    }

    /// What the person can do next.
    pub fn hint(&self) -> &'static str {
        match self {
            RedirectError::TooMany { .. } | RedirectError::Loop { .. } => {
                "Something is wrong with this user's assignment; `homing redirect trace` shows each hop."
            }
            RedirectError::Unsigned { .. }
            | RedirectError::BadSignature { .. }
            | RedirectError::ContactChanged { .. } => {
                "Somebody may be leading this phone away; show the administrator the trace."
            }
            RedirectError::Downgrade { .. } | RedirectError::NotSecure { .. } => {
                "The server's administrator must offer TLS on both servers."
            }
            RedirectError::OtherDomain { .. } => {
                "If that domain is trusted, list it under `redirect.domains` in the account."
            }
            RedirectError::IpLiteral { .. } => {
                "If that network is trusted, list it under `redirect.ip_literals` in the account."
            }
            RedirectError::Instructions { .. } | RedirectError::NoUsableContact { .. } => {
                "The server's assignment of this user is broken; show its administrator the trace."
            }
            RedirectError::Status { .. } => {
                "Allow 302 in the account (`redirect.also_302 = true`) if it is meant."
            }
            RedirectError::Declined { .. } => "Sign in again and allow the redirect if it is meant.",
        }
    }
}
