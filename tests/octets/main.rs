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

/// A signed-in agent, and a server and an application that do anything in calls.
#[test]
fn whatever_is_done_in_calls_breaks_no_rule_of_the_fuzzers() {
    let seeds = std::env::var("HOMING_SEEDS").ok().and_then(|count| count.parse().ok()).unwrap_or(450u64);
    for seed in 0..seeds {
        let mut rng = Rng::new(&Seed::from_number(seed));
        let mut below = |bound: u64| u8::try_from(rng.below(bound)).unwrap();
        let mut octets = SIGNED_IN.to_vec();
        for _ in 0..120 {
            let (deed, needs) = DEEDS[usize::from(below(DEEDS.len() as u64))];
            // Of ten, one is by nobody who signs.
            octets.push(deed + if below(10) == 0 { 130 } else { 0 });
            // Small numbers mean most to most of them.
            octets.extend((0..needs).map(|_| below(14)));
        }
        let checked = std::panic::catch_unwind(|| targets::agent::check(&octets));
        assert!(checked.is_ok(), "seed {seed}");
    }
}

/// The script of an agent that signs in by one handshake.
const SIGNED_IN: &[u8] = b"\x00\x08\x01\x01\x02aa\x08\x00\x08\x01\x01\x08\x01\x01\x0a\x0e\x00\x00\x08\x01\x0e\x01\x00\x0f\x02\x0eExpires: 600\r\n\x00";
/// What is done, the more the oftener, and how many octets it needs: time, questions, connections, challenges, calls.
const DEEDS: [(u8, u8); 20] = [
    (2, 0),
    (4, 0),
    (4, 0),
    (5, 1),
    (8, 1),
    (8, 1),
    (10, 0),
    (12, 2),
    (14, 2),
    (14, 2),
    (20, 0),
    (21, 2),
    (21, 2),
    (21, 2),
    (22, 2),
    (23, 3),
    (23, 3),
    (24, 3),
    (25, 3),
    (25, 3),
];

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
