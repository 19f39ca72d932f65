//! What an application is told of a login: its journey, its price, its failure, and the loss of its server.

use std::time::Duration;

use homing::event::FoundBy;
use homing::{AccountConfig, AccountState, Aor, Password, StaticCredentials, Transport};
use homing_server_mock::estate::{EstateBuilder, User};
use homing_tests::test_bed::CANARY;

use crate::client::{alice, estate, register, run, user_agent, with};

#[test]
fn para_66_67_a_signed_redirect_leads_home_and_a_move_leads_to_the_next() {
    run(async {
        let estate = estate(21).start().await.unwrap();
        let ua = user_agent(&estate);
        let mut account = alice(&ua);
        let registration = register(&estate, &account).await.unwrap();
        let told = registration.journey().to_string();
        assert!(told.contains("(301, signed) → hs104.network.com:"), "{told}");
        let hops = &registration.journey().hops;
        assert!(matches!(hops[1].how, FoundBy::Redirected { candidate: 0 }));
        assert_eq!(hops[1].verified_as.as_deref(), Some("hs104.network.com"));

        estate.move_user("alice", "hs102", "for this test").await.unwrap();
        account.refresh().await.unwrap();
        assert_eq!(account.state(), AccountState::Registered);
        let again = register(&estate, &account).await.unwrap();
        assert_eq!(again.home().host, "hs102.network.com");
        account.unregister().await.unwrap();
        assert!(account.changed().await.is_some());
        assert!(estate.bindings("alice@network.com").is_empty(), "{}", estate.journal().ladder());
    });
}

/// The price of a cold login with one redirect (decision 10): DNS, and per server TCP, TLS and REGISTERs.
#[test]
fn a_cold_login_costs_what_the_ladder_says() {
    run(async {
        let estate = estate(22).start().await.unwrap();
        let registration = register(&estate, &alice(&user_agent(&estate))).await.unwrap();
        let price = registration.journey().round_trips();
        assert!((12..=13).contains(&price), "{price} round trips: {:#?}", registration.journey());
    });
}

#[test]
fn a_wrong_password_is_told_as_that() {
    run(async {
        let estate = estate(23).start().await.unwrap();
        let ua = user_agent(&estate);
        let config = AccountConfig::new(Aor::parse("alice@network.com").unwrap(), "01010101");
        let wrong = StaticCredentials::new("alice", "NETWORK", Password::new("wrong"));
        let account = ua.account(config, wrong).unwrap();
        let error = register(&estate, &account).await.unwrap_err();
        assert!(error.is_auth(), "{error}");
        assert_eq!(error.code(), "E0601");
        for entry in ua.trace().entries(0) {
            assert!(!entry.text().contains("wrong"), "{}", entry.text());
        }
    });
}

#[test]
fn a_server_that_vanishes_is_noticed() {
    run(async {
        let estate = estate(24).start().await.unwrap();
        let ua = user_agent(&estate);
        let mut account = alice(&ua);
        register(&estate, &account).await.unwrap();
        estate.node("hs104").stop();
        let lost = async {
            while account.state().is_reachable() {
                account.changed().await.unwrap();
            }
        };
        tokio::time::timeout(Duration::from_secs(20), lost).await.expect("the loss is noticed");
    });
}

#[test]
fn every_transport_leads_home() {
    run(async {
        for transport in [Transport::Tls, Transport::Tcp, Transport::Udp] {
            let estate = EstateBuilder::new()
                .home("hs1")
                .user(User::new("alice", CANARY).assigned("hs1"))
                .transports([transport])
                .start()
                .await
                .unwrap();
            let ua = user_agent(&estate);
            let account = with(&ua, |config| {
                config.transports = vec![transport];
                config.auth.udp_register = transport == Transport::Udp;
            });
            let registration = register(&estate, &account).await.unwrap();
            assert_eq!(registration.journey().last().unwrap().transport, transport);
            account.refresh().await.unwrap();
            assert_eq!(account.options().await.unwrap().status, 200);
            account.unregister().await.unwrap();
        }
    });
}
