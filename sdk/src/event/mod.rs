//! What happens to accounts, and the readers it is told to.
//!
//! Each reader has a queue of its own. It keeps the newest 256 events of each account, and 65,536 of all accounts
//! together; what is older is merged into one [`Lagged`] for each account. A late reader delays neither the
//! user agent nor other readers, and no account's events push out those of another before the second bound is reached.

mod backlog;
pub(crate) mod channel;
mod lagged;
mod reader;
#[cfg(test)]
mod tests;

pub use homing_core::event::{
    AccountEvent, Event, EventKind, LogoutReason, MoveCause, Registered, RequestOutcome, UnregisterOutcome,
};
pub use homing_core::journey::{FoundBy, Hop, HopVerdict, Journey, RoundTrips};
pub use lagged::Lagged;
pub use reader::{AccountEvents, Events};

pub(crate) use backlog::{Backlog, Told};

/// The channel of an account's events, or of all accounts'.
pub(crate) type Channel = channel::Channel<Backlog>;
/// Its sending end.
pub(crate) type ChannelSender = channel::ChannelSender<Backlog>;
