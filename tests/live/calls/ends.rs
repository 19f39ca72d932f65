//! Calls that end with what they need: the user agent, the account, the peer's server.

use std::time::{Duration, Instant};

use homing::call::{CallState, EndReason, EndedBy};
use homing::{Error, event::UnregisterOutcome};

use super::phones::{BOB, Phones};
use crate::client::run;

#[test]
fn shutdown_hangs_up_within_two_seconds_and_signs_out_then() {
    run(async {
        let mut phones = Phones::new(631).await;
        let (hers, his) = phones.talking().await;
        let begun = Instant::now();
        let report = phones.alice.ua.shutdown(Duration::from_secs(10)).await;
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        assert_eq!(report.accounts[&phones.alice.account.id()], UnregisterOutcome::Removed);
        assert_eq!(report.transactions, 0, "the BYE was answered before the sign-out");
        let end = phones.end(&hers).await;
        assert_eq!((end.by, end.why), (EndedBy::Us, EndReason::ShutDown));
        let end = phones.end(&his).await;
        assert_eq!((end.by, end.why), (EndedBy::Peer, EndReason::HungUp));
        assert_eq!(hers.hang_up().await.unwrap().why, EndReason::ShutDown);
        assert_eq!(hers.hold().await.unwrap_err().code(), "E1216");
        assert_eq!(phones.alice.account.call(BOB).place().await.unwrap_err(), Error::ShutDown);
    });
}

#[test]
fn shutdown_refuses_what_rings_and_cancels_what_is_being_placed() {
    run(async {
        let mut phones = Phones::new(632).await;
        let (hers, incoming) = phones.ringing().await;
        phones.bob.ua.shutdown(Duration::from_secs(10)).await;
        assert_eq!(phones.within(incoming.ended()).await.why, EndReason::ShutDown);
        assert_eq!(phones.end(&hers).await.status, Some(480), "no decline: nobody said no");

        let mut phones = Phones::new(633).await;
        let (hers, incoming) = phones.ringing().await;
        let report = phones.alice.ua.shutdown(Duration::from_secs(10)).await;
        assert_eq!(report.transactions, 0);
        assert_eq!(phones.end(&hers).await.why, EndReason::ShutDown);
        assert_eq!(phones.within(incoming.ended()).await.why, EndReason::Cancelled);
    });
}

#[test]
fn an_account_that_is_removed_ends_its_calls() {
    run(async {
        let mut phones = Phones::new(634).await;
        let (hers, his) = phones.talking().await;
        phones.alice.account.unregister().await.unwrap();
        assert_eq!(hers.state(), CallState::Answered, "a call goes on without the login");
        phones.alice.account.clone().remove().await.unwrap();
        let end = phones.end(&hers).await;
        assert_eq!((end.by, end.why), (EndedBy::Us, EndReason::AccountRemoved));
        let end = phones.end(&his).await;
        assert_eq!((end.by, end.why), (EndedBy::Peer, EndReason::HungUp));
    });
}

#[test]
fn an_address_without_a_person_is_told_with_code_sentence_and_next_step() {
    run(async {
        let phones = Phones::new(635).await;
        let call = phones.alice.account.call("sip:nobody@network.com").place().await.unwrap();
        let error = phones.within(call.answered()).await.unwrap_err();
        let end = error.call_end().unwrap();
        assert_eq!((end.by, &end.why, end.status), (EndedBy::Peer, &EndReason::NotFound, Some(404)));
        assert_eq!(error.code(), "E1203");
        assert!(error.to_string().starts_with("nobody has that address (404"), "{error}");
        assert_eq!(error.hint(), "Check the address that was dialled.");
    });
}
