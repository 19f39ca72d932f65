//! The user agent and the accounts under test, and how the tests wait.

use std::time::Duration;

use homing::{
    Account, AccountConfig, Aor, Error, Password, Registration, Resolver, Roots, StaticCredentials,
    Transport, UserAgent,
};
use homing_server_mock::estate::{Estate, EstateBuilder};
use homing_tests::test_bed::CANARY;

/// The usual estate, over TLS and TCP.
pub(crate) fn estate(seed: u64) -> EstateBuilder {
    homing_tests::test_bed::estate(seed).transports([Transport::Tls, Transport::Tcp])
}

/// A user agent that asks the estate's DNS and trusts its root.
pub(crate) fn user_agent(estate: &Estate) -> UserAgent {
    UserAgent::builder()
        .resolver(Resolver::name_server(estate.dns_address()))
        .roots(Roots::pem(estate.ca_pem()).expect("the estate's root is a certificate"))
        .build()
        .expect("the user agent starts")
}

/// Alice's account.
pub(crate) fn alice(ua: &UserAgent) -> Account {
    with(ua, |_| {})
}

/// Alice's account with changes.
pub(crate) fn with(ua: &UserAgent, change: impl FnOnce(&mut AccountConfig)) -> Account {
    account(ua, "alice", change)
}

/// Somebody's account.
pub(crate) fn named(ua: &UserAgent, user: &str) -> Account {
    account(ua, user, |_| {})
}

fn account(ua: &UserAgent, user: &str, change: impl FnOnce(&mut AccountConfig)) -> Account {
    let aor = Aor::parse(&format!("{user}@network.com")).expect("an address");
    let mut config = AccountConfig::new(aor, "01010101");
    change(&mut config);
    let password = StaticCredentials::new(user, "NETWORK", Password::new(CANARY));
    ua.account(config, password).expect("the account is valid")
}

/// Registers, or tells what went wrong with the estate's ladder.
pub(crate) async fn register(estate: &Estate, account: &Account) -> Result<Registration, Error> {
    match tokio::time::timeout(Duration::from_secs(60), account.register()).await {
        Ok(outcome) => outcome,
        Err(_) => panic!("no outcome within a minute\n{}", estate.journal().ladder()),
    }
}

/// Runs a conversation on a runtime of its own.
pub(crate) fn run<F: Future>(conversation: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime starts").block_on(conversation)
}

/// Asks until `found` says yes, at most for `within`.
pub(crate) async fn eventually(within: Duration, mut found: impl FnMut() -> bool) -> bool {
    let asked = async {
        while !found() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(within, asked).await.is_ok()
}
