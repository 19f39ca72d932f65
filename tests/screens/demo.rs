//! The demo in the terminal: the sign-in is seen, the estate can be played with, the reasons are said.

use std::time::Duration;

use crate::home::Home;
use crate::place::PHONE;
use crate::terminal::Terminal;

const SOON: Duration = Duration::from_secs(40);

fn demo(home: &Home) -> Terminal {
    let mut terminal = Terminal::start(PHONE, &["demo"], 120, 40, home.path());
    terminal.wait_for("now: home server = hs104.network.com", SOON).unwrap();
    terminal
}

#[test]
fn the_sign_in_is_seen() {
    let home = Home::new();
    let mut terminal = demo(&home);
    terminal.wait_for("TLS✓", SOON).unwrap();
    let screen = terminal.contents();
    for words in ["[1 of max 5]", "401 ×2 → 301", "signed yes (NTLM)", "cert ok (hs104.network.com)"] {
        assert!(screen.contains(words), "{words:?} is not on the screen:\n{screen}");
    }
}

#[test]
fn every_trick_of_the_estate_is_told_in_words() {
    let home = Home::new();
    let mut terminal = demo(&home);
    for (key, code, words) in [
        ("u", "E0703", "not signed"),
        ("b", "E0704", "signature is wrong"),
        ("l", "E0702", "already visited (loop)"),
        ("t", "E0706", "drops TLS"),
        ("o", "E0707", "lies outside network.com"),
    ] {
        terminal.press(key);
        let told = format!("refused ({code})");
        let seen = terminal.wait_until(SOON, |screen| screen.contains(&told) && screen.contains(words));
        seen.unwrap_or_else(|screen| panic!("key {key}, wanted {told} and {words:?}:\n{screen}"));
    }
    terminal.press("c");
    terminal.settle(Duration::from_millis(500));
    terminal.press("R");
    terminal.wait_for("now: home server = hs104.network.com", SOON).unwrap();
}

#[test]
fn para_67_a_move_is_seen_as_logout_and_a_new_login() {
    let home = Home::new();
    let mut terminal = demo(&home);
    terminal.press("m");
    terminal.press("R");
    terminal.wait_for("now: home server = hs102.network.com", SOON).unwrap();
}
