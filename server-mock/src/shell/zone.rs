//! The records of an estate's domain: NAPTR and SRV lead to its entry points, A and AAAA to its hosts.

use std::collections::BTreeMap;
use std::net::IpAddr;

use hickory_proto::ProtoError;
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::rdata::{A, AAAA, NAPTR, SOA, SRV};
use hickory_proto::rr::{LowerName, Name, RData, Record, RecordType};
use homing_core::transport::Transport;

use super::dns_fault::DnsFault;

/// One authoritative zone.
pub struct Zone {
    /// What the name server does with questions.
    pub fault: DnsFault,
    /// Whether addresses of SRV targets come along in the additional section.
    pub glue: bool,
    origin: LowerName,
    soa: Record,
    records: BTreeMap<(Name, RecordType), Vec<Record>>,
}

/// The sections of an answer.
#[derive(Default)]
pub(super) struct Found {
    pub(super) answers: Vec<Record>,
    pub(super) authority: Vec<Record>,
    pub(super) glue: Vec<Record>,
}

/// One server a domain's clients may be led to.
#[derive(Clone, Debug)]
pub struct Service {
    /// Host, fully qualified.
    pub fqdn: String,
    /// Decides the SRV and NAPTR names.
    pub transport: Transport,
    /// As it stands in the SRV record.
    pub port: u16,
    /// SRV priority; lower comes first.
    pub priority: u16,
    /// SRV weight.
    pub weight: u16,
}

impl Zone {
    /// An empty zone for `domain`.
    ///
    /// # Errors
    /// The library's, if `domain` is no DNS name.
    pub fn new(domain: &str) -> Result<Self, ProtoError> {
        let origin = absolute(domain)?;
        let server = absolute(&format!("ns.{domain}"))?;
        let contact = absolute(&format!("hostmaster.{domain}"))?;
        let soa = SOA::new(server, contact, 1, 60, 60, 60, TTL);
        let soa = Record::from_rdata(origin.clone(), TTL, RData::SOA(soa));
        Ok(Self {
            fault: DnsFault::None,
            glue: true,
            origin: LowerName::from(origin),
            soa,
            records: BTreeMap::new(),
        })
    }

    /// Adds an address of `host`.
    ///
    /// # Errors
    /// The library's, if `host` is no DNS name.
    pub fn add_address(&mut self, host: &str, address: IpAddr) -> Result<(), ProtoError> {
        let data = match address {
            IpAddr::V4(v4) => RData::A(A(v4)),
            IpAddr::V6(v6) => RData::AAAA(AAAA(v6)),
        };
        self.add(absolute(host)?, data);
        Ok(())
    }

    /// Makes `domain` lead to `service`: the SRV names of Microsoft clients and of RFC 3263, and the
    /// NAPTR record that points to the latter.
    ///
    /// # Errors
    /// The library's, if a name is no DNS name.
    pub fn add_service(&mut self, domain: &str, service: &Service) -> Result<(), ProtoError> {
        let target = absolute(&service.fqdn)?;
        let srv = SRV::new(service.priority, service.weight, service.port, target);
        let transport = service.transport;
        for prefix in transport.srv_prefixes() {
            self.add(absolute(&format!("{prefix}.{domain}"))?, RData::SRV(srv.clone()));
        }
        let Some(prefix) = transport.srv_prefixes().first() else { return Ok(()) };
        let replacement = absolute(&format!("{prefix}.{domain}"))?;
        let text = |text: &str| text.as_bytes().into();
        let naptr = NAPTR::new(
            naptr_order(transport),
            50,
            text("s"),
            text(transport.naptr_service()),
            text(""),
            replacement,
        );
        self.add(absolute(domain)?, RData::NAPTR(naptr));
        Ok(())
    }

    /// Takes every record of `name` out of the zone.
    ///
    /// # Errors
    /// The library's, if `name` is no DNS name.
    pub fn remove(&mut self, name: &str) -> Result<(), ProtoError> {
        let name = absolute(name)?;
        self.records.retain(|(held, _), _| *held != name);
        Ok(())
    }

    fn add(&mut self, name: Name, data: RData) {
        let records = self.records.entry((name.clone(), data.record_type())).or_default();
        let record = Record::from_rdata(name, TTL, data);
        if !records.contains(&record) {
            records.push(record);
        }
    }

    /// The answer to one question.
    pub(super) fn find(&self, name: &LowerName, kind: RecordType) -> (ResponseCode, Found) {
        if !self.origin.zone_of(name) {
            return (ResponseCode::Refused, Found::default());
        }
        if *name == self.origin && kind == RecordType::SOA {
            return (ResponseCode::NoError, Found { answers: vec![self.soa.clone()], ..Found::default() });
        }
        let name = Name::from(name);
        if let Some(answers) = self.records.get(&(name.clone(), kind)) {
            let glue = if self.glue { self.addresses_of_targets(answers) } else { Vec::new() };
            return (ResponseCode::NoError, Found { answers: answers.clone(), authority: Vec::new(), glue });
        }
        let exists = self.records.keys().any(|(held, _)| name.zone_of(held));
        (if exists { ResponseCode::NoError } else { ResponseCode::NXDomain }, self.nothing())
    }

    /// An answer without records, with the mark that says for how long.
    pub(super) fn nothing(&self) -> Found {
        Found { authority: vec![self.soa.clone()], ..Found::default() }
    }

    fn addresses_of_targets(&self, answers: &[Record]) -> Vec<Record> {
        let mut glue: Vec<Record> = Vec::new();
        for record in answers {
            let RData::SRV(srv) = &record.data else { continue };
            for kind in [RecordType::A, RecordType::AAAA] {
                let found = self.records.get(&(srv.target.clone(), kind)).into_iter().flatten();
                for address in found {
                    if !glue.contains(address) {
                        glue.push(address.clone());
                    }
                }
            }
        }
        glue
    }
}

/// Transports in the order of preference, ten apart.
fn naptr_order(transport: Transport) -> u16 {
    let rank = Transport::ALL.iter().position(|other| *other == transport).unwrap_or(Transport::ALL.len());
    u16::try_from(rank).map_or(u16::MAX, |rank| (rank + 1) * 10)
}

fn absolute(name: &str) -> Result<Name, ProtoError> {
    let mut name = Name::from_ascii(name)?.to_lowercase();
    name.set_fqdn(true);
    Ok(name)
}

/// Short, so that a moved server is found soon.
const TTL: u32 = 30;
