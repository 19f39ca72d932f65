//! How a user agent ends, and what it does when asked too much.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use homing::{
    AccountState, Counter, Credentials, CredentialsProvider, CredentialsRequest, Error, Password,
    ShutdownReport, StaticCredentials, UserAgent,
};

use crate::registrar::{Registrar, alice, asked, digest, yes};

fn password() -> StaticCredentials {
    StaticCredentials::new("alice", "NETWORK", Password::new("secret"))
}

#[tokio::test]
async fn shutdown_signs_everybody_out_and_ends_every_handle() {
    let mut registrar = Registrar::start("hs1.network.com", yes);
    let ua = registrar.user_agent();
    let account = ua.account(alice(), password()).unwrap();
    account.register().await.unwrap();
    let mut events = ua.events();
    let mut trace = ua.trace();
    assert_eq!(ua.shutdown(Duration::from_secs(10)).await, ShutdownReport::default());
    registrar.request("REGISTER").await;
    assert_eq!(asked(&registrar.request("REGISTER").await), 0);
    while events.next().await.is_some() {}
    while trace.changed().await {}
    assert_eq!(account.register().await.unwrap_err(), Error::ShutDown);
    assert_eq!(ua.account(alice(), password()).unwrap_err(), Error::ShutDown);
    assert_eq!(ua.shutdown(Duration::ZERO).await, ShutdownReport::default());
    assert_eq!(ua.counters().of(Counter::Logins), 1, "what was counted stays readable");
}

#[tokio::test]
async fn a_server_that_is_silent_leaves_its_account_over() {
    let silent = Arc::new(AtomicBool::new(false));
    let deaf = Arc::clone(&silent);
    let registrar =
        Registrar::start(
            "hs1.network.com",
            move |request| {
                if deaf.load(Ordering::Relaxed) { None } else { yes(request) }
            },
        );
    let ua = registrar.user_agent();
    let account = ua.account(alice(), password()).unwrap();
    account.register().await.unwrap();
    silent.store(true, Ordering::Relaxed);
    let left = ua.shutdown(Duration::from_millis(100)).await;
    assert_eq!(left.transactions, 1, "{left:?}");
}

#[tokio::test]
async fn the_last_handle_signs_out_behind_itself() {
    let mut registrar = Registrar::start("hs1.network.com", yes);
    let ua = registrar.user_agent();
    let account = ua.account(alice(), password()).unwrap();
    account.register().await.unwrap();
    registrar.request("REGISTER").await;
    drop(ua);
    assert_eq!(account.state(), AccountState::Registered, "an account's handle keeps it alive");
    account.refresh().await.unwrap();
    registrar.request("REGISTER").await;
    drop(account);
    assert_eq!(asked(&registrar.request("REGISTER").await), 0);
}

#[tokio::test]
async fn unregister_ends_a_login_that_is_under_way() {
    let registrar = Registrar::start("hs1.network.com", |_| None);
    let ua = registrar.user_agent();
    let mut account = ua.account(alice(), password()).unwrap();
    let waiting = tokio::spawn({
        let account = account.clone();
        async move { account.register().await }
    });
    while account.state() != AccountState::Registering {
        account.changed().await.unwrap();
    }
    account.unregister().await.unwrap();
    assert!(matches!(waiting.await.unwrap(), Err(Error::LoggedOut(_))));
    assert_eq!(account.state(), AccountState::LoggedOff);
}

/// An answer that breaks off anywhere is no answer: the login fails at once and says so.
#[tokio::test]
async fn half_an_answer_signs_nobody_in() {
    let length = Arc::new(AtomicUsize::new(0));
    let cut = Arc::clone(&length);
    let registrar = Registrar::with_cuts("hs1.network.com", move |request| {
        let whole = yes(request)?.finish();
        Some((whole.slice(..cut.load(Ordering::Relaxed).min(whole.len() - 1)), true))
    });
    let ua = registrar.user_agent();
    for place in (0..400).step_by(23) {
        length.store(place, Ordering::Relaxed);
        let account = ua.account(alice(), password()).unwrap();
        let login = tokio::time::timeout(Duration::from_secs(20), account.register());
        let error = login.await.expect("it does not wait for timers").unwrap_err();
        assert!(error.is_network(), "cut after {place}: {error}");
        account.unregister().await.unwrap();
        account.remove().await.unwrap();
    }
}

/// A provider that calls back into its own user agent, panics, or knows nothing.
struct Awkward {
    ua: UserAgent,
    how: Awkwardness,
}

#[derive(Clone, Copy)]
enum Awkwardness {
    CallsBack,
    Panics,
    KnowsNothing,
}

impl CredentialsProvider for Awkward {
    async fn credentials(&self, _: &CredentialsRequest) -> Option<Credentials> {
        match self.how {
            Awkwardness::CallsBack => {
                let another = self.ua.account(alice(), password()).unwrap();
                assert_eq!(another.state(), AccountState::Offline);
                another.remove().await.unwrap();
                let password = Password::new("secret");
                Some(Credentials::new("alice", "", password))
            }
            Awkwardness::Panics => panic!("on purpose"),
            Awkwardness::KnowsNothing => None,
        }
    }
}

#[tokio::test]
async fn an_awkward_provider_harms_nobody_else() {
    let registrar = Registrar::start("hs1.network.com", digest);
    let ua = registrar.user_agent();
    let with = |how| Awkward { ua: ua.clone(), how };
    let calls_back = ua.account(alice(), with(Awkwardness::CallsBack)).unwrap();
    assert!(calls_back.register().await.is_ok(), "it is served, not hung");
    for how in [Awkwardness::Panics, Awkwardness::KnowsNothing] {
        let error = ua.account(alice(), with(how)).unwrap().register().await.unwrap_err();
        assert_eq!(error.code(), "E0603", "{error}");
    }
    assert!(calls_back.refresh().await.is_ok());
    ua.shutdown(Duration::from_secs(5)).await;
}
