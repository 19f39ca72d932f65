//! A SIP user agent that finds its home server: sign in, stay signed in, call and be called.
#![doc = include_str!("../README.md")]

pub mod account;
pub mod call;
mod clock;
mod command;
mod credentials;
pub mod dns;
mod driver;
pub mod error;
pub mod event;
pub mod offline;
mod probe;
pub mod redirect;
pub mod sound;
mod state_watch;
pub mod tls;
pub mod trace;
mod user_agent;

pub use account::{
    Account, AccountConfig, AccountId, AccountState, Aor, Credentials, CredentialsProvider,
    CredentialsRequest, Password, Registration, ServerChoice, StaticCredentials,
};
pub use call::{Call, CallBuilder, CallEvents, IncomingCall, IncomingCalls, SessionDescriber};
pub use command::ShutdownReport;
pub use dns::Resolver;
pub use error::{Error, StartError};
pub use event::{AccountEvent, AccountEvents, Event, Events, Lagged};
pub use homing_core::config::{AgentConfig, Timers};
pub use homing_core::counter::{Counter, Counters};
pub use homing_core::limits::Limits;
pub use homing_core::server::ServerName;
pub use homing_core::transport::Transport;
pub use homing_net::NetCounters;
pub use probe::{Probe, Probed};
pub use tls::Roots;
pub use trace::Trace;
pub use user_agent::{UserAgent, UserAgentBuilder};
