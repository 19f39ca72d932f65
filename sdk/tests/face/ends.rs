//! How a user agent ends, and what it does when asked too much.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use homing::error::ConfigError;
use homing::event::UnregisterOutcome;
use homing::{
    AccountState, Counter, Credentials, CredentialsProvider, CredentialsRequest, Error, Password,
    ShutdownReport, StaticCredentials, UserAgent,
};
use homing_wire::{Builder, Message};

use crate::registrar::{Registrar, alice, asked, challenge, digest, yes};

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
    let report = ua.shutdown(Duration::from_secs(10)).await;
    assert_eq!(report.accounts[&account.id()], UnregisterOutcome::Removed);
    assert_eq!((report.accounts.len(), report.left_behind().count(), report.transactions), (1, 0, 0));
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
    let left: Vec<_> = left.left_behind().collect();
    assert_eq!(left, [(account.id(), UnregisterOutcome::Unanswered)]);
    assert_eq!(account.state(), AccountState::LoggedOff, "it is not shown as registered for ever");
}

/// Says yes, but to a sign-out what `farewell` says.
fn until_the_end(
    farewell: impl Fn(&Message) -> Option<Builder> + Send + 'static,
) -> impl FnMut(&Message) -> Option<Builder> + Send + 'static {
    move |request| if asked(request) == 0 { farewell(request) } else { yes(request) }
}

#[tokio::test]
async fn a_sign_out_tells_what_became_of_the_binding() {
    let refused = |request: &Message| Some(Builder::reply_to(request, 500, "No").to_tag("hs1"));
    for (registrar, outcome) in [
        (Registrar::start("hs1.network.com", yes), UnregisterOutcome::Removed),
        (
            Registrar::start("hs1.network.com", until_the_end(refused)),
            UnregisterOutcome::Refused { status: 500 },
        ),
        (Registrar::start("hs1.network.com", until_the_end(|_| None)), UnregisterOutcome::Unanswered),
    ] {
        let ua = registrar.user_agent();
        let account = ua.account(alice(), password()).unwrap();
        account.register().await.unwrap();
        assert_eq!(account.unregister_within(Duration::from_millis(700)).await, Ok(outcome));
        assert_eq!(account.state(), AccountState::LoggedOff);
        assert_eq!(outcome.leaves_binding(), outcome != UnregisterOutcome::Removed);
        assert!(ua.shutdown(Duration::from_secs(5)).await.accounts.is_empty(), "it is out already");
    }
    let registrar = Registrar::start("hs1.network.com", until_the_end(refused));
    let ua = registrar.user_agent();
    let account = ua.account(alice(), password()).unwrap();
    account.register().await.unwrap();
    let report = ua.shutdown(Duration::from_secs(10)).await;
    assert_eq!(report.accounts[&account.id()], UnregisterOutcome::Refused { status: 500 });
}

#[tokio::test]
async fn an_endpoint_is_taken_once_until_its_account_is_removed() {
    let registrar = Registrar::start("hs1.network.com", yes);
    let ua = registrar.user_agent();
    let config = alice();
    let first = ua.account(config.clone(), password()).unwrap();
    let twin = ua.account(config.clone(), password()).unwrap_err();
    assert!(matches!(twin, Error::Config(ConfigError::Duplicate { .. })), "{twin:?}");
    first.register().await.expect("the first one is served as before");
    first.unregister().await.unwrap();
    first.remove().await.unwrap();
    let next = ua.account(config, password()).expect("the endpoint is free again");
    next.register().await.unwrap();
}

/// Gives what it is told to give, also again.
struct Changing(Arc<AtomicBool>);

impl CredentialsProvider for Changing {
    async fn credentials(&self, request: &CredentialsRequest) -> Option<Credentials> {
        let right = self.0.load(Ordering::Relaxed);
        (right || !request.refused_before).then(|| Credentials::new("alice", "", Password::new("secret")))
    }
}

#[tokio::test]
async fn a_password_that_changed_is_tried_at_once() {
    let right = Arc::new(AtomicBool::new(false));
    let known = Arc::clone(&right);
    let registrar = Registrar::start("hs1.network.com", move |request| {
        if known.load(Ordering::Relaxed) { digest(request) } else { challenge(request) }
    });
    let ua = registrar.user_agent();
    let mut account = ua.account(alice(), Changing(Arc::clone(&right))).unwrap();
    account.credentials_changed();
    account.register().await.unwrap_err();
    assert_eq!(account.state(), AccountState::NeedsPassword);
    right.store(true, Ordering::Relaxed);
    account.credentials_changed();
    let registered = async {
        while account.state() != AccountState::Registered {
            account.changed().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(20), registered).await.expect("it is tried again");
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
