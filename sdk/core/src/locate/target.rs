//! Where to dial next and why, and the reasons why others are passed over.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use thiserror::Error;

use crate::dns::ResolveError;
use crate::identity::Expected;
use crate::server::ServerName;
use crate::transport::Transport;

/// One place to dial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The host and port as dialled.
    pub name: ServerName,
    /// The address.
    pub addr: SocketAddr,
    /// One of those its request allows.
    pub transport: Transport,
    /// Whom its certificate must name.
    pub expected: Expected,
    /// Why it is a target.
    pub why: Pick,
    /// How long the records hold that led here.
    pub ttl: Duration,
    /// DNS round trips it took to learn of it; questions asked together count once.
    pub round_trips: u8,
}

/// Why a target was picked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pick {
    /// The host is an address.
    Literal,
    /// The port was written, so only the address was looked up.
    Port {
        /// The name as written, lower case, whose addresses were asked for.
        host: String,
    },
    /// An SRV record (RFC 2782).
    Srv {
        /// The name of the record.
        name: String,
        /// From 0; the lowest is dialled first.
        priority: u16,
        /// Its share in the draw among records of equal priority.
        weight: u16,
        /// The NAPTR record that led to the name.
        naptr: Option<NaptrPick>,
    },
    /// A NAPTR record with flag `a` named the host (RFC 3403).
    Host {
        /// The replacement of the record.
        host: String,
        /// The record.
        naptr: NaptrPick,
    },
    /// A name Microsoft clients guess where nothing is published.
    Guess {
        /// The name.
        host: String,
    },
    /// No SRV record: the address of the host itself, default port (RFC 3263 section 4.2).
    Address {
        /// The name whose A and AAAA records were asked for.
        host: String,
    },
}

/// The NAPTR record on the way to a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NaptrPick {
    /// The lowest comes first; compared before `preference`.
    pub order: u16,
    /// The lowest comes first among records of equal order.
    pub preference: u16,
    /// In upper case, such as `SIPS+D2T`.
    pub service: String,
}

/// What a plan says when it is asked for the next target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Dial here.
    Target(Box<Target>),
    /// An answer must come first.
    Waiting,
    /// There is nothing left.
    NoCandidate(NoCandidate),
}

/// Why there is nothing left.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NoCandidate {
    /// Targets were handed out; there are no more.
    #[error("every server was tried")]
    AllTried,
    /// Nothing was handed out at all.
    #[error("no server was found: {0}")]
    NoServer(ResolveError),
}

impl Pick {
    /// True for picks of one rank, among which order is free: SRV records of one name and priority, or
    /// addresses of one host.
    pub fn is_of_one_rank_with(&self, other: &Pick) -> bool {
        match (self, other) {
            (Pick::Srv { name: a, priority: p, .. }, Pick::Srv { name: b, priority: q, .. }) => {
                a == b && p == q
            }
            (one, other) => one == other,
        }
    }
}

impl fmt::Display for Pick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pick::Literal => f.write_str("address as written"),
            Pick::Port { host } => write!(f, "A/AAAA {host}, port as written"),
            Pick::Srv { name, priority, weight, naptr } => {
                if let Some(naptr) = naptr {
                    write!(f, "{naptr}, ")?;
                }
                write!(f, "SRV {name} {priority}/{weight}")
            }
            Pick::Host { host, naptr } => write!(f, "{naptr}, A/AAAA {host}"),
            Pick::Guess { host } => write!(f, "A/AAAA {host}, a customary name"),
            Pick::Address { host } => write!(f, "A/AAAA {host}, default port"),
        }
    }
}

impl fmt::Display for NaptrPick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NAPTR {}/{} {}", self.order, self.preference, self.service)
    }
}
