//! The journey of one login: which servers were visited, how, at what price, and what each said.

use std::fmt;
use std::net::SocketAddr;

use crate::config::Scheme;
use crate::connect::ConnectError;
use crate::error::{LoginError, RedirectError};
use crate::server::ServerName;
use crate::transport::Transport;

/// The hops of one login in order; part of every redirect event and every login error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journey {
    /// The servers visited.
    pub hops: Vec<Hop>,
    /// Redirects followed: each 301 is one, however many addresses and nodes were tried for it.
    pub followed: u8,
    /// Redirects allowed in this login.
    pub limit: u8,
}

/// A login that failed, with the journey it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginFailure {
    /// The cause, with its stable code and next step.
    pub error: LoginError,
    /// The hops up to there.
    pub journey: Journey,
}

/// One server of a journey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The server as dialled.
    pub server: ServerName,
    /// The address that answered, once one did.
    pub address: Option<SocketAddr>,
    /// As dialled, whether or not a connection came about.
    pub transport: Transport,
    /// How the server was come by.
    pub how: FoundBy,
    /// What the hop cost.
    pub price: RoundTrips,
    /// The scheme the server was answered with.
    pub scheme: Option<Scheme>,
    /// The name its certificate proved.
    pub verified_as: Option<String>,
    /// True if a pin of the account vouches for its certificate, in place of chain, name and dates.
    pub pinned: bool,
    /// How it ended.
    pub verdict: HopVerdict,
    /// What is odd about it and hinders nothing.
    pub remarks: Vec<Remark>,
}

/// What is odd about a server's answers and hinders nothing; a person who looks for a fault wants to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remark {
    /// The registrar lists this device under another address than it gave (a rewriting border controller).
    ListedElsewhere,
    /// The registrar's 200 lists no Contact, so that the lifetime is the header's, or what was asked for.
    NotListed,
    /// The registrar promised to answer keep-alives and lets connections be lost for want of an answer, three in a
    /// row: its silence proves nothing any more.
    SilentToKeepAlives,
    /// The server closed the connection after its challenge, so that the answer went over a new one.
    ClosedAfterChallenge,
    /// The server took the connection and said nothing for 4 s, so that the next one was asked as well.
    Mute,
}

/// How a server was come by.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FoundBy {
    /// Remembered from an earlier login.
    Remembered,
    /// Written in the account.
    Configured,
    /// Found in DNS; the text names the record, such as `SRV _sipinternaltls._tcp 10/60`.
    Discovered(String),
    /// Named by the Contact of a 301 from the hop before.
    Redirected {
        /// Position in that 301's list, from 0.
        candidate: u8,
    },
    /// Named by a `preferred-registrar-change`.
    Preferred,
}

/// Round trips of one hop; the physical price of a login (decision 10).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoundTrips {
    /// Lookups since the hop before in the same search; those asked together count once.
    pub dns: u8,
    /// TCP handshake.
    pub tcp: u8,
    /// TLS handshake.
    pub tls: u8,
    /// REGISTER exchanges.
    pub register: u8,
    /// Milliseconds from the first question to the verdict.
    pub millis: u32,
}

/// How a hop ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HopVerdict {
    /// Not yet.
    Pending,
    /// This is the home server.
    Accepted {
        /// Granted lifetime, seconds.
        expires: u32,
        /// True if a security association signed the 200.
        signed: bool,
    },
    /// It sent us on.
    Redirected {
        /// The status, 301 as a rule.
        status: u16,
        /// The signature's standing.
        signed: bool,
        /// Contacts offered, as written, at most eight.
        to: Vec<String>,
    },
    /// It sent us on and we did not go; the reason is a stable code of [`crate::error`].
    RedirectRefused(RedirectError),
    /// It could not be reached or did not answer.
    Unreachable(ConnectError),
    /// It said no.
    Refused {
        /// The final status.
        status: u16,
    },
    /// It was asked because another was mute, and another answered before it.
    Superseded,
}

impl Hop {
    /// Where a server was dialled that could not take the registration, as far as that is its own doing and may pass.
    pub(crate) fn place_of_failure(&self) -> Option<(SocketAddr, Transport)> {
        let passes = match &self.verdict {
            HopVerdict::Unreachable(_) => true,
            HopVerdict::Refused { status } => matches!(status, 408 | 500..=599),
            HopVerdict::Pending
            | HopVerdict::Accepted { .. }
            | HopVerdict::Redirected { .. }
            | HopVerdict::RedirectRefused(_)
            | HopVerdict::Superseded => false,
        };
        self.address.filter(|_| passes).map(|address| (address, self.transport))
    }
}

impl Journey {
    /// Redirects followed so far.
    pub fn redirects(&self) -> usize {
        usize::from(self.followed)
    }

    /// Round trips of the whole journey.
    pub fn round_trips(&self) -> u32 {
        self.hops.iter().map(|hop| hop.price.total()).sum()
    }

    /// The last hop.
    pub fn last(&self) -> Option<&Hop> {
        self.hops.last()
    }
}

impl RoundTrips {
    /// All round trips of the hop.
    pub fn total(&self) -> u32 {
        u32::from(self.dns) + u32::from(self.tcp) + u32::from(self.tls) + u32::from(self.register)
    }
}

impl fmt::Display for LoginFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for LoginFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

/// One line for a log: each server with what it said, and the price.
///
/// ```
/// use homing_core::journey::Journey;
/// assert_eq!(Journey::default().to_string(), "nowhere yet");
/// ```
impl fmt::Display for Journey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.hops.is_empty() {
            return f.write_str("nowhere yet");
        }
        for (place, hop) in self.hops.iter().enumerate() {
            let arrow = if place == 0 { "" } else { " → " };
            write!(f, "{arrow}{hop}")?;
        }
        write!(f, "; {} round trips", self.round_trips())
    }
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {} ({})", self.server, self.transport, self.verdict)?;
        self.remarks.iter().try_for_each(|remark| write!(f, " [remark: {remark}]"))
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Remark::ListedElsewhere => "the server lists this phone under another address",
            Remark::NotListed => "the server's answer does not list this phone",
            Remark::SilentToKeepAlives => {
                "the server does not answer keep-alives; a lost connection is noticed late"
            }
            Remark::ClosedAfterChallenge => {
                "the server closed the connection after its challenge; the answer went over a new one"
            }
            Remark::Mute => {
                "the server took the connection and said nothing for 4 s, so the next one was asked as well"
            }
        })
    }
}

impl fmt::Display for HopVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signature = |signed: bool| if signed { "signed" } else { "not signed" };
        match self {
            HopVerdict::Pending => f.write_str("no verdict yet"),
            HopVerdict::Accepted { expires, signed } => {
                write!(f, "signed in for {expires} s, {}", signature(*signed))
            }
            HopVerdict::Redirected { status, signed, .. } => write!(f, "{status}, {}", signature(*signed)),
            HopVerdict::RedirectRefused(why) => write!(f, "redirect refused: {why}"),
            HopVerdict::Unreachable(why) => write!(f, "{why}"),
            HopVerdict::Refused { status } => write!(f, "refused with {status}"),
            HopVerdict::Superseded => f.write_str("another server answered first"),
        }
    }
}
