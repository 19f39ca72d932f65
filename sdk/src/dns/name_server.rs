//! Questions on the wire: hickory-resolver, with its errors and records in our own words.

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError as WireError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use hickory_resolver::{Resolver, TokioResolver};
use homing_core::dns::{DnsAnswer, DnsError, DnsQuestion, DnsRecords, Naptr, RecordKind, Srv};

use super::cache::{Failure, Fetch, Fetched, Source};

/// Name servers, asked without a cache of their own: ours stands before them and counts round trips.
pub(super) struct NameServers {
    only: Option<SocketAddr>,
    resolvers: Mutex<Option<Resolvers>>,
    /// A server could not read a question with an OPT record: none carries one from then on (RFC 6891
    /// section 6.2.2).
    without_edns: AtomicBool,
}

/// The same name servers, asked in two ways: at first as configured, then without EDNS.
#[derive(Clone)]
struct Resolvers {
    first: TokioResolver,
    plain: TokioResolver,
}

impl NameServers {
    /// Those this machine is configured with.
    pub(super) fn system() -> Self {
        Self { only: None, resolvers: Mutex::default(), without_edns: AtomicBool::new(false) }
    }

    pub(super) fn only(address: SocketAddr) -> Self {
        Self { only: Some(address), resolvers: Mutex::default(), without_edns: AtomicBool::new(false) }
    }

    fn resolvers(&self) -> Result<Resolvers, Failure> {
        let mut kept = self.lock();
        if kept.is_none() {
            *kept = self.build();
        }
        kept.clone().ok_or(Failure { why: DnsError::NoNetwork, ttl: Duration::ZERO })
    }

    /// Three times in less than five seconds: once as configured, twice without EDNS.
    fn build(&self) -> Option<Resolvers> {
        let build = |edns: bool, attempts| {
            let mut builder = match self.only {
                None => TokioResolver::builder_tokio().ok()?,
                Some(address) => {
                    Resolver::builder_with_config(config(address), TokioRuntimeProvider::default())
                }
            };
            let options: &mut ResolverOpts = builder.options_mut();
            options.cache_size = 0;
            options.timeout = Duration::from_millis(1_500);
            options.attempts = attempts;
            options.use_hosts_file =
                if self.only.is_some() { ResolveHosts::Never } else { ResolveHosts::Auto };
            options.edns0 &= edns;
            builder.build().ok()
        };
        Some(Resolvers { first: build(true, 0)?, plain: build(false, 1)? })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Resolvers>> {
        self.resolvers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks; if nobody answers, the next question is put to whomever this machine is configured with by
    /// then, since a machine that moved has other name servers.
    async fn ask(&self, question: DnsQuestion) -> Result<Fetched, Failure> {
        let answer = self.ask_those_known(question).await;
        if matches!(answer, Err(Failure { why: DnsError::Timeout | DnsError::NoNetwork, .. })) {
            *self.lock() = None;
        }
        answer
    }

    async fn ask_those_known(&self, question: DnsQuestion) -> Result<Fetched, Failure> {
        // A name that cannot stand in a question has no records. IDNA is done by then, and its rules for
        // host names do not hold for DNS, which carries underscores (RFC 2181 section 11).
        let name = Name::from_ascii(format!("{}.", question.name.trim_end_matches('.')))
            .map_err(|_| Failure { why: DnsError::NoRecord, ttl: Duration::from_secs(60) })?;
        match question.kind {
            RecordKind::Naptr => Ok(Fetched::whole(naptr(self.one(name, RecordType::NAPTR).await?))),
            RecordKind::Srv => Ok(Fetched::whole(srv(self.one(name, RecordType::SRV).await?))),
            RecordKind::Address => self.addresses(name).await,
            _ => Err(Failure { why: DnsError::NoRecord, ttl: Duration::from_secs(60) }),
        }
    }

    /// Both families at once: one round trip. Either may be missing, and once one has brought addresses the
    /// other is waited for [`RESOLUTION_DELAY`] only.
    async fn addresses(&self, name: Name) -> Result<Fetched, Failure> {
        let four = pin!(self.one(name.clone(), RecordType::A));
        let six = pin!(self.one(name, RecordType::AAAA));
        let (first, rest) = match select(four, six).await {
            Either::Left((four, six)) => (four, Either::Left(six)),
            Either::Right((six, four)) => (six, Either::Right(four)),
        };
        let Ok(came) = &first else { return addresses(first, rest.await).map(Fetched::whole) };
        match tokio::time::timeout(RESOLUTION_DELAY, rest).await {
            Ok(second) => addresses(first, second).map(Fetched::whole),
            Err(_) => Ok(Fetched::half(answer(DnsRecords::Addresses(addresses_of(came)), Vec::new(), came))),
        }
    }

    /// Asks for one kind of record. A server that refuses an OPT record, or is silent about a question with one,
    /// is asked again without; if that helps, no question carries one any more.
    async fn one(&self, name: Name, kind: RecordType) -> Result<Lookup, Failure> {
        let Resolvers { first, plain } = self.resolvers()?;
        if self.without_edns.load(Ordering::Relaxed) {
            return plain.lookup(name, kind).await.map_err(|error| failure(&error));
        }
        let error = match first.lookup(name.clone(), kind).await {
            Ok(lookup) => return Ok(lookup),
            Err(error) => error,
        };
        let silent = failure(&error).why == DnsError::Timeout;
        if !silent && !is_unread(&error) {
            return Err(failure(&error));
        }
        let answer = plain.lookup(name, kind).await.map_err(|error| failure(&error));
        if matches!(answer, Ok(_) | Err(Failure { why: DnsError::NoRecord, .. })) {
            tracing::debug!(silent, "the name server answers without EDNS only");
            self.without_edns.store(true, Ordering::Relaxed);
        }
        answer
    }
}

impl Source for NameServers {
    fn fetch(self: Arc<Self>, question: DnsQuestion) -> Fetch {
        Box::pin(async move { self.ask(question).await })
    }
}

fn config(address: SocketAddr) -> ResolverConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = address.port();
        connection
    });
    let server = NameServerConfig::new(address.ip(), true, connections.into());
    ResolverConfig::from_parts(None, Vec::new(), vec![server])
}

/// True if the server refused a question as it was written: old ones do that where they find an OPT record.
fn is_unread(error: &NetError) -> bool {
    matches!(
        error,
        NetError::Dns(WireError::ResponseCode(
            ResponseCode::FormErr | ResponseCode::NotImp | ResponseCode::BADVERS
        ))
    )
}

fn naptr(lookup: Lookup) -> DnsAnswer {
    let read = |record: &Record| match &record.data {
        RData::NAPTR(naptr) => Some(Naptr {
            order: naptr.order,
            preference: naptr.preference,
            flags: String::from_utf8_lossy(&naptr.flags).into_owned(),
            service: String::from_utf8_lossy(&naptr.services).into_owned(),
            replacement: plain(&naptr.replacement),
        }),
        _ => None,
    };
    let records = DnsRecords::Naptr(lookup.answers().iter().filter_map(read).collect());
    answer(records, Vec::new(), &lookup)
}

fn srv(lookup: Lookup) -> DnsAnswer {
    let read = |record: &Record| match &record.data {
        RData::SRV(srv) => Some(Srv {
            priority: srv.priority,
            weight: srv.weight,
            port: srv.port,
            target: plain(&srv.target),
        }),
        _ => None,
    };
    let found: Vec<Srv> = lookup.answers().iter().filter_map(read).collect();
    let glue = glue(&lookup, &found);
    answer(DnsRecords::Srv(found), glue, &lookup)
}

/// One answer of both families, which came in any order; AAAA first.
fn addresses(one: Result<Lookup, Failure>, other: Result<Lookup, Failure>) -> Result<DnsAnswer, Failure> {
    match (one, other) {
        (Ok(one), Ok(other)) => {
            let mut found = addresses_of(&one);
            found.extend(addresses_of(&other));
            found.sort_by_key(IpAddr::is_ipv4);
            let shorter = if one.valid_until() < other.valid_until() { &one } else { &other };
            Ok(answer(DnsRecords::Addresses(found), Vec::new(), shorter))
        }
        (Ok(lookup), Err(_)) | (Err(_), Ok(lookup)) => {
            Ok(answer(DnsRecords::Addresses(addresses_of(&lookup)), Vec::new(), &lookup))
        }
        // What one of them knows for certain counts only if the other does not contradict.
        (Err(one), Err(other)) => Err(if one.why == DnsError::NoRecord { other } else { one }),
    }
}

fn addresses_of(lookup: &Lookup) -> Vec<IpAddr> {
    lookup.answers().iter().filter_map(|record| record.data.ip_addr()).collect()
}

/// Addresses that came along with SRV records: only those of the very targets, and only where the
/// target lies in the zone that was asked, since nobody else may speak for it.
fn glue(lookup: &Lookup, targets: &[Srv]) -> Vec<(String, IpAddr)> {
    let owner = plain(lookup.query().name());
    let zone = owner.split('.').skip_while(|label| label.starts_with('_')).collect::<Vec<_>>().join(".");
    let fits = |name: &str| {
        targets.iter().any(|srv| srv.target == name) && homing_core::identity::lies_within(name, &zone)
    };
    let read = |record: &Record| Some((plain(&record.name), record.data.ip_addr()?));
    lookup.additionals().iter().filter_map(read).filter(|(name, _)| fits(name)).take(64).collect()
}

fn answer(records: DnsRecords, glue: Vec<(String, IpAddr)>, lookup: &Lookup) -> DnsAnswer {
    let ttl = lookup.valid_until().saturating_duration_since(Instant::now());
    DnsAnswer { records, glue, ttl, round_trips: 1 }
}

fn failure(error: &NetError) -> Failure {
    let (why, ttl) = match error {
        NetError::Dns(WireError::NoRecordsFound(none)) => {
            (DnsError::NoRecord, none.negative_ttl.unwrap_or(30))
        }
        NetError::Timeout => (DnsError::Timeout, 0),
        NetError::NoConnections => (DnsError::NoNetwork, 0),
        NetError::Io(error) => match error.kind() {
            std::io::ErrorKind::TimedOut => (DnsError::Timeout, 0),
            std::io::ErrorKind::NetworkUnreachable
            | std::io::ErrorKind::HostUnreachable
            | std::io::ErrorKind::NetworkDown => (DnsError::NoNetwork, 0),
            _ => (DnsError::ServerFailure, 0),
        },
        _ => (DnsError::ServerFailure, 0),
    };
    Failure { why, ttl: Duration::from_secs(u64::from(ttl)) }
}

/// A name as core writes it: lower case, A-labels, no dot at the end; the root stays a dot.
fn plain(name: &Name) -> String {
    let text = name.to_lowercase().to_ascii();
    let bare = text.trim_end_matches('.');
    if bare.is_empty() { ".".to_owned() } else { bare.to_owned() }
}

/// How long the second family is waited for (RFC 8305 section 3).
const RESOLUTION_DELAY: Duration = Duration::from_millis(50);
