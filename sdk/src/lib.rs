//! A SIP user agent that finds its home server: sign in, stay signed in.
#![doc = include_str!("../README.md")]

mod account;
mod clock;
mod command;
mod credentials;
mod driver;
pub mod error;
pub mod event;
mod locate;
pub mod offline;
mod probe;
mod redirect;
mod resolver;
mod state_watch;
mod trace;
mod user_agent;

pub use account::{Account, Registration};
pub use command::ShutdownReport;
pub use credentials::{CredentialsProvider, CredentialsRequest, StaticCredentials};
pub use error::{Error, StartError};
pub use event::{AccountEvents, EventKind, Events, Lagged};
pub use homing_core::answer::Answered;
pub use homing_core::config::{
    AccountConfig, AgentConfig, Aor, AuthRules, ConfigError, Consent, ExtendedProtection, IpNetwork,
    LoopRule, RedirectRules, Remembered, RememberedLogin, Scheme, ServerChoice, SignaturePlaces,
    TargetNameRule, UnsignedRule,
};
pub use homing_core::connect::ConnectError;
pub use homing_core::counter::{Counter, Counters};
pub use homing_core::dns::{DnsAnswer, DnsError, DnsQuestion, DnsRecords, Naptr, RecordKind, Srv};
pub use homing_core::error::{
    AuthError, Deregistration, Family, LoginError, Misuse, RedirectError, SignatureFault, TokenFault,
};
pub use homing_core::event::{AccountEvent, Event, LogoutReason, MoveCause, Registered};
pub use homing_core::ids::{AccountId, FlowId};
pub use homing_core::journey::{FoundBy, Hop, HopVerdict, Journey, LoginFailure, RoundTrips};
pub use homing_core::locate::{
    Candidate, Explanation, NameOutcome, NameReport, NaptrPick, NoCandidate, Pick, Request, Skip, Target,
    Wanted,
};
pub use homing_core::outbox::{Credentials, Decision, RedirectAttempt};
pub use homing_core::secret::Password;
pub use homing_core::server::ServerName;
pub use homing_core::state::{AccountState, StateWords};
pub use homing_core::time::Wall;
pub use homing_core::transport::Transport;
pub use homing_net::{NetCounters, PemError, Roots, TlsClient};
pub use homing_wire::Redacted;
pub use locate::{Located, locate};
pub use probe::{Probe, Probed};
pub use redirect::RedirectPolicy;
pub use resolver::{Resolve, Resolver, Table};
pub use trace::{Direction, Trace, TraceEntry, TraceKind};
pub use user_agent::{UserAgent, UserAgentBuilder};
