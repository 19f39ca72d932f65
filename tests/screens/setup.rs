//! The phone under test and the estate it meets.

use std::time::{Duration, Instant};

use homing_server_mock::estate::Estate;
use homing_tests::test_bed::TestBed;

/// The phone under test.
pub(crate) const PHONE: &str = env!("CARGO_BIN_EXE_homing_under_test");

/// The usual estate, and a phone whose configuration has Alice's account.
pub(crate) fn bed(seed: u64) -> TestBed {
    let bed = TestBed::new(PHONE, seed);
    bed.write_config();
    bed
}

/// True once `found` says so, at most after `within`.
pub(crate) fn eventually(bed: &TestBed, within: Duration, found: impl Fn(&Estate) -> bool) -> bool {
    let end = Instant::now() + within;
    while !found(&bed.estate) {
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    true
}
