//! What a response is to the client transaction it was fed to.

/// What a response is to its client transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// A copy, or one that came too late: it is not told.
    Absorbed,
    /// A 1xx.
    Provisional,
    /// The final response; there is one of it.
    Final,
    /// A copy, octet for octet, of a 2xx to an INVITE that was told before: the dialog sends its ACK again.
    Copied2xx,
    /// A 2xx to an INVITE after the first one, and other than those before: signed again, or of another branch
    /// of a fork. The dialog acknowledges it.
    Another2xx,
}
