//! The password is a canary: it must be in no output, trace, journal, event or error.

use std::time::Duration;

use homing::{AccountConfig, AccountState, Aor, Password, StaticCredentials};
use homing_server_mock::fault::{Fault, Rule};

use crate::client::{alice, estate, eventually, register, run, user_agent, with};
use homing_tests::test_bed::CANARY;

#[test]
fn the_canary_is_nowhere() {
    run(async {
        let mut seen = String::new();
        for fault in [None, Some(Fault::Unsigned301), Some(Fault::ChallengeForever)] {
            let estate = estate(31).start().await.unwrap();
            if let Some(fault) = fault {
                estate.node("lb").inject_fault(Rule::always(fault));
            }
            let ua = user_agent(&estate);
            let mut events = ua.events();
            let account = alice(&ua);
            match register(&estate, &account).await {
                Ok(registration) => seen += &format!("{:?}", registration.journey()),
                Err(error) => seen += &format!("{error} {error:?} {}", error.hint()),
            }
            let _ = account.unregister().await;
            eventually(Duration::from_secs(2), || account.state() == AccountState::LoggedOff).await;
            while let Ok(Some(event)) = tokio::time::timeout(Duration::from_millis(50), events.next()).await {
                seen += &format!("{event:?}");
            }
            for entry in ua.trace().entries(0) {
                seen += &entry.text();
                seen += &format!("{entry:?}");
            }
            seen += &estate.journal().json();
            seen += &estate.journal().ladder();
            seen += &format!("{:?}", ua.counters());
        }
        assert!(seen.len() > 10_000, "there is something to search in");
        assert!(!seen.contains(CANARY), "the password leaked");
        let utf16: String = CANARY.chars().flat_map(|c| [c, '\0']).collect();
        assert!(!seen.contains(&utf16), "the password leaked as UTF-16");
        for word in ["gssapi-data=\"TlRM", "response=\"01"] {
            assert!(!seen.contains(word), "a token or signature was printed: {word}");
        }
    });
}

#[test]
fn a_wrong_password_says_so_and_shows_none() {
    run(async {
        let estate = estate(32).start().await.unwrap();
        let ua = user_agent(&estate);
        let wrong = StaticCredentials::new("alice", "NETWORK", Password::new("Canary-5c1e-pass"));
        let config = AccountConfig::new(Aor::parse("alice@network.com").unwrap(), "01010101");
        let account = ua.account(config, wrong).unwrap();
        let error = register(&estate, &account).await.expect_err("a wrong password");
        assert!(error.is_auth(), "{error}");
        assert_eq!(error.code(), "E0601", "{error}");
        assert!(!format!("{error} {error:?} {}", estate.journal().json()).contains("Canary"));
    });
}

#[test]
fn somebody_elses_address_is_refused() {
    run(async {
        let estate = estate(33).start().await.unwrap();
        let ua = user_agent(&estate);
        let account = with(&ua, |config| {
            config.aor = Aor::parse("bob@network.com").expect("an address");
        });
        let error = register(&estate, &account).await.expect_err("Alice is not Bob");
        assert_eq!(error.code(), "E0801", "{error}");
        assert!(estate.bindings("bob@network.com").is_empty());
    });
}
