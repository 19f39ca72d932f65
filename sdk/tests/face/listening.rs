//! Events over real sockets: to readers of all accounts and of one, late and eager; and what never waits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use homing::error::Error;
use homing::{
    AccountEvent, AccountState, Counter, Credentials, CredentialsProvider, CredentialsRequest, Password,
    StaticCredentials,
};
use homing_wire::{Builder, Message};
use tokio::sync::Notify;

use crate::registrar::{Registrar, alice, digest, yes};

fn password() -> StaticCredentials {
    StaticCredentials::new("alice", "NETWORK", Password::new("secret"))
}

#[tokio::test]
async fn events_tell_the_way_and_a_late_reader_what_it_missed() {
    let registrar = Registrar::start("hs1.network.com", yes);
    let ua = registrar.user_agent();
    let mut events = ua.events();
    let account = ua.account(alice(), password()).unwrap();
    let mut own = account.events();
    account.register().await.unwrap();
    let mut states = Vec::new();
    while let Some(Ok(event)) = events.next().await {
        assert_eq!(event.account, account.id());
        if let AccountEvent::StateChanged { to, .. } = event.what {
            states.push(to);
            if to == AccountState::Registered {
                break;
            }
        }
    }
    assert!(states.starts_with(&[AccountState::Resolving, AccountState::Connecting]), "{states:?}");
    for _ in 0..400 {
        account.refresh().await.unwrap();
    }
    let lagged = own.next().await.unwrap().unwrap_err();
    assert_eq!((lagged.account, lagged.state), (account.id(), AccountState::Registered));
    assert!(lagged.missed() > 100, "{lagged}");
    let mut kept = 0;
    while let Ok(Some(event)) = tokio::time::timeout(Duration::ZERO, own.next()).await {
        assert!(event.is_ok());
        kept += 1;
    }
    assert_eq!(kept, 256);
}

/// The error of `register` and the event say the same of the next attempt.
#[tokio::test]
async fn a_failed_login_says_when_it_is_tried_again() {
    for (status, again) in [(500, true), (403, false)] {
        let refuse = move |request: &Message| Some(Builder::reply_to(request, status, "No").to_tag("1"));
        let registrar = Registrar::start("hs1.network.com", refuse);
        let ua = registrar.user_agent();
        let account = ua.account(alice(), password()).unwrap();
        let mut events = account.events();
        let error = account.register().await.unwrap_err();
        assert_eq!(error.is_temporary(), again, "{status}: {error}");
        let told = loop {
            if let AccountEvent::LoginFailed { retry_in, .. } = events.next().await.unwrap().unwrap() {
                break retry_in;
            }
        };
        assert_eq!(error.retry_in(), told);
    }
}

#[tokio::test]
async fn an_accounts_reader_ends_with_its_account() {
    let registrar = Registrar::start("hs1.network.com", yes);
    let ua = registrar.user_agent();
    let account = ua.account(alice(), password()).unwrap();
    let mut events = account.events();
    account.remove().await.unwrap();
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn an_outcome_is_counted_before_it_is_told() {
    let registrar = Registrar::start("hs1.network.com", yes);
    let ua = registrar.user_agent();
    let account = ua.account(alice(), password()).unwrap();
    account.register().await.unwrap();
    for refreshes in 1..=100 {
        account.refresh().await.unwrap();
        assert_eq!(ua.counters().of(Counter::Refreshes), refreshes);
    }
}

/// A provider that blocks the user agent's thread until it is let go.
struct Blocking {
    asked: Arc<Notify>,
    go_on: std::sync::Mutex<std::sync::mpsc::Receiver<()>>,
}

impl CredentialsProvider for Blocking {
    async fn credentials(&self, _: &CredentialsRequest) -> Option<Credentials> {
        self.asked.notify_one();
        let _ = self.go_on.lock().unwrap().recv_timeout(Duration::from_secs(20));
        None
    }
}

#[tokio::test]
async fn adding_an_account_and_reading_counters_wait_for_nobody() {
    let registrar = Registrar::start("hs1.network.com", digest);
    let ua = registrar.user_agent();
    let asked = Arc::new(Notify::new());
    let (let_go, go_on) = std::sync::mpsc::channel();
    let blocking = Blocking { asked: Arc::clone(&asked), go_on: std::sync::Mutex::new(go_on) };
    let blocked = ua.account(alice(), blocking).unwrap();
    let registering = tokio::spawn(async move { blocked.register().await });
    asked.notified().await;
    let begun = Instant::now();
    let account = ua.account(alice(), password()).unwrap();
    let mut events = account.events();
    assert_eq!(account.state(), AccountState::Offline);
    assert_eq!(ua.counters().of(Counter::Logins), 0);
    ua.net_counters();
    assert!(begun.elapsed() < Duration::from_secs(10), "while the thread of the user agent stands still");
    let_go.send(()).unwrap();
    let error = registering.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Login { .. }));
    account.register().await.unwrap();
    assert!(events.next().await.is_some(), "what happens after the reader was made is told");
}
