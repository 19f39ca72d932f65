//! The first run: an address is typed, DNS is asked, the password is given, and the account is there to stay.

use std::time::Duration;

use crate::picture::assert_picture;
use crate::setup::{PHONE, bed};
use crate::terminal::Terminal;
use homing_server_mock::estate::User;
use homing_server_mock::fault::{Fault, Rule};
use homing_tests::test_bed::{CANARY, TestBed, estate};

const SOON: Duration = Duration::from_secs(40);

/// A phone without accounts beside an estate, in a terminal of this size.
fn first_run(bed: &TestBed, columns: u16, rows: u16) -> Terminal {
    std::fs::remove_file(bed.path("config.toml")).unwrap();
    let options = bed.options();
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let mut terminal = Terminal::start(PHONE, &options, columns, rows, bed.folder.path());
    terminal.wait_for("Your SIP address", SOON).unwrap();
    terminal
}

/// Walks through all of it; each step is pictured.
fn walked(seed: u64, columns: u16, rows: u16) {
    let bed = bed(seed);
    let mut terminal = first_run(&bed, columns, rows);
    let picture = |terminal: &mut Terminal, step: &str| {
        assert_picture(&format!("wizard_{step}_{columns}x{rows}.txt"), terminal);
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
    terminal.wait_for("The account is kept", SOON).unwrap();
    picture(&mut terminal, "4_signed_in");
    // What is typed too late is no command.
    terminal.press("q");
    terminal.wait_for("The account is kept", SOON).unwrap();
    terminal.press("\r");
    terminal.wait_until(SOON, |screen| !screen.contains("Add an account")).unwrap();
    terminal.wait_for("registered", SOON).unwrap();
    let written = bed.config_text();
    assert!(written.contains("aor = \"alice@network.com\""), "{written}");
    assert!(!written.contains(CANARY), "the password stands in the configuration");
    // Reading again what the wizard has written changes nothing.
    terminal.press("\x12");
    terminal.wait_until(SOON, |screen| screen.contains("configuration read again")).unwrap();
    terminal.press("8");
    // The log has every sentence, however short it stood at the foot.
    terminal.wait_for("password saved", SOON).unwrap();
    terminal.settle(Duration::from_millis(500));
    assert!(!terminal.contents().contains("sign out alice"), "{}", terminal.contents());
    assert_eq!(bed.estate.journal().ladder().matches("unregistered").count(), 0);
    terminal.press("q");
    assert_eq!(terminal.end(SOON), Some(0));
    assert!(!String::from_utf8_lossy(terminal.raw()).contains(CANARY), "the password was on the screen");

    // The second run knows the account and, because that was wanted, the password.
    let options = bed.options();
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let mut terminal = Terminal::start(PHONE, &options, columns, rows, bed.folder.path());
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
    let bed = bed(65);
    let mut terminal = first_run(&bed, 80, 24);
    terminal.press("alice@network.com\r");
    terminal.wait_for("Enter signs in", SOON).unwrap();
    terminal.press("\r");
    terminal.wait_for("type it; it is not shown", SOON).unwrap();
    terminal.press("not it\r");
    terminal.wait_for("E0601", SOON).unwrap();
    assert!(!bed.path("config.toml").exists(), "what never signed in is not kept");
    terminal.press("\r");
    terminal.wait_for("The last password was not accepted", SOON).unwrap();
    terminal.press(CANARY);
    terminal.press("\r");
    terminal.wait_for("The account is kept", SOON).unwrap();
    terminal.wait_for("● alice@network.com registered", SOON).unwrap();
    assert!(bed.config_text().contains("alice@network.com"));
}

#[test]
fn an_account_that_never_signed_in_is_kept_only_if_that_is_wanted() {
    let bed = bed(68);
    bed.estate.node("lb").inject_fault(Rule::always(Fault::ChallengeForever));
    let mut terminal = first_run(&bed, 80, 24);
    for (keys, kept) in [("\x1b", false), ("\t\x1b", true)] {
        terminal.press("alice@network.com\r");
        terminal.wait_for("Enter signs in", SOON).unwrap();
        terminal.press("\r");
        terminal.wait_for("type it; it is not shown", SOON).unwrap();
        terminal.press("anything\r");
        terminal.wait_for("is not signed in", SOON).unwrap();
        terminal.press(keys);
        terminal.wait_until(SOON, |screen| !screen.contains("Add an account")).unwrap();
        if kept {
            terminal.wait_for("account written to", SOON).unwrap();
            break;
        }
        terminal.wait_for("no account", SOON).unwrap();
        assert!(!bed.path("config.toml").exists(), "nothing is kept");
        terminal.press("+");
        terminal.wait_for("Your SIP address", SOON).unwrap();
    }
    assert!(bed.config_text().contains("alice@network.com"));
}

#[test]
fn an_empty_password_is_a_password() {
    let bed = TestBed::with(PHONE, estate(69).user(User::new("eve", "").assigned("hs104")));
    bed.write_config();
    let mut terminal = first_run(&bed, 80, 24);
    terminal.press("eve@network.com\r");
    terminal.wait_for("Enter signs in", SOON).unwrap();
    terminal.press("\r");
    terminal.wait_for("type it; it is not shown", SOON).unwrap();
    terminal.press("\r");
    terminal.wait_for("Enter again sends an empty one", SOON).unwrap();
    terminal.press("\r");
    terminal.wait_for("The account is kept", SOON).unwrap();
}

#[test]
fn a_login_without_a_password_says_so() {
    let bed = bed(67);
    let mut terminal = first_run(&bed, 80, 24);
    terminal.press("alice@network.com\r");
    terminal.wait_for("Enter signs in", SOON).unwrap();
    terminal.press("\r");
    terminal.wait_for("type it; it is not shown", SOON).unwrap();
    terminal.press("\x1b");
    terminal.wait_for("E0603", SOON).unwrap();
    assert!(bed.estate.bindings("alice@network.com").is_empty());
}

#[test]
fn where_dns_names_no_server_one_can_be_typed() {
    let bed = bed(66);
    let mut terminal = first_run(&bed, 80, 24);
    terminal.press("alice@nowhere.example\r");
    terminal.wait_for("Name one yourself", SOON).unwrap();
    terminal.press("\x1b");
    terminal.wait_until(SOON, |screen| !screen.contains("Add an account")).unwrap();
}
