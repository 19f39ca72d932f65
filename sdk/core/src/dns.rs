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
    /// No name server answered in time.
    #[error("no name server answered")]
    Timeout,
    /// SERVFAIL, REFUSED or a malformed answer.
    #[error("the name server failed")]
    ServerFailure,
    /// This machine has no name server or no network.
    #[error("no network to ask name servers through")]
    NoNetwork,
}

/// Why a name, record or address was passed over in the search for a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Skip {
    /// An SRV target of `.`.
    #[error("the domain says that it does not offer this service")]
    NotOffered,
    /// A NAPTR record for something else, or of a form RFC 3263 does not know.
    #[error("the record is for another service")]
    OtherService,
    /// The account does not allow the transport.
    #[error("the account does not allow this transport")]
    TransportNotAllowed,
    /// A TLS server is published or was tried: nothing in the clear comes after it.
    #[error("security never falls: a TLS server comes first")]
    SecurityWouldFall,
    /// SRV records exist, so addresses are not guessed.
    #[error("SRV records exist, so no address is guessed")]
    Published,
    /// In the clear no certificate vouches for a server, so its name must lie in the domain.
    #[error("it lies outside the domain, and without TLS nothing proves that it may serve it")]
    OtherDomain,
    /// The host name or port cannot be dialled.
    #[error("the record names nothing that can be dialled")]
    Unusable,
    /// The address cannot be a server's.
    #[error("the address cannot be a server's")]
    BadAddress,
    /// The host has no address.
    #[error("its name has no address ({0})")]
    NoAddress(DnsError),
    /// The same place is a target already.
    #[error("it is on the list already")]
    Duplicate,
    /// The bound on targets is reached.
    #[error("the bound on targets is reached")]
    TooMany,
}

/// Why a search came upon no server at all.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// DNS gave no answer, or has no record.
    #[error(transparent)]
    Dns(#[from] DnsError),
    /// The domain publishes an SRV target of `.` (RFC 2782) and no server beside it.
    #[error("the domain says in DNS (SRV .) that it offers no such service")]
    NotOffered,
    /// Everything on offer is by a transport the account does not allow.
    #[error("the account allows none of the transports on offer")]
    NotAllowed,
    /// Something was found, and a rule excludes it.
    #[error("{what} was found, but {why}")]
    PassedOver {
        /// The first record or host that was passed over; text of a name server.
        what: String,
        /// The rule.
        #[source]
        why: Skip,
    },
}

impl ResolveError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            ResolveError::Dns(why) => why.code(),
            ResolveError::NotOffered => "E0405",
            ResolveError::NotAllowed => "E0406",
            ResolveError::PassedOver { .. } => "E0407",
        }
    }

    /// What the person can do next.
    pub fn hint(&self) -> &'static str {
        match self {
            ResolveError::Dns(DnsError::NoNetwork | DnsError::Timeout) => {
                "Check the network and the name servers; `homing doctor` says which are asked."
            }
            ResolveError::Dns(DnsError::NoRecord | DnsError::ServerFailure) => {
                "Check the domain's spelling, or name a server in the account; `homing resolve` shows every step."
            }
            ResolveError::NotOffered => {
                "Ask the domain's administrator which server to use, and name it in the account."
            }
            ResolveError::NotAllowed => "Allow another transport in the account (`transports`).",
            ResolveError::PassedOver { .. } => {
                "`homing resolve` shows every step; the domain's administrator must correct the record."
            }
        }
    }
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
