//! How the phone ends: by key, by signal, by a closed window. The terminal is clean, the binding gone.

use std::io::BufRead as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::setup::{PHONE, bed, eventually};
use crate::terminal::Terminal;
use homing_tests::test_bed::{CANARY, TestBed};

const SOON: Duration = Duration::from_secs(40);
const AT_ONCE: Duration = Duration::from_secs(10);

fn signed_in(bed: &TestBed) -> Terminal {
    let options = bed.options();
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let mut terminal = Terminal::start(PHONE, &options, 100, 30, bed.folder.path());
    terminal.wait_for("registered", SOON).unwrap_or_else(|screen| {
        panic!("{screen}\n{}", bed.estate.journal().ladder());
    });
    assert!(eventually(bed, AT_ONCE, |estate| estate.bindings("alice@network.com").len() == 1));
    assert!(!terminal.is_clean(), "a full screen is up");
    terminal
}

fn is_over(bed: &TestBed, terminal: &mut Terminal, exits: &[u32]) {
    let code = terminal.end(AT_ONCE);
    assert!(code.is_some_and(|code| exits.contains(&code)), "exit code {code:?}");
    let gone = eventually(bed, AT_ONCE, |estate| estate.bindings("alice@network.com").is_empty());
    assert!(gone, "the registration is left behind\n{}", bed.estate.journal().ladder());
    assert!(!String::from_utf8_lossy(terminal.raw()).contains(CANARY), "the password was on the screen");
}

fn terminate(bed: &TestBed, terminal: &mut Terminal) {
    let killed = Command::new("kill").args(["-TERM", &terminal.process().to_string()]).status();
    assert!(killed.is_ok_and(|status| status.success()));
    is_over(bed, terminal, &[0, 130, 143]);
    assert!(terminal.is_clean(), "the terminal is left as it was found");
}

fn unregistered(bed: &TestBed) -> bool {
    bed.estate.journal().ladder().matches("unregistered").count() >= 1
}

#[test]
fn the_key_q_signs_out_and_leaves_a_clean_terminal() {
    let bed = bed(21);
    let mut terminal = signed_in(&bed);
    terminal.press("q");
    is_over(&bed, &mut terminal, &[0]);
    assert!(terminal.is_clean(), "the terminal is left as it was found");
    assert!(unregistered(&bed));
}

#[test]
fn sigterm_signs_out_and_leaves_a_clean_terminal() {
    let bed = bed(22);
    let mut terminal = signed_in(&bed);
    terminate(&bed, &mut terminal);
}

#[test]
fn sigterm_in_a_storm_of_resizes_leaves_nothing_either() {
    let bed = bed(24);
    let mut terminal = signed_in(&bed);
    for round in 0..40u16 {
        terminal.resize(1 + (round * 37) % 200, 1 + (round * 23) % 60);
    }
    terminate(&bed, &mut terminal);
}

#[test]
fn a_closed_window_signs_out() {
    close_the_window(&bed(23), &[]);
}

#[test]
fn a_terminal_that_is_gone_without_a_signal_signs_out_too() {
    close_the_window(&bed(25), &[("WINDOW_WITHOUT_SIGNAL", "1")]);
}

fn close_the_window(bed: &TestBed, how: &[(&str, &str)]) {
    let mut arguments = vec![PHONE.to_owned()];
    arguments.extend(bed.options());
    // A program of its own holds the terminal and ends: the window is closed with everything in it.
    let mut window = Command::new(env!("CARGO_BIN_EXE_window"))
        .args(arguments)
        .env("HOME", bed.folder.path())
        .envs(how.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the window opens");
    let mut first = String::new();
    let out = window.stdout.take().expect("it is piped");
    std::io::BufReader::new(out).read_line(&mut first).expect("the window tells the phone's number");
    let phone = first.trim().to_owned();
    assert!(eventually(bed, SOON, |estate| estate.bindings("alice@network.com").len() == 1));
    drop(window.stdin.take());
    window.wait().expect("the window closes");
    let gone = eventually(bed, AT_ONCE, |estate| estate.bindings("alice@network.com").is_empty());
    assert!(gone, "the registration is left behind\n{}", bed.estate.journal().ladder());
    let ended = eventually(bed, AT_ONCE, |_| !std::path::Path::new("/proc").join(&phone).exists());
    assert!(ended, "the phone lives on without a terminal");
}
