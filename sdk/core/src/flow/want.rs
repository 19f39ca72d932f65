//! What a connection's keep-alive asks of it.

use bytes::Bytes;

/// What a keeper wants.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Want {
    Nothing,
    Send(Bytes),
    /// The flow is dead.
    Dead,
    /// We are seen from another address than before.
    Moved,
}
