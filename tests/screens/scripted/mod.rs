//! The scripts of `tests/data/registrar-quirks.json` that need the real program: its configuration, its resolver, its
//! sockets, its terminal. The others are played in virtual time by `sdk/core/tests/registrar`.

mod name_server;
mod registrar;

#[path = "../../../sdk/core/tests/registrar/script.rs"]
#[allow(dead_code, reason = "part of it is for virtual time only")]
mod script;
#[path = "../../../sdk/core/tests/registrar/server.rs"]
#[allow(dead_code, reason = "part of it is for virtual time only")]
mod server;

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use homing_core::config::Aor;
use homing_net::{TlsServer, Transport};
use homing_tests::test_bed::{Folder, bare};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair};
use serde_json::Value;

use crate::setup::PHONE;
use crate::terminal::Terminal;
use name_server::NameServer;
use registrar::{Listening, Manner};
use script::{Case, texts};
use server::Registrar;

const CASES: &str = include_str!("../../data/registrar-quirks.json");
const SOON: Duration = Duration::from_secs(40);

/// A script, its registrar and name server, and a folder with the phone's configuration.
struct Play {
    case: Case,
    registrar: Listening,
    name_server: NameServer,
    folder: Folder,
}

impl Play {
    fn start(id: &str) -> Self {
        Self::of(id, |_| {})
    }

    /// The script with that id, changed.
    fn of(id: &str, change: impl FnOnce(&mut Case)) -> Self {
        let found = script::cases(CASES).into_iter().find(|case| case.id == id);
        let mut case = found.expect("a script of that id");
        change(&mut case);
        let raw: Value = serde_json::from_str(CASES).expect("the file is JSON");
        let raw = raw["cases"].as_array().into_iter().flatten().find(|raw| raw["id"] == id).cloned();
        let raw = raw.unwrap_or_default();
        let folder = Folder::new();
        let transport = Transport::parse(&case.text("transport").unwrap_or_default()).expect("a transport");
        let tls = transport.is_secure().then(|| {
            let (certificate, key) = self_signed(&case.certificate);
            std::fs::write(folder.path().join("ca.pem"), &certificate).unwrap();
            TlsServer::from_pem(&certificate, &key).unwrap()
        });
        let from_another_port = raw["server"]["answers_from"].is_string();
        // As the registrar knows the user: without scheme and parameters, unescaped.
        let aor = case.text("aor").unwrap_or_default();
        let user = Aor::parse(aor.split(';').next().unwrap_or_default()).expect("an address").login_user();
        let manner = Manner { transport, tls, from_another_port };
        let registrar = Listening::start(Registrar::new(&case, user), manner);
        let name_server = NameServer::start(case.dns.clone(), registrar.port);
        let play = Self { case, registrar, name_server, folder };
        play.write_config();
        play
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn write_config(&self) {
        let private = |name: &str, text: String| {
            let path = self.path(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        };
        private("password", format!("{}\n", self.case.password()));
        let text = |key: &str| self.case.text(key).unwrap_or_default();
        let server = text("server").replace("{server_port}", &self.registrar.port.to_string());
        let config = format!(
            "[network]\nname_server = \"{}\"\n[[account]]\naor = \"{}\"\nepid = \"0123456789\"\n\
             server = \"{server}\"\ntransports = [\"{}\"]\nallow_md5 = {}\nudp_register = {}\n\
             password_file = \"{}\"\n",
            self.name_server.address,
            text("aor"),
            text("transport"),
            self.case.flag("allow_md5"),
            self.case.flag("udp_register"),
            self.path("password"),
        );
        private("config.toml", config);
    }

    fn options(&self) -> Vec<String> {
        let mut options = vec!["--config".to_owned(), self.path("config.toml")];
        if self.case.text("transport").as_deref() == Some("tls") {
            options.extend(["--ca-file".to_owned(), self.path("ca.pem")]);
        }
        options
    }

    fn command(&self, words: &str) -> Command {
        let mut command = bare(PHONE);
        command.env("HOME", self.folder.path()).current_dir(self.folder.path());
        command.args(words.split_whitespace()).args(self.options());
        command
    }

    fn once(&self) -> Output {
        self.command("login --once --json").output().expect("the program starts")
    }

    /// The phone on its screen.
    fn screen(&self, environment: &[(&str, &str)]) -> Terminal {
        let options = self.options();
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        Terminal::start_with(PHONE, &options, environment, self.folder.path())
    }

    /// Waits until the registrar granted a binding.
    fn is_registered(&self) -> bool {
        within(SOON, || self.registrar.granted() > 0)
    }

    fn user_of_credentials(&self) -> Option<String> {
        self.registrar.saw(|registrar| {
            let seen = registrar.seen.iter().find(|seen| seen.status == Some(200))?;
            server::credentials(&seen.request).next().map(|given| given.username.to_owned())
        })
    }
}

/// What `openssl req -x509` makes: a certificate that is its own issuer, CA:TRUE.
fn self_signed(names: &[String]) -> (String, String) {
    let mut params = CertificateParams::new(names.to_vec()).unwrap();
    params.distinguished_name.push(DnType::CommonName, names.first().cloned().unwrap_or_default());
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

fn within(time: Duration, found: impl Fn() -> bool) -> bool {
    let end = Instant::now() + time;
    while !found() {
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    true
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Plays a script whose client signs in once, and expects it signed in and out again.
fn signs_in(id: &str) -> Play {
    signs_in_with(id, |_| {})
}

/// The same of the script with a change.
fn signs_in_with(id: &str, change: impl FnOnce(&mut Case)) -> Play {
    let play = Play::of(id, change);
    let output = play.once();
    assert!(output.status.success(), "{id}: {}", said(&output));
    assert!(said(&output).contains("\"registered\""), "{id}: {}", said(&output));
    assert!(play.registrar.is_signed_out(), "{id}");
    play
}

#[test]
fn l1_an_account_written_as_a_sip_uri_means_its_user() {
    let play = signs_in("L1");
    assert_eq!(play.user_of_credentials().as_deref(), play.case.expect["digest_username"].as_str());
}

#[test]
fn l_further_an_account_may_be_written_with_parameters_and_escapes() {
    for (aor, user) in
        [("sip:alice@example.test;transport=tcp", "alice"), ("sip:9901%231@example.test", "9901#1")]
    {
        let play = signs_in_with("L1", |case| {
            case.client.insert("aor".into(), aor.into());
        });
        assert_eq!(play.user_of_credentials().as_deref(), Some(user));
    }
}

#[test]
fn m1_a_host_with_an_underscore_is_asked_for() {
    let play = signs_in("M1");
    let asked = play.name_server.asked();
    for question in texts(&play.case.expect["dns_asked"]) {
        assert!(asked.contains(&question), "{asked:?}");
    }
}

#[test]
fn m_further_a_named_host_may_begin_with_an_underscore_and_a_target_may_have_one() {
    let play = signs_in_with("M1", |case| {
        case.client.insert("server".into(), "_edge.example.test:{server_port}".into());
        case.dns.insert("_edge.example.test A".into(), serde_json::json!(["127.0.0.1"]));
    });
    assert!(play.name_server.asked().contains(&"_edge.example.test A".to_owned()));
    let play = signs_in_with("M1", |case| {
        case.client.insert("server".into(), "".into());
        let target = serde_json::json!(["10 0 {server_port} sip_edge.example.test"]);
        case.dns.insert("_sip._tcp.example.test SRV".into(), target);
        case.dns.insert("sip_edge.example.test A".into(), serde_json::json!(["127.0.0.1"]));
    });
    assert!(play.name_server.asked().contains(&"sip_edge.example.test A".to_owned()));
}

#[test]
fn n1_a_name_server_that_cannot_read_edns_is_asked_without() {
    let play = signs_in("N1");
    assert!(play.name_server.asked().iter().any(|question| question.ends_with(" SRV")));
}

#[test]
fn n_further_not_implemented_is_asked_without_and_a_named_host_is_too() {
    signs_in_with("N1", |case| {
        case.dns.insert("with_opt".into(), "NOTIMP".into());
    });
    let play = signs_in_with("N1", |case| {
        case.client.insert("server".into(), "b.example.test:{server_port}".into());
    });
    assert!(play.name_server.asked().iter().all(|question| question.starts_with("b.example.test ")));
}

#[test]
fn t1_an_answer_from_another_port_is_taken_and_a_closed_port_is_told_at_once() {
    let play = signs_in("T1");
    let closed = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = std::fs::read_to_string(play.path("config.toml")).unwrap();
    let config = config.replace(&format!(":{}\"", play.registrar.port), &format!(":{}\"", closed.port()));
    std::fs::write(play.path("config.toml"), config).unwrap();
    let output = play.command("login --once --json --timeout 20s").output().unwrap();
    let expected = &play.case.expect["closed_port"];
    assert!(said(&output).contains(expected["code"].as_str().unwrap()), "{}", said(&output));
}

/// Either it is accepted, because it equals one in the CA file, or the sentence says what is wrong with it.
#[test]
fn p1_a_self_signed_certificate_in_the_ca_file_is_accepted_or_named() {
    // The name is that of the domain, so that the domain leads there.
    let play = Play::of("P1", |case| {
        case.client.insert("server".into(), "example.test:{server_port}".into());
        case.dns.insert("example.test A".into(), serde_json::json!(["127.0.0.1"]));
    });
    let output = play.once();
    let text = said(&output);
    is_accepted_or_named(&play, output.status.success(), &text);
}

fn is_accepted_or_named(play: &Play, succeeded: bool, text: &str) {
    let any = play.case.expect["any_of"].as_array().unwrap();
    let holds = any.iter().any(|one| match one["state"].as_str() {
        Some("registered") => succeeded && play.registrar.granted() > 0,
        _ => texts(&one["sentence_has"]).iter().any(|part| text.contains(part)),
    });
    assert!(holds, "{text}");
}

/// Another key of that name is refused, and another name of that key.
#[test]
fn p_further_what_does_not_equal_the_one_in_the_ca_file_is_refused_in_words() {
    let leads = |case: &mut Case| {
        case.client.insert("server".into(), "example.test:{server_port}".into());
        case.dns.insert("example.test A".into(), serde_json::json!(["127.0.0.1"]));
    };
    let play = Play::of("P1", leads);
    let (other, _) = self_signed(&play.case.certificate);
    std::fs::write(play.path("ca.pem"), other).unwrap();
    let text = said(&play.once());
    assert!(text.contains("E05") && play.registrar.granted() == 0, "{text}");
    let play = Play::of("P1", |case| {
        leads(case);
        case.certificate = vec!["elsewhere.test".to_owned()];
    });
    let text = said(&play.once());
    assert!(text.contains("E0509") && text.contains("elsewhere.test"), "{text}");
    assert_eq!(play.registrar.granted(), 0);
}

#[test]
fn o1_a_terminal_that_closes_ends_the_phone_quietly() {
    let play = Play::start("O1");
    let code = play.path("code");
    // The shell outlives the terminal and keeps the exit code.
    let script = format!("\"$@\" 2>/dev/null; echo $? > {code}");
    let mut window = Command::new(env!("CARGO_BIN_EXE_window"))
        .args(["/bin/sh", "-c", &script, "phone", PHONE])
        .args(play.options())
        .env("HOME", play.folder.path())
        .env("WINDOW_WITHOUT_SIGNAL", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the window opens");
    let mut first = String::new();
    BufReader::new(window.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(play.is_registered());
    drop(window.stdin.take());
    window.wait().expect("the window closes");
    let ended = || std::fs::read_to_string(&code).is_ok_and(|text| text.ends_with('\n'));
    assert!(within(SOON, ended), "the phone lives on");
    let exit = std::fs::read_to_string(&code).unwrap();
    assert_eq!(exit.trim(), play.case.expect["exit"].to_string());
    assert!(play.registrar.is_signed_out());
}

#[test]
fn o2_a_locale_that_is_not_utf_8_means_ascii() {
    let expected = "ASCII only";
    for (environment, is_ascii) in [
        (&[("LANG", "C"), ("TERM", "xterm")][..], true),
        (&[("TERM", "xterm")][..], true),
        (&[("LC_ALL", "POSIX"), ("LANG", "en_US.UTF-8"), ("TERM", "xterm")][..], true),
        (&[("LC_CTYPE", "de_DE.ISO-8859-1"), ("TERM", "xterm")][..], true),
        (&[("LANG", "C.UTF-8"), ("TERM", "xterm")][..], false),
    ] {
        let play = Play::start("O2");
        assert!(play.case.expect["octets"].as_str().unwrap().starts_with(expected));
        let mut terminal = play.screen(environment);
        terminal.wait_for("registered", SOON).unwrap();
        terminal.settle(Duration::from_millis(200));
        assert_eq!(terminal.raw().is_ascii(), is_ascii, "{environment:?}");
        terminal.press("q");
        assert!(terminal.end(SOON).is_some());
    }
}

/// A terminal that can do nothing gets lines, whatever the locale.
#[test]
fn o_further_a_dumb_terminal_gets_lines() {
    let play = Play::start("O2");
    let mut terminal = play.screen(&[("LANG", "C.UTF-8"), ("TERM", "dumb")]);
    terminal.wait_for("registered", SOON).unwrap();
    terminal.settle(Duration::from_millis(200));
    assert!(!terminal.raw().contains(&0x1b), "no escape sequence");
}

#[test]
fn o3_a_reader_that_leaves_ends_the_watch_quietly() {
    for words in ["login --watch --json", "login --watch"] {
        let play = Play::start("O3");
        let mut phone = play.command(words).stdout(Stdio::piped()).spawn().unwrap();
        let mut reader = BufReader::new(phone.stdout.take().unwrap());
        let mut line = String::new();
        let wanted = play.case.then[0]["after_lines"].as_u64().unwrap();
        (0..wanted).for_each(|_| {
            reader.read_line(&mut line).unwrap();
        });
        assert!(play.is_registered(), "{words}");
        drop(reader);
        let end = Instant::now() + SOON;
        let code = loop {
            match phone.try_wait().unwrap() {
                Some(status) => break status.code(),
                None if Instant::now() > end => break None,
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        };
        // One that failed is not left behind.
        let _ = phone.kill();
        assert_eq!(code.map(i64::from), play.case.expect["exit"].as_i64(), "{words}");
        assert!(play.registrar.is_signed_out(), "{words}");
    }
}
