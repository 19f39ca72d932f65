//! Questions on the wire: hickory-resolver, with its errors and records in our own words.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::join;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError as WireError, NetError};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use hickory_resolver::{Resolver, TokioResolver};
use homing_core::dns::{DnsAnswer, DnsError, DnsQuestion, DnsRecords, Naptr, RecordKind, Srv};

use super::cache::{Failure, Fetch, Source};

/// Name servers, asked without a cache of their own: ours stands before them and counts round trips.
pub(super) struct NameServers {
    only: Option<SocketAddr>,
    resolver: Mutex<Option<TokioResolver>>,
}

impl NameServers {
    /// Those this machine is configured with.
    pub(super) fn system() -> Self {
        Self { only: None, resolver: Mutex::default() }
    }

    pub(super) fn only(address: SocketAddr) -> Self {
        Self { only: Some(address), resolver: Mutex::default() }
    }

    fn resolver(&self) -> Result<TokioResolver, Failure> {
        let mut kept = self.lock();
        if kept.is_none() {
            *kept = match self.only {
                None => TokioResolver::builder_tokio().ok().and_then(|own| build(own, ResolveHosts::Auto)),
                Some(address) => build(
                    Resolver::builder_with_config(config(address), TokioRuntimeProvider::default()),
                    ResolveHosts::Never,
                ),
            };
        }
        kept.clone().ok_or(Failure { why: DnsError::NoNetwork, ttl: Duration::ZERO })
    }

    fn lock(&self) -> MutexGuard<'_, Option<TokioResolver>> {
        self.resolver.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks; if nobody answers, the next question is put to whomever this machine is configured with by
    /// then, since a machine that moved has other name servers.
    async fn ask(&self, question: DnsQuestion) -> Result<DnsAnswer, Failure> {
        let answer = self.ask_those_known(question).await;
        if matches!(answer, Err(Failure { why: DnsError::Timeout | DnsError::NoNetwork, .. })) {
            *self.lock() = None;
        }
        answer
    }

    async fn ask_those_known(&self, question: DnsQuestion) -> Result<DnsAnswer, Failure> {
        let resolver = &self.resolver()?;
        // A name that cannot stand in a question has no records.
        let name = Name::from_utf8(format!("{}.", question.name.trim_end_matches('.')))
            .map_err(|_| Failure { why: DnsError::NoRecord, ttl: Duration::from_secs(60) })?;
        match question.kind {
            RecordKind::Naptr => one(resolver, name, RecordType::NAPTR).await.map(naptr),
            RecordKind::Srv => one(resolver, name, RecordType::SRV).await.map(srv),
            RecordKind::Address => {
                // Both families at once: one round trip. Either may be missing.
                let four = one(resolver, name.clone(), RecordType::A);
                let six = one(resolver, name, RecordType::AAAA);
                let (four, six) = join(four, six).await;
                addresses(four, six)
            }
            _ => Err(Failure { why: DnsError::NoRecord, ttl: Duration::from_secs(60) }),
        }
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

fn build(
    mut builder: hickory_resolver::ResolverBuilder<TokioRuntimeProvider>,
    hosts: ResolveHosts,
) -> Option<TokioResolver> {
    let options: &mut ResolverOpts = builder.options_mut();
    options.cache_size = 0;
    // Three times in less than five seconds.
    options.timeout = Duration::from_millis(1_500);
    options.attempts = 2;
    options.use_hosts_file = hosts;
    builder.build().ok()
}

async fn one(resolver: &TokioResolver, name: Name, kind: RecordType) -> Result<Lookup, Failure> {
    resolver.lookup(name, kind).await.map_err(|error| failure(&error))
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

fn addresses(four: Result<Lookup, Failure>, six: Result<Lookup, Failure>) -> Result<DnsAnswer, Failure> {
    let of = |lookup: &Lookup| -> Vec<IpAddr> {
        lookup.answers().iter().filter_map(|record| record.data.ip_addr()).collect()
    };
    match (four, six) {
        (Ok(four), Ok(six)) => {
            let mut found = of(&six);
            found.extend(of(&four));
            let shorter = if four.valid_until() < six.valid_until() { &four } else { &six };
            Ok(answer(DnsRecords::Addresses(found), Vec::new(), shorter))
        }
        (Ok(lookup), Err(_)) | (Err(_), Ok(lookup)) => {
            Ok(answer(DnsRecords::Addresses(of(&lookup)), Vec::new(), &lookup))
        }
        // What one of them knows for certain counts only if the other does not contradict.
        (Err(one), Err(other)) => Err(if one.why == DnsError::NoRecord { other } else { one }),
    }
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

/// A name as core writes it: lower case, no dot at the end; the root stays a dot.
fn plain(name: &Name) -> String {
    let text = name.to_lowercase().to_utf8();
    let bare = text.trim_end_matches('.');
    if bare.is_empty() { ".".to_owned() } else { bare.to_owned() }
}
