//! The program under test and the estate it meets, and how its JSON is read.

use homing_server_mock::estate::{EstateBuilder, Transport};
use homing_tests::test_bed::{TestBed, estate_with_parties};
use serde_json::Value;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_homing_under_test");

/// The usual estate, over TLS only.
pub(crate) fn bed() -> TestBed {
    bed_with(|estate| estate)
}

/// The same; `change` has the last word.
pub(crate) fn bed_with(change: impl FnOnce(EstateBuilder) -> EstateBuilder) -> TestBed {
    TestBed::with(PROGRAM, change(estate_with_parties(11).transports([Transport::Tls])))
}

pub(crate) fn events(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect()
}

pub(crate) fn event<'e>(events: &'e [Value], name: &str) -> &'e Value {
    events.iter().find(|event| event["event"] == name).unwrap_or_else(|| panic!("no `{name}` in {events:#?}"))
}
