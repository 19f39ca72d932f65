//! Calls that are not answered: refused, redirected, given up, not taken.

use std::time::Duration;

use homing::account::{AccountConfig, Aor};
use homing::call::{
    CallState, DescriptionQuestion, DescriptionRefusal, DoNotDisturb, EndReason, EndedBy, Reject,
};
use homing::error::Misuse;
use homing::{Counter, Error, Password, StaticCredentials};

use super::phones::{BOB, Phones};
use crate::client::{eventually, run, user_agent};

#[test]
fn a_call_that_is_dropped_or_refused_tells_its_caller_so() {
    run(async {
        let mut phones = Phones::new(621).await;
        for (how, status, why) in [
            (None, 480, EndReason::Unavailable),
            (Some(Reject::Unavailable), 480, EndReason::Unavailable),
            (Some(Reject::Busy), 486, EndReason::Busy),
            (Some(Reject::Declined), 603, EndReason::Declined),
            (Some(Reject::Status(404)), 404, EndReason::NotFound),
        ] {
            let (hers, incoming) = phones.ringing().await;
            match how {
                None => drop(incoming),
                Some(how) => incoming.reject(how).await.unwrap(),
            }
            let end = phones.end(&hers).await;
            assert_eq!((end.by, end.status, end.why), (EndedBy::Peer, Some(status), why));
        }
        let (hers, incoming) = phones.ringing().await;
        let error = incoming.reject(Reject::Status(200)).await.unwrap_err();
        assert_eq!(error, Error::Misuse(Misuse::BadMessage));
        assert_eq!(phones.end(&hers).await.status, Some(480), "no answer by mistake");
    });
}

#[test]
fn a_caller_who_is_sent_on_calls_there() {
    run(async {
        let mut phones = Phones::with(622, |config| config.redirect.also_302 = true).await;
        let (hers, incoming) = phones.ringing().await;
        assert!(incoming.redirect("no uri").await.is_err());
        assert_eq!(phones.end(&hers).await.status, Some(480));
        let (hers, incoming) = phones.ringing().await;
        incoming.redirect("sip:nobody@network.com").await.unwrap();
        let end = phones.end(&hers).await;
        assert_eq!(end.why, EndReason::NotFound, "{end:?}\n{}", phones.estate.journal().ladder());
    });
}

#[test]
fn a_call_that_nobody_reads_gets_480_and_is_counted() {
    run(async {
        let mut phones = Phones::new(623).await;
        let hers = phones.alice.account.call(BOB).place().await.unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        drop(std::mem::replace(&mut phones.bob.calls, phones.alice.account.incoming()));
        assert_eq!(phones.end(&hers).await.status, Some(480), "what waited is refused with its stream");
        assert_eq!(phones.bob.ua.counters().of(Counter::CallNotTaken), 0);
        let hers = phones.alice.account.call(BOB).place().await.unwrap();
        assert_eq!(phones.end(&hers).await.status, Some(480));
        let counted = || phones.bob.ua.counters().of(Counter::CallNotTaken) == 1;
        assert!(eventually(Duration::from_secs(5), counted).await);
    });
}

#[test]
fn more_calls_than_may_wait_get_486_and_none_of_those_that_wait_is_lost() {
    run(async {
        let mut phones = Phones::with(624, |config| {
            let rules = config.calls.get_or_insert_default();
            rules.most_calls = 100;
            rules.most_ringing_per_caller = 100;
        })
        .await;
        let mut placed = Vec::new();
        for _ in 0..64 {
            placed.push(phones.alice.account.call(BOB).place().await.unwrap());
        }
        let waits = || placed.iter().all(|call| call.state() != CallState::Ended);
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(waits(), "{:?}", placed.iter().map(homing::Call::state).collect::<Vec<_>>());
        let beyond = phones.alice.account.call(BOB).place().await.unwrap();
        assert_eq!(phones.end(&beyond).await.status, Some(486));
        let counted = || phones.bob.ua.counters().of(Counter::CallNotTaken) == 1;
        assert!(eventually(Duration::from_secs(5), counted).await);
        for _ in 0..64 {
            phones.incoming().await.reject(Reject::Busy).await.unwrap();
        }
        for call in &placed {
            assert_eq!(phones.end(call).await.why, EndReason::Busy);
        }
    });
}

#[test]
fn a_call_that_was_given_up_while_it_waited_is_still_told() {
    run(async {
        let mut phones = Phones::new(625).await;
        let hers = phones.alice.account.call(BOB).place().await.unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        let end = phones.within(hers.hang_up()).await.unwrap();
        assert_eq!((end.by, end.why), (EndedBy::Us, EndReason::Cancelled));
        tokio::time::sleep(Duration::from_millis(200)).await;
        let incoming = phones.incoming().await;
        assert_eq!(incoming.state(), CallState::Ended);
        assert_eq!(incoming.caller().identity(), "sip:alice@network.com");
        assert_eq!(incoming.ring().await.unwrap_err().call_end().unwrap().why, EndReason::Cancelled);
        incoming.reject(Reject::Busy).await.expect("as good as refused");
    });
}

#[test]
fn who_does_not_want_to_be_disturbed_is_not() {
    run(async {
        let mut phones = Phones::new(626).await;
        phones.bob.account.do_not_disturb(DoNotDisturb::Busy).await.unwrap();
        let hers = phones.alice.account.call(BOB).place().await.unwrap();
        assert_eq!(phones.end(&hers).await.status, Some(486));
        phones.bob.account.do_not_disturb(DoNotDisturb::Off).await.unwrap();
        let (hers, incoming) = phones.ringing().await;
        drop(incoming);
        phones.end(&hers).await;
    });
}

#[test]
fn a_session_that_cannot_be_described_is_refused_with_488_and_a_warning() {
    run(async {
        let mut phones = Phones::new(627).await;
        let refuses = |_: &DescriptionQuestion| Err(DescriptionRefusal::new(305, "no common codec"));
        let (hers, incoming) = phones.ringing().await;
        incoming.describer(refuses);
        let error = phones.within(incoming.answer()).await.unwrap_err();
        assert_eq!(error.code(), "E1205", "{error}");
        let end = phones.end(&hers).await;
        assert_eq!((end.status, end.words.as_str()), (Some(488), "no common codec"));
        let call = phones.alice.account.call(BOB).describer(refuses).place().await.unwrap();
        let error = phones.within(call.answered()).await.unwrap_err();
        assert_eq!(error.code(), "E1205", "{error}");
    });
}

#[test]
fn an_account_without_calls_places_and_takes_none() {
    run(async {
        let phones = Phones::new(628).await;
        let ua = user_agent(&phones.estate);
        let mut config = AccountConfig::new(Aor::parse("alice@network.com").unwrap(), "02020202");
        let password = || StaticCredentials::new("alice", "NETWORK", Password::new("x"));
        config.calls = None;
        let account = ua.account(config, password()).unwrap();
        let error = account.call(BOB).place().await.unwrap_err();
        assert_eq!(error, Error::Misuse(Misuse::WrongState), "it makes no calls");
        assert!(account.do_not_disturb(DoNotDisturb::Busy).await.is_err());
    });
}
