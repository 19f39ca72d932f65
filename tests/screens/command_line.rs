//! The command line: verbs, JSON, exit codes, and no secret in any output.

use std::net::UdpSocket;
use std::process::{Command, Output, Stdio};

use homing_server_mock::mischief::{Mischief, Rule};
use serde_json::Value;

use crate::place::{CANARY, PHONE, Place};

/// Runs the phone without a terminal, with a home of its own and nothing else in its environment.
fn phone(place: &Place, verb: &[&str]) -> Output {
    let home = place.home.path();
    let mut command = Command::new(PHONE);
    command.env_clear().stdin(Stdio::null());
    for name in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"] {
        command.env(name, home);
    }
    command.args(verb).args(place.options()).current_dir(home);
    let output = command.output().expect("the phone starts");
    for stream in [&output.stdout, &output.stderr] {
        assert!(!String::from_utf8_lossy(stream).contains(CANARY), "the password was printed");
    }
    output
}

/// The lines of JSON on standard output.
fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// One wrong thing, the exit code and the stable code it is told by.
fn fails(place: &Place, exit: i32, code: &str) {
    let output = phone(place, &["login", "--once", "--json"]);
    let told = || format!("{code}: {}\n{}", said(&output), place.estate.journal().ladder());
    assert_eq!(output.status.code(), Some(exit), "{}", told());
    assert!(said(&output).contains(code), "{code} is not in {}", said(&output));
    assert!(lines(&output).iter().all(|line| line["v"] == 1), "every line says its version");
}

#[test]
fn login_once_signs_in_and_out() {
    let place = Place::new(1);
    let output = phone(&place, &["login", "--once", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let lines = lines(&output);
    let registered = lines.iter().find(|line| line["event"] == "registered").expect("a line says so");
    assert!(registered["home"].as_str().is_some_and(|home| home.starts_with("hs104.network.com")));
    assert_eq!(registered["journey"]["redirects"], 1);
    assert!(place.estate.bindings("alice@network.com").is_empty(), "signed out");
}

#[test]
fn every_wrong_redirect_ends_with_seven() {
    for (seed, (mischief, code)) in [
        (Mischief::Unsigned301, "E0703"),
        (Mischief::BadSignature301, "E0704"),
        (Mischief::ContactChanged, "E0705"),
        (Mischief::TlsToTcp, "E0706"),
        (Mischief::OtherDomain, "E0707"),
    ]
    .into_iter()
    .enumerate()
    {
        let place = Place::new(10 + seed as u64);
        place.estate.node("lb").mischief(Rule::always(mischief));
        fails(&place, 7, code);
        assert!(place.estate.bindings("alice@network.com").is_empty());
    }
}

#[test]
fn a_wrong_password_ends_with_six() {
    let place = Place::new(2);
    place.write_password("not it");
    fails(&place, 6, "E0601");
}

#[test]
fn a_root_nobody_trusts_ends_with_five() {
    let (place, other) = (Place::new(3), Place::new(4));
    std::fs::write(place.home.path().join("root.pem"), other.estate.ca_pem()).unwrap();
    fails(&place, 5, "E0506");
}

#[test]
fn no_dns_ends_with_four() {
    let place = Place::new(5);
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let output = phone_asking(&place, &address);
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert!(said(&output).contains("E040"), "{}", said(&output));
}

fn phone_asking(place: &Place, name_server: &str) -> Output {
    let mut options = place.options();
    let at = options.iter().position(|option| option == "--name-server").expect("it is there") + 1;
    name_server.clone_into(&mut options[at]);
    let mut command = Command::new(PHONE);
    command.env_clear().env("HOME", place.home.path()).stdin(Stdio::null());
    command.args(["login", "--once", "--json"]).args(options).output().expect("the phone starts")
}

#[test]
fn usage_ends_with_two_and_a_broken_file_with_three() {
    let place = Place::new(6);
    assert_eq!(phone(&place, &["no-such-verb"]).status.code(), Some(2));
    std::fs::write(place.home.path().join("config.toml"), "[[account]\naor =").unwrap();
    let output = phone(&place, &["login", "--once"]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
}

#[test]
fn a_password_file_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new(7);
    let path = place.home.path().join("password");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let output = phone(&place, &["login", "--once"]);
    assert_ne!(output.status.code(), Some(0), "{}", said(&output));
    assert!(place.estate.bindings("alice@network.com").is_empty());
}

#[test]
fn resolve_prints_the_plan_with_its_reasons() {
    let place = Place::new(8);
    let output = phone(&place, &["resolve", "network.com", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("lb.network.com"), "{}", said(&output));
    assert!(said(&output).contains("_sipinternaltls._tcp"), "{}", said(&output));
}

#[test]
fn the_demo_without_a_terminal_plays_its_whole_script() {
    let output = Command::new(PHONE)
        .env_clear()
        .env("HOME", std::env::temp_dir())
        .args(["demo", "--json"])
        .stdin(Stdio::null())
        .output()
        .expect("the phone starts");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let steps: Vec<Value> = lines(&output).into_iter().filter(|line| line["event"] == "step").collect();
    assert!(steps.len() >= 5, "{} steps", steps.len());
    for step in &steps {
        assert_eq!(step["ok"], true, "{step}");
    }
    for name in ["sign-in", "move"] {
        assert!(steps.iter().any(|step| step["step"] == name), "no step {name}");
    }
}
