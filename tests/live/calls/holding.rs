//! Who holds a call: the last handle, a detached one, a future that is dropped.

use std::time::Duration;

use homing::call::{CallState, EndReason, EndedBy, IncomingCalls};
use tokio::time::timeout;

use super::phones::{BOB, Phones};
use crate::client::{eventually, run};

#[test]
fn the_last_handle_that_is_dropped_hangs_up_and_no_other() {
    run(async {
        let mut phones = Phones::new(611).await;
        let (hers, his) = phones.talking().await;
        let clone = hers.clone();
        drop(hers);
        phones.within(clone.hold()).await.expect("a clone holds it");
        assert_eq!(his.state(), CallState::Answered);
        drop(clone);
        assert_eq!(phones.end(&his).await.by, EndedBy::Peer);
    });
}

#[test]
fn a_call_that_rings_is_cancelled_by_the_last_handle() {
    run(async {
        let mut phones = Phones::new(612).await;
        let (hers, incoming) = phones.ringing().await;
        incoming.ring().await.unwrap();
        drop(hers);
        let end = phones.within(incoming.ended()).await;
        assert_eq!((end.by, end.why), (EndedBy::Peer, EndReason::Cancelled));
        let error = incoming.answer().await.unwrap_err();
        assert_eq!(error.call_end().map(|end| &end.why), Some(&EndReason::Cancelled));
    });
}

#[test]
fn a_detached_call_goes_on_without_handles() {
    run(async {
        let mut phones = Phones::new(613).await;
        let (hers, his) = phones.talking().await;
        hers.detach();
        drop(hers);
        assert!(timeout(Duration::from_millis(300), his.ended()).await.is_err(), "nobody hung up");
        phones.within(his.hold()).await.expect("the other side still answers");
        phones.within(his.hang_up()).await.unwrap();
    });
}

#[test]
fn a_detached_call_ends_with_its_user_agent() {
    run(async {
        let mut phones = Phones::new(614).await;
        let (hers, his) = phones.talking().await;
        hers.detach();
        drop(hers);
        let Phones { estate, alice, bob } = phones;
        drop(alice);
        let end = timeout(Duration::from_secs(2), his.ended()).await.expect("within two seconds");
        assert_eq!((end.by, end.why), (EndedBy::Peer, EndReason::HungUp));
        let gone = || estate.bindings("alice@network.com").is_empty();
        assert!(eventually(Duration::from_secs(5), gone).await);
        drop(bob);
    });
}

/// Polls a future once and drops it.
async fn begin(future: impl Future) {
    let _ = timeout(Duration::ZERO, Box::pin(future)).await;
}

#[test]
fn a_dropped_place_takes_its_call_along() {
    run(async {
        let mut phones = Phones::new(615).await;
        begin(phones.alice.account.call(BOB).place()).await;
        // The caller's phone had asked for it: it was cancelled, before or after it rang.
        if let Ok(Some(incoming)) = timeout(Duration::from_secs(2), phones.bob.calls.next()).await {
            assert_eq!(phones.within(incoming.ended()).await.why, EndReason::Cancelled);
        }
        let (_hers, _incoming) = phones.ringing().await;
    });
}

#[test]
fn a_dropped_answer_hangs_up() {
    run(async {
        let mut phones = Phones::new(616).await;
        let (hers, incoming) = phones.ringing().await;
        begin(incoming.answer()).await;
        let end = phones.end(&hers).await;
        assert_eq!(end.by, EndedBy::Peer, "{end:?}");
    });
}

#[test]
fn dropped_futures_change_nothing_of_what_was_asked_for() {
    run(async {
        let mut phones = Phones::new(617).await;
        let (hers, incoming) = phones.ringing().await;
        begin(hers.answered()).await;
        begin(hers.ended()).await;
        begin(incoming.ended()).await;
        begin(incoming.ring()).await;
        let rings = || hers.state() == CallState::Ringing;
        assert!(eventually(Duration::from_secs(5), rings).await);
        let his = phones.within(incoming.answer()).await.unwrap();
        phones.within(hers.answered()).await.unwrap();
        begin(hers.hold()).await;
        assert!(eventually(Duration::from_secs(5), || hers.holds().us && his.holds().peer).await);
        begin(hers.hang_up()).await;
        assert_eq!(phones.end(&his).await.why, EndReason::HungUp);
    });
}

async fn is_over(calls: &mut IncomingCalls) -> bool {
    timeout(Duration::from_secs(5), calls.next()).await.is_ok_and(|next| next.is_none())
}

#[test]
fn a_second_stream_takes_over_and_the_first_ends() {
    run(async {
        let mut phones = Phones::new(618).await;
        let hers = phones.alice.account.call(BOB).place().await.unwrap();
        // It waits in the first stream.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let mut second = phones.bob.account.incoming();
        assert!(is_over(&mut phones.bob.calls).await);
        let incoming = phones.within(second.next()).await.expect("what waited is the second one's");
        let his = phones.within(incoming.answer()).await.unwrap();
        phones.within(his.hang_up()).await.unwrap();
        phones.end(&hers).await;
        phones.bob.ua.shutdown(Duration::from_secs(5)).await;
        assert!(is_over(&mut second).await, "no call follows");
    });
}
