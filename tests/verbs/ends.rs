//! Outputs that nobody reads, that are closed or no terminals: every verb ends quietly, with its own exit code.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::setup::{PROGRAM, bed};
use homing_tests::test_bed::TestBed;

/// Verbs that print until they are ended.
const ENDLESS: [&str; 4] =
    ["attach", "attach --json", "status --watch", "login alice@network.com --watch --password-file password"];

fn watched() -> (TestBed, std::process::Child) {
    let bed = bed();
    let words = "login alice@network.com --watch --password-file password";
    let mut phone = bed.command(words).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(phone.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("registered at")));
    std::thread::spawn(move || lines.for_each(drop));
    (bed, phone)
}

#[test]
fn whoever_prints_until_it_is_ended_ends_when_nobody_reads() {
    let (bed, mut phone) = watched();
    for words in ENDLESS {
        reads_one_line(&bed, words);
    }
    let _ = phone.kill();
    let _ = phone.wait();
    // These are phones themselves.
    let apart = crate::setup::bed();
    for words in ["login alice@network.com --watch --json --password-file password", "--plain"] {
        apart.write_config();
        reads_one_line(&apart, &format!("{words} --config config.toml"));
        assert!(apart.estate.bindings("alice").is_empty(), "{words} signs out before it ends");
    }
}

/// As `homing … | head -1` does.
fn reads_one_line(bed: &TestBed, words: &str) {
    let mut child = bed.command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    assert!(out.read_line(&mut line).unwrap() > 0, "{words} says nothing");
    drop(out);
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if begun.elapsed() > Duration::from_secs(30) {
            let _ = child.kill();
            panic!("{words} goes on although nobody reads");
        }
        std::thread::yield_now();
    };
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!((status.code(), err.as_str()), (Some(0), ""), "{words}");
}

#[test]
fn a_verb_whose_output_is_closed_or_unread_ends_as_always() {
    let bed = bed();
    let rows = [
        ("version", 0),
        ("man", 0),
        ("completions bash", 0),
        ("config show", 0),
        ("config schema", 0),
        ("config check", 0),
        ("resolve network.com", 0),
        ("status", 3),
        ("account list", 0),
        ("login alice@network.com --password-file password", 0),
        ("login alice@network.com --password-file wrong", 6),
        ("redirect trace alice@network.com --password-file password", 0),
        ("options alice@network.com --password-file password", 0),
        ("doctor alice@network.com --password-file password", 0),
        ("nonsense", 2),
        ("--help", 0),
    ];
    std::thread::scope(|threads| {
        for (words, exit) in rows {
            let bed = &bed;
            threads.spawn(move || {
                for how in ["exec \"$0\" \"$@\" >&- 2>&-", "exec \"$0\" \"$@\" >/dev/full 2>/dev/full"] {
                    let plain = bed.command(words);
                    let mut shell = Command::new("sh");
                    shell.args(["-c", how]).arg(PROGRAM).args(plain.get_args()).stdin(Stdio::null());
                    shell.env_clear().env("HOME", bed.folder.path()).current_dir(bed.folder.path());
                    assert_eq!(shell.status().unwrap().code(), Some(exit), "{words} with {how}");
                }
                let mut child =
                    bed.command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
                drop(child.stdout.take());
                let mut err = String::new();
                child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
                assert_eq!(child.wait().unwrap().code(), Some(exit), "{words}: {err}");
                assert!(!err.contains("panicked") && !err.contains("roken pipe"), "{words}: {err}");
            });
        }
    });
}

#[test]
fn a_locale_without_utf8_gets_ascii() {
    let bed = bed();
    for (locale, ascii) in [("C", true), ("de_DE.ISO-8859-1", true), ("C.UTF-8", false)] {
        let mut command = bed.command("login alice@network.com --password-file password");
        let output = command.env("LC_ALL", locale).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && text.contains("REGISTER"), "{text}");
        assert_eq!(text.is_ascii(), ascii, "{locale}: {text}");
    }
}
