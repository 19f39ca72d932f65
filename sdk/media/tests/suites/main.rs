//! The published suites, as far as they speak of sound.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

mod rfc4317;

/// The folder of the suites, which travels with the tests.
fn suites() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/suites")
}
