//! A right password that is typed after the challenge grew old: it is accepted, wherever it is typed.
//!
//! A challenge is old after five seconds of the client's own clock, which a real program does not let a test move: these
//! tests wait for that, side by side. The rule itself is tested in virtual time with the client.

use std::time::Duration;

use crate::setup::{PHONE, bed};
use crate::terminal::Terminal;
use homing_tests::test_bed::{CANARY, TestBed};

const SOON: Duration = Duration::from_secs(40);
const OLD: Duration = Duration::from_millis(5_500);

fn start(bed: &TestBed, words: &[&str]) -> Terminal {
    let options = bed.options();
    let arguments: Vec<&str> = words.iter().copied().chain(options.iter().map(String::as_str)).collect();
    Terminal::start(PHONE, &arguments, 80, 24, bed.folder.path())
}

fn types_late(terminal: &mut Terminal, prompt: &str) {
    terminal.wait_for(prompt, SOON).unwrap();
    // Nothing changes meanwhile: the prompt stays, and nothing is asked of the server.
    assert!(terminal.wait_until(OLD, |screen| !screen.contains(prompt)).is_err(), "the prompt went away");
    terminal.press(CANARY);
    terminal.press("\r");
}

#[test]
fn on_the_command_line() {
    let bed = bed(121);
    std::fs::remove_file(bed.path("config.toml")).unwrap();
    let mut terminal = start(&bed, &["login", "alice@network.com", "--domain", "NETWORK"]);
    types_late(&mut terminal, "Password of alice@network.com");
    terminal.wait_for("registered at hs104.network.com", SOON).unwrap();
    assert_eq!(terminal.end(SOON), Some(0));
}

#[test]
fn in_the_wizard() {
    let bed = bed(122);
    std::fs::remove_file(bed.path("config.toml")).unwrap();
    let mut terminal = start(&bed, &[]);
    terminal.wait_for("Your SIP address", SOON).unwrap();
    terminal.press("alice@network.com\r");
    terminal.wait_for("Enter signs in", SOON).unwrap();
    terminal.press("\r");
    types_late(&mut terminal, "type it; it is not shown");
    terminal.wait_for("The account is kept", SOON).unwrap();
}

#[test]
fn on_the_screen_of_a_phone_that_has_the_account() {
    let bed = bed(123);
    let without_password = |text: String| {
        text.lines()
            .filter(|line| !line.starts_with("password_file"))
            .map(|line| line.to_owned() + "\n")
            .collect()
    };
    bed.change_config(without_password);
    let mut terminal = start(&bed, &[]);
    types_late(&mut terminal, "type it; it is not shown");
    terminal.wait_for("● alice@network.com registered", SOON).unwrap();
}
