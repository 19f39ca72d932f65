//! Against a whole estate: distributor, home servers, DNS and certificates of its own.

use std::time::Duration;

use homing::event::{FoundBy, HopVerdict};
use homing::{
    AccountConfig, AccountState, Aor, Password, Resolver, Roots, StaticCredentials, Transport, UserAgent,
};
use homing_server_mock::estate::{Estate, User};

async fn estate() -> Estate {
    Estate::builder()
        .distributor("lb")
        .home("hs102")
        .home("hs104")
        .user(User::new("alice", "secret").assigned("hs104"))
        .start()
        .await
        .unwrap()
}

fn user_agent(estate: &Estate) -> UserAgent {
    UserAgent::builder()
        .resolver(Resolver::name_server(estate.dns_address()))
        .roots(Roots::pem(estate.ca_pem()).unwrap())
        .build()
        .unwrap()
}

fn alice() -> AccountConfig {
    AccountConfig::new(Aor::parse("alice@network.com").unwrap(), "01010101")
}

fn credentials(password: &str) -> StaticCredentials {
    StaticCredentials::new("alice", "NETWORK", Password::new(password))
}

#[tokio::test]
async fn para_67_a_signed_redirect_leads_home_and_a_move_leads_to_the_next() {
    let estate = estate().await;
    let ua = user_agent(&estate);
    let mut account = ua.account(alice(), credentials("secret")).unwrap();
    let registration = account.register().await.unwrap();
    assert_eq!(registration.home().host, "hs104.network.com");
    let told = registration.journey().to_string();
    assert!(told.contains("(301, signed) → hs104.network.com:"), "{told}");
    let hops = &registration.journey().hops;
    assert_eq!(hops.len(), 2, "{hops:#?}");
    assert!(matches!(&hops[0].verdict, HopVerdict::Redirected { status: 301, signed: true, .. }));
    assert!(matches!(hops[1].how, FoundBy::Redirected { candidate: 0 }));
    assert_eq!(hops[1].verified_as.as_deref(), Some("hs104.network.com"));

    estate.move_user("alice", "hs102", "for this test").await.unwrap();
    account.refresh().await.unwrap();
    assert_eq!(account.state(), AccountState::Registered);
    let again = account.register().await.unwrap();
    assert_eq!(again.home().host, "hs102.network.com");
    account.unregister().await.unwrap();
    assert!(account.changed().await.is_some());
    assert!(estate.node("hs102").bindings().is_empty() && estate.node("hs104").bindings().is_empty());
}

/// The price of a cold login with one redirect (decision 10): DNS, and per server TCP, TLS and REGISTERs.
#[tokio::test]
async fn a_cold_login_costs_what_the_ladder_says_and_a_remembered_home_less() {
    let estate = estate().await;
    let ua = user_agent(&estate);
    let registration = ua.account(alice(), credentials("secret")).unwrap().register().await.unwrap();
    let price = registration.journey().round_trips();
    assert!((12..=13).contains(&price), "{price} round trips: {:#?}", registration.journey());
}

#[tokio::test]
async fn a_wrong_password_is_told_as_that() {
    let estate = estate().await;
    let ua = user_agent(&estate);
    let error = ua.account(alice(), credentials("wrong")).unwrap().register().await.unwrap_err();
    assert!(error.is_auth(), "{error}");
    assert_eq!(error.code(), "E0601");
    for entry in ua.trace().entries(0) {
        assert!(!entry.text().contains("wrong"), "{}", entry.text());
    }
}

#[tokio::test]
async fn a_server_that_vanishes_is_left_and_the_next_login_finds_home() {
    let estate = estate().await;
    let ua = user_agent(&estate);
    let mut account = ua.account(alice(), credentials("secret")).unwrap();
    account.register().await.unwrap();
    estate.node("hs104").stop();
    let lost = async {
        while account.state().is_reachable() {
            account.changed().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(20), lost).await.expect("the loss is noticed");
}

#[tokio::test]
async fn every_transport_leads_home() {
    for transport in [Transport::Tls, Transport::Tcp, Transport::Udp] {
        let estate = Estate::builder()
            .home("hs1")
            .user(User::new("alice", "secret").assigned("hs1"))
            .transports([transport])
            .start()
            .await
            .unwrap();
        let ua = user_agent(&estate);
        let mut config = alice();
        config.transports = vec![transport];
        config.auth.udp_register = transport == Transport::Udp;
        let account = ua.account(config, credentials("secret")).unwrap();
        let registration = account.register().await.unwrap();
        assert_eq!(registration.journey().last().unwrap().transport, transport);
        account.refresh().await.unwrap();
        assert_eq!(account.options().await.unwrap().status, 200);
        account.unregister().await.unwrap();
    }
}
