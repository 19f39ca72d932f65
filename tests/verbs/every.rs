//! Every verb there is, as sentences and as JSON: exit code, lines that parse, codes and next steps.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::setup::{PROGRAM, bed, event, events};
use homing_tests::test_bed::{Done, bare};

/// One call: the words, what they are to end with, and the events that JSON must tell.
struct Call {
    words: &'static str,
    exit: i32,
    /// The code of the error; empty where there is none.
    code: &'static str,
    tells: &'static [&'static str],
}

const fn call(words: &'static str, exit: i32, code: &'static str, tells: &'static [&'static str]) -> Call {
    Call { words, exit, code, tells }
}

const WHO: &str = "alice@network.com --password-file password";

/// In this order; what one call changes the next ones see. `WHO` stands for Alice and her password.
const CALLS: &[Call] = &[
    call("version", 0, "", &["version"]),
    call("completions bash", 0, "", &["completions"]),
    call("completions basic", 2, "E0202", &[]),
    call("man", 0, "", &["man"]),
    call("man redirect trace", 0, "", &["man"]),
    call("man nonsense", 3, "E0119", &[]),
    call("nonsense", 2, "E0202", &[]),
    call("config schema", 0, "", &["schema"]),
    call("config show", 0, "", &["setting"]),
    call("config show --origin", 0, "", &["setting"]),
    call("config check", 0, "", &["checked"]),
    call("config set ui.theme light", 0, "", &["setting-changed"]),
    call("config set ui.theme ligth", 3, "E0112", &[]),
    call("config set ui.theem light", 3, "E0111", &[]),
    call("config migrate", 0, "", &["migrated"]),
    call("resolve network.com", 0, "", &["name", "target", "located"]),
    call("resolve nowhere.network.com", 4, "E0401", &["located"]),
    call("resolve network.com --transport sctp", 3, "E0109", &[]),
    call("status", 3, "E0113", &[]),
    call("attach", 3, "E0113", &[]),
    call("logout", 3, "E0107", &[]),
    call("logout alice@network.com", 3, "E0113", &[]),
    call("login", 3, "E0107", &[]),
    call("account list", 0, "", &[]),
    call("login alice@network.com", 6, "E0603", &["login-failed"]),
    call("resolve alice@network.com", 0, "", &["target"]),
    call("init", 3, "E0134", &[]),
    call("init alice@nowhere.network.com --password-file password", 4, "E0401", &[]),
    call("init WHO", 0, "", &["discovered", "registered", "account-added"]),
    call("init WHO", 3, "E0110", &[]),
    call("account list", 0, "", &["account"]),
    call("account add WHO", 3, "E0110", &[]),
    call("account add bob@network.com --password-file password", 0, "", &["account-added"]),
    call("login", 3, "E0108", &[]),
    call("account edit bob@network.com expires 90", 0, "", &["account-changed"]),
    call("account edit bob@network.com expires never", 3, "E0112", &[]),
    call("account edit carol@network.com expires 90", 3, "E0135", &[]),
    call("account test bob@network.com", 6, "E0601", &["login-failed"]),
    call("account rm bob@network.com", 0, "", &["account-removed"]),
    call("account rm bob@network.com", 3, "E0135", &[]),
    call("account test", 0, "", &["registered"]),
    call("login --once", 0, "", &["state", "journey", "registered", "unregistered", "logged-out"]),
    call("register alice@network.com", 0, "", &["registered"]),
    call("login --password-file wrong", 6, "E0601", &["login-failed"]),
    call("login --wait registered,20s", 0, "", &["waited"]),
    call("login --wait redirected,1ms", 11, "E1101", &["waited"]),
    call("login --wait happy", 2, "E0202", &[]),
    call("login --trace login.jsonl", 0, "", &["registered", "trace-saved"]),
    call("login --trace login.doc", 2, "E0202", &[]),
    call("trace export login.jsonl login.pcap", 0, "", &["trace-saved"]),
    call("trace export nothing.jsonl login.pcap", 3, "E0117", &[]),
    call("trace export ca.pem login.pcap", 3, "E0118", &[]),
    call("redirect trace", 0, "", &["redirect-trace"]),
    call("options", 0, "", &["options"]),
    call("options sip:network.com", 0, "", &["options"]),
    call("options sip:alice@network.com --trace options.txt", 0, "", &["options", "trace-saved"]),
    call("options sip:network.com --direct", 8, "E0801", &["options"]),
    call("options sip:nowhere.network.com --direct", 4, "E0401", &[]),
    call("options tel:123", 3, "E0133", &[]),
    call("call", 2, "E0203", &[]),
    call("call echo@network.com --play tone --record heard.wav --dtmf 12#", 0, "", &["call"]),
    call("call sip:busy@network.com", 8, "E1201", &["call"]),
    call("call busy@network.com --expect 486", 0, "", &["call"]),
    call("call echo@network.com --expect 486", 11, "E1103", &["call"]),
    call("call brief@network.com --play tone", 8, "E1104", &["call"]),
    call("call brief@network.com", 0, "", &["call"]),
    call("call nobody@network.com", 8, "E1203", &["call"]),
    call("call echo@network.com --play missing.wav", 3, "E1611", &["call"]),
    call("doctor", 0, "", &["check"]),
    call("doctor --password-file wrong", 6, "E0601", &["check"]),
    call("verify login.jsonl --password-file password", 3, "", &["verify.summary"]),
    call("verify nothing.pcap --password-file password", 3, "E0120", &[]),
    call("demo", 0, "", &["estate", "step", "done"]),
];

#[test]
fn every_call_ends_as_it_must_and_says_so_in_both_ways() {
    let (people, programs) = (bed(), bed());
    for call in CALLS {
        let words = call.words.replace("WHO", WHO);
        sentences(call, &people.done(&words));
        lines(call, &programs.done(&format!("{words} --json")));
    }
}

/// Sentences on standard output; what went wrong on standard error, with code and next step.
fn sentences(call: &Call, done: &Done) {
    let Call { words, exit, code, .. } = call;
    assert_eq!(done.code, *exit, "{words}: {done:?}");
    assert!(!done.out.contains("\"event\":"), "{words}: {done:?}");
    match *code {
        "" => assert_eq!(done.err, "", "{words}"),
        // The argument parser has its own way to say what was typed wrongly.
        "E0202" => {
            assert!(done.err.starts_with("error: ") && done.err.contains("--help"), "{words}: {done:?}")
        }
        code => {
            let (first, second) = done.err.split_once('\n').unwrap_or_default();
            let sentence = first.strip_prefix(&format!("{code}: ")).unwrap_or_default();
            assert!(sentence.len() > 10, "{words}: {done:?}");
            assert!(second.starts_with("Hint: ") && second.len() > 20, "{words}: {done:?}");
        }
    }
}

/// One JSON object per line with version, time and name, and nothing beside.
fn lines(call: &Call, done: &Done) {
    let Call { words, exit, code, tells } = call;
    assert_eq!((done.code, done.err.as_str()), (*exit, ""), "{words}: {done:?}");
    let told = events(&done.out);
    for line in &told {
        assert_eq!(line["v"], 2, "{words}: {line}");
        assert!(line["ts"].as_str().is_some_and(is_timestamp), "{words}: {line}");
        let name = line["event"].as_str().unwrap_or_default();
        let plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || b"-.".contains(&byte));
        assert!(!name.is_empty() && plain, "{words}: {line}");
    }
    for name in *tells {
        event(&told, name);
    }
    let errors: Vec<&Value> = told.iter().filter(|line| line["event"] == "error").collect();
    if code.is_empty() {
        assert!(errors.is_empty(), "{words}: {errors:?}");
        return;
    }
    assert_eq!(errors.len(), 1, "{words}: {done:?}");
    let error = errors[0];
    assert_eq!((&error["code"], &error["exit"]), (&Value::from(*code), &Value::from(*exit)), "{words}");
    assert!(error["sentence"].as_str().is_some_and(|text| text.len() > 10), "{words}: {error}");
    assert!(error["hint"].as_str().is_some_and(|text| text.len() > 10), "{words}: {error}");
    assert_eq!(told.last().map(|line| &line["event"]), Some(&Value::from("error")), "{words}: the last word");
}

/// `2026-01-31T08:00:00.250Z`
fn is_timestamp(text: &str) -> bool {
    let shape = |byte: u8| if byte.is_ascii_digit() { b'0' } else { byte };
    text.bytes().map(shape).eq("0000-00-00T00:00:00.000Z".bytes())
}

#[test]
fn every_step_of_the_demo_is_told_and_goes_well() {
    let output = bare(PROGRAM).env("HOME", std::env::temp_dir()).args(["demo", "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let told = events(&String::from_utf8(output.stdout).unwrap());
    let steps: Vec<&Value> = told.iter().filter(|line| line["event"] == "step").collect();
    assert!(steps.len() >= 5 && steps.iter().all(|step| step["ok"] == true), "{steps:#?}");
    let names: Vec<&str> = steps.iter().filter_map(|step| step["step"].as_str()).collect();
    let tricks = ["forged-301", "false-signature-301", "looping-301", "downgrading-301"];
    let all = [&["sign-in", "stay", "move", "server-lost"][..], &tricks, &["sign-out"]].concat();
    assert_eq!(names, all);
    for step in steps.iter().filter(|step| tricks.iter().any(|trick| step["step"] == *trick)) {
        let verdicts = step["journey"]["hops"].as_array().unwrap();
        assert!(!verdicts.is_empty(), "{step:#?} shows no journey");
    }
    let logouts: Vec<&Value> = told.iter().filter(|line| line["event"] == "logged-out").collect();
    assert!(logouts.iter().any(|line| line["why"] == "moved"), "{logouts:#?}");
}

#[test]
fn a_broken_configuration_ends_with_three_and_names_the_line() {
    let bed = bed();
    bed.write("broken.toml", "[ui]\n\n[[account]\naor =", 0o600);
    let done = bed.done("login --config broken.toml");
    assert_eq!(done.code, 3, "{done:?}");
    assert!(done.err.starts_with("E0106: broken.toml: TOML parse error at line 3"), "{done:?}");
    assert!(done.err.contains("3 | [[account]\n  |           ^\n"), "{done:?}");
}

#[test]
fn no_verb_is_left_out() {
    let called: BTreeSet<String> = CALLS.iter().map(|call| call.words.to_owned()).collect();
    for verb in verbs("") {
        let found = called.iter().any(|words| *words == verb || words.starts_with(&format!("{verb} ")));
        assert!(found, "`homing {verb}` is never called here");
    }
}

/// All verbs below `path`, as their help lists them; each help has a first sentence.
fn verbs(path: &str) -> Vec<String> {
    let output = bare(PROGRAM).args(path.split_whitespace()).arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && help.lines().next().is_some_and(|line| line.len() > 5),
        "{path}: {help}"
    );
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = commands
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names: Vec<&str> =
        names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").collect();
    if names.is_empty() {
        return vec![path.to_owned()];
    }
    names.iter().flat_map(|name| verbs(format!("{path} {name}").trim())).collect()
}

#[test]
fn the_exit_codes_stand_in_help_manual_and_readmes() {
    const ROW: &str = "Exit codes: 0 done, 2 usage, 3 configuration or no running phone, 4 name resolution, \
        5 transport or TLS, 6 authentication, 7 redirect rules, 8 refused by the peer, 9 timeout, 11 expectation \
        failed, 130 interrupted.";
    let output = |word: &str| String::from_utf8(bare(PROGRAM).arg(word).output().unwrap().stdout).unwrap();
    let top = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |name: &str| std::fs::read_to_string(top.join(name)).unwrap();
    for text in [output("--help"), output("man"), read("README.md"), read("tui/README.md")] {
        let words: Vec<&str> = text.split_whitespace().collect();
        assert!(words.join(" ").contains(ROW), "{text}");
    }
}

#[test]
fn quiet_says_nothing_but_errors() {
    let bed = bed();
    let done = bed.done(&format!("login {WHO} -q"));
    assert_eq!((done.code, done.out.as_str(), done.err.as_str()), (0, "", ""));
    let done = bed.done("login alice@network.com --password-file wrong -q");
    assert_eq!((done.code, done.out.as_str()), (6, ""));
    assert!(done.err.contains("E0601"), "{done:?}");
}

#[test]
fn a_shell_loads_its_completions() {
    let folder = std::env::temp_dir();
    let script = "source <(\"$1\" completions bash) && COMP_WORDS=(homing red) COMP_CWORD=1 && \
                  _homing homing red homing && echo \"${COMPREPLY[*]}\"";
    let program = PROGRAM;
    let Ok(output) =
        std::process::Command::new("bash").args(["-c", script, "bash", program]).current_dir(folder).output()
    else {
        println!("SKIPPED: there is no bash");
        return;
    };
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "redirect", "{output:?}");
}

#[test]
fn the_manual_is_a_page_of_roff_for_the_program_and_for_each_verb() {
    for verb in ["", "login", "redirect trace", "config set"] {
        let output = bare(PROGRAM).arg("man").args(verb.split_whitespace()).output().unwrap();
        let page = String::from_utf8(output.stdout).unwrap();
        assert!(
            page.contains(".TH homing") && page.contains(".SH NAME") && page.contains(".SH SYNOPSIS"),
            "{page}"
        );
    }
}
