//! What is asked of DNS and what comes back, without a resolver behind it.

use std::net::IpAddr;
use std::time::Duration;

use thiserror::Error;

/// One DNS question of a discovery (RFC 3263; the Microsoft names of MS-CONMGMT).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DnsQuestion {
    /// The name, absolute, without a trailing dot, lower case.
    pub name: String,
    /// The kind of record.
    pub kind: RecordKind,
}

/// The record types a discovery asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RecordKind {
    /// RFC 3403, as used by RFC 3263 section 4.1.
    Naptr,
    /// RFC 2782.
    Srv,
    /// IPv4 and IPv6 addresses together.
    Address,
}

/// The records of one answer, in wire order; sorting is the plan's work.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DnsRecords {
    /// NAPTR records.
    Naptr(Vec<Naptr>),
    /// SRV records.
    Srv(Vec<Srv>),
    /// Addresses of both families.
    Addresses(Vec<IpAddr>),
}

/// An answer with its lifetime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsAnswer {
    /// The records of the kind that was asked for; empty where the name has none.
    pub records: DnsRecords,
    /// Addresses of SRV targets that came along in the additional section, inside the zone asked.
    pub glue: Vec<(String, IpAddr)>,
    /// The smallest time to live among them.
    pub ttl: Duration,
    /// Round trips on the wire that the answer cost; 0 from a cache.
    pub round_trips: u8,
}

/// One NAPTR record (RFC 3403 section 4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naptr {
    /// Lower comes first.
    pub order: u16,
    /// Lower comes first within one order.
    pub preference: u16,
    /// `s` for an SRV name, `a` for a host.
    pub flags: String,
    /// `SIPS+D2T`, `SIP+D2T`, `SIP+D2U`.
    pub service: String,
    /// The name to go on with.
    pub replacement: String,
}

/// One SRV record (RFC 2782).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Srv {
    /// Lower comes first.
    pub priority: u16,
    /// Share within one priority.
    pub weight: u16,
    /// Port of the service.
    pub port: u16,
    /// Host; `.` says that the service is not offered.
    pub target: String,
}

/// Why DNS gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DnsError {
    /// NXDOMAIN or no record of that kind.
    #[error("no such record")]
    NoRecord,
    /// Nobody answered in time.
    #[error("no name server answered")]
    Timeout,
    /// SERVFAIL, REFUSED or a malformed answer.
    #[error("the name server failed")]
    ServerFailure,
    /// This machine has no name server or no network.
    #[error("no network to ask name servers through")]
    NoNetwork,
}

impl DnsError {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            DnsError::NoRecord => "E0401",
            DnsError::Timeout => "E0402",
            DnsError::ServerFailure => "E0403",
            DnsError::NoNetwork => "E0404",
        }
    }
}
