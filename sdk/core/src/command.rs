//! What an agent can be told to do: imperatives.

use crate::ids::AccountId;

/// One order to the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Sign the account in and keep it signed in.
    Register(AccountId),
    /// Refresh the registration now.
    Refresh(AccountId),
    /// Sign out: remove the binding, then rest.
    Unregister(AccountId),
    /// Ask the home server whether it is there (RFC 3261 section 11).
    Options(AccountId),
    /// Ask the owner of a SIP URI the same, through the home server.
    OptionsOf(AccountId, Box<str>),
    /// Remove an account that is at rest.
    Remove(AccountId),
}
