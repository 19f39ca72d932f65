//! What an agent can be told to do with an account that it has. What starts something of its own is a method of the
//! agent that returns its id.

use std::time::Duration;

use crate::config::DoNotDisturb;
use crate::ids::AccountId;

/// One order to the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Sign the account in and keep it signed in.
    Register(AccountId),
    /// Refresh the registration now.
    Refresh(AccountId),
    /// Sign out: remove the binding, then rest. The server's answer is waited for five seconds.
    Unregister(AccountId),
    /// The same; the answer is waited for so long, or, where signing out is under way, that much longer from now.
    UnregisterWithin(AccountId, Duration),
    /// The source of the password changed: a login that rests because the password was refused is tried at once.
    CredentialsChanged(AccountId),
    /// Let calls that come in ring from now on, or refuse them.
    DoNotDisturb(AccountId, DoNotDisturb),
    /// Remove an account that is at rest; its calls are hung up.
    Remove(AccountId),
}
