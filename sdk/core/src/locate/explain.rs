//! The whole search in words: what was asked, what came, what was picked or passed over, and why.

use std::fmt;
use std::time::Duration;

use super::target::Target;
use crate::dns::{DnsError, DnsQuestion, RecordKind, Skip};

/// The report of a search so far, as `homing resolve` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The names asked for, in order.
    pub names: Vec<NameReport>,
    /// Targets and what was passed over, in order.
    pub considered: Vec<Candidate>,
    /// DNS round trips so far.
    pub round_trips: u8,
}

/// One question and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameReport {
    /// The name and the kind of record asked for.
    pub question: DnsQuestion,
    /// What became of it.
    pub outcome: NameOutcome,
}

/// What became of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameOutcome {
    /// No answer yet.
    Waiting,
    /// Records came.
    Found {
        /// How many.
        records: usize,
        /// How long they hold.
        ttl: Duration,
    },
    /// No record came.
    Nothing(DnsError),
}

/// One decision of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Candidate {
    /// Handed out.
    Picked(Box<Target>),
    /// Passed over.
    Skipped {
        /// The name, record or address.
        what: String,
        /// The rule that excludes it, or the DNS error that leaves it without address.
        why: Skip,
    },
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for name in &self.names {
            writeln!(f, "{name}")?;
        }
        for considered in &self.considered {
            writeln!(f, "{considered}")?;
        }
        write!(f, "{} DNS round trips", self.round_trips)
    }
}

impl fmt::Display for NameReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.question.kind {
            RecordKind::Naptr => "NAPTR",
            RecordKind::Srv => "SRV",
            RecordKind::Address => "A/AAAA",
        };
        write!(f, "{kind} {}: ", self.question.name)?;
        match self.outcome {
            NameOutcome::Waiting => f.write_str("no answer yet"),
            NameOutcome::Found { records, ttl } => write!(f, "{records}, for {} s", ttl.as_secs()),
            NameOutcome::Nothing(why) => write!(f, "{why}"),
        }
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Candidate::Picked(target) => write!(
                f,
                "{} {} at {} ({}; for {} s)",
                target.transport,
                target.name,
                target.addr.ip(),
                target.why,
                target.ttl.as_secs()
            ),
            Candidate::Skipped { what, why } => write!(f, "not {what}: {why}"),
        }
    }
}
