//! Why a redirect was not followed, with codes and next steps.

use std::net::IpAddr;

use thiserror::Error;

use super::signature::SignatureFault;
use crate::server::ServerName;

/// Why a redirect was not followed (patent paragraph 67; decisions 1 to 6).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
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
        /// Redirects the account allows in one login, or moves to another server within a minute.
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
        #[source]
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
    /// It names more servers than are looked at.
    #[error("redirect from {server} refused: it names more than {most} servers")]
    TooManyContacts {
        /// Who sent it.
        server: ServerName,
        /// How many are looked at.
        most: usize,
    },
    /// The status is not 301 and the account allows no other.
    #[error("redirect with status {status} is not followed")]
    Status {
        /// Of the redirect as received; never 301.
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
            RedirectError::TooManyContacts { .. } => "E0714",
        }
    }

    /// What the person can do next.
    pub fn hint(&self) -> &'static str {
        match self {
            RedirectError::TooMany { .. } | RedirectError::Loop { .. } => {
                "Something is wrong with this user's assignment; `homing redirect trace` shows each hop."
            }
            RedirectError::Unsigned { .. } => {
                "This may be an attack: an unsigned redirect. Show the administrator the trace."
            }
            RedirectError::BadSignature { .. } => {
                "This may be an attack: a redirect with a wrong signature. Show the administrator the trace."
            }
            RedirectError::ContactChanged { .. } => {
                "This may be an attack: a redirect whose targets were changed. Show the administrator the trace."
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
            RedirectError::Instructions { .. }
            | RedirectError::NoUsableContact { .. }
            | RedirectError::TooManyContacts { .. } => {
                "The server's assignment of this user is broken; show its administrator the trace."
            }
            RedirectError::Status { .. } => {
                "Allow 302 in the account (`redirect.also_302 = true`) if it is meant."
            }
            RedirectError::Declined { .. } => "Sign in again and allow the redirect if it is meant.",
        }
    }
}
