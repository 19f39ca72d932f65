//! Calls: placed by [`Account::call`](crate::Account::call), taken from [`Account::incoming`](crate::Account::incoming).
//!
//! | type | holds the call | dropped |
//! | --- | --- | --- |
//! | [`CallBuilder`] | nothing is placed yet | nothing happens |
//! | [`Call`] | yes, with its clones | the last one hangs up, unless [`detach`](Call::detach) was called |
//! | [`IncomingCall`] | yes, alone | the caller hears 480 |
//! | [`IncomingCalls`] | those that wait in it | those that wait in it get 480 |
//! | [`CallEvents`] | no | nothing happens |
//!
//! What a call says of its session is asked of the [`SessionDescriber`] of the user agent or of the call: this crate
//! decides whose turn an offer is (RFC 3264, RFC 6337), the describer what it says. An account makes and takes calls
//! where its configuration has [`CallRules`]:
//!
//! ```
//! # use homing::account::{AccountConfig, Aor};
//! use homing::call::CallRules;
//!
//! let mut config = AccountConfig::new(Aor::parse("alice@network.com").unwrap(), "01010101");
//! let mut rules = CallRules::default();
//! rules.most_calls = 4;
//! config.calls = Some(Box::new(rules));
//! ```

mod backlog;
mod builder;
mod describer;
mod events;
mod handle;
mod incoming;
mod incoming_queue;
mod shared;
mod state;

pub use homing_core::call_event::{CallEnd, CallEvent, Caller, EndReason, EndedBy};
pub use homing_core::call_request::{CallHeader, FirstOffer, InfoBody};
pub use homing_core::config::{
    CallRules, DoNotDisturb, InDialogChallenge, OnMove, ReliableRule, SessionTimers,
};
pub use homing_core::description::{Description, DescriptionQuestion, DescriptionRefusal, Turn};
pub use homing_core::ids::CallId;

pub use backlog::CallLagged;
pub use builder::CallBuilder;
pub use describer::SessionDescriber;
pub use events::CallEvents;
pub use handle::Call;
pub use incoming::{IncomingCall, IncomingCalls, Reject};
pub use shared::Answer;
pub use state::{CallState, Holds};

pub(crate) use describer::Describer;
pub(crate) use incoming_queue::{IncomingQueue, NotTaken};
pub(crate) use shared::{CallSender, CallShared};
