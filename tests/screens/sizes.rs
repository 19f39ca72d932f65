//! The phone at every size, in colour and without, and through a storm of resizes.

use std::time::Duration;

use crate::picture::{assert_picture, assert_readme_shows};
use crate::setup::PHONE;
use crate::terminal::Terminal;
use homing_tests::test_bed::Folder;

const SOON: Duration = Duration::from_secs(40);

/// The demo in a terminal of this size, signed in, then each screen that reads the same in every run.
fn pictured(columns: u16, rows: u16) {
    let home = Folder::new();
    let mut terminal = Terminal::start(PHONE, &["demo"], columns, rows, home.path());
    terminal.wait_for("registered", SOON).unwrap();
    // What was told goes when it is read; whether it still stands is a matter of time.
    terminal.press("\x1b");
    terminal.settle(Duration::from_millis(600));
    let mini = columns < 50;
    for (key, name, words) in [
        ("2", "accounts", "expires in"),
        ("6r", "trace", "Ladder"),
        ("9", "settings", "ui.theme"),
        ("0", "help", "/ searches"),
        (":", "palette", "Command"),
    ] {
        terminal.press(key);
        let words = if mini && name == "accounts" { "registered" } else { words };
        terminal.wait_for(words, SOON).unwrap();
        assert_picture(&format!("{name}_{columns}x{rows}.txt"), &mut terminal);
    }
}

#[test]
fn three_panes() {
    pictured(120, 40);
}

#[test]
fn two_panes() {
    pictured(80, 24);
}

#[test]
fn one_pane() {
    pictured(50, 20);
}

#[test]
fn mini() {
    pictured(40, 12);
}

#[test]
fn the_readme_shows_the_phone_as_it_is() {
    let home = Folder::new();
    let mut terminal = Terminal::start(PHONE, &["demo"], 100, 34, home.path());
    terminal.wait_for("registered", SOON).unwrap();
    assert_readme_shows(&mut terminal);
}

#[test]
fn ascii_without_colour() {
    let home = Folder::new();
    let mut terminal = Terminal::start(PHONE, &["demo", "--ascii", "--color", "never"], 80, 24, home.path());
    terminal.wait_for("registered", SOON).unwrap();
    terminal.settle(Duration::from_millis(600));
    let screen = terminal.contents();
    assert!(screen.is_ascii(), "a character that is not ASCII:\n{screen}");
    assert!(screen.contains("(#)"), "the state's ASCII glyph:\n{screen}");
    let raw = String::from_utf8_lossy(terminal.raw()).into_owned();
    for colour in ["\x1b[3", "\x1b[38;", "\x1b[4", "\x1b[48;"] {
        let coloured = raw.match_indices(colour).any(|(at, _)| {
            let rest = &raw[at + colour.len()..];
            rest.starts_with(|c: char| ('0'..='7').contains(&c)) && rest[1..].starts_with('m')
        });
        assert!(!coloured, "colour was used in spite of `--color never`");
    }
}

#[test]
fn a_storm_of_resizes_breaks_nothing() {
    let home = Folder::new();
    let mut terminal = Terminal::start(PHONE, &["demo"], 120, 40, home.path());
    terminal.wait_for("registered", SOON).unwrap();
    for round in 0..40u16 {
        let (columns, rows) = (1 + (round * 37) % 200, 1 + (round * 23) % 60);
        terminal.resize(columns, rows);
        terminal.settle(Duration::from_millis(5));
    }
    terminal.resize(120, 40);
    terminal.press("\x0c");
    terminal.wait_for("now: home server = hs104.network.com", SOON).unwrap();
}
