//! The zone: DNS as a table that can change, fail or fall silent.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use homing_core::dns::{DnsAnswer, DnsError, DnsQuestion, DnsRecords, Naptr, RecordKind, Srv};

/// Records of the simulated domain.
#[derive(Clone, Debug)]
pub struct Zone {
    records: BTreeMap<DnsQuestion, DnsRecords>,
    /// How it behaves.
    pub mood: Mood,
    /// Time to live of every record.
    pub ttl: Duration,
    /// Whether SRV answers bring the addresses of their targets along.
    pub glue: bool,
}

/// How the name server behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// It answers.
    Answers,
    /// It answers SERVFAIL.
    Fails,
    /// It does not answer.
    Silent,
}

impl Default for Zone {
    fn default() -> Self {
        Self { records: BTreeMap::new(), mood: Mood::Answers, ttl: Duration::from_secs(60), glue: false }
    }
}

impl Zone {
    /// Sets the SRV records of `name`.
    pub fn set_srv(&mut self, name: &str, targets: &[(&str, u16, u16, u16)]) {
        let records = targets.iter().map(|(host, port, priority, weight)| Srv {
            priority: *priority,
            weight: *weight,
            port: *port,
            target: (*host).to_owned(),
        });
        self.records.insert(question(name, RecordKind::Srv), DnsRecords::Srv(records.collect()));
    }

    /// Sets the NAPTR records of `name`: (order, service, replacement).
    pub fn set_naptr(&mut self, name: &str, services: &[(u16, &str, &str)]) {
        let records = services.iter().map(|(order, service, replacement)| Naptr {
            order: *order,
            preference: 10,
            flags: "s".to_owned(),
            service: (*service).to_owned(),
            replacement: (*replacement).to_owned(),
        });
        self.records.insert(question(name, RecordKind::Naptr), DnsRecords::Naptr(records.collect()));
    }

    /// Sets the addresses of `name`.
    pub fn set_address(&mut self, name: &str, addresses: &[IpAddr]) {
        self.records.insert(question(name, RecordKind::Address), DnsRecords::Addresses(addresses.to_vec()));
    }

    /// Removes every record of `name`.
    pub fn remove(&mut self, name: &str) {
        self.records.retain(|question, _| question.name != name);
    }

    /// The first address of `name`.
    pub fn address(&self, name: &str) -> Option<IpAddr> {
        match self.records.get(&question(name, RecordKind::Address))? {
            DnsRecords::Addresses(list) => list.first().copied(),
            _ => None,
        }
    }

    /// The answer to `question`, or `None` if there is none at all.
    pub fn answer(&self, question: &DnsQuestion) -> Option<Result<DnsAnswer, DnsError>> {
        match self.mood {
            Mood::Silent => None,
            Mood::Fails => Some(Err(DnsError::ServerFailure)),
            Mood::Answers => Some(self.look_up(question)),
        }
    }

    fn look_up(&self, question: &DnsQuestion) -> Result<DnsAnswer, DnsError> {
        let records = self.records.get(question).cloned().ok_or(DnsError::NoRecord)?;
        let glue = match &records {
            DnsRecords::Srv(list) if self.glue => {
                list.iter().filter_map(|srv| Some((srv.target.clone(), self.address(&srv.target)?))).collect()
            }
            _ => Vec::new(),
        };
        Ok(DnsAnswer { records, glue, ttl: self.ttl, round_trips: 1 })
    }
}

fn question(name: &str, kind: RecordKind) -> DnsQuestion {
    DnsQuestion { name: name.trim_end_matches('.').to_ascii_lowercase(), kind }
}
