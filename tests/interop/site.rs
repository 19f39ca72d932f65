//! The estate the peers come to, and a runtime to wait in.

use homing_server_mock::estate::{Estate, User};

/// Alice's password.
pub(crate) const PASSWORD: &str = "Secret-Pass1";

/// A person of the estate, at home on hs104.
pub(crate) fn alice() -> User {
    User::new("alice", PASSWORD).assigned("hs104")
}

/// The estate's ladder, for failures.
pub(crate) fn ladder(estate: &Estate) -> String {
    estate.journal().ladder()
}
