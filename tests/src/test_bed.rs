//! An estate on loopback, and a folder in which a program under test finds and trusts it.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use homing_server_mock::estate::{Estate, EstateBuilder, User};
use homing_server_mock::node::party::{Party, Play, Then};
use homing_server_mock::node::sound::{PartySound, Speech};

/// The password of every account: a word that no output may hold.
pub const CANARY: &str = "Canary-91d0-Pass";

/// An estate with a distributor and five home servers, Alice at hs104.
pub fn estate(seed: u64) -> EstateBuilder {
    let homes = ["hs102", "hs103", "hs104", "hs105", "hs106"];
    let builder = EstateBuilder::new().domain("network.com").distributor("lb");
    let builder = homes.into_iter().fold(builder, EstateBuilder::home);
    builder.user(User::new("alice", CANARY).assigned("hs104")).seed(seed)
}

/// The same, with a party that sends back what it hears, one that is busy, and one that hangs up at once.
pub fn estate_with_parties(seed: u64) -> EstateBuilder {
    let sound = Some(PartySound { speech: Speech::Echo, fault: None });
    let echo = Party { sound, after: std::time::Duration::ZERO, ..Party::new("echo") };
    let busy = Party { plays: Play::Busy, ..Party::new("busy") };
    let brief = Party { then: Then::HangsUp, after: std::time::Duration::ZERO, ..Party::new("brief") };
    estate(seed).party("hs102", echo).party("hs103", busy).party("hs102", brief)
}

/// An estate, and the folder of the program that is tested against it.
pub struct TestBed {
    /// The servers; they run until this is dropped.
    pub estate: Estate,
    /// Home and working folder of the program.
    pub folder: Folder,
    program: &'static str,
}

/// What a program did that ran to its end.
#[derive(Debug)]
pub struct Done {
    /// The exit code; -1 after a signal.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl TestBed {
    /// The usual estate for the program at this path.
    pub fn new(program: &'static str, seed: u64) -> Self {
        Self::with(program, estate(seed))
    }

    /// Another estate; the folder has its root certificate, a right password and a wrong one.
    pub fn with(program: &'static str, estate: EstateBuilder) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let estate = runtime.expect("a runtime starts").block_on(estate.start());
        let estate = estate.expect("the estate starts on loopback");
        let bed = Self { estate, folder: Folder::new(), program };
        bed.write("ca.pem", bed.estate.ca_pem(), 0o644);
        bed.write_password(CANARY);
        bed.write("wrong", "another-one\n", 0o600);
        bed
    }

    /// The path of a file in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into the folder.
    pub fn write(&self, name: &str, text: &str, mode: u32) {
        let path = self.path(name);
        std::fs::write(&path, text).expect("the folder can be written");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).expect("the file is ours");
    }

    /// Changes the password that the program will give.
    pub fn write_password(&self, password: &str) {
        self.write("password", &format!("{password}\n"), 0o600);
    }

    /// Writes a configuration with Alice's account.
    pub fn write_config(&self) {
        let config = format!(
            "[[account]]\naor = \"alice@network.com\"\nepid = \"0123456789\"\ndomain = \"NETWORK\"\n\
             password_file = \"{}\"\n",
            self.path("password").display()
        );
        self.write("config.toml", &config, 0o600);
    }

    /// The configuration as it is now.
    pub fn config_text(&self) -> String {
        std::fs::read_to_string(self.path("config.toml")).expect("the file is ours")
    }

    /// Writes the configuration again, changed.
    pub fn change_config(&self, change: impl FnOnce(String) -> String) {
        self.write("config.toml", &change(self.config_text()), 0o600);
    }

    /// Options that lead a phone to this estate and this configuration.
    pub fn options(&self) -> Vec<String> {
        let config = self.path("config.toml").display().to_string();
        let root = self.path("ca.pem").display().to_string();
        let dns = self.estate.dns_address().to_string();
        ["--config", &config, "--name-server", &dns, "--ca-file", &root].map(str::to_owned).to_vec()
    }

    /// The program with these words, in the folder, without environment; led to the estate unless the words
    /// lead it elsewhere.
    pub fn command(&self, words: &str) -> Command {
        let mut command = bare(self.program);
        command.env("HOME", self.folder.path()).current_dir(self.folder.path());
        command.args(words.split_whitespace());
        if !words.contains("--name-server") {
            command.args(["--name-server", &self.estate.dns_address().to_string()]);
        }
        command.arg("--ca-file").arg(self.path("ca.pem"));
        command
    }

    /// Runs a verb to its end; no output may hold the password.
    pub fn done(&self, words: &str) -> Done {
        let output = self.command(words).output().expect("the program starts");
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("output is text");
        let done = Done {
            code: output.status.code().unwrap_or(-1),
            out: text(&output.stdout),
            err: text(&output.stderr),
        };
        assert!(!format!("{done:?}").contains(CANARY), "{words} told the password:\n{done:?}");
        done
    }

    /// The same: exit code, and both outputs in one text.
    pub fn run(&self, words: &str) -> (i32, String) {
        let done = self.done(words);
        (done.code, done.out + &done.err)
    }

    /// The same with the password in this file.
    pub fn with_password(&self, words: &str, file: &str) -> (i32, String) {
        self.run(&format!("{words} --password-file {file}"))
    }
}

/// A program without terminal and environment, but for a locale that has every character.
pub fn bare(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("LANG", "C.UTF-8").stdin(Stdio::null());
    command
}

/// A fresh folder, gone when this is dropped.
pub struct Folder(PathBuf);

impl Folder {
    /// Makes one.
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("homing-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("the system's folder for such things can be written");
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left of it is the system's to clean.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
