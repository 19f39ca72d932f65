//! What was asked and what came back, with the price in round trips.

use std::collections::BTreeMap;
use std::time::Duration;

use super::explain::{NameOutcome, NameReport};
use crate::dns::{DnsAnswer, DnsError, DnsQuestion, DnsRecords, RecordKind};

/// The questions of one plan and their answers.
#[derive(Debug, Default)]
pub(super) struct Answers {
    known: BTreeMap<DnsQuestion, Asked>,
    order: Vec<DnsQuestion>,
    /// What each wave of questions cost: the dearest of its answers.
    waves: Vec<u8>,
}

#[derive(Debug)]
struct Asked {
    wave: usize,
    answer: Option<Result<DnsAnswer, DnsError>>,
}

impl Answers {
    /// Asks, as one wave, what was not asked before.
    pub(super) fn ask(&mut self, wanted: Vec<DnsQuestion>) -> Vec<DnsQuestion> {
        let mut fresh: Vec<DnsQuestion> = Vec::new();
        for question in wanted {
            if !self.known.contains_key(&question) && !fresh.contains(&question) {
                fresh.push(question);
            }
        }
        if !fresh.is_empty() {
            for question in &fresh {
                self.known.insert(question.clone(), Asked { wave: self.waves.len(), answer: None });
                self.order.push(question.clone());
            }
            self.waves.push(0);
        }
        fresh
    }

    /// Takes an answer; one to a question that was not asked, or was answered before, changes nothing.
    pub(super) fn take(&mut self, question: &DnsQuestion, answer: Result<DnsAnswer, DnsError>) {
        let Some(asked) = self.known.get_mut(question).filter(|asked| asked.answer.is_none()) else { return };
        if let Ok(answer) = &answer {
            self.waves[asked.wave] = self.waves[asked.wave].max(answer.round_trips);
        } else {
            self.waves[asked.wave] = self.waves[asked.wave].max(1);
        }
        asked.answer = Some(answer.and_then(|answer| checked(question.kind, answer)));
    }

    /// Forgets an answer, so that the question is asked again.
    pub(super) fn forget(&mut self, question: &DnsQuestion) {
        self.known.remove(question);
        self.order.retain(|asked| asked != question);
    }

    /// The answer, if it is there.
    pub(super) fn of(&self, question: &DnsQuestion) -> Option<&Result<DnsAnswer, DnsError>> {
        self.known.get(question).and_then(|asked| asked.answer.as_ref())
    }

    /// Round trips so far.
    pub(super) fn round_trips(&self) -> u8 {
        self.waves.iter().fold(0, |sum, wave| sum.saturating_add(*wave))
    }

    /// The gravest reason for which there is no answer: a dead name server says more than a missing record.
    pub(super) fn gravest(&self) -> DnsError {
        let failed = |error: DnsError| {
            self.known.values().any(|asked| matches!(&asked.answer, Some(Err(why)) if *why == error))
        };
        [DnsError::NoNetwork, DnsError::Timeout, DnsError::ServerFailure]
            .into_iter()
            .find(|error| failed(*error))
            .unwrap_or(DnsError::NoRecord)
    }

    /// Every question in the order asked.
    pub(super) fn report(&self) -> Vec<NameReport> {
        self.order.iter().map(|question| self.report_on(question)).collect()
    }

    fn report_on(&self, question: &DnsQuestion) -> NameReport {
        let outcome = match self.of(question) {
            None => NameOutcome::Waiting,
            Some(Err(why)) => NameOutcome::Nothing(*why),
            Some(Ok(answer)) => NameOutcome::Found { records: count(&answer.records), ttl: answer.ttl },
        };
        NameReport { question: question.clone(), outcome }
    }
}

/// The answer if it holds records of the kind that was asked for.
fn checked(kind: RecordKind, answer: DnsAnswer) -> Result<DnsAnswer, DnsError> {
    let fits = matches!(
        (kind, &answer.records),
        (RecordKind::Naptr, DnsRecords::Naptr(_))
            | (RecordKind::Srv, DnsRecords::Srv(_))
            | (RecordKind::Address, DnsRecords::Addresses(_))
    );
    match (fits, count(&answer.records)) {
        (false, _) => Err(DnsError::ServerFailure),
        (true, 0) => Err(DnsError::NoRecord),
        (true, _) => Ok(DnsAnswer { ttl: answer.ttl.min(WEEK), ..answer }),
    }
}

fn count(records: &DnsRecords) -> usize {
    match records {
        DnsRecords::Naptr(records) => records.len(),
        DnsRecords::Srv(records) => records.len(),
        DnsRecords::Addresses(addresses) => addresses.len(),
    }
}

/// No record is believed for longer (RFC 8767 section 4 suggests the same cap).
const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
