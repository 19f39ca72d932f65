//! The phone without a screen: lines of change for screen readers, braille, serial lines and logs.

use std::process::Command;
use std::time::Duration;

use crate::picture::assert_picture;
use crate::setup::{PHONE, bed};
use crate::terminal::Terminal;
use homing_tests::test_bed::CANARY;

const SOON: Duration = Duration::from_secs(40);

#[test]
fn every_change_is_a_line_and_nothing_moves_the_cursor() {
    let bed = bed(81);
    let mut options = bed.options();
    options.push("--plain".to_owned());
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let mut terminal = Terminal::start(PHONE, &options, 100, 24, bed.folder.path());
    terminal.wait_for("expires in", SOON).unwrap();
    assert_picture("plain_100x24.txt", &mut terminal);

    let killed = Command::new("kill").args(["-TERM", &terminal.process().to_string()]).status();
    assert!(killed.is_ok_and(|status| status.success()));
    assert!(terminal.end(SOON).is_some(), "it ends");
    assert!(bed.estate.bindings("alice@network.com").is_empty(), "and signs out");
    let raw = String::from_utf8_lossy(terminal.raw()).into_owned();
    assert!(!raw.contains('\x1b'), "an escape sequence among the lines:\n{raw}");
    assert!(!raw.contains(CANARY), "the password was printed");
}
