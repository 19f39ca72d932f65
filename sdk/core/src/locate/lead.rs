//! The leads of a search: names that may lead to a server, and the order in which they are followed.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use super::request::{Request, Wanted};
use super::target::{NaptrPick, Pick};
use crate::address::{ascii_name, literal};
use crate::dns::{DnsQuestion, RecordKind};
use crate::server::ServerName;
use crate::transport::Transport;

#[derive(Clone, Debug)]
pub(super) enum Lead {
    /// NAPTR records of a domain.
    Naptr(String),
    /// SRV records of a name.
    Srv(SrvLead),
    Host(HostLead),
}

/// SRV records to follow.
#[derive(Clone, Debug)]
pub(super) struct SrvLead {
    pub(super) name: String,
    pub(super) transport: Transport,
    pub(super) naptr: Option<NaptrPick>,
    pub(super) ttl: Duration,
}

/// A host to dial.
#[derive(Clone, Debug)]
pub(super) struct HostLead {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) transport: Transport,
    pub(super) why: Pick,
    pub(super) ttl: Duration,
    /// Addresses that came along with the SRV records.
    pub(super) glue: Vec<IpAddr>,
    /// Asked for before; the answer was only half of what there is (RFC 8305 section 3).
    pub(super) again: bool,
}

impl HostLead {
    /// The question for its addresses.
    pub(super) fn question(&self) -> DnsQuestion {
        DnsQuestion { name: self.host.clone(), kind: RecordKind::Address }
    }
}

impl Lead {
    /// The question this lead waits for; none for an address literal or where glue answers it.
    pub(super) fn question(&self) -> Option<DnsQuestion> {
        let (name, kind) = match self {
            Lead::Naptr(domain) => (domain, RecordKind::Naptr),
            Lead::Srv(srv) => (&srv.name, RecordKind::Srv),
            Lead::Host(host) => return host.glue.is_empty().then(|| host.question()),
        };
        Some(DnsQuestion { name: name.clone(), kind })
    }

    /// The transport it leads to; NAPTR records decide that themselves.
    pub(super) fn transport(&self) -> Option<Transport> {
        match self {
            Lead::Naptr(_) => None,
            Lead::Srv(srv) => Some(srv.transport),
            Lead::Host(host) => Some(host.transport),
        }
    }

    /// True for a host that is dialled only because nothing is published.
    pub(super) fn is_guess(&self) -> bool {
        matches!(self, Lead::Host(HostLead { why: Pick::Guess { .. } | Pick::Address { .. }, .. }))
    }
}

impl fmt::Display for Lead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lead::Naptr(domain) => write!(f, "NAPTR {domain}"),
            Lead::Srv(srv) => write!(f, "SRV {}", srv.name),
            Lead::Host(host) => write!(f, "{} {}", host.transport, ServerName::new(&host.host, host.port)),
        }
    }
}

/// The leads of a search, stage by stage: the questions of one stage are asked together, and the next
/// stage begins when the one before leads no further.
pub(super) fn stages(request: &Request) -> Vec<Vec<Lead>> {
    let transports = request.transports();
    match &request.wanted {
        // RFC 3263 section 4.2: an address leaves nothing to look up, also where it stands for a domain.
        Wanted::Domain(domain) if literal(domain).is_some() => {
            vec![host_stage(domain, None, false, &transports)]
        }
        Wanted::Domain(domain) => domain_stages(&ascii_name(domain), &transports),
        Wanted::Host { host, port, transport, .. } => {
            vec![host_stage(host, *port, transport.is_some(), &transports)]
        }
    }
}

fn domain_stages(domain: &str, transports: &[Transport]) -> Vec<Vec<Lead>> {
    let mut customary: Vec<(usize, Lead)> = Vec::new();
    for (prefix, transport) in MICROSOFT_SRV {
        if let Some(rank) = transports.iter().position(|allowed| *allowed == transport) {
            customary.push((rank, srv(&format!("{prefix}.{domain}"), transport)));
        }
    }
    customary.sort_by_key(|(rank, _)| *rank);
    let mut later = vec![Lead::Naptr(domain.to_owned())];
    // A name that stands in both orders was asked for already.
    let asked =
        |transport: &Transport| MICROSOFT_SRV.iter().any(|(prefix, _)| *prefix == srv_prefix(*transport));
    let standard = transports.iter().filter(|transport| !asked(transport));
    later.extend(standard.map(|transport| srv(&srv_name(*transport, domain), *transport)));
    later.extend(guesses(domain, transports));
    vec![customary.into_iter().map(|(_, lead)| lead).collect(), later]
}

/// Steps 5 to 8 of the Microsoft order; in the clear only for an account that never uses TLS.
fn guesses(domain: &str, transports: &[Transport]) -> Vec<Lead> {
    let best = transports.iter().copied().find(|one| one.is_secure()).or(transports.first().copied());
    let Some(transport) = best else { return Vec::new() };
    let names = MICROSOFT_HOSTS.iter().map(|(label, port)| {
        let name = if label.is_empty() { domain.to_owned() } else { format!("{label}.{domain}") };
        (name, if transport.is_secure() { *port } else { transport.default_port() })
    });
    let mut names: Vec<(String, u16)> = names.collect();
    names.dedup();
    let lead = |(name, port): (String, u16)| {
        let why = if name == domain {
            Pick::Address { host: name.clone() }
        } else {
            Pick::Guess { host: name.clone() }
        };
        host(&name, port, transport, why)
    };
    names.into_iter().map(lead).collect()
}

/// RFC 3263 section 4 for one host.
fn host_stage(name: &str, port: Option<u16>, written: bool, transports: &[Transport]) -> Vec<Lead> {
    let Some(transport) = transports.first().copied() else { return Vec::new() };
    if let Some(ip) = literal(name) {
        let port = port.unwrap_or(transport.default_port());
        let direct =
            HostLead { glue: vec![ip], ..host_lead(&ip.to_string(), port, transport, Pick::Literal) };
        return vec![Lead::Host(direct)];
    }
    let name = ascii_name(name);
    if let Some(port) = port {
        let why = Pick::Port { host: name.clone() };
        return vec![host(&name, port, transport, why)];
    }
    let mut leads = Vec::new();
    if !written {
        leads.push(Lead::Naptr(name.clone()));
    }
    leads.extend(transports.iter().map(|transport| srv(&srv_name(*transport, &name), *transport)));
    let why = Pick::Address { host: name.clone() };
    leads.push(host(&name, transport.default_port(), transport, why));
    leads
}

/// The SRV name of RFC 3263 section 4.1.
fn srv_name(transport: Transport, domain: &str) -> String {
    format!("{}.{domain}", srv_prefix(transport))
}

fn srv_prefix(transport: Transport) -> &'static str {
    transport.srv_prefixes().first().copied().unwrap_or_default()
}

fn srv(name: &str, transport: Transport) -> Lead {
    Lead::Srv(SrvLead { name: name.to_owned(), transport, naptr: None, ttl: Duration::MAX })
}

fn host(name: &str, port: u16, transport: Transport, why: Pick) -> Lead {
    Lead::Host(host_lead(name, port, transport, why))
}

fn host_lead(name: &str, port: u16, transport: Transport, why: Pick) -> HostLead {
    HostLead {
        host: name.to_owned(),
        port,
        transport,
        why,
        ttl: Duration::MAX,
        glue: Vec::new(),
        again: false,
    }
}

/// Steps 1 to 4 of the Microsoft order (MS-CONMGMT).
const MICROSOFT_SRV: [(&str, Transport); 4] = [
    ("_sipinternaltls._tcp", Transport::Tls),
    ("_sipinternal._tcp", Transport::Tcp),
    ("_sip._tls", Transport::Tls),
    ("_sip._tcp", Transport::Tcp),
];

/// Steps 5 to 8 with their TLS ports; the empty label is the domain itself.
const MICROSOFT_HOSTS: [(&str, u16); 5] =
    [("sipinternal", 5061), ("sip", 5061), ("sip", 443), ("sipexternal", 443), ("", 5061)];
