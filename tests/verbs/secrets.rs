//! Where a password comes from: file, descriptor, command, a person at a terminal; never argument or environment.

use std::io::{Read, Write};
use std::process::{Command, Output, Stdio};

use crate::setup::{PROGRAM, bed};
use homing_tests::test_bed::{CANARY, TestBed};

const LOGIN: &str = "login alice@network.com --json";

#[test]
fn a_password_comes_by_file_descriptor_and_command() {
    let bed = bed();
    for way in ["--password-file password", "--password-command cat#password"] {
        let words: Vec<&str> = way.split(' ').collect();
        let mut command = bed.command(LOGIN);
        command.args(words.iter().map(|word| word.replace('#', " ")));
        assert!(command.output().unwrap().status.success(), "{way}");
    }
    let mut shell = Command::new("bash");
    shell.args(["-c", "exec \"$0\" \"$@\" --password-fd 7 7<password"]);
    let Ok(output) = in_shell(&bed, shell) else {
        println!("SKIPPED: there is no bash");
        return;
    };
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn the_environment_gives_no_password_and_is_told_off_for_trying() {
    let bed = bed();
    for words in ["login alice@network.com", "config check", "doctor alice@network.com"] {
        let output = bed.command(words).env("HOMING_PASSWORD", CANARY).output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(!text.contains(CANARY), "{words}: {text}");
        let remark = "HOMING_PASSWORD is not read";
        assert_eq!(text.contains(remark), !words.starts_with("login"), "{words}: {text}");
        assert_eq!(text.contains("E0603"), !words.starts_with("config"), "{words}: {text}");
    }
    let output = bed.command("config show --origin").env("HOMING__UI__THEME", "light").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("ui.theme = \"light\"  # environment"), "{text}");
}

/// `script` of util-linux lends a terminal.
#[test]
fn a_person_is_asked_and_what_is_typed_is_not_shown() {
    let bed = bed();
    let inner = format!(
        "{} login alice@network.com --name-server {} --ca-file ca.pem",
        PROGRAM,
        bed.estate.dns_address()
    );
    let mut script = Command::new("script");
    script.args(["-qec", &inner, "/dev/null"]).env("HOME", bed.folder.path()).current_dir(bed.folder.path());
    let child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let Ok(mut child) = child else {
        println!("SKIPPED: there is no script(1)");
        return;
    };
    let (mut keys, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(b"Password of alice@network.com: ") {
        assert_eq!(screen.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&seen));
        seen.push(byte[0]);
    }
    keys.write_all(format!("{CANARY}\n").as_bytes()).unwrap();
    screen.read_to_end(&mut seen).unwrap();
    let seen = String::from_utf8_lossy(&seen).into_owned();
    assert!(child.wait().unwrap().success() && seen.contains("registered at hs104.network.com"), "{seen}");
    assert!(!seen.contains(CANARY), "{seen}");
}

fn in_shell(bed: &TestBed, mut shell: Command) -> std::io::Result<Output> {
    let login = bed.command(LOGIN);
    shell.arg(login.get_program()).args(login.get_args());
    shell.current_dir(bed.folder.path()).env("HOME", bed.folder.path()).output()
}

/// Wireshark's own reader, where it is installed.
#[test]
fn a_saved_capture_is_sip_to_wireshark() {
    let bed = bed();
    let (code, text) = bed.with_password("login alice@network.com --trace login.pcap", "password");
    assert_eq!(code, 0, "{text}");
    let mut tshark = Command::new("tshark");
    tshark.args([
        "-r",
        "login.pcap",
        "-T",
        "fields",
        "-e",
        "sip.Method",
        "-e",
        "sip.Status-Code",
        "-Y",
        "sip",
    ]);
    let Ok(output) = tshark.current_dir(bed.folder.path()).output() else {
        println!("SKIPPED: there is no tshark");
        return;
    };
    let lines = String::from_utf8(output.stdout).unwrap();
    let seen: Vec<&str> = lines.lines().map(str::trim).collect();
    let hop = ["REGISTER", "401", "REGISTER", "401", "REGISTER"];
    assert_eq!(seen, [&hop[..], &["301"], &hop, &["200", "REGISTER", "200"]].concat(), "{lines}");
}
