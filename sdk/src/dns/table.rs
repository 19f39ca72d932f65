//! A resolver without a network: a table of records, for tests and closed installations.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use futures_util::future::{BoxFuture, ready};
use homing_core::dns::{DnsAnswer, DnsError, DnsQuestion, DnsRecords, RecordKind, Srv};

use super::resolve::Resolve;

/// Records written down. What is not in it does not exist.
///
/// ```
/// use std::sync::Arc;
/// use homing::Resolver;
/// use homing::dns::Table;
/// let table = Table::default()
///     .srv("_sipinternaltls._tcp.network.com", "lb.network.com", 5061)
///     .address("lb.network.com", [127, 0, 0, 1]);
/// let resolver = Resolver::custom(Arc::new(table));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Table(BTreeMap<DnsQuestion, DnsRecords>);

impl Table {
    /// Adds an address of a host.
    pub fn address(mut self, name: &str, address: impl Into<IpAddr>) -> Self {
        let records = self.records(name, RecordKind::Address, || DnsRecords::Addresses(Vec::new()));
        if let DnsRecords::Addresses(addresses) = records {
            addresses.push(address.into());
        }
        self
    }

    /// Adds an SRV record of priority and weight 0.
    pub fn srv(self, name: &str, host: &str, port: u16) -> Self {
        self.srv_record(name, Srv { priority: 0, weight: 0, port, target: host.to_owned() })
    }

    /// Adds an SRV record.
    pub fn srv_record(mut self, name: &str, record: Srv) -> Self {
        let records = self.records(name, RecordKind::Srv, || DnsRecords::Srv(Vec::new()));
        if let DnsRecords::Srv(list) = records {
            list.push(Srv { target: plain(&record.target), ..record });
        }
        self
    }

    fn records(
        &mut self,
        name: &str,
        kind: RecordKind,
        empty: impl FnOnce() -> DnsRecords,
    ) -> &mut DnsRecords {
        self.0.entry(DnsQuestion { name: plain(name), kind }).or_insert_with(empty)
    }
}

impl Resolve for Table {
    fn resolve(&self, question: DnsQuestion) -> BoxFuture<'_, Result<DnsAnswer, DnsError>> {
        let question = DnsQuestion { name: plain(&question.name), ..question };
        let found = self.0.get(&question).cloned().ok_or(DnsError::NoRecord);
        let answer = |records| DnsAnswer { records, glue: Vec::new(), ttl: LIFETIME, round_trips: 0 };
        Box::pin(ready(found.map(answer)))
    }
}

fn plain(name: &str) -> String {
    let bare = name.trim_end_matches('.');
    if bare.is_empty() { ".".to_owned() } else { bare.to_ascii_lowercase() }
}

const LIFETIME: Duration = Duration::from_secs(60);
