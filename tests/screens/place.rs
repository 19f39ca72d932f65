//! An estate for the phone under test, and the arguments that lead the phone to it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use homing_server_mock::estate::{Estate, User};

use crate::home::Home;

/// The phone under test.
pub(crate) const PHONE: &str = env!("CARGO_BIN_EXE_homing_under_test");
/// Alice's password: a word that must never be seen.
pub(crate) const CANARY: &str = "Canary-91d0-Pass";

/// An estate, a home folder for the phone, and the runtime the estate was started on.
pub(crate) struct Place {
    /// The servers.
    pub(crate) estate: Estate,
    /// Where the phone lives.
    pub(crate) home: Home,
    _runtime: tokio::runtime::Runtime,
}

impl Place {
    /// A distributor and two home servers, Alice at hs104.
    pub(crate) fn new(seed: u64) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime starts");
        let started = runtime.block_on(
            Estate::builder()
                .domain("network.com")
                .distributor("lb")
                .home("hs102")
                .home("hs104")
                .user(User::new("alice", CANARY).assigned("hs104"))
                .seed(seed)
                .start(),
        );
        let place =
            Self { estate: started.expect("the estate starts"), home: Home::new(), _runtime: runtime };
        std::fs::write(place.root(), place.estate.ca_pem()).expect("the home folder can be written");
        place.write_password(CANARY);
        place.write_config();
        place
    }

    /// Changes the password the phone will give.
    pub(crate) fn write_password(&self, password: &str) {
        let path = self.password();
        std::fs::write(&path, format!("{password}\n")).expect("the home folder can be written");
        let mode = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&path, mode).expect("the file is ours");
    }

    /// Options that lead to this estate.
    pub(crate) fn options(&self) -> Vec<String> {
        vec![
            "--config".to_owned(),
            text(self.config()),
            "--name-server".to_owned(),
            self.estate.dns_address().to_string(),
            "--ca-file".to_owned(),
            text(self.root()),
        ]
    }

    /// True once `found` says so, at most after `within`.
    pub(crate) fn eventually(&self, within: Duration, found: impl Fn(&Estate) -> bool) -> bool {
        let end = Instant::now() + within;
        while !found(&self.estate) {
            if Instant::now() > end {
                return false;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        true
    }

    /// As on the first day: no account yet.
    pub(crate) fn forget_config(&self) {
        std::fs::remove_file(self.config()).expect("the file is ours");
    }

    /// The configuration as it is written now.
    pub(crate) fn config_text(&self) -> String {
        std::fs::read_to_string(self.config()).expect("the file is ours")
    }

    /// Writes the configuration anew.
    pub(crate) fn change_config(&self, change: impl FnOnce(String) -> String) {
        std::fs::write(self.config(), change(self.config_text())).expect("the file is ours");
    }

    fn write_config(&self) {
        let config = format!(
            "[[account]]\naor = \"alice@network.com\"\nepid = \"0123456789\"\ndomain = \"NETWORK\"\n\
             password_file = \"{}\"\n",
            text(self.password())
        );
        std::fs::write(self.config(), config).expect("the home folder can be written");
        let mode = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(self.config(), mode).expect("the file is ours");
    }

    fn root(&self) -> PathBuf {
        self.home.path().join("root.pem")
    }

    fn password(&self) -> PathBuf {
        self.home.path().join("password")
    }

    fn config(&self) -> PathBuf {
        self.home.path().join("config.toml")
    }
}

fn text(path: PathBuf) -> String {
    path.into_os_string().into_string().expect("the build folder's path is text")
}
