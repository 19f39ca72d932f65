//! What an agent can be told to do with an account that it has. What starts something of its own is a method of the
//! agent that returns its id.

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
    /// Remove an account that is at rest.
    Remove(AccountId),
}
