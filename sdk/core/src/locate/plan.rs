//! The plan of one search: questions out, answers in, targets out in order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};

use smallvec::SmallVec;

use super::address::{can_be_server, host_name, interleave};
use super::answers::Answers;
use super::explain::{Candidate, Explanation};
use super::lead::{HostLead, Lead, SrvLead, stages};
use super::naptr::{self, Leads};
use super::request::Request;
use super::server_health::{Condition, ServerHealth};
use super::server_order::ServerOrder;
use super::srv;
use super::target::{NaptrPick, NoCandidate, Pick, Step, Target};
use crate::dns::{DnsAnswer, DnsError, DnsQuestion, DnsRecords, Naptr, ResolveError, Skip, Srv};
use crate::identity::lies_within;
use crate::server::ServerName;
use crate::time::Now;
use crate::transport::Transport;

/// One search for a server.
///
/// Ask what [`questions`](Self::questions) names, hand the answers to
/// [`handle_answer`](Self::handle_answer), take [`next_target`](Self::next_target) whenever the one
/// before failed; repeat until it is exhausted.
///
/// ```
/// use homing_core::ids::Seed;
/// use homing_core::locate::{Plan, Request, ServerOrder, Step, Wanted};
/// use homing_core::transport::Transport;
///
/// let wanted =
///     Wanted::Host { host: "192.0.2.7".into(), port: Some(5061), transport: None, secure: true };
/// let order = ServerOrder::new(Seed::from_number(1));
/// let mut plan = Plan::new(Request::new(wanted, &[Transport::Tls]), order);
/// assert!(plan.questions().is_empty());
/// let Step::Target(target) = plan.next_target() else { panic!("an address needs no DNS") };
/// assert_eq!(target.addr.to_string(), "192.0.2.7:5061");
/// assert_eq!(target.why.to_string(), "address as written");
/// ```
pub struct Plan {
    request: Request,
    order: ServerOrder,
    answers: Answers,
    queue: VecDeque<Queued>,
    groups: u32,
    conditions: BTreeMap<(SocketAddr, Transport), Condition>,
    ready: VecDeque<Target>,
    /// Servers that failed lately: after the others of their rank.
    set_back: VecDeque<Target>,
    /// Servers that sent a Retry-After: after all others.
    last_resort: VecDeque<Target>,
    seen: BTreeSet<(ServerName, SocketAddr, Transport)>,
    considered: Vec<Candidate>,
    found: Found,
    /// Hosts of which one family of addresses came without the other: asked again once, after everything else.
    halves: Vec<HostLead>,
}

/// A lead and with which others its question is asked.
struct Queued {
    stage: usize,
    group: u32,
    lead: Lead,
}

/// What the search has come upon so far.
#[derive(Clone, Debug, Default)]
struct Found {
    /// Usable SRV records.
    published: usize,
    /// TLS servers, published or handed out.
    secure: usize,
    handed_out: usize,
    forbidden: usize,
    /// Transports that the domain says it does not offer, by an SRV target of `.`.
    not_offered: SmallVec<[Transport; 3]>,
    /// The stage whose leads are being followed.
    stage: usize,
}

impl Plan {
    /// A plan for `request`; servers of one priority stand as `order` draws them.
    pub fn new(request: Request, order: ServerOrder) -> Self {
        let mut queue = VecDeque::new();
        let stages = stages(&request);
        let groups = u32::try_from(stages.len()).unwrap_or(u32::MAX);
        for ((stage, leads), group) in stages.into_iter().enumerate().zip(0..) {
            queue.extend(leads.into_iter().map(|lead| Queued { stage, group, lead }));
        }
        Self {
            order,
            request,
            answers: Answers::default(),
            queue,
            groups,
            conditions: BTreeMap::new(),
            ready: VecDeque::new(),
            set_back: VecDeque::new(),
            last_resort: VecDeque::new(),
            seen: BTreeSet::new(),
            considered: Vec::new(),
            found: Found::default(),
            halves: Vec::new(),
        }
    }

    /// Takes into account which servers failed lately.
    #[must_use]
    pub fn avoiding(mut self, server_health: &ServerHealth, now: Now) -> Self {
        self.conditions = server_health.conditions(now);
        self
    }

    /// The questions to ask now, together; each is named once.
    pub fn questions(&mut self) -> Vec<DnsQuestion> {
        self.follow();
        let front = self.queue.front().filter(|front| front.stage == self.found.stage);
        let Some(group) = front.map(|front| front.group).filter(|_| self.ready.is_empty()) else {
            return Vec::new();
        };
        let together = self.queue.iter().filter(|queued| queued.group == group);
        let useful = together.filter(|queued| self.objection(&queued.lead).is_none());
        let wanted = useful.filter_map(|queued| queued.lead.question()).collect();
        self.answers.ask(wanted)
    }

    /// Takes an answer. One that was not asked for, or holds records of another kind, does no harm.
    pub fn handle_answer(&mut self, question: &DnsQuestion, answer: Result<DnsAnswer, DnsError>) {
        self.answers.take(question, answer);
    }

    /// The next place to dial.
    pub fn next_target(&mut self) -> Step {
        self.follow();
        if self.found.handed_out >= self.request.targets {
            return Step::NoCandidate(NoCandidate::AllTried);
        }
        let next = match self.queue.front() {
            _ if !self.ready.is_empty() => self.ready.pop_front(),
            _ if self.is_rank_over() => self.set_back.pop_front(),
            Some(_) => None,
            None => self.last_resort.pop_front(),
        };
        match next {
            Some(target) => self.hand_out(target),
            None if self.queue.is_empty() && self.last_resort.is_empty() => {
                if self.ask_for_halves() {
                    Step::Waiting
                } else {
                    Step::NoCandidate(self.why_exhausted())
                }
            }
            None => Step::Waiting,
        }
    }

    /// What was asked, found, picked and passed over so far.
    pub fn explain(&self) -> Explanation {
        Explanation {
            names: self.answers.report(),
            considered: self.considered.clone(),
            round_trips: self.answers.round_trips(),
        }
    }

    /// DNS round trips so far; questions asked together count once.
    pub fn round_trips(&self) -> u8 {
        self.answers.round_trips()
    }

    /// Follows leads until one waits for an answer or a target is ready.
    fn follow(&mut self) {
        while self.ready.is_empty()
            && let Some(front) = self.queue.front()
        {
            // What failed lately is tried before anything of a lower rank.
            if self.is_rank_over() {
                return;
            }
            self.found.stage = front.stage;
            if let Some(why) = self.objection(&front.lead) {
                let what = front.lead.to_string();
                self.queue.pop_front();
                self.skip(what, why);
                continue;
            }
            let answer = match front.lead.question() {
                None => None,
                Some(question) => match self.answers.of(&question) {
                    Some(answer) => Some(answer.clone()),
                    None => return,
                },
            };
            let Some(queued) = self.queue.pop_front() else { return };
            self.expand(queued, answer);
        }
    }

    /// True if servers that failed lately wait, and no other of their rank is left.
    fn is_rank_over(&self) -> bool {
        let Some(waiting) = self.set_back.front() else { return false };
        match self.queue.front().map(|front| &front.lead) {
            Some(Lead::Host(next)) => !next.why.is_of_one_rank_with(&waiting.why),
            Some(Lead::Naptr(_) | Lead::Srv(_)) | None => true,
        }
    }

    /// Why a lead is not followed at all.
    fn objection(&self, lead: &Lead) -> Option<Skip> {
        if lead.is_guess() && self.found.published > 0 {
            return Some(Skip::Published);
        }
        if lead.is_guess() && lead.transport().is_some_and(|one| self.found.not_offered.contains(&one)) {
            return Some(Skip::NotOffered);
        }
        let clear = lead.transport().is_some_and(|transport| !transport.is_secure());
        (clear && self.found.secure > 0).then_some(Skip::SecurityWouldFall)
    }

    fn expand(&mut self, queued: Queued, answer: Option<Result<DnsAnswer, DnsError>>) {
        let Queued { stage, lead, .. } = queued;
        let what = lead.to_string();
        match (lead, answer) {
            (Lead::Host(host), None) => {
                let glue = host.glue.clone();
                self.place(host, &glue);
            }
            (Lead::Host(host), Some(Ok(DnsAnswer { records: DnsRecords::Addresses(all), ttl, .. }))) => {
                if ttl.is_zero() && !host.again {
                    self.halves.push(HostLead { again: true, ..host.clone() });
                }
                let host = HostLead { ttl: host.ttl.min(ttl), ..host };
                self.place(host, &all);
            }
            (Lead::Srv(lead), Some(Ok(DnsAnswer { records: DnsRecords::Srv(records), ttl, glue, .. }))) => {
                let lead = SrvLead { ttl: lead.ttl.min(ttl), ..lead };
                self.spread_srv(&lead, records, &glue, stage);
            }
            (Lead::Naptr(_), Some(Ok(DnsAnswer { records: DnsRecords::Naptr(records), ttl, .. }))) => {
                self.spread_naptr(records, ttl, stage);
            }
            (Lead::Host(_), Some(Err(why))) => self.skip(what, Skip::NoAddress(why)),
            // A name without records is reported with the names; there is nothing to pass over.
            (Lead::Naptr(_) | Lead::Srv(_), _) | (Lead::Host(_), Some(Ok(_))) => {}
        }
    }

    fn spread_naptr(&mut self, records: Vec<Naptr>, ttl: std::time::Duration, stage: usize) {
        let transports = self.request.transports();
        let mut leads = Vec::new();
        for record in naptr::order(records, &transports) {
            let what =
                format!("NAPTR {} {}", record.service.escape_debug(), record.replacement.escape_debug());
            let pick = NaptrPick {
                order: record.order,
                preference: record.preference,
                service: record.service.to_ascii_uppercase(),
            };
            match (naptr::transport(&record), naptr::leads(&record), host_name(&record.replacement)) {
                (None, ..) | (_, Leads::Nowhere, _) => self.skip(what, Skip::OtherService),
                (Some(transport), ..) if !transports.contains(&transport) => {
                    self.found.forbidden += 1;
                    self.skip(what, Skip::TransportNotAllowed);
                }
                (.., None) => self.skip(what, Skip::Unusable),
                (Some(transport), Leads::ToSrv, Some(name)) => {
                    leads.push(Lead::Srv(SrvLead { name, transport, naptr: Some(pick), ttl }));
                }
                (Some(transport), Leads::ToAddress, Some(host)) if self.request.strays(&host, transport) => {
                    self.skip(what, Skip::OtherDomain);
                }
                (Some(transport), Leads::ToAddress, Some(host)) => {
                    let why = Pick::Host { host: host.clone(), naptr: pick };
                    let port = transport.default_port();
                    let lead = HostLead { host, port, transport, why, ttl, glue: Vec::new(), again: false };
                    leads.push(Lead::Host(lead));
                }
            }
        }
        leads.truncate(NAPTR_LEADS);
        self.lead_on(leads, stage);
    }

    fn spread_srv(&mut self, lead: &SrvLead, records: Vec<Srv>, glue: &[(String, IpAddr)], stage: usize) {
        let zone = zone_of(&lead.name);
        let mut leads = Vec::new();
        for record in srv::order(records, self.order.rng()) {
            let what = format!("{} {}", lead.name, record.target.escape_debug());
            let host = match host_name(&record.target) {
                _ if matches!(record.target.as_str(), "." | "") => {
                    self.found.not_offered.push(lead.transport);
                    self.skip(what, Skip::NotOffered);
                    continue;
                }
                _ if self.found.published + leads.len() >= self.request.targets => {
                    self.skip(what, Skip::TooMany);
                    break;
                }
                Some(host) if self.request.strays(&host, lead.transport) => {
                    self.skip(what, Skip::OtherDomain);
                    continue;
                }
                Some(host) if record.port != 0 => host,
                _ => {
                    self.skip(what, Skip::Unusable);
                    continue;
                }
            };
            let belongs = |name: &str| name.trim_end_matches('.').eq_ignore_ascii_case(&host);
            let in_zone = lies_within(&host, zone);
            let glue = glue.iter().filter(|(name, _)| in_zone && belongs(name)).map(|(_, ip)| *ip).collect();
            let why = Pick::Srv {
                name: lead.name.clone(),
                priority: record.priority,
                weight: record.weight,
                naptr: lead.naptr.clone(),
            };
            let (transport, ttl) = (lead.transport, lead.ttl);
            let port = record.port;
            leads.push(Lead::Host(HostLead { host, port, transport, why, ttl, glue, again: false }));
        }
        self.found.published += leads.len();
        if lead.transport.is_secure() {
            self.found.secure += leads.len();
        }
        self.lead_on(leads, stage);
    }

    /// Follows these leads next, asking for all of them together.
    fn lead_on(&mut self, leads: Vec<Lead>, stage: usize) {
        let group = self.groups;
        self.groups = self.groups.saturating_add(1);
        for lead in leads.into_iter().rev() {
            self.queue.push_front(Queued { stage, group, lead });
        }
    }

    /// Asks again for addresses of which only one family had come; false if there are none.
    fn ask_for_halves(&mut self) -> bool {
        let halves = std::mem::take(&mut self.halves);
        for half in &halves {
            self.answers.forget(&half.question());
        }
        let leads: Vec<Lead> = halves.into_iter().map(Lead::Host).collect();
        let some = !leads.is_empty();
        self.lead_on(leads, self.found.stage);
        some
    }

    /// Makes targets of a host's addresses.
    fn place(&mut self, host: HostLead, addresses: &[IpAddr]) {
        let name = ServerName::new(&host.host, host.port);
        for ip in interleave(addresses) {
            let addr = SocketAddr::new(ip, host.port);
            let what = format!("{} at {ip}", name);
            let condition = self.conditions.get(&(addr, host.transport)).copied();
            if !can_be_server(ip) {
                self.skip(what, Skip::BadAddress);
            } else if !self.seen.insert((name.clone(), addr, host.transport)) {
                self.skip(what, Skip::Duplicate);
            } else if self.seen.len() > self.request.targets {
                self.skip(what, Skip::TooMany);
            } else {
                let target = Target {
                    expected: self.request.expected(&host.host),
                    name: name.clone(),
                    addr,
                    transport: host.transport,
                    why: host.why.clone(),
                    ttl: host.ttl,
                    round_trips: self.answers.round_trips(),
                };
                match condition {
                    None => self.ready.push_back(target),
                    Some(Condition::Failed) => self.set_back.push_back(target),
                    Some(Condition::Busy) => self.last_resort.push_back(target),
                }
            }
        }
    }

    fn hand_out(&mut self, target: Target) -> Step {
        if !target.transport.is_secure() && self.found.secure > 0 {
            let what = target.name.to_string();
            self.skip(what, Skip::SecurityWouldFall);
            return self.next_target();
        }
        self.found.secure += usize::from(target.transport.is_secure());
        self.found.handed_out += 1;
        self.considered.push(Candidate::Picked(Box::new(target.clone())));
        Step::Target(Box::new(target))
    }

    fn skip(&mut self, what: String, why: Skip) {
        self.considered.push(Candidate::Skipped { what, why });
    }

    fn why_exhausted(&self) -> NoCandidate {
        let Found { handed_out, forbidden, .. } = self.found;
        if handed_out > 0 {
            return NoCandidate::AllTried;
        }
        if self.request.transports().is_empty() || forbidden > 0 {
            return NoCandidate::NoServer(ResolveError::NotAllowed);
        }
        // A name server that does not answer says more than what the others leave out.
        let why = match self.answers.gravest() {
            DnsError::NoRecord => self.passed_over().unwrap_or(ResolveError::Dns(DnsError::NoRecord)),
            grave => ResolveError::Dns(grave),
        };
        NoCandidate::NoServer(why)
    }

    /// The first thing that was found and not used.
    fn passed_over(&self) -> Option<ResolveError> {
        let by_rule = self.considered.iter().find_map(|candidate| match candidate {
            Candidate::Skipped { what, why } if self.is_telling(*why) => {
                Some(ResolveError::PassedOver { what: what.clone(), why: *why })
            }
            _ => None,
        });
        let not_offered = || (!self.found.not_offered.is_empty()).then_some(ResolveError::NotOffered);
        by_rule.or_else(not_offered)
    }

    /// True for a rule that explains why nothing is left: the others follow from something better.
    fn is_telling(&self, why: Skip) -> bool {
        match why {
            Skip::OtherDomain | Skip::Unusable | Skip::BadAddress => true,
            // A guessed name without address is no news; a published one is.
            Skip::NoAddress(_) => self.found.published > 0,
            Skip::NotOffered
            | Skip::OtherService
            | Skip::TransportNotAllowed
            | Skip::SecurityWouldFall
            | Skip::Published
            | Skip::Duplicate
            | Skip::TooMany => false,
        }
    }
}

/// The domain of an SRV name: what follows its underscore labels.
fn zone_of(name: &str) -> &str {
    let mut zone = name;
    while zone.starts_with('_')
        && let Some((_, rest)) = zone.split_once('.')
    {
        zone = rest;
    }
    zone
}

/// NAPTR records followed at most; real domains publish three.
const NAPTR_LEADS: usize = 6;
