//! Hands on the phone: clicks, the wheel, Ctrl-Z, SIGHUP, keys of one's own, announcements, saved traces.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

use crate::setup::{PHONE, bed, eventually};
use crate::terminal::Terminal;
use homing_tests::test_bed::Folder;
use homing_tests::test_bed::TestBed;

const SOON: Duration = Duration::from_secs(40);
const AT_ONCE: Duration = Duration::from_secs(10);

fn demo(home: &Folder, columns: u16, rows: u16) -> Terminal {
    let mut terminal = Terminal::start(PHONE, &["demo"], columns, rows, home.path());
    terminal.wait_for("now: home server = hs104.network.com", SOON).unwrap();
    terminal
}

fn phone(bed: &TestBed) -> Terminal {
    let options = bed.options();
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let mut terminal = Terminal::start(PHONE, &options, 100, 30, bed.folder.path());
    terminal.wait_for("● alice@network.com registered", SOON).unwrap();
    terminal
}

fn kill(signal: &str, process: u32) {
    let sent = Command::new("kill").args([signal, &process.to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()));
}

/// A left click on the first bed where `words` stand (SGR mouse reports).
fn click(terminal: &mut Terminal, words: &str) {
    let screen = terminal.contents();
    let found = screen.lines().enumerate().find_map(|(row, line)| {
        let at = line.find(words)?;
        Some((row + 1, line[..at].chars().count() + 1))
    });
    let (row, column) = found.unwrap_or_else(|| panic!("{words:?} is not on the screen:\n{screen}"));
    terminal.press(&format!("\x1b[<0;{column};{row}M\x1b[<0;{column};{row}m"));
}

#[test]
fn tabs_rows_hints_and_the_keys_of_the_estate_can_be_clicked() {
    let home = Folder::new();
    let mut terminal = demo(&home, 100, 34);
    click(&mut terminal, "9 Settings");
    terminal.wait_for("Enter changes", SOON).unwrap();
    click(&mut terminal, "ui.ascii");
    terminal.wait_for("draw with ASCII only", SOON).unwrap();
    click(&mut terminal, "? help");
    terminal.wait_for("/ searches", SOON).unwrap();
    terminal.press("\x1b[<65;10;10M\x1b[<65;10;10M\x1b[<65;10;10M");
    terminal.wait_until(SOON, |screen| !screen.contains("Keys: settings")).unwrap();
    click(&mut terminal, "2 Accounts");
    // The last row of the panel: those above it are drawn.
    terminal.wait_for("stop faults", SOON).unwrap();
    click(&mut terminal, "unsigned 301");
    terminal.wait_for("rejected (E0703)", SOON).unwrap();
}

#[test]
fn ctrl_z_gives_the_terminal_to_the_shell_and_fg_brings_the_phone_back() {
    let home = Folder::new();
    let mut terminal = Terminal::start("/bin/sh", &["-i"], 100, 34, home.path());
    terminal.press(&format!("PS1='shell> '; exec 2>&1; {PHONE} demo\n"));
    terminal.wait_for("now: home server = hs104.network.com", SOON).unwrap();
    terminal.press("\x1a");
    terminal.wait_until(SOON, |screen| screen.contains("Stopped") || screen.contains("suspended")).unwrap();
    assert!(terminal.is_clean(), "the shell has a clean terminal");
    terminal.press("fg\n");
    terminal.wait_for("now: home server = hs104.network.com", SOON).unwrap();
    assert!(!terminal.is_clean(), "the full screen is back");
    terminal.press("q");
    terminal.wait_for("shell>", SOON).unwrap();
    terminal.settle(Duration::from_millis(200));
    assert!(terminal.is_clean());
}

#[test]
fn a_hang_up_signal_with_the_terminal_still_there_reads_the_configuration_again() {
    let bed = bed(71);
    let mut terminal = phone(&bed);
    bed.change_config(|text| format!("[ui]\nascii = true\ntheem = \"light\"\n{text}"));
    kill("-HUP", terminal.process());
    terminal.wait_for("(#) alice@network.com registered", SOON).unwrap();
    terminal.wait_for("is `ui.theme` meant?", SOON).unwrap();
    assert_eq!(bed.estate.bindings("alice@network.com").len(), 1, "the account was left alone");

    bed.change_config(|text| text.replace("ascii = true", "ascii = "));
    terminal.press("\x12");
    terminal.wait_for("E0106", SOON).unwrap();
    terminal.wait_for("(#) alice@network.com registered", SOON).unwrap();

    bed.change_config(|_| String::new());
    terminal.press("\x12");
    terminal.wait_for("no account", SOON).unwrap();
    let gone = eventually(&bed, AT_ONCE, |estate| estate.bindings("alice@network.com").is_empty());
    assert!(gone, "an account that is no longer written is signed out");
}

#[test]
fn a_password_that_was_corrected_where_it_lies_is_tried_when_the_files_are_read_again() {
    let bed = bed(75);
    bed.write_password("not it");
    let options = bed.options();
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let mut terminal = Terminal::start(PHONE, &options, 100, 30, bed.folder.path());
    terminal.wait_for("needs password (E0601)", SOON).unwrap();
    bed.write_password(homing_tests::test_bed::CANARY);
    terminal.press("\x12");
    terminal.wait_for("● alice@network.com registered", SOON).unwrap();
}

#[test]
fn an_account_without_endpoint_token_gets_one_when_the_files_are_read_again() {
    let bed = bed(77);
    let mut terminal = phone(&bed);
    bed.change_config(|text| text + "\n[[account]]\naor = \"bob@network.com\"\npassword_file = \"wrong\"\n");
    terminal.press("\x12");
    terminal.wait_for("1 added", SOON).unwrap();
    assert_eq!(bed.config_text().matches("epid = ").count(), 2, "{}", bed.config_text());
    terminal.wait_for("needs password (E06", SOON).unwrap();
}

#[test]
fn a_key_log_is_told_on_the_screen() {
    let bed = bed(76);
    let options = bed.options();
    let mut options: Vec<&str> = options.iter().map(String::as_str).collect();
    options.extend(["--key-log", "keys.log"]);
    let mut terminal = Terminal::start(PHONE, &options, 100, 30, bed.folder.path());
    let told =
        |screen: &str| screen.contains("9 Settings") && screen.contains("TLS keys are written to keys.log");
    terminal.wait_until(SOON, told).unwrap();
    terminal.wait_for("registered", SOON).unwrap();
    let mode = std::fs::metadata(bed.path("keys.log")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn credentials_are_tested_beside_the_registration() {
    let bed = bed(72);
    let mut terminal = phone(&bed);
    terminal.press("E");
    terminal.wait_for("the credentials are right", SOON).unwrap();
    assert_eq!(bed.estate.bindings("alice@network.com").len(), 1, "one binding, as before");
    bed.write_password("not it");
    terminal.press("E");
    terminal.wait_for("E060", SOON).unwrap();
    terminal.wait_for("● alice@network.com registered", SOON).unwrap();
}

#[test]
fn a_key_file_replaces_keys_and_says_what_it_does_not_know() {
    let bed = bed(73);
    let keys = "preset = \"vim\"\n[everywhere]\nquit = \"Ctrl-Q\"\nflee = \"f\"\n";
    std::fs::write(bed.folder.path().join("keys.toml"), keys).unwrap();
    let mut terminal = phone(&bed);
    terminal.press("8");
    terminal.wait_for("`flee` is not an action", SOON).unwrap();
    terminal.press("q");
    terminal.wait_for("q does nothing here", SOON).unwrap();
    terminal.press("\x11");
    assert_eq!(terminal.end(AT_ONCE), Some(0));
}

#[test]
fn a_trace_is_saved_in_each_form() {
    let home = Folder::new();
    let mut terminal = demo(&home, 100, 34);
    terminal.press("6");
    for (key, name, begins) in [
        ("t", "homing-trace-1.txt", ""),
        ("j", "homing-trace-1.jsonl", "{"),
        ("m", "homing-trace-1.mmd", "sequenceDiagram"),
        ("p", "homing-trace-1.pcap", ""),
    ] {
        // F2, then the form's letter.
        terminal.press("\x1bOQ");
        terminal.wait_for("Save visible messages", SOON).unwrap();
        terminal.press(key);
        terminal.wait_for(&format!("written to {name}"), SOON).unwrap();
        let bytes = std::fs::read(home.path().join(name)).unwrap();
        assert!(bytes.starts_with(begins.as_bytes()) && bytes.len() > 500, "{name}: {} bytes", bytes.len());
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("REGISTER") && text.contains("301"), "{name} holds the messages");
        assert!(!text.contains("open-sesame"), "{name} holds the password");
    }
}

#[test]
fn the_window_is_titled_and_changes_are_announced() {
    let home = Folder::new();
    let mut terminal = Terminal::start(PHONE, &["demo", "--announce"], 80, 24, home.path());
    terminal.wait_for("registered", SOON).unwrap();
    terminal.settle(Duration::from_millis(300));
    let raw = String::from_utf8_lossy(terminal.raw()).into_owned();
    assert!(raw.contains("\x1b]0;● alice@network.com registered"), "the title says how the account stands");
    assert!(raw.contains("\x1b]9;signed in at hs104.network.com"), "a notice of the terminal says it too");
}

#[test]
fn a_layout_shows_less_than_there_is_room_for() {
    let home = Folder::new();
    let mut terminal = Terminal::start(PHONE, &["demo", "--layout", "one-pane"], 120, 40, home.path());
    terminal.wait_for("now: home server = hs104.network.com", SOON).unwrap();
    assert!(!terminal.contents().contains("Facts"), "{}", terminal.contents());
}
