//! The published torture suites: RFC 4475, RFC 5118, RFC 4317.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

mod facts;
mod sdp;
mod verdicts;

/// The folder of the suites, which travels with the tests.
fn suites() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/suites")
}

/// The entries of the fact list, with the octets of each message.
fn torture(suites: &Path) -> Vec<(serde_json::Value, Vec<u8>)> {
    let list = std::fs::read_to_string(suites.join("torture-facts.json")).unwrap();
    let list: Vec<serde_json::Value> = serde_json::from_str(&list).unwrap();
    assert_eq!(list.len(), 62);
    list.into_iter()
        .map(|entry| {
            let name = entry["name"].as_str().unwrap();
            let path = match entry["rfc"].as_str().unwrap() {
                "5118" => suites.join("rfc5118/crlf").join(name),
                _ => suites.join("rfc4475").join(format!("{name}.dat")),
            };
            let bytes = std::fs::read(path).unwrap();
            (entry, bytes)
        })
        .collect()
}
