//! The estate the peers come to, and a runtime to wait in.

use std::time::{Duration, Instant};

use homing_server_mock::estate::{Estate, User};

/// A runtime for one test.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime starts")
}

/// Reads `found` until it says yes, at most for `within`.
pub(crate) fn eventually(within: Duration, mut found: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + within;
    while !found() {
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

/// A person of the estate, at home on hs104.
pub(crate) fn alice() -> User {
    User::new("alice", "Secret-Pass1").assigned("hs104")
}

/// The estate's ladder, for failures.
pub(crate) fn ladder(estate: &Estate) -> String {
    estate.journal().ladder()
}
