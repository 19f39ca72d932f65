//! The first run: an address is typed, DNS is asked, the password is given, and the account is there to stay.

use std::time::Duration;

use crate::picture::assert_picture;
use crate::place::{CANARY, PHONE, Place};
use crate::terminal::Terminal;

const SOON: Duration = Duration::from_secs(40);

/// A phone without accounts beside an estate, in a terminal of this size.
fn first_run(place: &Place, columns: u16, rows: u16) -> Terminal {
    place.forget_config();
    let options = place.options();
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let mut terminal = Terminal::start(PHONE, &options, columns, rows, place.home.path());
    terminal.wait_for("Your SIP address", SOON).unwrap();
    terminal
}

/// Walks through all of it; each step is pictured.
fn walked(seed: u64, columns: u16, rows: u16) {
    let place = Place::new(seed);
    let mut terminal = first_run(&place, columns, rows);
    let picture = |terminal: &mut Terminal, step: &str| {
        // What was told stands for a while; the picture is taken when it has gone.
        let bare = |screen: &str| !screen.contains("account written") && !screen.contains("server found");
        let _ = terminal.wait_until(SOON, |screen| bare(screen));
        terminal.settle(Duration::from_millis(200));
        assert_picture(&format!("wizard_{step}_{columns}x{rows}.txt"), &terminal.contents());
    };
    terminal.press("alice@network.com");
    picture(&mut terminal, "1_address");
    terminal.press("\r");
    terminal.wait_for("Enter signs in", SOON).unwrap();
    picture(&mut terminal, "2_found");
    terminal.press("\r");
    terminal.wait_for("type it; it is not shown", SOON).unwrap();
    picture(&mut terminal, "3_password");
    terminal.press(CANARY);
    terminal.press("\t\r");
    terminal.wait_for("registered", SOON).unwrap();
    let written = place.config_text();
    assert!(written.contains("aor = \"alice@network.com\""), "{written}");
    assert!(!written.contains(CANARY), "the password stands in the configuration");
    // Reading again what the wizard has written changes nothing.
    terminal.press("\x12");
    terminal.wait_until(SOON, |screen| screen.contains("configuration read again")).unwrap();
    terminal.press("8");
    terminal.settle(Duration::from_millis(500));
    assert!(!terminal.contents().contains("sign out alice"), "{}", terminal.contents());
    assert_eq!(place.estate.journal().ladder().matches("unregistered").count(), 0);
    terminal.press("q");
    assert_eq!(terminal.end(SOON), Some(0));
    assert!(!String::from_utf8_lossy(terminal.raw()).contains(CANARY), "the password was on the screen");

    // The second run knows the account and, because that was wanted, the password.
    let options = place.options();
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let mut terminal = Terminal::start(PHONE, &options, columns, rows, place.home.path());
    terminal.wait_for("registered", SOON).unwrap();
}

#[test]
fn in_three_panes() {
    walked(61, 120, 40);
}

#[test]
fn in_two_panes() {
    walked(62, 80, 24);
}

#[test]
fn in_one_pane() {
    walked(63, 50, 20);
}

#[test]
fn in_a_mini_screen() {
    walked(64, 40, 12);
}

#[test]
fn a_wrong_password_is_said_and_asked_for_again() {
    let place = Place::new(65);
    let mut terminal = first_run(&place, 80, 24);
    terminal.press("alice@network.com\r");
    terminal.wait_for("Enter signs in", SOON).unwrap();
    terminal.press("\r");
    terminal.wait_for("type it; it is not shown", SOON).unwrap();
    terminal.press("not it\r");
    terminal.wait_for("refused (E0601)", SOON).unwrap();
    terminal.press("R");
    terminal.wait_for("The last one was not accepted", SOON).unwrap();
    terminal.press(CANARY);
    terminal.press("\r");
    terminal.wait_for("● alice@network.com registered", SOON).unwrap();
}

#[test]
fn a_login_without_a_password_says_so() {
    let place = Place::new(67);
    let mut terminal = first_run(&place, 80, 24);
    terminal.press("alice@network.com\r");
    terminal.wait_for("Enter signs in", SOON).unwrap();
    terminal.press("\r");
    terminal.wait_for("type it; it is not shown", SOON).unwrap();
    terminal.press("\x1b");
    terminal.wait_until(SOON, |screen| screen.contains("refused (E06")).unwrap();
    assert!(place.estate.bindings("alice@network.com").is_empty());
}

#[test]
fn where_dns_names_no_server_one_can_be_typed() {
    let place = Place::new(66);
    let mut terminal = first_run(&place, 80, 24);
    terminal.press("alice@nowhere.example\r");
    terminal.wait_for("Name one yourself", SOON).unwrap();
    terminal.press("\x1b");
    terminal.wait_until(SOON, |screen| !screen.contains("Add an account")).unwrap();
}
