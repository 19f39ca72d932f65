//! A SIP user agent that finds its home server: sign in, stay signed in.

pub use homing_core::config::{
    AccountConfig, AgentConfig, Aor, AuthRules, ConfigError, Consent, ExtendedProtection, IpNetwork,
    LoopRule, RedirectRules, Remembered, RememberedLogin, Scheme, ServerChoice, SignaturePlaces,
    UnsignedRule,
};
pub use homing_core::connect::ConnectError;
pub use homing_core::counter::{Counter, Counters};
pub use homing_core::dns::DnsError;
pub use homing_core::error::{
    AuthError, Deregistration, Family, LoginError, Misuse, RedirectError, SignatureFault, TokenFault,
};
pub use homing_core::event::{AccountEvent, Event, LogoutReason, MoveCause, Registered};
pub use homing_core::ids::AccountId;
pub use homing_core::journey::{Arrival, Hop, HopVerdict, Journey, LoginFailure, Price};
pub use homing_core::outbox::{Credentials, Decision, RedirectAttempt};
pub use homing_core::secret::Password;
pub use homing_core::server::ServerName;
pub use homing_core::state::{AccountState, StateWords};
pub use homing_core::transport::Transport;
