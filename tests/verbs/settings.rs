//! Configurations that would not work: `config check` finds them, and `doctor` looks at every account.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use homing_server_mock::estate::User;

use crate::registrar::{Habit, registrar};
use crate::setup::{PROGRAM, bed, bed_with, event, events};
use homing_tests::test_bed::{CANARY, TestBed};

const ALICE: &str = "[[account]]\naor = \"alice@network.com\"\nepid = \"01ab\"\n";

/// `config check` without options that would replace what the file says.
fn check(bed: &TestBed, text: &str) -> (i32, String) {
    bed.write("checked.toml", text, 0o600);
    let mut command = Command::new(PROGRAM);
    command.env_clear().env("HOME", bed.folder.path()).current_dir("/").stdin(Stdio::null());
    let file = bed.path("checked.toml");
    let output = command.args(["config", "check", "--config"]).arg(file).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn what_will_not_work_is_not_accepted() {
    let bed = bed();
    for (text, says) in [
        ("[network]\nca_file = \"no-such.pem\"\n".to_owned(), "network.ca_file there is no file"),
        ("[network]\nca_file = \"password\"\n".to_owned(), "network.ca_file"),
        ("[network]\nname_server = \"dns.network.com\"\n".to_owned(), "is not an address"),
        ("[network]\nsystem_roots = false\n".to_owned(), "no server could be trusted"),
        (format!("{ALICE}{ALICE}"), "the same aor and epid"),
        (format!("{ALICE}password_file = \"/no/such/file\"\n"), "no password"),
        (format!("{ALICE}password_command = [\"no-such-program\"]\n"), "no password"),
        (format!("{ALICE}server = \"lb.network.com:0\"\n"), "is not a server"),
        (format!("{ALICE}rspauth = \"never\"\n"), "check, ignore"),
        (format!("{ALICE}register_uri = \"host\"\n"), "domain, server"),
        (format!("{ALICE}outbound = \"on\"\n"), "auto, off"),
        (format!("{ALICE}require_qop = \"yes\"\n"), "true or false"),
    ] {
        let (code, said) = check(&bed, &text);
        assert!(code == 3 && said.contains("fail ") && said.contains(says), "{text}: {code} {said}");
    }
    bed.write("open", CANARY, 0o644);
    let (code, said) = check(&bed, &format!("{ALICE}password_file = \"{}\"\n", bed.path("open").display()));
    assert!(code == 3 && said.contains("chmod 600"), "{said}");
    // The file counts from the folder of the configuration, wherever the program is started.
    let good = format!(
        "[network]\nca_file = \"ca.pem\"\n{ALICE}rspauth = \"ignore\"\nregister_uri = \"server\"\n\
         outbound = \"off\"\nrequire_qop = true\npassword_file = \"{}\"\n",
        bed.path("password").display()
    );
    let (code, said) = check(&bed, &good);
    assert!(code == 0 && said.contains(": ok"), "{said}");
    let (code, said) = check(&bed, &format!("{ALICE}password_file = \"password\"\n"));
    assert!(code == 0 && said.contains(": ok"), "{said}");
}

#[test]
fn an_account_is_edited_with_values_that_its_settings_take() {
    let bed = bed();
    assert_eq!(bed.with_password("account add alice@network.com", "password").0, 0);
    for (key, good, bad) in [
        ("rspauth", "ignore", "off"),
        ("outbound", "off", "no"),
        ("register_uri", "server", "host"),
        ("require_qop", "true", "1"),
    ] {
        let edit = |value: &str| bed.done(&format!("account edit alice@network.com {key} {value}"));
        let refused = edit(bad);
        assert!(refused.code == 3 && refused.err.contains("E0112"), "{key}: {refused:?}");
        assert_eq!(edit(good).code, 0, "{key}");
    }
    assert_eq!(bed.run("config check").0, 0);
    // With the Request-URI that names the server as dialled the account signs in all the same.
    let (code, text) = bed.run("login --trace uri.txt");
    assert_eq!(code, 0, "{text}");
    let trace = std::fs::read_to_string(bed.path("uri.txt")).unwrap();
    assert!(trace.contains("REGISTER sip:hs104.network.com"), "{trace}");
    assert!(!trace.contains("Supported: outbound") && !trace.contains("reg-id="), "{trace}");
}

/// A path that is typed counts from the shell's folder, wherever the account is used later.
#[test]
fn a_password_file_that_is_named_in_the_shell_is_found_from_everywhere() {
    let bed = bed();
    let (code, text) = bed.with_password("account add alice@network.com", "no-such-file");
    assert!(code == 0 && text.contains("cannot sign in yet: no password"), "{text}");
    assert_eq!(bed.run("account edit alice@network.com password_file password").0, 0);
    let mut elsewhere = bed.command("login alice@network.com");
    let output = elsewhere.current_dir("/").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn doctor_checks_every_account_and_names_those_that_cannot_sign_in() {
    let bed = bed_with(|estate| {
        estate
            .user(User::new("bob", CANARY).assigned("hs102"))
            .user(User::new("carol", CANARY).assigned("hs103"))
    });
    for (user, file) in [("alice", "password"), ("bob", "password"), ("carol", "wrong")] {
        let (code, text) = bed.with_password(&format!("account add {user}@network.com"), file);
        assert_eq!(code, 0, "{text}");
    }
    let done = bed.done("doctor");
    assert_eq!(done.code, 6, "{done:?}");
    assert_eq!(done.out.matches("ok    login").count(), 2, "{done:?}");
    assert!(
        done.err.contains("E0144: 1 of 3 accounts cannot sign in: carol@network.com (E0601)"),
        "{done:?}"
    );
    let told = events(&bed.done("doctor --json").out);
    let last = told.iter().rfind(|line| line["event"] == "check").unwrap();
    assert_eq!((&last["what"], &last["verdict"]), (&"accounts".into(), &"fail".into()), "{told:#?}");
    assert_eq!(bed.run("account edit carol@network.com password_file password").0, 0);
    let done = bed.done("doctor");
    assert!(done.code == 0 && done.out.contains("all 3 can sign in"), "{done:?}");
}

#[test]
fn a_dropped_answer_is_seen_in_the_trace_and_by_doctor() {
    let bed = bed();
    let port = registrar(Habit::ForeignVia).port();
    let at = format!("alice@network.com --server 127.0.0.1:{port} --transport tcp --password-file password");
    let done = bed.done(&format!("login {at} --trace dropped.txt"));
    assert!(done.code == 0 && done.out.contains("answer from 127.0.0.1"), "{done:?}");
    let trace = std::fs::read_to_string(bed.path("dropped.txt")).unwrap();
    assert!(trace.contains("dropped: an answer names 192.0.2.1"), "{trace}");
    let told = events(&bed.done(&format!("login {at} --json --trace dropped.jsonl")).out);
    assert!(event(&told, "response-dropped")["why"].as_str().unwrap().contains("192.0.2.1"));
    let saved = std::fs::read_to_string(bed.path("dropped.jsonl")).unwrap();
    let marks: Vec<_> = events(&saved).into_iter().filter(|line| line["what"] == "dropped").collect();
    assert_eq!(marks.len(), 2, "one for each answer: {saved}");
    for form in ["pcap", "mmd", "txt"] {
        let (code, text) = bed.run(&format!("trace export dropped.jsonl again.{form}"));
        assert_eq!(code, 0, "{text}");
    }
    let done = bed.done(&format!("doctor {at}"));
    assert!(done.out.contains("warn  responses") && done.out.contains("SIP ALG"), "{done:?}");
}

#[test]
fn a_fresh_phone_begins_where_the_account_says() {
    let bed = bed();
    bed.write_config();
    let redirected = |words: &str| {
        let mut phone = bed.command(words).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(phone.stdout.take().unwrap()).lines().map_while(Result::ok);
        let until_registered: Vec<String> = lines.take_while(|line| !line.contains("signed in at")).collect();
        let sent = Command::new("kill").args(["-TERM", &phone.id().to_string()]).status();
        assert!(sent.unwrap().success() && phone.wait().is_ok());
        until_registered.iter().any(|line| line.contains("redirected us"))
    };
    assert!(redirected("--plain --config config.toml"), "nothing is known yet");
    // It has a start of a quarter of a second only: on a machine that is busy with other things discovery may win.
    let remembered = (0..5).any(|_| !redirected("--plain --config config.toml"));
    assert!(remembered, "the home server is remembered");
    assert!(redirected("--plain --config config.toml --fresh"));
}

#[test]
fn a_key_log_is_told_and_only_its_owner_can_read_it() {
    let bed = bed();
    let done = bed.done("login alice@network.com --password-file password --key-log keys.log");
    assert!(done.code == 0 && done.out.contains("TLS keys are written to keys.log"), "{done:?}");
    let file = bed.path("keys.log");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    assert!(std::fs::read_to_string(file).unwrap().contains("CLIENT_HANDSHAKE_TRAFFIC_SECRET"));
}

#[test]
fn a_pinned_certificate_is_shown_as_such() {
    let (bed, other) = (bed(), bed());
    bed.write("ca.pem", other.estate.ca_pem(), 0o644);
    // Nobody whom this machine trusts signed it: the refusal tells the fingerprint that can be pinned.
    let refused = bed.done("login alice@network.com --password-file password");
    assert_eq!(refused.code, 5, "{refused:?}");
    let digits = |word: &&str| word.len() >= 64 && word.chars().all(|c| c.is_ascii_hexdigit() || c == ':');
    let words = refused.err.split(|c: char| !(c.is_ascii_hexdigit() || c == ':'));
    let pin = words.map(|word| word.trim_matches(':')).find(digits).unwrap_or_else(|| panic!("{refused:?}"));
    assert_eq!(bed.with_password("account add alice@network.com", "password").0, 0);
    let lb = bed.estate.node("lb").address(homing_server_mock::estate::Transport::Tls).port();
    assert_eq!(bed.run(&format!("account edit alice@network.com server lb.network.com:{lb}")).0, 0);
    assert_eq!(bed.run(&format!("account edit alice@network.com pin_sha256 {pin}")).0, 0);
    let done = bed.done("redirect trace alice@network.com");
    // The server that is named is pinned; where it redirects to is verified by its authority, and is not trusted.
    assert!(done.code == 5 && done.out.contains("TLS pinned 127.0.0.1"), "{done:?}");
}
