//! What is said when a sign-out leaves the registration at the server, and how the program ends then.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use crate::registrar::{Habit, registrar};
use crate::setup::{bed, event, events};
use homing_tests::test_bed::TestBed;

/// What a registrar does, and what is said then: exit code, code, words of the sentence.
const ROWS: [(Habit, i32, &str, &str); 2] = [
    (Habit::RefusesSignOut(500), 8, "E0808", "the server refused with 500"),
    (Habit::LeavesSignOut, 9, "E0904", "the server did not answer"),
];

fn at(habit: Habit) -> String {
    let port = registrar(habit).port();
    format!("alice@network.com --server 127.0.0.1:{port} --transport tcp --password-file password")
}

#[test]
fn a_verb_that_signed_in_tells_that_it_is_not_signed_out() {
    let bed = bed();
    for (habit, exit, code, says) in ROWS {
        for verb in ["login", "options", "redirect trace", "account test", "doctor"] {
            let done = bed.done(&format!("{verb} {}", at(habit)));
            assert_eq!(done.code, exit, "{verb}: {done:?}");
            assert!(done.err.starts_with(&format!("{code}: signed out, but {says}")), "{verb}: {done:?}");
            assert!(done.err.contains("lapses by itself") && done.err.contains("Hint: "), "{verb}: {done:?}");
        }
        let done = bed.done(&format!("login --json {}", at(habit)));
        let told = events(&done.out);
        let outcome = event(&told, "unregistered");
        let status = if exit == 8 { serde_json::json!(500) } else { serde_json::Value::Null };
        let word = if exit == 8 { "refused" } else { "unanswered" };
        assert_eq!((&outcome["outcome"], &outcome["status"]), (&word.into(), &status), "{done:?}");
        assert_eq!((event(&told, "error")["code"].as_str(), done.code), (Some(code), exit), "{done:?}");
    }
    let done = bed.done(&format!("login {}", at(Habit::Plain)));
    assert!(done.code == 0 && done.out.contains("the server removed the registration"), "{done:?}");
}

#[test]
fn a_phone_that_ends_tells_whose_registration_is_left() {
    let bed = bed();
    for (habit, exit, code, says) in ROWS {
        for form in ["--watch", "--watch --json"] {
            let (phone, _) = signed_in(&bed, habit, form);
            let (ended, out, err) = terminated(phone);
            assert_eq!(ended, Some(exit), "{form}: {out}{err}");
            let said = if form.contains("json") { &out } else { &err };
            assert!(said.contains(code) && said.contains(says), "{form}: {out}{err}");
        }
    }
    let (ended, out, err) = terminated(signed_in(&bed, Habit::Plain, "--watch").0);
    assert_eq!((ended, err.as_str()), (Some(0), ""), "{out}");
}

#[test]
fn logout_has_the_running_phone_sign_out_and_tells_the_outcome() {
    let bed = bed();
    let rows = ROWS.into_iter().chain([(Habit::Plain, 0, "", "the server removed the registration")]);
    for (habit, exit, code, says) in rows {
        let (phone, _) = signed_in(&bed, habit, "--watch");
        let done = bed.done("logout alice@network.com");
        assert_eq!(done.code, exit, "{done:?}");
        let said = if exit == 0 { &done.out } else { &done.err };
        assert!(said.contains(code) && said.contains(says), "{done:?}");
        let (code, text) = bed.run("status");
        assert!(code == 0 && text.contains("logged off"), "the phone stays: {code} {text}");
        let again = bed.done("logout alice@network.com");
        assert!(again.code == 3 && again.err.contains("E0143"), "{again:?}");
        // What was told once is not told at the end again.
        assert_eq!(terminated(phone).0, Some(0));
    }
}

/// A phone that is registered, and its first line that says so.
fn signed_in(bed: &TestBed, habit: Habit, form: &str) -> (Child, String) {
    let words = format!("login {form} {}", at(habit));
    let mut phone = bed.command(&words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(phone.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("registered at") && !line.contains("\"event\":\"registered\"") {
        line.clear();
        assert!(out.read_line(&mut line).unwrap() > 0, "{words} never signed in");
    }
    phone.stdout = Some(out.into_inner());
    (phone, line)
}

/// Ends it by a signal; exit code and both outputs.
fn terminated(mut phone: Child) -> (Option<i32>, String, String) {
    let sent = Command::new("kill").args(["-TERM", &phone.id().to_string()]).status();
    assert!(sent.unwrap().success());
    let (mut out, mut err) = (String::new(), String::new());
    phone.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    phone.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    (phone.wait().unwrap().code(), out, err)
}
