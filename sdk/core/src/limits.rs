//! Every bound of the agent in one place: what is over a limit is refused and counted, never stored.

use std::time::Duration;

/// Bounds of one agent. The defaults are the project's settled figures.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Bounds on one message and on a stream's framing.
    pub message: homing_wire::Limits,
    /// Client transactions beyond two per account.
    pub client_transactions: usize,
    /// Those without a final response, over all accounts; a request beyond it gets 503.
    pub server_transactions: usize,
    /// Bytes kept by transactions that linger after their final response; the oldest go first.
    pub lingering_bytes: usize,
    /// Answered INVITEs kept so that a late copy does not ring again; beyond it new INVITEs get 503.
    pub lingering_invites: usize,
    /// Calls of all accounts, those that linger after their end included; beyond it one more gets 486.
    pub calls: usize,
    /// How long a TCP connect and TLS handshake may take.
    pub connect: Duration,
    /// How long a question to the world may stay open, people excepted.
    pub question: Duration,
    /// Longest Retry-After that is honoured.
    pub retry_after: Duration,
    /// Targets of one discovery that are tried.
    pub targets: usize,
    /// Contacts of one redirect that are tried.
    pub contacts: usize,
    /// Handshakes a server may demand by unsigned challenges, per minute (decision 12).
    pub challenges_per_minute: u8,
    /// Accounts that try again in a second, once a server that failed them takes registrations again (decision 38).
    pub woken_per_second: u16,
    /// Outputs that may wait to be drained when the next input comes. Beyond it nothing more is heard and
    /// commands are refused with [`Misuse::Limit`](crate::error::Misuse::Limit), each counted as
    /// [`Counter::Undrained`](crate::counter::Counter::Undrained).
    pub outputs: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message: homing_wire::Limits::default(),
            client_transactions: 1_000,
            server_transactions: 10_000,
            lingering_bytes: 4 << 20,
            lingering_invites: 10_000,
            calls: 10_000,
            connect: Duration::from_secs(10),
            question: Duration::from_secs(10),
            retry_after: Duration::from_secs(300),
            targets: 32,
            contacts: 8,
            challenges_per_minute: 3,
            woken_per_second: 100,
            outputs: 65_536,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A limit that is added stands here, too, with its figure and its proof.
    #[test]
    fn the_figures_are_the_settled_ones() {
        let Limits {
            message,
            client_transactions,
            server_transactions,
            lingering_bytes,
            lingering_invites,
            calls,
            connect,
            question,
            retry_after,
            targets,
            contacts,
            challenges_per_minute,
            woken_per_second,
            outputs,
        } = Limits::default();
        assert_eq!((message.message, message.body), (128 << 10, 128 << 10));
        assert_eq!((message.auth_line, message.line), (16 << 10, 8 << 10));
        assert_eq!(homing_wire::Limits::kerberos().auth_line, 96 << 10);
        assert_eq!((client_transactions, server_transactions), (1_000, 10_000));
        assert_eq!((lingering_bytes, lingering_invites, calls), (4 << 20, 10_000, 10_000));
        assert_eq!((connect.as_secs(), question.as_secs(), retry_after.as_secs()), (10, 10, 300));
        assert_eq!((targets, contacts, challenges_per_minute), (32, 8, 3));
        assert_eq!((woken_per_second, outputs), (100, 65_536));
    }
}
