//! Signing in, refreshing, asking, signing out; and what is told of it.

use std::time::Duration;

use homing::error::{Family, Misuse};
use homing::event::FoundBy;
use homing::{AccountState, Error, Password, StaticCredentials};
use homing_wire::{Builder, Name};

use crate::registrar::{Registrar, alice, asked, digest, yes};

fn password() -> StaticCredentials {
    StaticCredentials::new("alice", "NETWORK", Password::new("secret"))
}

#[tokio::test]
async fn an_account_signs_in_refreshes_and_signs_out() {
    let mut registrar = Registrar::start("hs1.network.com", digest);
    let ua = registrar.user_agent();
    let account = ua.account(alice(), password()).unwrap();
    assert_eq!(account.state(), AccountState::Offline);

    let registration = account.register().await.unwrap();
    assert_eq!(registration.home().host, "hs1.network.com");
    assert_eq!(registration.expires(), Duration::from_secs(600));
    let hop = registration.journey().last().unwrap();
    assert_eq!(hop.verified_as.as_deref(), Some("hs1.network.com"));
    assert!(matches!(&hop.how, FoundBy::Discovered(why) if why.contains("_sipinternaltls._tcp")), "{hop:?}");
    assert_eq!(account.state(), AccountState::Registered);
    registrar.request("REGISTER").await;
    registrar.request("REGISTER").await;

    let again = account.register().await.unwrap();
    assert_eq!(again.home(), registration.home(), "who is signed in gets what stands");
    assert!(registrar.requests.try_recv().is_err(), "and nothing is sent for that");

    assert_eq!(account.refresh().await.unwrap(), Duration::from_secs(600));
    registrar.request("REGISTER").await;
    assert_eq!(account.options().await.unwrap().status, 200);
    registrar.request("OPTIONS").await;

    account.unregister().await.unwrap();
    assert_eq!(asked(&registrar.request("REGISTER").await), 0);
    assert_eq!(account.state(), AccountState::LoggedOff);
    assert_eq!(account.refresh().await, Err(Error::Misuse(Misuse::WrongState)));
    account.remove().await.unwrap();
    assert_eq!(ua.shutdown(Duration::from_secs(5)).await, homing::ShutdownReport::default());
}

#[tokio::test]
async fn a_wrong_name_is_an_error_with_code_hint_and_journey() {
    let mut registrar = Registrar::start("hs9.network.com", yes);
    let ua = registrar.user_agent();
    let error = ua.account(alice(), password()).unwrap().register().await.unwrap_err();
    assert_eq!((error.code(), error.family()), ("E0509", Some(Family::Transport)));
    assert!(error.is_tls() && error.is_network() && !error.is_auth());
    assert!(error.to_string().contains("hs1.network.com"), "{error}");
    assert!(error.hint().ends_with('.'));
    assert_eq!(error.server().unwrap().host, "hs1.network.com");
    assert!(registrar.requests.try_recv().is_err(), "not a byte of SIP");
}

#[tokio::test]
async fn a_refusal_names_who_refused() {
    let refuse =
        |request: &homing_wire::Message| Some(Builder::reply_to(request, 403, "Forbidden").to_tag("1"));
    let registrar = Registrar::start("hs1.network.com", refuse);
    let ua = registrar.user_agent();
    let error = ua.account(alice(), password()).unwrap().register().await.unwrap_err();
    assert!(error.is_refused(), "{error}");
    assert_eq!(error.code(), "E0801");
}

#[tokio::test]
async fn what_was_asked_goes_on_when_its_future_is_dropped() {
    let mut registrar = Registrar::start("hs1.network.com", digest);
    let ua = registrar.user_agent();
    let mut account = ua.account(alice(), password()).unwrap();
    let asked = Box::pin(account.clone());
    let never = tokio::time::timeout(Duration::ZERO, asked.register()).await;
    assert!(never.is_err());
    registrar.request("REGISTER").await;
    while account.state() != AccountState::Registered {
        account.changed().await.unwrap();
    }
    assert!(account.register().await.is_ok());
}

#[tokio::test]
async fn a_server_that_asks_for_more_time_gets_it() {
    let brief = |request: &homing_wire::Message| {
        if (1..10_000).contains(&asked(request)) {
            let reply = Builder::reply_to(request, 423, "Interval Too Brief").to_tag("1");
            return Some(reply.header(Name::MinExpires, 10_000));
        }
        yes(request)
    };
    let mut registrar = Registrar::start("hs1.network.com", brief);
    let ua = registrar.user_agent();
    assert!(ua.account(alice(), password()).unwrap().register().await.is_ok());
    let demands = [registrar.request("REGISTER").await, registrar.request("REGISTER").await];
    assert_eq!(demands.each_ref().map(asked), [7_200, 10_000]);
}

#[tokio::test]
async fn the_plan_says_where_it_would_dial_and_why() {
    let registrar = Registrar::start("hs1.network.com", yes);
    let ua = registrar.user_agent();
    let plan = ua.plan("network.com").await.unwrap();
    assert_eq!(plan.targets[0].addr, registrar.address);
    assert!(plan.targets[0].why.to_string().contains("_sipinternaltls._tcp.network.com"));
    assert_eq!(ua.plan("not a domain").await.unwrap_err().code(), "E0101");
}

/// Roots are replaced while the user agent runs: what a reload of the CA file comes to.
#[tokio::test]
async fn other_roots_count_for_the_next_connection() {
    let registrar = Registrar::start("hs1.network.com", yes);
    let stranger = Registrar::start("hs1.network.com", yes);
    let ua = registrar.user_agent();
    ua.set_tls(homing::tls::TlsClient::new(stranger.roots.clone()));
    let account = ua.account(alice(), password()).unwrap();
    let error = account.register().await.unwrap_err();
    assert_eq!(error.code(), "E0506", "{error}");
    ua.set_tls(homing::tls::TlsClient::new(registrar.roots.clone()));
    account.register().await.unwrap();
}
