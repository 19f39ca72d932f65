//! The estate the peers come to, and a runtime to wait in.

use homing_server_mock::estate::{Estate, User};

/// A person of the estate, at home on hs104.
pub(crate) fn alice() -> User {
    User::new("alice", "Secret-Pass1").assigned("hs104")
}

/// The estate's ladder, for failures.
pub(crate) fn ladder(estate: &Estate) -> String {
    estate.journal().ladder()
}
