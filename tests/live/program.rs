//! The program `homing-estate` as an operator meets it: a real process, its socket, its signals, its complaints.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::client::{eventually, run};
use homing_tests::test_bed::CANARY;

const PROGRAM: &str = env!("CARGO_BIN_EXE_estate_under_test");

const ESTATE: &str = "domain = \"network.com\"\ncontrol = \"estate.sock\"\nca_file = \"ca.pem\"\n\
    [[server]]\nname = \"lb\"\nrole = \"distributor\"\n\
    [[server]]\nname = \"hs102\"\nrole = \"home\"\n\
    [[server]]\nname = \"hs104\"\nrole = \"home\"\n\
    [[user]]\nname = \"alice\"\npassword = \"Canary-5c1e-Pass\"\nhome = \"hs104\"\n";

/// A folder with a configuration in it.
fn described(name: &str, text: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("homing-program-{}-{name}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("estate.toml"), text).unwrap();
    folder.join("estate.toml")
}

/// A running estate; ended at once if a test gives up on it.
struct Running(Child);

impl Running {
    fn start(file: &Path) -> Self {
        let started = Command::new(PROGRAM)
            .arg("run")
            .arg(file)
            .args(["--journal", "json"])
            .stdout(Stdio::piped())
            .spawn();
        let mut child = started.unwrap();
        // The first line comes when everything listens.
        let mut first = [0];
        child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
        Self(child)
    }

    /// Sends a signal and waits for the end; gives what was printed, and how long it took.
    fn end_by(mut self, signal: &str) -> (String, Duration) {
        let begun = Instant::now();
        let sent = Command::new("kill").args([signal, &self.0.id().to_string()]).status();
        assert!(sent.unwrap().success());
        let mut said = String::new();
        self.0.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(self.0.wait().unwrap().success(), "a signal is no failure");
        (said, begun.elapsed())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn ask(file: &Path, words: &[&str]) -> Output {
    Command::new(PROGRAM).args(words).arg("--config").arg(file).output().unwrap()
}

fn told(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn silent_and_slow_clients_of_the_control_socket_hold_up_nobody_and_a_signal_ends_it_at_once() {
    for signal in ["-TERM", "-INT"] {
        let file = described(&format!("signal{signal}"), ESTATE);
        let estate = Running::start(&file);
        let socket = file.with_file_name("estate.sock");
        let silent = UnixStream::connect(&socket).unwrap();
        let mut half = UnixStream::connect(&socket).unwrap();
        half.write_all(b"{\"do\":\"sta").unwrap();
        let mut deaf = UnixStream::connect(&socket).unwrap();
        deaf.set_nonblocking(true).unwrap();
        while deaf.write(b"{\"do\":\"status\"}\n").is_ok() {}

        let begun = Instant::now();
        assert!(told(&ask(&file, &["status"])).contains("hs104"));
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?} beside three that hold on", begun.elapsed());
        half.write_all(b"tus\"}\n").unwrap();
        let mut answer = String::new();
        BufReader::new(&half).read_line(&mut answer).unwrap();
        assert!(answer.contains("\"servers\""), "half an order is carried out when the rest comes: {answer}");

        let (said, took) = estate.end_by(signal);
        assert!(took < Duration::from_secs(3), "{signal} took {took:?}");
        assert!(said.ends_with("{\"end\":\"the estate has ended\",\"v\":2}\n"), "{said}");
        assert!(said.lines().skip(1).all(|line| line.starts_with('{') && line.ends_with('}')), "{said}");
        assert!(!said.contains(CANARY), "the password was printed");
        assert!(!socket.exists(), "the socket stays behind");
        drop((silent, half, deaf));
    }
}

#[test]
fn an_operator_sees_who_sits_where_moves_a_user_and_stops_a_server() {
    let file = described("operator", ESTATE);
    let estate = Running::start(&file);
    assert!(told(&ask(&file, &["users"])).contains("alice"));
    assert!(told(&ask(&file, &["move", "alice", "hs102", "--why", "maintenance"])).contains("hs102"));
    assert!(told(&ask(&file, &["users"])).contains("maintenance"));
    told(&ask(&file, &["stop", "hs104"]));
    told(&ask(&file, &["restart", "hs104"]));
    let refused = ask(&file, &["move", "alice", "hs999"]);
    let why = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && why.contains("S0203") && why.contains("hs999"), "{why}");
    let (said, _) = estate.end_by("-TERM");
    assert!(said.contains("maintenance") && said.contains("\"verdict\":\"estate\""), "{said}");
    let gone = ask(&file, &["status"]);
    let why = String::from_utf8_lossy(&gone.stderr);
    assert!(!gone.status.success() && why.contains("S0401") && why.contains("homing-estate run"), "{why}");
}

/// What is wrong with a file, the code, and words of the complaint and of the next step.
#[test]
fn every_file_that_cannot_be_run_is_refused_with_code_cause_and_next_step() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let (server, home) = ("[[server]]", "[[server]]\nname = \"hs104\"\nrole = \"home\"\n");
    let with = |line: &str| ESTATE.replacen(server, &format!("{line}\n{server}"), 1);
    let cases = [
        ("key", with("colour = \"blue\""), "S0102", "line 4: unknown field `colour`", "--example-config"),
        ("type", with("dns_port = \"many\""), "S0102", "line 4: invalid type", "--example-config"),
        ("word", with("[routing]\nmode = \"sideways\""), "S0102", "line 5", "--example-config"),
        ("secret", with("[[user]]\npassword = 5551234"), "S0102", "line 5", "--example-config"),
        ("nobody", with("[[user]]\nname = \"bob\""), "S0104", "line 5: user `bob`", "one of the two"),
        ("twice", ESTATE.to_owned() + home, "S0104", "two servers named `hs104`", "name of its own"),
        (
            "homeless",
            ESTATE.replacen("home = \"hs104\"", "home = \"lb\"", 1),
            "S0104",
            "line 16: `lb`",
            "role",
        ),
        ("port", with(&format!("dns_port = {port}")), "S0207", "name server", "another port"),
        ("address", with("listen = \"192.0.2.1\""), "S0207", "listen", "correct `listen`"),
        ("ca", ESTATE.replace("ca.pem", "no/such/folder/ca.pem"), "S0302", "folder/ca.key", "`ca_file`"),
        ("socket", ESTATE.replace("estate.sock", "no/such/folder/s"), "S0303", "folder/s", "`control`"),
        ("sqlite", with("directory = \"estate.toml\""), "S0208", "directory file", "`directory`"),
        ("folder", with("directory = \"no/such/folder/a.sqlite\""), "S0208", "directory file", "`directory`"),
    ];
    for (name, text, code, cause, step) in cases {
        let file = described(name, &text);
        let output = Command::new(PROGRAM).arg("run").arg(&file).output().unwrap();
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{name}: {why}");
        for words in [code, cause, step] {
            assert!(why.contains(words), "{name}: no `{words}` in {why}");
        }
        assert!(!why.contains("5551234") && !why.contains(CANARY), "{name}: a password in {why}");
    }
    let missing = Command::new(PROGRAM).args(["run", "/no/such/estate.toml"]).output().unwrap();
    assert!(String::from_utf8_lossy(&missing.stderr).contains("S0101"));
}

#[test]
fn the_example_runs_as_it_is_printed() {
    let example = Command::new(PROGRAM).arg("--example-config").output().unwrap();
    let text = told(&example).replace("5061", "0").replace("5060", "0").replace("5300", "0");
    let file = described("example", &text);
    let estate = Running::start(&file);
    run(async {
        let there = file.with_file_name("estate-ca.pem");
        assert!(eventually(Duration::from_secs(5), || there.exists()).await);
    });
    assert!(told(&ask(&file, &["status", "--json"])).contains("\"v\":2"));
    estate.end_by("-TERM");
}

/// One line of the control socket, and the lines of its answer as long as `enough` says.
fn lines(file: &Path, command: &str, enough: impl Fn(&[String]) -> bool) -> Vec<String> {
    let mut socket = UnixStream::connect(file.with_file_name("estate.sock")).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    socket.write_all(format!("{command}\n").as_bytes()).unwrap();
    let mut got = Vec::new();
    for line in BufReader::new(socket).lines() {
        got.push(line.unwrap());
        if enough(&got) {
            break;
        }
    }
    got
}

#[test]
fn certificate_and_ports_last_between_starts_and_what_is_taken_meanwhile_is_chosen_anew() {
    let file = described("lasting", ESTATE);
    let seen = || {
        let estate = Running::start(&file);
        let status = lines(&file, "{\"do\":\"status\"}", |got| got.len() == 1).remove(0);
        let ca = fs::read_to_string(file.with_file_name("ca.pem")).unwrap();
        estate.end_by("-TERM");
        (status, ca)
    };
    let (first, second) = (seen(), seen());
    assert_eq!(first, second);
    let key = fs::metadata(file.with_file_name("ca.key")).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&key.permissions()) & 0o777, 0o600);
    let dns = first.0.split("\"dns\":\"").nth(1).unwrap().split('"').next().unwrap();
    let taken = std::net::TcpListener::bind(dns).unwrap();
    let third = seen();
    assert!(third.0 != first.0 && third.1 == first.1, "{third:?}");
    drop(taken);
}

#[test]
fn a_hangup_reads_users_again_and_names_what_has_to_wait() {
    let file = described("hangup", ESTATE);
    let estate = Running::start(&file);
    let read_again = |text: &str, words: &str| {
        fs::write(&file, text).unwrap();
        let sent = Command::new("kill").args(["-HUP", &estate.0.id().to_string()]).status();
        assert!(sent.unwrap().success());
        run(async {
            let there = || told(&ask(&file, &["users"])).contains(words);
            assert!(eventually(Duration::from_secs(5), there).await, "{}", told(&ask(&file, &["users"])));
        });
    };
    let carol = "[[user]]\nname = \"carol\"\npassword = \"c\"\nhome = \"hs102\"\n";
    read_again(&format!("dns_port = 9\n{ESTATE}{carol}"), "carol");
    read_again(&format!("{ESTATE}enabled = false\n{carol}"), "disabled");
    // What cannot be read changes nothing.
    fs::write(&file, "colour = 1").unwrap();
    let sent = Command::new("kill").args(["-HUP", &estate.0.id().to_string()]).status();
    assert!(sent.unwrap().success());
    fs::write(&file, format!("{ESTATE}{carol}")).unwrap();
    assert!(told(&ask(&file, &["users"])).contains("carol"));
    let (said, _) = estate.end_by("-TERM");
    assert!(said.contains("these change with the next start only: `dns_port`"), "{said}");
}

#[test]
fn the_journal_is_followed_over_the_control_socket_line_by_line() {
    let file = described("follow", ESTATE);
    let estate = Running::start(&file);
    std::thread::scope(|scope| {
        let following = scope.spawn(|| {
            lines(&file, "{\"do\":\"journal\",\"follow\":true}", |got| {
                got.iter().any(|line| line.contains("upkeep"))
            })
        });
        told(&ask(&file, &["move", "alice", "hs102", "--why", "upkeep"]));
        let got = following.join().unwrap();
        assert!(got.iter().all(|line| line.starts_with('{') && line.ends_with('}')), "{got:?}");
    });
    assert!(told(&ask(&file, &["journal"])).contains("upkeep"));
    assert!(told(&ask(&file, &["journal", "--json"])).lines().all(|line| line.starts_with('{')));
    let barred = told(&ask(&file, &["disable", "alice"]));
    assert!(barred.contains("enabled false"), "{barred}");
    let unknown = ask(&file, &["disable", "nobody"]);
    let why = String::from_utf8_lossy(&unknown.stderr);
    assert!(why.contains("S0210") && why.contains("[[user]]"), "{why}");
    estate.end_by("-TERM");
}

/// The tests of a language that is not ours, with nothing but its standard library.
#[test]
fn a_test_in_python_starts_an_estate_by_one_line() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/estate_test.py");
    let output = match Command::new("python3").arg(script).arg(PROGRAM).output() {
        Ok(output) => output,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => {
            return eprintln!("there is no python3 here");
        }
        Err(why) => panic!("{why}"),
    };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("Ran 5 tests"), "{said}");
}

#[test]
fn a_quick_estate_ends_with_its_input_and_leaves_nothing_behind() {
    let mut quick = Command::new(PROGRAM)
        .args(["quick", "carol"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(quick.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let password_file = line.split("\"password_file\":\"").nth(1).unwrap().split('"').next().unwrap();
    let folder = Path::new(password_file).parent().unwrap();
    let mode =
        |path: &Path| std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).unwrap().permissions());
    assert_eq!((mode(folder) & 0o777, mode(Path::new(password_file)) & 0o777), (0o700, 0o600));
    assert!(!line.contains(fs::read_to_string(password_file).unwrap().trim()), "a password was printed");
    drop(quick.stdin.take());
    assert!(quick.wait().unwrap().success());
    assert!(!folder.exists());
}

#[test]
fn the_command_line_plays_faults_and_waits_for_what_is_expected() {
    let file = described(
        "faults",
        &format!("{ESTATE}[[fault]]\nserver = \"lb\"\nplay = \"silence\"\nalways = true\n"),
    );
    let estate = Running::start(&file);
    let respond = "{\"respond\":{\"status\":486}}";
    told(&ask(&file, &["fault", "hs102", respond, "--user", "alice", "--method", "MESSAGE", "--always"]));
    told(&ask(&file, &["clear-faults"]));
    told(&ask(&file, &["expect", "REGISTER", "--times", "0"]));
    let unmet = ask(&file, &["expect", "REGISTER", "--status", "200", "--header", "Expires: 600"]);
    let why = String::from_utf8_lossy(&unmet.stderr);
    assert!(
        why.contains("S0405 expected REGISTER 200 with Expires `600` at least 1 times, found 0"),
        "{why}"
    );
    let wrong = ask(&file, &["fault", "hs102", "noise"]);
    let why = String::from_utf8_lossy(&wrong.stderr);
    assert!(why.contains("S0407") && why.contains("README"), "{why}");
    estate.end_by("-TERM");
}
