//! The estate of the demo, and a phone with one account in it.

use std::sync::Arc;
use std::time::Duration;

use homing::{Account, AccountConfig, Aor, Password, Resolver, Roots, StaticCredentials, UserAgent};
use homing_server_mock::estate::{Estate, EstateBuilder, OnMove, Transport, User};
use homing_server_mock::node::party::{Party, Play};
use homing_server_mock::node::sound::{PartySound, Speech};

use crate::report::{Exit, Failure};

/// An estate with a phone beside it.
pub(crate) struct Demo {
    pub(super) estate: Arc<Estate>,
    pub(super) agent: UserAgent,
    pub(super) account: Account,
}

/// Starts the estate and a phone with one account that is not signed in yet.
///
/// # Errors
/// What the system refuses: ports, threads, randomness.
pub(crate) async fn start(seed: u64) -> Result<Demo, Failure> {
    let estate = EstateBuilder::new()
        .domain(DOMAIN)
        .distributor(DISTRIBUTOR)
        .home(HOMES[0])
        .home(HOMES[1])
        .user(User::new(USER, PASSWORD).assigned(HOMES[1]))
        .party(HOMES[0], answering("echo", Speech::Echo))
        .party(HOMES[1], answering("where", Speech::Announcement))
        .party(HOMES[0], Party { plays: Play::Busy, ..Party::new("busy") })
        .transports([Transport::Tls, Transport::Tcp])
        // What is shown is the 301 on refresh, whenever the person asks for one.
        .on_move(OnMove::AtRefresh)
        .seed(seed)
        .start()
        .await
        .map_err(|error| failed(&error))?;
    let roots = Roots::pem(estate.ca_pem()).map_err(|error| failed(&error))?;
    let agent = UserAgent::builder()
        .resolver(Resolver::name_server(estate.dns_address()))
        .roots(roots)
        .trace_bytes(8 << 20)
        .build()
        .map_err(|error| failed(&error))?;
    let aor = Aor::parse(&format!("{USER}@{DOMAIN}")).map_err(|error| failed(&error))?;
    let mut config = AccountConfig::new(aor, crate::config::new_epid());
    config.calls = Some(Box::default());
    let credentials = StaticCredentials::new(USER, "", Password::new(PASSWORD));
    let account = agent.account(config, credentials).map_err(|error| Failure::from(&error))?;
    Ok(Demo { estate: Arc::new(estate), agent, account })
}

/// A party that answers after a second and says that.
fn answering(name: &str, speech: Speech) -> Party {
    let sound = Some(PartySound { speech, fault: None });
    Party { sound, after: Duration::from_secs(1), ..Party::new(name) }
}

impl Demo {
    /// The short name of the home server that is not `home`.
    pub(super) fn other_home(home: &str) -> &'static str {
        if home.starts_with(HOMES[0]) { HOMES[1] } else { HOMES[0] }
    }

    /// The short name of the home server where the user is registered now.
    pub(super) fn current_home(&self) -> Option<String> {
        self.estate.bindings(USER).first().map(|binding| binding.node.clone())
    }
}

pub(super) fn failed(error: &impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Transport, "E0115", error, "Try again; the demo needs free ports on 127.0.0.1.")
}

pub(super) const DOMAIN: &str = "network.com";
pub(super) const DISTRIBUTOR: &str = "lb";
pub(super) const HOMES: [&str; 2] = ["hs102", "hs104"];
pub(super) const USER: &str = "alice";
/// Known to all: it opens nothing outside this process.
const PASSWORD: &str = "open-sesame";
