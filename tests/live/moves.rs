//! Moves, restarts, sign-out and many at once, with real sockets.

use std::time::Duration;

use homing::event::LogoutReason;
use homing::{AccountEvent, AccountState};

use crate::client::{alice, estate, eventually, register, run, user_agent};

#[test]
fn para_66_67_a_moved_user_signs_in_anew_at_the_next_refresh() {
    run(async {
        let estate = estate(11).start().await.unwrap();
        let ua = user_agent(&estate);
        let account = alice(&ua);
        register(&estate, &account).await.unwrap();
        let mut events = ua.events();
        estate.move_user("alice", "hs102", "rebalanced").await.unwrap();
        let _ = account.refresh().await;
        let mut reasons = Vec::new();
        let moved = async {
            while let Some(event) = events.next().await {
                match event.expect("fewer events than a reader keeps").what {
                    AccountEvent::LoggedOut { why } => reasons.push(why),
                    AccountEvent::Registered(registered) => return Some(registered.home.host),
                    _ => {}
                }
            }
            None
        };
        let home = tokio::time::timeout(Duration::from_secs(30), moved).await;
        let ladder = estate.journal().ladder();
        assert_eq!(home.ok().flatten().as_deref(), Some("hs102.network.com"), "{ladder}");
        assert_eq!(reasons, [LogoutReason::Moved]);
        assert_eq!(estate.bindings("alice@network.com").len(), 1, "{ladder}");
    });
}

/// Without a refresh: the old server sees the new assignment, lets go and tells the phone.
#[test]
fn a_moved_user_is_recalled_by_the_server_she_leaves() {
    run(async {
        let estate = estate(14).start().await.unwrap();
        let ua = user_agent(&estate);
        let account = alice(&ua);
        register(&estate, &account).await.unwrap();
        estate.move_user("alice", "hs102", "rebalanced").await.unwrap();
        let at = |node: &str| estate.node(node).bindings().len();
        let let_go = eventually(Duration::from_secs(2), || at("hs104") == 0).await;
        assert!(let_go, "held beyond the lease\n{}", estate.journal().ladder());
        let home = eventually(Duration::from_secs(30), || at("hs102") == 1).await;
        assert!(home, "{}", estate.journal().ladder());
        assert_eq!(at("hs104"), 0);
    });
}

#[test]
fn a_home_server_that_restarts_has_its_user_back() {
    run(async {
        let estate = estate(12).start().await.unwrap();
        let ua = user_agent(&estate);
        let account = alice(&ua);
        register(&estate, &account).await.unwrap();
        estate.node("hs104").stop();
        assert!(eventually(Duration::from_secs(10), || account.state() != AccountState::Registered).await);
        estate.node("hs104").restart().unwrap();
        let back = eventually(Duration::from_secs(120), || estate.bindings("alice@network.com").len() == 1);
        assert!(back.await, "{}", estate.journal().ladder());
    });
}

#[test]
fn shutdown_signs_everybody_out() {
    run(async {
        let estate = estate(13).start().await.unwrap();
        let ua = user_agent(&estate);
        let account = alice(&ua);
        register(&estate, &account).await.unwrap();
        ua.shutdown(Duration::from_secs(5)).await;
        assert!(estate.bindings("alice@network.com").is_empty(), "{}", estate.journal().ladder());
    });
}

#[test]
fn eight_estates_side_by_side_do_not_meet() {
    run(async {
        let mut conversations = Vec::new();
        for seed in 0..8 {
            conversations.push(tokio::spawn(async move {
                let estate = estate(100 + seed).start().await.unwrap();
                let ua = user_agent(&estate);
                let account = alice(&ua);
                register(&estate, &account).await.map(|registration| registration.home().host.clone())
            }));
        }
        for conversation in conversations {
            assert_eq!(conversation.await.unwrap().unwrap(), "hs104.network.com");
        }
    });
}

#[test]
fn a_user_who_is_barred_is_told_at_once_and_does_not_come_back_before_the_bar_is_lifted() {
    run(async {
        let estate = estate(19).start().await.unwrap();
        let ua = user_agent(&estate);
        let account = alice(&ua);
        register(&estate, &account).await.unwrap();
        estate.enable_user("alice", false).unwrap();
        assert!(estate.bindings("alice").is_empty());
        let gone = || account.state() != AccountState::Registered;
        assert!(eventually(Duration::from_secs(5), gone).await, "{}", estate.journal().ladder());
        assert!(register(&estate, &account).await.is_err(), "{}", estate.journal().ladder());
        // A crash makes nobody forget it.
        for server in ["lb", "hs104"] {
            estate.node(server).stop();
            estate.node(server).restart().unwrap();
        }
        assert!(register(&estate, &account).await.is_err(), "{}", estate.journal().ladder());
        estate.enable_user("alice", true).unwrap();
        register(&estate, &account).await.unwrap();
    });
}
