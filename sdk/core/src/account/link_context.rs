//! One account, one of its links and the agent's tables, lent to a machine for one input.

use super::Account;
use super::context::Context;
use super::server_link::ServerLink;

/// What a machine that speaks to a server works with.
pub(crate) struct LinkContext<'a, 'd> {
    /// With whom.
    pub(crate) link: &'a mut ServerLink,
    /// For whom.
    pub(crate) account: &'a mut Account,
    /// The agent's tables.
    pub(crate) cx: &'a mut Context<'d>,
}
