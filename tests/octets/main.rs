//! The targets of the fuzzers, over the messages of the suites and what is left of them when they are damaged: so they
//! build with everything else, and find what needs no hours.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../fuzz/src/lib.rs"]
#[allow(clippy::indexing_slicing, unreachable_pub, reason = "part of the fuzzers")]
mod targets;

use std::fs;
use std::path::Path;

use homing_core::ids::{Rng, Seed};

/// A target by its name.
type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 9] = [
    ("message", targets::message::check),
    ("framer", targets::framer::check),
    ("sdp", targets::sdp::check),
    ("multipart", targets::multipart::check),
    ("auth", targets::auth::check),
    ("ntlm", targets::ntlm::check),
    ("agent", targets::agent::check),
    ("negotiation", targets::negotiation::check),
    ("sound", targets::sound::check),
];

#[test]
fn damaged_messages_break_no_rule_of_the_fuzzers() {
    let seeds = std::env::var("HOMING_SEEDS").ok().and_then(|count| count.parse().ok()).unwrap_or(3u64);
    let inputs = inputs();
    assert!(inputs.len() > 130, "{} inputs", inputs.len());
    for seed in 0..seeds {
        for (number, whole) in inputs.iter().enumerate() {
            let mut octets = whole.clone();
            if seed > 0 {
                damage(&mut octets, seed << 16 | u64::try_from(number).unwrap());
            }
            for (name, check) in TARGETS {
                let checked = std::panic::catch_unwind(|| check(&octets));
                assert!(checked.is_ok(), "{name}, seed {seed}: {:?}", String::from_utf8_lossy(&octets));
            }
        }
    }
}

/// Messages, bodies of several parts with their type, descriptions, header values.
fn inputs() -> Vec<Vec<u8>> {
    let suites = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/suites");
    let mut inputs = Vec::new();
    for folder in ["rfc4475", "rfc5118/raw", "sdp-rfc4317"] {
        let mut files: Vec<_> =
            fs::read_dir(suites.join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        inputs.extend(files.iter().filter(|path| path.is_file()).map(|path| fs::read(path).unwrap()));
    }
    let mut pieces = Vec::new();
    for message in &inputs {
        let Ok(message) = homing_wire::Message::parse(message.clone()) else { continue };
        for name in [homing_wire::Name::Authorization, homing_wire::Name::WwwAuthenticate] {
            pieces.extend(message.lines(name).map(<[u8]>::to_vec));
        }
        pieces.extend(
            message
                .lines(homing_wire::Name::ContentType)
                .map(|kind| [kind, b"\r\n", message.body()].concat()),
        );
    }
    inputs.extend(pieces);
    inputs
}

/// A few octets are changed, left out or repeated.
fn damage(octets: &mut Vec<u8>, seed: u64) {
    let mut rng = Rng::new(&Seed::from_number(seed));
    let mut below = |bound: usize| usize::try_from(rng.below(u64::try_from(bound.max(1)).unwrap())).unwrap();
    for _ in 0..=below(4) {
        let at = below(octets.len());
        let until = (at + below(12)).min(octets.len());
        match below(3) {
            0 => octets.splice(at..until, []).for_each(drop),
            1 => {
                let copy = octets[at..until].to_vec();
                octets.splice(at..at, copy).for_each(drop);
            }
            _ => {
                if let Some(octet) = octets.get_mut(at) {
                    *octet = u8::try_from(below(256)).unwrap();
                }
            }
        }
    }
}
