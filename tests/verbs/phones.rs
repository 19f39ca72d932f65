//! The control socket of a running phone: several phones, none, one without accounts; and what cannot harm it.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use homing_server_mock::estate::User;
use serde_json::{Value, json};

use crate::setup::{bed, bed_with, event, events};
use homing_tests::test_bed::{CANARY, TestBed};

const ALICE: &str = "login alice@network.com --watch --password-file password";
const BOB: &str = "login bob@network.com --watch --password-file password";

/// A phone that runs without a screen; it is ended with this.
struct Phone(Child);

impl Phone {
    /// Starts one and waits until it prints `sign`.
    fn start(bed: &TestBed, words: &str, sign: &str) -> Self {
        let mut child = bed.command(words).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        assert!(lines.any(|line| line.contains(sign)), "{words} never said {sign:?}");
        // A client that does not read must not block it.
        std::thread::spawn(move || lines.for_each(drop));
        Self(child)
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.0.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    fn end(mut self) {
        self.signal("-TERM");
        assert!(self.0.wait().unwrap().success());
    }

    /// Memory in use, in KiB; none where the system does not tell.
    fn memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn two_users() -> TestBed {
    bed_with(|estate| estate.user(User::new("bob", CANARY).assigned("hs102")))
}

fn folder(bed: &TestBed) -> PathBuf {
    bed.path(".local/state/homing/phones")
}

fn sockets(bed: &TestBed) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder(bed)).unwrap().map(|entry| entry.unwrap().path());
    let is_socket = |path: &PathBuf| std::fs::symlink_metadata(path).unwrap().file_type().is_socket();
    entries.filter(is_socket).collect()
}

fn connect(bed: &TestBed) -> UnixStream {
    let stream = UnixStream::connect(&sockets(bed)[0]).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// The answer to a request, whole.
fn answer(bed: &TestBed, request: &[u8]) -> Vec<Value> {
    let mut stream = connect(bed);
    // What is longer than allowed may be refused before it is written.
    let _ = stream.write_all(request);
    let mut text = String::new();
    let _ = stream.read_to_string(&mut text);
    assert!(!text.contains(CANARY), "{text}");
    events(&text)
}

fn ask(bed: &TestBed, request: &Value) -> Vec<Value> {
    answer(bed, format!("{request}\n").as_bytes())
}

#[test]
fn status_lists_the_accounts_of_all_phones() {
    let bed = two_users();
    let (code, text) = bed.run("status");
    assert_eq!(code, 3, "{text}");
    let alice = Phone::start(&bed, ALICE, "alice@network.com registered at hs104");
    let bob = Phone::start(&bed, BOB, "bob@network.com registered at hs102");
    let (code, text) = bed.run("status");
    assert_eq!(code, 0, "{text}");
    for words in ["alice@network.com registered at hs104", "bob@network.com registered at hs102"] {
        assert!(text.contains(words), "{text}");
    }
    let told = events(&bed.run("status --json").1);
    let phones: Vec<u64> = told
        .iter()
        .filter(|line| line["event"] == "phone")
        .filter_map(|line| line["process"].as_u64())
        .collect();
    assert_eq!(phones.len(), 2, "{told:#?}");
    for (phone, aor) in [(&alice, "alice@network.com"), (&bob, "bob@network.com")] {
        let account = told.iter().find(|line| line["aor"] == aor).unwrap();
        assert_eq!((&account["process"], &account["state"]), (&phone.0.id().into(), &"registered".into()));
    }
    // Each verb finds the phone that has the account.
    for aor in ["alice@network.com", "bob@network.com"] {
        let told = events(&bed.run(&format!("options {aor} --json")).1);
        let process = event(&told, "phone")["process"].as_u64();
        let expected = if aor.starts_with("bob") { &bob } else { &alice };
        assert_eq!(process, Some(expected.0.id().into()), "{told:#?}");
    }
    alice.end();
    let (code, text) = bed.run("status");
    assert!(code == 0 && text.contains("bob@") && !text.contains("alice@"), "{text}");
    bob.end();
    assert_eq!(bed.run("status").0, 3);
    assert!(sockets(&bed).is_empty());
}

#[test]
fn a_phone_without_accounts_says_so() {
    let bed = bed();
    let phone = bed.command("--plain").stdout(Stdio::null()).spawn().map(Phone).unwrap();
    let begun = Instant::now();
    while !folder(&bed).is_dir() || sockets(&bed).is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it never listens");
        std::thread::yield_now();
    }
    let (code, text) = bed.run("status");
    assert!(code == 0 && text.contains("runs without accounts"), "{code} {text}");
    let told = events(&bed.run("status --json").1);
    assert_eq!(event(&told, "phone")["accounts"], 0, "{told:#?}");
    let (code, text) = bed.run("attach alice@network.com");
    assert!(code == 3 && text.contains("E0142"), "{code} {text}");
    phone.end();
}

#[test]
fn of_two_phones_that_start_at_once_with_one_account_one_attaches() {
    let bed = bed();
    let (code, text) = bed.with_password("account add alice@network.com", "password");
    assert_eq!(code, 0, "{text}");
    let watch = |_| bed.command("login --watch").stdout(Stdio::piped()).spawn().unwrap();
    let watches: Vec<Child> = (0..4).map(watch).collect();
    let mut attached = 0;
    let mut phones = Vec::new();
    for mut child in watches {
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let first = lines.next().unwrap();
        std::thread::spawn(move || lines.for_each(drop));
        attached += u32::from(first.contains("attached to the phone"));
        phones.push(Phone(child));
    }
    assert_eq!((attached, sockets(&bed).len()), (3, 1));
    let begun = Instant::now();
    while bed.estate.bindings("alice").is_empty() && begun.elapsed() < Duration::from_secs(20) {
        std::thread::yield_now();
    }
    assert_eq!(bed.estate.bindings("alice").len(), 1);
}

#[test]
fn a_socket_that_is_left_over_and_a_phone_that_sleeps_are_told_apart() {
    let bed = bed();
    let dead = Phone::start(&bed, ALICE, "registered at hs104");
    dead.signal("-KILL");
    drop(dead);
    assert_eq!(sockets(&bed).len(), 1, "it could not tidy up");
    assert_eq!(bed.run("status").0, 3, "nobody listens there");
    let (code, text) = bed.with_password("options alice@network.com", "password");
    assert!(code == 0 && !text.contains("phone"), "{text}");

    let phone = Phone::start(&bed, ALICE, "registered at hs104");
    assert_eq!(sockets(&bed).len(), 1, "the next phone tidies up");
    phone.signal("-STOP");
    let (code, text) = bed.run("status");
    assert!(code == 9 && text.contains("E0140"), "{code} {text}");
    let (code, text) = bed.with_password("options alice@network.com", "password");
    assert!(code == 0 && text.contains("does not answer; this signs in as a new endpoint"), "{code} {text}");
    let (code, text) = bed.run(ALICE);
    assert!(code == 9 && text.contains("E0140"), "{code} {text}");
    phone.signal("-CONT");
    assert_eq!(bed.run("status").0, 0);
    phone.end();
}

#[test]
fn what_is_no_request_is_refused_and_harms_nothing() {
    let bed = bed();
    let phone = Phone::start(&bed, ALICE, "registered at hs104");
    let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(folder(&bed)), mode(sockets(&bed).remove(0))), (0o700, 0o600));
    let long = [b'x'; 1 << 20];
    let (other, unknown) = (json!({ "v": 1, "ask": "status" }), json!({ "v": 2, "ask": "password" }));
    let (other, unknown) = (format!("{other}\n"), format!("{unknown}\n"));
    let garbage: [(&[u8], &str); 5] = [
        (b"GET / HTTP/1.1\r\n\r\n", "is not a request"),
        (b"\xff\xfe\x00\n", "is not a request"),
        (other.as_bytes(), "version 2"),
        (unknown.as_bytes(), "is not a request"),
        (&long, "at most 4096 bytes"),
    ];
    for (request, says) in garbage {
        let told = answer(&bed, request);
        let sentence = told[0]["sentence"].as_str().unwrap();
        assert_eq!((&told[0]["code"], told.len()), (&"E0137".into(), 1));
        assert!(sentence.contains(says), "{sentence}");
    }
    let told = ask(&bed, &json!({ "v": 2, "ask": "login", "aor": "bob@network.com" }));
    assert_eq!(told.last().unwrap()["event"], "declined", "{told:#?}");
    let told = ask(&bed, &json!({ "v": 2, "ask": "options", "aor": "alice@network.com", "uri": "no uri" }));
    assert_eq!(told.last().unwrap()["event"], "error", "{told:#?}");
    let told =
        ask(&bed, &json!({ "v": 2, "ask": "wait", "aor": "alice@network.com", "state": "x", "within": 1 }));
    assert_eq!(told.last().unwrap()["event"], "declined", "{told:#?}");
    assert_eq!(bed.run("status").0, 0);
    phone.end();
}

#[test]
fn a_hundred_clients_and_those_that_never_read_or_write_harm_nothing() {
    let bed = bed();
    let phone = Phone::start(&bed, ALICE, "registered at hs104");
    let before = phone.memory();
    // These say nothing, half a request, or never read what they asked for.
    let idle: Vec<UnixStream> = (0..20).map(|_| connect(&bed)).collect();
    let mut half = connect(&bed);
    half.write_all(b"{\"v\":1,").unwrap();
    let trace = json!({ "v": 2, "ask": "journey", "aor": "alice@network.com", "trace": true });
    let deaf: Vec<UnixStream> = (0..40)
        .map(|_| {
            let mut stream = connect(&bed);
            writeln!(stream, "{trace}").unwrap();
            stream
        })
        .collect();
    let watching: Vec<UnixStream> = (0..30)
        .map(|_| {
            let mut stream = connect(&bed);
            writeln!(stream, "{}", json!({ "v": 2, "ask": "attach", "aor": null })).unwrap();
            stream
        })
        .collect();
    std::thread::scope(|threads| {
        let asking = |_| threads.spawn(|| ask(&bed, &json!({ "v": 2, "ask": "status" })));
        let asked: Vec<_> = (0..100).map(asking).collect();
        for thread in asked {
            let told = thread.join().unwrap();
            assert_eq!(told.last().unwrap()["event"], "end", "{told:#?}");
            assert_eq!(event(&told, "account")["state"], "registered");
        }
    });
    assert_eq!(bed.run("options alice@network.com").0, 0);
    let refused = watching.iter().filter(|stream| {
        let first = BufReader::new(*stream).lines().map_while(Result::ok).take(2);
        first.collect::<String>().contains("E0141")
    });
    assert_eq!(refused.count(), 30 - 16, "so many may stay");
    if let (Some(before), Some(after)) = (before, phone.memory()) {
        assert!(after < before + 16 * 1024, "{before} KiB before, {after} KiB after");
    }
    drop((idle, half, deaf, watching));
    // Who stayed and went has made room.
    let begun = Instant::now();
    loop {
        let mut stream = connect(&bed);
        writeln!(stream, "{}", json!({ "v": 2, "ask": "attach", "aor": null })).unwrap();
        let lines: String = BufReader::new(&stream).lines().map_while(Result::ok).take(2).collect();
        if lines.contains("registered") {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{lines}");
    }
    assert_eq!(bed.estate.bindings("alice").len(), 1);
    phone.end();
    assert!(bed.estate.bindings("alice").is_empty());
}

#[test]
fn no_secret_is_told_over_the_socket() {
    let bed = bed();
    let phone = Phone::start(&bed, ALICE, "registered at hs104");
    let aor = "alice@network.com";
    let mut text = String::new();
    for request in [
        json!({ "v": 2, "ask": "status", "trace": true }),
        json!({ "v": 2, "ask": "login", "aor": aor, "trace": true }),
        json!({ "v": 2, "ask": "check", "aor": aor, "trace": true }),
        json!({ "v": 2, "ask": "journey", "aor": aor, "trace": true }),
        json!({ "v": 2, "ask": "test", "aor": aor, "trace": true }),
    ] {
        let told = ask(&bed, &request);
        text.push_str(&format!("{told:?}"));
    }
    // The NTLM AUTHENTICATE message begins so in base64; the trace of the login holds its header.
    assert!(text.contains("gssapi-data=") && !text.contains("TlRMTVNTUAAD"), "{text}");
    // A phone whose account comes from its command line has no password to read again.
    let (code, said) = bed.with_password("account test alice@network.com", "password");
    assert!(code == 0 && said.contains("as a new endpoint"), "{said}");
    phone.end();
}

#[test]
fn a_new_endpoint_removes_its_own_contact_only() {
    let bed = bed();
    let (code, text) = bed.with_password("account add alice@network.com", "password");
    assert_eq!(code, 0, "{text}");
    let phone = Phone::start(&bed, "login --watch", "registered at hs104");
    let kept = bed.estate.bindings("alice").remove(0);
    let (code, text) = bed.run("login --new-endpoint --trace out.jsonl");
    assert_eq!(code, 0, "{text}");
    let trace = events(&std::fs::read_to_string(bed.path("out.jsonl")).unwrap());
    let texts =
        trace.iter().filter(|line| line["direction"] == "out").filter_map(|line| line["text"].as_str());
    let removals: Vec<&str> = texts.filter(|text| text.contains("\nExpires: 0")).collect();
    assert!(!removals.is_empty());
    for text in removals {
        let contact = text.lines().find(|line| line.starts_with("Contact:")).unwrap();
        assert!(contact.contains("+sip.instance=") && !contact.contains('*'), "{contact}");
        assert!(!contact.contains(&kept.contact), "{contact} is the phone's");
    }
    let held = bed.estate.bindings("alice");
    assert_eq!(held.iter().map(|binding| &binding.device).collect::<Vec<_>>(), [&kept.device]);
    phone.end();
}
