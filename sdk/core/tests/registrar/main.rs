//! Registrars that went wrong with a real client, played against the agent in virtual time.

#![expect(clippy::panic, reason = "what a test expects and does not find ends the test")]
#![expect(clippy::print_stdout, reason = "each verdict is printed for people")]

mod player;
mod script;
mod server;
mod verdict;

use script::Case;

const PUBLIC: &str = include_str!("../../../../tests/data/registrar-quirks.json");

/// Further cases of the same kinds.
const MORE: &str = include_str!("../../../../tests/data/registrar-quirks-more.json");

/// Scripts that fail today. The list only grows shorter.
const FAILING: &[&str] = &[];

/// Scripts that need the program's configuration, resolver, sockets or terminal: `tests/screens/scripted` plays them,
/// and `T1` once more.
const ELSEWHERE: &[&str] = &["L1", "M1", "N1", "O1", "O2", "O3", "P1"];

#[test]
fn every_script_has_its_verdict() {
    let cases = script::cases(PUBLIC);
    assert_eq!(cases.len(), 43);
    let failing = play(cases.iter());
    assert_eq!(failing, FAILING, "left: what fails; right: what may");
}

#[test]
fn every_further_script_of_the_same_kinds_is_right() {
    let cases = script::cases(MORE);
    for kind in script::cases(PUBLIC).iter().filter(|case| !ELSEWHERE.contains(&case.id.as_str())).map(letter)
    {
        assert!(cases.iter().filter(|case| letter(case) == kind).count() >= 2, "two more of kind {kind}");
    }
    assert_eq!(play(cases.iter()), Vec::<String>::new());
}

/// The kind of a case, which its id begins with.
fn letter(case: &Case) -> char {
    case.id.chars().next().unwrap_or_default()
}

/// Plays those that can be played in virtual time and prints each verdict; the ids of those that fail.
fn play<'c>(cases: impl Iterator<Item = &'c Case>) -> Vec<String> {
    let mut failing = Vec::new();
    for case in cases {
        if ELSEWHERE.contains(&case.id.as_str()) {
            println!("{:4} elsewhere", case.id);
            continue;
        }
        let faults = verdict::faults(case);
        println!("{:4} {}", case.id, if faults.is_empty() { "right" } else { "WRONG" });
        for fault in &faults {
            println!("       {fault}");
        }
        if !faults.is_empty() {
            failing.push(case.id.clone());
        }
    }
    failing
}

/// The rules of `J1` with a plain user: nothing about it is odd.
#[test]
fn a_plain_conversation_is_right() {
    let mut plain: Case = script::cases(PUBLIC).into_iter().find(|case| case.id == "J1").unwrap();
    plain.client.insert("aor".into(), "alice@example.test".into());
    plain.expect = script::object(&serde_json::json!({
        "state": "registered", "granted": 60, "requests": 2, "digest_username": "alice",
        "request": {"nth": 1, "from_uri": "sip:alice@example.test", "contact_user": "alice"},
    }));
    assert_eq!(verdict::faults(&plain), Vec::<String>::new());
}
