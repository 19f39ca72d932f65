//! Signing in, accounts that are kept, a watch that answers and ends.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use homing_server_mock::estate::{Schemes, Transport};
use homing_server_mock::fault::Fault;
use serde_json::Value;

use crate::setup::{bed, bed_with, event, events};
use homing_tests::test_bed::CANARY;

#[test]
fn a_login_is_led_home_and_leaves_nothing_behind() {
    let bed = bed();
    let (code, text) = bed.with_password("login alice@network.com --once --json", "password");
    let told = events(&text);
    assert_eq!(code, 0, "{text}");
    assert!(told.iter().all(|event| event["v"] == 2 && event["ts"].is_string()));
    let registered = event(&told, "registered");
    assert!(registered["home"].as_str().is_some_and(|home| home.starts_with("hs104.network.com:")));
    assert_eq!(registered["journey"]["redirects"], 1);
    assert_eq!(registered["journey"]["hops"][0]["verdict"]["signed"], true);
    assert!(bed.estate.bindings("alice").is_empty());

    let (code, text) = bed.with_password("redirect trace alice@network.com", "password");
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("1 REGISTER → lb.network.com") && text.contains("signed (NTLM)"), "{text}");
    assert!(text.contains("1 of 5 redirects"), "{text}");

    let (code, text) = bed.with_password("options alice@network.com --json", "password");
    assert_eq!((code, &event(&events(&text), "options")["status"]), (0, &Value::from(200)), "{text}");

    let (code, text) = bed.with_password("doctor alice@network.com", "password");
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("ok    login"), "{text}");

    let (code, text) = bed.with_password("login alice@network.com --wait registered,20s", "password");
    assert_eq!(code, 0, "{text}");
}

#[test]
fn options_reaches_whoever_a_uri_names_with_and_without_an_account() {
    let bed = bed_with(|estate| {
        estate.schemes(Schemes::None).transports([Transport::Tls, Transport::Tcp, Transport::Udp])
    });
    let lb = bed.estate.node("lb");
    for (uri, transport) in [
        ("sips:lb.network.com", Transport::Tls),
        ("sip:lb.network.com;transport=tcp", Transport::Tcp),
        ("sip:somebody@lb.network.com;transport=udp", Transport::Udp),
    ] {
        let port = lb.address(transport).port();
        let uri = uri.replacen("lb.network.com", &format!("lb.network.com:{port}"), 1);
        let (code, text) = bed.run(&format!("options {uri} --json --trace asked.jsonl"));
        assert_eq!(code, 0, "{uri}: {text}");
        let told = events(&text);
        let answer = event(&told, "options");
        assert_eq!((&answer["status"], &answer["target"]), (&200.into(), &uri.as_str().into()), "{text}");
        assert_eq!(answer["server"], format!("lb.network.com:{port}"), "{text}");
        assert!(answer["allow"].as_array().is_some_and(|allow| allow.contains(&"OPTIONS".into())), "{text}");
        assert!(answer["millis"].is_u64() && answer["reason"] == "OK", "{text}");
        let trace = std::fs::read_to_string(bed.path("asked.jsonl")).expect("the trace");
        assert!(trace.contains("OPTIONS sip"), "{trace}");
    }
    let (code, text) = bed.run("options sips:lb.network.com:1 --timeout 5s");
    assert_eq!(code, 5, "{text}");
    assert!(text.contains("E0501"), "{text}");
}

#[test]
fn failures_have_their_codes_and_next_steps() {
    let bed = bed();
    let (code, text) = bed.with_password("login alice@network.com", "wrong");
    assert_eq!(code, 6, "{text}");
    assert!(text.contains("E0601") && text.contains("Hint: "), "{text}");

    let (code, text) = bed.with_password("login alice@nowhere.invalid", "password");
    assert_eq!(code, 4, "{text}");
    assert!(text.contains("E04"), "{text}");

    bed.write("open", &format!("{CANARY}\n"), 0o644);
    let (code, text) = bed.with_password("login alice@network.com", "open");
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("E0116") && text.contains("chmod 600"), "{text}");

    bed.estate.node("lb").inject_fault(Fault::BadSignature301);
    let (code, text) = bed.with_password("login alice@network.com --json", "password");
    assert_eq!(code, 7, "{text}");
    assert_eq!(event(&events(&text), "error")["code"], "E0704");
}

#[test]
fn a_certificate_of_nobody_is_no_server() {
    let (bed, other) = (bed(), bed());
    bed.write("ca.pem", other.estate.ca_pem(), 0o644);
    let (code, text) = bed.with_password("login alice@network.com", "password");
    assert_eq!(code, 5, "{text}");
    assert!(text.contains("E0506"), "{text}");
}

#[test]
fn an_account_is_kept_tried_and_removed() {
    let bed = bed();
    let (code, text) = bed.with_password("account add alice@network.com", "password");
    assert_eq!(code, 0, "{text}");
    let file = bed.path(".config/homing/config.toml");
    assert_eq!(std::fs::metadata(&file).expect("the configuration").permissions().mode() & 0o777, 0o600);
    assert!(!std::fs::read_to_string(&file).expect("the configuration").contains(CANARY));
    assert_eq!(bed.run("account list").0, 0);
    assert_eq!(bed.run("account test").0, 0);
    assert_eq!(bed.run("account edit alice@network.com redirect.limit 0").0, 0);
    let (code, text) = bed.run("account test");
    assert_eq!(code, 7, "{text}");
    assert!(text.contains("E0701"), "{text}");
    assert_eq!(bed.run("account edit alice@network.com redirect.limit 6").0, 3);
    assert_eq!(bed.run("config check").0, 0);
    assert_eq!(bed.run("account rm alice@network.com").0, 0);
    assert_eq!(bed.run("login").0, 3);
}

#[test]
fn a_watch_answers_status_and_signs_out_when_it_is_ended() {
    let bed = bed();
    let words = format!("login alice@network.com --watch --password-file {}", bed.path("password").display());
    let mut watch = bed.command(&words).stdout(Stdio::piped()).spawn().expect("our own program");
    let out = watch.stdout.take().expect("a pipe");
    let mut lines = BufReader::new(out).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("alice@network.com registered at hs104.network.com")));
    assert_eq!(bed.estate.bindings("alice").len(), 1);

    let (code, text) = bed.run("status --json");
    assert_eq!(code, 0, "{text}");
    let told = events(&text);
    let status = event(&told, "account");
    assert_eq!((&status["state"], &status["signed"]), (&Value::from("registered"), &Value::from(true)));

    end(&mut watch);
    assert!(bed.estate.bindings("alice").is_empty(), "the registration is removed within two seconds");
    assert_ne!(bed.run("status").0, 0);
    let left: Vec<_> = files(bed.folder.path());
    assert!(left.iter().all(|path| !is_socket(path)), "{left:?}");
}

/// Sends SIGTERM and waits for the end, two seconds at most.
fn end(child: &mut Child) {
    let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(sent.expect("kill(1)").success());
    let begun = Instant::now();
    while child.try_wait().expect("our own child").is_none() {
        assert!(begun.elapsed() < Duration::from_secs(4), "it does not end");
        std::thread::yield_now();
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("our own folder").filter_map(Result::ok);
    entries
        .flat_map(|entry| if entry.path().is_dir() { files(&entry.path()) } else { vec![entry.path()] })
        .collect()
}

fn is_socket(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    std::fs::symlink_metadata(path).is_ok_and(|facts| facts.file_type().is_socket())
}
