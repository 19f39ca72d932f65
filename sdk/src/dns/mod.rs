//! DNS: resolvers, their questions and answers, and the search for a domain's servers.
//!
//! The search asks for the names of Microsoft clients first, then for those of RFC 3263; [`locate`] carries it out
//! without dialling, and says why each server is where it is in the order.

mod cache;
mod locate;
mod name_server;
mod resolve;
mod resolver;
mod table;
#[cfg(test)]
mod tests;

pub use homing_core::dns::{
    DnsAnswer, DnsError, DnsQuestion, DnsRecords, Naptr, RecordKind, ResolveError, Srv,
};
pub use homing_core::locate::{
    Candidate, Explanation, NameOutcome, NameReport, NaptrPick, NoCandidate, Pick, Request, Skip, Target,
    Wanted,
};
pub use locate::{Located, locate};
pub use resolve::Resolve;
pub use resolver::Resolver;
pub use table::Table;

pub(crate) use locate::of_domain;
