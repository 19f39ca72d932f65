//! Every verb beside a running phone, and a second phone. The first one stays registered all the while.

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use homing_server_mock::estate::{Estate, HeldBinding};

use crate::setup::{PHONE, bed, eventually};
use crate::terminal::Terminal;
use homing_tests::test_bed::{CANARY, TestBed};

const SOON: Duration = Duration::from_secs(40);
const AT_ONCE: Duration = Duration::from_secs(10);
const ALICE: &str = "alice@network.com";

/// A verb, its exit, and what its sentences say.
type Call = (&'static str, i32, &'static str);

/// What the phone is asked for.
const ASKED: &[Call] = &[
    ("status", 0, "alice@network.com registered at hs104.network.com"),
    ("options", 0, "asked the running phone"),
    ("options sip:alice@network.com --trace options.txt", 0, "asked the running phone"),
    ("doctor", 0, "ok    login      home server hs104.network.com"),
    ("login", 0, "asked the running phone"),
    ("register alice@network.com --once", 0, "asked the running phone"),
    ("login --wait registered,10s", 0, "asked the running phone"),
    ("login --wait redirected,50ms", 11, "asked the running phone"),
    ("redirect trace", 0, "1 of 5 redirects"),
    ("account test --trace check.txt", 0, "asked the running phone"),
];

/// What is done as a new endpoint.
const APART: &[Call] = &[
    ("options --new-endpoint", 0, "200 OK"),
    ("doctor --new-endpoint", 0, "ok    login"),
    ("login --new-endpoint", 0, "signed out"),
    ("login --wait registered,10s --new-endpoint", 0, "registered"),
    ("redirect trace --new-endpoint", 0, "home server: hs104.network.com"),
    ("account test --new-endpoint", 0, "signed out"),
    ("login --password-file password", 0, "as a new endpoint"),
    ("login mallory@network.com --password-file password", 6, "does not have mallory@network.com"),
];

fn arguments(bed: &TestBed, words: &str) -> Vec<String> {
    let mut arguments = bed.options();
    arguments.extend(words.split_whitespace().map(str::to_owned));
    arguments
}

fn phone(bed: &TestBed, words: &str) -> Terminal {
    let arguments = arguments(bed, words);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    Terminal::start(PHONE, &arguments, 80, 24, bed.folder.path())
}

fn command(bed: &TestBed, words: &str) -> Command {
    let mut command = Command::new(PHONE);
    command.args(arguments(bed, words)).env_clear().current_dir(bed.folder.path()).stdin(Stdio::null());
    for name in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"] {
        command.env(name, bed.folder.path());
    }
    command
}

fn verb(bed: &TestBed, words: &str) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = command(bed, words).output().unwrap();
    let text = String::from_utf8([stdout, stderr].concat()).unwrap();
    assert!(!text.contains(CANARY), "{words} told the password:\n{text}");
    (status.code(), text)
}

fn check(bed: &TestBed, (words, exit, says): &Call) {
    let (code, text) = verb(bed, words);
    assert_eq!(code, Some(*exit), "{words}: {text}\n{}", bed.estate.journal().ladder());
    assert!(text.contains(says), "{words}: {text}");
}

fn bindings(estate: &Estate) -> Vec<(String, String, String)> {
    let held = estate.bindings(ALICE).into_iter();
    held.map(|HeldBinding { node, device, contact, .. }| (node, device, contact)).collect()
}

/// Runs `work` while the estate's registrar is asked all the time whether this binding is there.
fn while_bound(bed: &TestBed, work: impl FnOnce(&(String, String, String))) {
    let own = bindings(&bed.estate).remove(0);
    let (over, looks, misses) = (AtomicBool::new(false), AtomicU32::new(0), AtomicU32::new(0));
    std::thread::scope(|threads| {
        threads.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                looks.fetch_add(1, Ordering::Relaxed);
                if !bindings(&bed.estate).contains(&own) {
                    misses.fetch_add(1, Ordering::Relaxed);
                }
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        let worked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&own)));
        over.store(true, Ordering::Relaxed);
        worked.unwrap();
    });
    let (looks, misses) = (looks.into_inner(), misses.into_inner());
    assert!(looks > 50, "the registrar was asked {looks} times only");
    assert_eq!(misses, 0, "of {looks} times the registrar was asked");
}

#[test]
fn a_phone_stays_registered_while_every_verb_runs_beside_it() {
    let bed = bed(91);
    let mut terminal = phone(&bed, "");
    terminal.wait_for("● alice@network.com registered", SOON).unwrap();
    let memory = bed.folder.path().join("homing/remembered.toml");
    let remembered = std::fs::read_to_string(&memory).unwrap();
    while_bound(&bed, |own| {
        for call in ASKED {
            check(&bed, call);
        }
        let ladder = bed.estate.journal().ladder();
        assert_eq!(ladder.matches("unregistered").count(), 1, "only the check signs out:\n{ladder}");
        // A registrar that compares Contacts only must not take the check for the phone.
        let checked = std::fs::read_to_string(bed.folder.path().join("check.txt")).unwrap();
        let sent: Vec<&str> = checked.split("\n#").filter(|entry| entry.contains(" sent to ")).collect();
        assert!(
            sent.len() > 2 && !sent.iter().any(|entry| entry.contains(&own.2)),
            "{} is in {sent:#?}",
            own.2
        );
        for call in APART {
            check(&bed, call);
            assert_eq!(bindings(&bed.estate), std::slice::from_ref(own), "{} leaves something", call.0);
        }
        for words in
            ["attach", "login --watch", "login --watch --json", "login --watch --json --new-endpoint"]
        {
            let mut watching = command(&bed, words).stdout(Stdio::piped()).spawn().unwrap();
            let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines().map_while(Result::ok);
            assert!(lines.next().is_some(), "{words} says nothing");
            std::thread::spawn(move || lines.for_each(drop));
            let killed = Command::new("kill").args(["-TERM", &watching.id().to_string()]).status();
            assert!(killed.is_ok_and(|status| status.success()), "{words}");
            assert!(watching.wait().unwrap().success(), "{words}");
        }
        let gone = eventually(&bed, AT_ONCE, |estate| bindings(estate).len() == 1);
        assert!(gone, "a watch leaves something");
    });
    assert_eq!(std::fs::read_to_string(&memory).unwrap(), remembered, "what the phone remembers is its own");
    for text in bed.estate.journal().entries().iter().filter_map(homing_server_mock::journal::Entry::text) {
        assert!(!text.contains("Contact: *"), "somebody removed all bindings:\n{text}");
    }
    terminal.settle(Duration::from_millis(200));
    assert!(terminal.contents().contains("● alice@network.com registered"), "{}", terminal.contents());
    terminal.press("q");
    assert_eq!(terminal.end(AT_ONCE), Some(0));
    assert!(eventually(&bed, AT_ONCE, |estate| bindings(estate).is_empty()));
}

#[test]
fn a_second_phone_says_so_and_can_be_attached_started_beside_or_left() {
    let bed = bed(92);
    let mut first = phone(&bed, "");
    first.wait_for("● alice@network.com registered", SOON).unwrap();
    while_bound(&bed, |own| {
        for words in ["", "--plain"] {
            let mut second = phone(&bed, words);
            second.wait_for("alice@network.com is signed in by another phone", SOON).unwrap();
            second.wait_for("a, n or q:", SOON).unwrap();
            second.press("x\r");
            second.wait_for("a, n or q: x", SOON).unwrap();
            second.press("q\r");
            assert_eq!(second.end(AT_ONCE), Some(0), "{words}");
        }

        let mut second = phone(&bed, "");
        second.wait_for("a, n or q:", SOON).unwrap();
        second.press("a\r");
        second.wait_for("alice@network.com registered at hs104.network.com", SOON).unwrap();
        check(&bed, &("login", 0, "asked the running phone"));
        second.wait_for("registration refreshed", SOON).unwrap();
        second.press("\x03");
        assert_eq!(second.end(AT_ONCE), Some(0));
        assert_eq!(bindings(&bed.estate), std::slice::from_ref(own));

        let mut second = phone(&bed, "");
        second.wait_for("a, n or q:", SOON).unwrap();
        second.press("n\r");
        second.wait_for("● alice@network.com registered", SOON).unwrap();
        assert_eq!(bindings(&bed.estate).len(), 2, "two endpoints");
        let (code, text) = verb(&bed, "status");
        assert_eq!((code, text.matches("alice@network.com registered").count()), (Some(0), 2), "{text}");
        // Reading the configuration again does not make it the endpoint of the first one.
        second.press("\x12");
        second.wait_for("0 added, 0 changed, 0 removed", SOON).unwrap();
        assert_eq!(bindings(&bed.estate).len(), 2, "two endpoints");
        second.press("q");
        assert_eq!(second.end(AT_ONCE), Some(0));
        assert_eq!(bindings(&bed.estate), std::slice::from_ref(own));

        let (code, text) = verb(&bed, "--plain");
        assert_eq!(code, Some(3), "{text}");
        assert!(text.contains("E0138") && text.contains("--new-endpoint"), "{text}");
    });
    let mut attached = phone(&bed, "attach alice@network.com");
    attached.wait_for("alice@network.com registered at", SOON).unwrap();
    first.press("q");
    attached.wait_for("signed out", SOON).unwrap();
    assert_eq!(attached.end(AT_ONCE), Some(0), "it ends with the phone");
    assert!(attached.contents().contains("has ended"), "{}", attached.contents());
    assert_eq!(verb(&bed, "status").0, Some(3));
}

#[test]
fn an_account_that_comes_while_another_phone_has_it_is_not_signed_in_twice() {
    let bed = bed(93);
    let configured = bed.config_text();
    bed.change_config(|_| String::new());
    let mut late = phone(&bed, "");
    late.wait_for("Your SIP address", SOON).unwrap();
    late.press("\x1b");
    bed.change_config(|_| configured);
    let mut first = phone(&bed, "");
    first.wait_for("● alice@network.com registered", SOON).unwrap();
    late.press("\x12");
    late.wait_for("E0138", SOON).unwrap();
    assert_eq!(bindings(&bed.estate).len(), 1);
}
