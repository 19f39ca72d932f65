//! A stranger's first hour, as it is typed: an estate that stays, the wizard, restarts of both, mistakes that are mended,
//! every verb once.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::setup::PHONE;
use crate::terminal::Terminal;
use homing_tests::test_bed::{CANARY, Folder, bare};

const SOON: Duration = Duration::from_secs(40);
const ESTATE: &str = env!("CARGO_BIN_EXE_estate_under_test");

/// An estate as `homing-estate run` starts it, with ports that stay over a restart.
struct Estate(Child);

impl Estate {
    fn start(file: &Path) -> Self {
        let mut child = Command::new(ESTATE).arg("run").arg(file).stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        // The first line comes when everything listens.
        assert!(out.read_line(&mut line).unwrap() > 0, "the estate does not start");
        std::thread::spawn(move || out.lines().map_while(Result::ok).for_each(drop));
        Self(child)
    }

    fn end(mut self) {
        let sent = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        assert!(sent.unwrap().success() && self.0.wait().unwrap().success());
    }
}

impl Drop for Estate {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The folder of the stranger, with the description of an estate in it.
struct Stranger {
    home: Folder,
    dns: u16,
}

impl Stranger {
    fn new() -> Self {
        let home = Folder::new();
        let ports: Vec<u16> = (0..4).map(|_| free_port()).collect();
        let server = |name: &str, role: &str, port: u16| {
            format!("[[server]]\nname = \"{name}\"\nrole = \"{role}\"\ntls = {port}\n")
        };
        let user = |name: &str, server: &str| {
            format!("[[user]]\nname = \"{name}\"\npassword = \"{CANARY}\"\nhome = \"{server}\"\n")
        };
        let text = format!(
            "domain = \"network.com\"\ndns_port = {}\ncontrol = \"estate.sock\"\nca_file = \"ca.pem\"\n{}{}{}{}{}",
            ports[0],
            server("lb", "distributor", ports[1]),
            server("hs102", "home", ports[2]),
            server("hs104", "home", ports[3]),
            user("alice", "hs104"),
            user("bob", "hs102"),
        );
        std::fs::write(home.path().join("estate.toml"), text).unwrap();
        let stranger = Self { home, dns: ports[0] };
        stranger.secret("right", CANARY);
        stranger.secret("wrong", "mistyped");
        stranger
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn secret(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt;
        std::fs::write(self.file(name), text).unwrap();
        std::fs::set_permissions(self.file(name), PermissionsExt::from_mode(0o600)).unwrap();
    }

    /// The phone in a terminal, as it is typed.
    fn phone(&self, words: &[&str]) -> Terminal {
        Terminal::start(PHONE, words, 100, 30, self.home.path())
    }

    /// A verb in the shell.
    fn types(&self, words: &str) -> (i32, String) {
        let mut command = bare(PHONE);
        for name in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"] {
            command.env(name, self.home.path());
        }
        let output = command.current_dir(self.home.path()).args(words.split_whitespace()).output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(!text.contains(CANARY), "{words} told the password");
        (output.status.code().unwrap_or(-1), text)
    }

    fn succeeds(&self, words: &str) -> String {
        let (code, text) = self.types(words);
        assert_eq!(code, 0, "{words}: {text}");
        text
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn leave(mut terminal: Terminal) {
    terminal.press("q");
    assert_eq!(terminal.end(SOON), Some(0), "{}", terminal.contents());
    assert!(!String::from_utf8_lossy(terminal.raw()).contains(CANARY), "the password was on the screen");
}

#[test]
fn a_strangers_first_hour() {
    let stranger = Stranger::new();
    let estate = Estate::start(&stranger.file("estate.toml"));
    wizard_keeps_what_signed_in(&stranger);
    // Both are started again: the account, its network and its password are there.
    estate.end();
    let estate = Estate::start(&stranger.file("estate.toml"));
    let mut phone = stranger.phone(&[]);
    phone.wait_for("● alice@network.com registered", SOON).unwrap();
    assert!(stranger.succeeds("status").contains("registered at hs104.network.com"));
    // The estate is gone for a moment.
    estate.end();
    phone.wait_until(SOON, |screen| !screen.contains("● alice@network.com registered")).unwrap();
    let estate = Estate::start(&stranger.file("estate.toml"));
    // It has another root certificate now, in the same file: that is read again.
    phone.press("\x12");
    phone.wait_for("configuration read again", SOON).unwrap();
    phone.press("R");
    phone.wait_for("● alice@network.com registered", SOON).unwrap();
    a_second_account_is_mended(&stranger, &mut phone);
    leave(phone);
    every_verb_once(&stranger);
    estate.end();
}

fn wizard_keeps_what_signed_in(stranger: &Stranger) {
    let server = format!("127.0.0.1:{}", stranger.dns);
    let mut phone = stranger.phone(&["--name-server", &server, "--ca-file", "ca.pem"]);
    phone.wait_for("Your SIP address", SOON).unwrap();
    phone.press("alice@network.com\r");
    phone.wait_for("Enter signs in", SOON).unwrap();
    phone.press("\r");
    phone.wait_for("type it; it is not shown", SOON).unwrap();
    phone.press("mistyped\r");
    phone.wait_for("E0601", SOON).unwrap();
    phone.press("\r");
    phone.wait_for("The last password was not accepted", SOON).unwrap();
    phone.press(CANARY);
    phone.press("\t\r");
    phone.wait_for("The account is kept", SOON).unwrap();
    phone.press("\r");
    phone.wait_for("● alice@network.com registered", SOON).unwrap();
    leave(phone);
}

/// Beside a running phone: an account with a wrong server and a wrong password, mended in the shell.
fn a_second_account_is_mended(stranger: &Stranger, phone: &mut Terminal) {
    stranger.succeeds("account add bob@network.com --server nowhere.network.com --password-file wrong");
    phone.press("\x12");
    phone.wait_for("1 added", SOON).unwrap();
    let (code, text) = stranger.types("account test bob@network.com");
    assert_eq!(code, 4, "{text}");
    stranger.succeeds("account edit bob@network.com server lb.network.com");
    let (code, text) = stranger.types("doctor bob@network.com --new-endpoint");
    assert!(code != 0 && text.contains("Hint: "), "{text}");
    stranger.succeeds("account edit bob@network.com server hs102.network.com");
    let (code, text) = stranger.types("account edit bob@network.com sever hs102.network.com");
    assert!(code == 3 && text.contains("is `server` meant?"), "{text}");
    std::fs::remove_file(stranger.file("wrong")).unwrap();
    let (code, text) = stranger.types("config check");
    assert!(code == 3 && text.contains("no password"), "{text}");
    stranger.secret("wrong", CANARY);
    stranger.succeeds("config check");
    let text = std::fs::read_to_string(stranger.file("homing/config.toml")).unwrap();
    let text: String = text
        .lines()
        .filter(|line| !line.starts_with("server = "))
        .map(|line| line.to_owned() + "\n")
        .collect();
    std::fs::write(stranger.file("homing/config.toml"), text).unwrap();
    phone.press("\x12");
    phone.wait_until(SOON, |_| stranger.types("status").1.contains("bob@network.com registered")).unwrap();
}

fn every_verb_once(stranger: &Stranger) {
    for words in [
        "version",
        "account list",
        "account test alice@network.com",
        "login alice@network.com --trace login.jsonl",
        "login bob@network.com --wait registered,20s",
        "redirect trace bob@network.com",
        "options alice@network.com",
        "resolve network.com",
        "doctor",
        "config show --origin",
        "config set ui.theme light",
        "config check",
        "config schema",
        "config migrate",
        "trace export login.jsonl login.pcap",
        "man login",
        "completions bash",
        "account rm bob@network.com",
        "doctor",
    ] {
        stranger.succeeds(words);
    }
    for words in ["status", "attach", "logout alice@network.com"] {
        let (code, text) = stranger.types(words);
        assert!(code == 3 && text.contains("E0113"), "{words}: {text}");
    }
    let (code, text) = stranger.types("verify login.jsonl --password-file right");
    assert_eq!(code, 3, "a saved trace holds no secrets to verify: {text}");
    let (code, text) = stranger.types("init alice@network.com --password-file right");
    assert!(code == 3 && text.contains("E0110"), "{text}");
}
