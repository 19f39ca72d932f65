//! Searches against a table of records instead of DNS.

mod any;
mod microsoft;
mod security;
mod srv_order;
mod standard;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use super::{NoCandidate, Plan, Request, ServerOrder, Skip, Step, Target, Wanted};
use crate::dns::{DnsAnswer, DnsError, DnsQuestion, DnsRecords, Naptr, RecordKind, ResolveError, Srv};
use crate::ids::{Rng, Seed};
use crate::transport::Transport;

/// A table of records.
#[derive(Clone, Default)]
struct Zone(BTreeMap<DnsQuestion, Result<DnsAnswer, DnsError>>);

impl Zone {
    fn put(mut self, name: &str, kind: RecordKind, records: DnsRecords, ttl: u64) -> Self {
        let (ttl, round_trips) = (Duration::from_secs(ttl), 1);
        let answer = DnsAnswer { records, glue: Vec::new(), ttl, round_trips };
        self.0.insert(DnsQuestion { name: name.to_owned(), kind }, Ok(answer));
        self
    }

    fn srv(self, name: &str, records: &[(u16, u16, u16, &str)]) -> Self {
        let record = |(priority, weight, port, target): &(u16, u16, u16, &str)| Srv {
            priority: *priority,
            weight: *weight,
            port: *port,
            target: (*target).to_owned(),
        };
        self.put(name, RecordKind::Srv, DnsRecords::Srv(records.iter().map(record).collect()), 300)
    }

    fn naptr(self, name: &str, records: &[(u16, u16, &str, &str, &str)]) -> Self {
        let record =
            |(order, preference, flags, service, replacement): &(u16, u16, &str, &str, &str)| Naptr {
                order: *order,
                preference: *preference,
                flags: (*flags).to_owned(),
                service: (*service).to_owned(),
                replacement: (*replacement).to_owned(),
            };
        self.put(name, RecordKind::Naptr, DnsRecords::Naptr(records.iter().map(record).collect()), 900)
    }

    fn host(self, name: &str, addresses: &[&str]) -> Self {
        let addresses = addresses.iter().map(|text| text.parse().unwrap()).collect();
        self.put(name, RecordKind::Address, DnsRecords::Addresses(addresses), 60)
    }

    fn glue(mut self, srv_name: &str, host: &str, address: &str) -> Self {
        let question = DnsQuestion { name: srv_name.to_owned(), kind: RecordKind::Srv };
        let address: IpAddr = address.parse().unwrap();
        self.0.get_mut(&question).unwrap().as_mut().unwrap().glue.push((host.to_owned(), address));
        self
    }

    fn error(mut self, name: &str, kind: RecordKind, why: DnsError) -> Self {
        self.0.insert(DnsQuestion { name: name.to_owned(), kind }, Err(why));
        self
    }

    fn answer(&self, question: &DnsQuestion) -> Result<DnsAnswer, DnsError> {
        self.0.get(question).cloned().unwrap_or(Err(DnsError::NoRecord))
    }
}

/// Every target of a search whose dials all fail.
fn search(plan: &mut Plan, zone: &Zone) -> (Vec<Target>, NoCandidate) {
    let mut targets = Vec::new();
    for _ in 0..1_000 {
        for question in plan.questions() {
            plan.handle_answer(&question, zone.answer(&question));
        }
        match plan.next_target() {
            Step::Target(target) => targets.push(*target),
            Step::NoCandidate(why) => return (targets, why),
            Step::Waiting => {}
        }
    }
    panic!("the search never ends: {}", plan.explain());
}

fn plan(wanted: Wanted, transports: &[Transport]) -> Plan {
    Plan::new(Request::new(wanted, transports), ServerOrder::new(Seed::from_number(5)))
}

fn domain(transports: &[Transport]) -> Plan {
    plan(Wanted::Domain("network.com".into()), transports)
}

fn host(name: &str, port: Option<u16>, transport: Option<Transport>) -> Wanted {
    Wanted::Host { host: name.into(), port, transport, secure: false }
}

fn lines(targets: &[Target]) -> Vec<String> {
    targets.iter().map(|t| format!("{} {} {}", t.transport, t.name, t.addr.ip())).collect()
}
