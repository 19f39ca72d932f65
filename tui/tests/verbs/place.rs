//! An estate, a home folder that trusts it, and the program run in it.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use homing_server_mock::estate::{Estate, EstateBuilder, Transport, User};
use serde_json::Value;

/// A password that must be found nowhere.
pub(crate) const CANARY: &str = "canary-5f2b9c";

/// An estate, and a home folder that trusts it.
pub(crate) struct Place {
    pub(crate) estate: Estate,
    pub(crate) folder: PathBuf,
}

/// What the program did.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    pub(crate) fn new(name: &str) -> Self {
        Self::with(name, |estate| estate)
    }

    /// A distributor and five home servers, Alice at hs104; `change` has the last word.
    pub(crate) fn with(name: &str, change: impl FnOnce(EstateBuilder) -> EstateBuilder) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let estate = Estate::builder()
            .domain("network.com")
            .distributor("lb")
            .home("hs102")
            .home("hs103")
            .home("hs104")
            .home("hs105")
            .home("hs106")
            .user(User::new("alice", CANARY).assigned("hs104"))
            .transports([Transport::Tls])
            .seed(11);
        let estate = runtime.block_on(change(estate).start()).expect("an estate on loopback");
        let folder = std::env::temp_dir().join(format!("homing-verbs-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        let place = Self { estate, folder };
        place.write("ca.pem", place.estate.ca_pem(), 0o644);
        place.write("password", &format!("{CANARY}\n"), 0o600);
        place.write("wrong", "another-one\n", 0o600);
        place
    }

    pub(crate) fn write(&self, name: &str, text: &str, mode: u32) {
        let path = self.path(name);
        std::fs::write(&path, text).expect("a file in our own folder");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).expect("our own file");
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn command(&self, words: &str) -> Command {
        let mut command = program();
        command.env("HOME", &self.folder).current_dir(&self.folder).args(words.split_whitespace());
        if !words.contains("--name-server") {
            command.args(["--name-server", &self.estate.dns_address().to_string()]);
        }
        command.arg("--ca-file").arg(self.path("ca.pem"));
        command
    }

    /// Runs a verb; none of its outputs may hold the password.
    pub(crate) fn done(&self, words: &str) -> Done {
        let output = self.command(words).output().expect("our own program");
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("output is text");
        let done = Done {
            code: output.status.code().unwrap_or(-1),
            out: text(&output.stdout),
            err: text(&output.stderr),
        };
        assert!(!format!("{done:?}").contains(CANARY), "{words} told the password:\n{done:?}");
        done
    }

    /// The same with both outputs in one.
    pub(crate) fn run(&self, words: &str) -> (i32, String) {
        let done = self.done(words);
        (done.code, done.out + &done.err)
    }

    pub(crate) fn with_password(&self, words: &str, file: &str) -> (i32, String) {
        self.run(&format!("{words} --password-file {file}"))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What is left of it is the system's to clean.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The program without terminal and environment.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_homing"));
    command.env_clear().stdin(Stdio::null());
    command
}

pub(crate) fn events(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect()
}

pub(crate) fn event<'e>(events: &'e [Value], name: &str) -> &'e Value {
    events.iter().find(|event| event["event"] == name).unwrap_or_else(|| panic!("no `{name}` in {events:#?}"))
}
