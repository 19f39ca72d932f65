//! The demo in the terminal: the sign-in is seen, the estate can be played with, the reasons are said.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::setup::PHONE;
use crate::terminal::Terminal;
use homing_tests::test_bed::Folder;

const SOON: Duration = Duration::from_secs(40);

fn demo(home: &Folder) -> Terminal {
    let mut terminal = Terminal::start(PHONE, &["demo"], 160, 40, home.path());
    terminal.wait_for("now: home server = hs104.network.com", SOON).unwrap();
    terminal
}

#[test]
fn the_sign_in_is_seen() {
    let home = Folder::new();
    let mut terminal = demo(&home);
    terminal.wait_for("TLS✓", SOON).unwrap();
    let screen = terminal.contents();
    for words in ["[1 of max 5]", "401 ×2 → 301", "signed (NTLM)", "cert ok (hs104.network.com)"] {
        assert!(screen.contains(words), "{words:?} is not on the screen:\n{screen}");
    }
}

#[test]
fn every_trick_of_the_estate_is_told_in_words() {
    let home = Folder::new();
    let mut terminal = demo(&home);
    for (key, code, words) in [
        ("u", "E0703", "not signed"),
        ("b", "E0704", "signature is wrong"),
        ("l", "E0702", "already visited (loop)"),
        ("t", "E0706", "drops TLS"),
        ("o", "E0707", "lies outside network.com"),
    ] {
        terminal.press(key);
        let told = format!("rejected ({code})");
        let seen = terminal.wait_until(SOON, |screen| screen.contains(&told) && screen.contains(words));
        seen.unwrap_or_else(|screen| panic!("key {key}, wanted {told} and {words:?}:\n{screen}"));
    }
    terminal.press("c");
    terminal.settle(Duration::from_millis(500));
    terminal.press("R");
    terminal.wait_for("now: home server = hs104.network.com", SOON).unwrap();
}

#[test]
fn para_66_67_a_move_is_seen_as_logout_and_a_new_login() {
    let home = Folder::new();
    let mut terminal = demo(&home);
    terminal.press("m");
    terminal.press("R");
    terminal.wait_for("now: home server = hs102.network.com", SOON).unwrap();
}

#[test]
fn a_stopped_home_server_is_noticed_and_the_phone_comes_back_to_it() {
    let home = Folder::new();
    let mut terminal = demo(&home);
    terminal.press("s");
    let words = [
        "hs104  down",
        "connection to the home server lost",
        "unreachable (E0501)",
        "the connection was refused",
        "Hint: The server may be restarting",
        "next attempt in",
    ];
    let lost = terminal.wait_until(SOON, |screen| words.iter().all(|words| screen.contains(words)));
    lost.unwrap_or_else(|screen| panic!("the loss is not told:\n{screen}"));
    terminal.press("s");
    terminal.wait_for("hs104 runs again", SOON).unwrap();
    terminal.press("R");
    terminal.wait_for("● alice@network.com registered", SOON).unwrap();
    terminal.wait_for("now: home server = hs104.network.com", SOON).unwrap();
}

#[test]
fn without_the_distributor_a_registered_phone_stays_where_it_is() {
    let home = Folder::new();
    let mut terminal = demo(&home);
    terminal.press("d");
    terminal.wait_until(SOON, |screen| screen.contains("lb     down")).unwrap();
    terminal.press("R");
    terminal.wait_for("registration refreshed", SOON).unwrap();
    terminal.wait_for("● alice@network.com registered", SOON).unwrap();
    terminal.press("d");
    terminal.wait_until(SOON, |screen| screen.contains("lb     up")).unwrap();
}

#[test]
fn without_a_terminal_or_with_plain_the_demo_prints_lines() {
    let home = Folder::new();
    let output =
        Command::new(PHONE).env_clear().env("HOME", home.path()).arg("demo").stdin(Stdio::null()).output();
    let output = output.expect("the phone starts");
    assert_eq!(output.status.code(), Some(0));
    is_told_in_lines(&String::from_utf8_lossy(&output.stdout));

    let mut terminal = Terminal::start(PHONE, &["demo", "--plain"], 100, 30, home.path());
    assert_eq!(terminal.end(SOON), Some(0));
    is_told_in_lines(&String::from_utf8_lossy(terminal.raw()));
}

/// Each step in a sentence, and nothing that moves a cursor.
fn is_told_in_lines(text: &str) {
    for words in [
        "hs104.network.com",
        "signed (NTLM)",
        "ok    sign-in",
        "ok    move",
        "ok    server-lost",
        "E0703",
        "E0702",
        "ok    sign-out",
        "everything went as it must",
    ] {
        assert!(text.contains(words), "{words:?} is not said:\n{text}");
    }
    assert!(!text.contains('\x1b'), "an escape sequence among the lines:\n{text}");
}
