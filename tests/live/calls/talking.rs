//! From the INVITE to the BYE: who calls, what is said, hold, INFO, and a move in the middle.

use std::time::Duration;

use homing::call::{CallEvent, CallState, EndReason, EndedBy, InfoBody};
use homing::error::Misuse;
use homing::{Error, account::AccountState};

use super::phones::{BOB, Phones};
use crate::client::{eventually, run};

#[test]
fn two_people_at_home_on_two_servers_call_hold_and_hang_up() {
    run(async {
        let mut phones = Phones::new(601).await;
        let builder = phones.alice.account.call("bob@network.com").header("Subject", "Lunch");
        let hers = builder.header("X-Ticket", "7").place().await.unwrap();
        assert_eq!((hers.remote(), hers.state()), (BOB, CallState::Calling));
        assert!(hers.caller().is_none() && hers.journey().redirects() == 1);
        let mut events = hers.events();
        let incoming = phones.incoming().await;
        assert_eq!(incoming.state(), CallState::Ringing);
        let caller = incoming.caller().clone();
        assert_eq!((caller.identity(), caller.asserted.is_some()), ("sip:alice@network.com", true));
        assert_eq!((caller.header("subject"), caller.header("X-Ticket")), (Some("Lunch"), Some("7")));
        incoming.ring().await.unwrap();
        phones
            .within(async {
                while hers.state() != CallState::Ringing {
                    events.next().await.unwrap().unwrap();
                }
            })
            .await;
        let his = phones.within(incoming.answer()).await.unwrap();
        let answer = phones.within(hers.answered()).await.unwrap();
        assert!(answer.description.is_some() && answer.description == hers.peer_description());
        assert_eq!((hers.state(), his.state()), (CallState::Answered, CallState::Answered));
        assert_eq!(his.remote(), "sip:alice@network.com");

        phones.within(hers.hold()).await.unwrap();
        phones.within(hers.hold()).await.expect("it is on hold already");
        assert!(hers.holds().us && !hers.holds().peer);
        assert!(eventually(Duration::from_secs(5), || his.holds().peer).await);
        phones.within(hers.resume()).await.unwrap();
        assert!(!hers.holds().us);
        assert!(eventually(Duration::from_secs(5), || !his.holds().peer).await);

        let end = phones.within(his.hang_up()).await.unwrap();
        assert_eq!((end.by, end.why), (EndedBy::Us, EndReason::HungUp));
        let end = phones.end(&hers).await;
        assert_eq!((end.by, end.why), (EndedBy::Peer, EndReason::HungUp));
        assert_eq!(hers.state(), CallState::Ended);
        let mut last = None;
        while let Some(event) = phones.within(events.next()).await {
            last = Some(event.unwrap());
        }
        assert!(
            matches!(last, Some(CallEvent::Ended(_))),
            "the end comes last, and nothing after it: {last:?}"
        );
        assert!(hers.hang_up().await.is_ok_and(|end| end.by == EndedBy::Peer), "it stays as it ended");
        let error = hers.hold().await.unwrap_err();
        assert_eq!((error.code(), error.call_end().map(|end| end.by)), ("E1200", Some(EndedBy::Peer)));
        let gone = || phones.estate.node("hs104").calls().answered == 0;
        assert!(eventually(Duration::from_secs(5), gone).await, "{}", phones.estate.journal().ladder());
    });
}

#[test]
fn infos_come_in_the_order_in_which_they_were_asked_for() {
    run(async {
        let mut phones = Phones::new(605).await;
        let (hers, his) = phones.talking().await;
        let mut heard = his.events();
        let body = |digit| InfoBody { content_type: "application/dtmf".to_owned(), body: vec![digit] };
        let (one, two) = tokio::join!(hers.info(body(b'1')), hers.info(body(b'2')));
        assert_eq!((one, two), (Ok(200), Ok(200)));
        let mut digits = Vec::new();
        while digits.len() < 2 {
            if let CallEvent::Info(info) = phones.within(heard.next()).await.unwrap().unwrap() {
                digits.extend(info.body);
            }
        }
        assert_eq!(digits, b"12");
        let wrong = InfoBody { content_type: "none".to_owned(), body: Vec::new() };
        assert_eq!(hers.info(wrong).await, Err(Error::Misuse(Misuse::BadMessage)));
        phones.within(hers.hang_up()).await.unwrap();
        assert_eq!(hers.info(body(b'3')).await.unwrap_err().code(), "E1200", "it is over");
    });
}

#[test]
fn the_first_reader_of_a_calls_events_misses_none_and_many_read_the_same() {
    run(async {
        let mut phones = Phones::new(602).await;
        let (hers, his) = phones.talking().await;
        let mut first = hers.events();
        let mut others: Vec<_> = (0..100).map(|_| hers.events()).collect();
        phones.within(his.hang_up()).await.unwrap();
        let mut all = Vec::new();
        while let Some(event) = phones.within(first.next()).await {
            all.push(event.unwrap());
        }
        assert!(all.iter().any(|event| matches!(event, CallEvent::Described { .. })), "{all:?}");
        assert!(all.iter().any(|event| matches!(event, CallEvent::Answered { .. })), "{all:?}");
        for other in &mut others {
            let event = phones.within(other.next()).await.unwrap().unwrap();
            assert!(matches!(event, CallEvent::Ended(_)), "what happened since: {event:?}");
            assert!(other.next().await.is_none());
        }
        assert!(hers.events().next().await.is_none(), "nothing follows");
    });
}

/// Decision 39: the old home relays its dialog on.
#[test]
fn a_call_goes_on_when_its_account_is_moved() {
    run(async {
        let mut phones = Phones::new(603).await;
        let (hers, his) = phones.talking().await;
        phones.estate.move_user("alice", "hs106", "rebalanced").await.unwrap();
        phones.within(phones.alice.account.refresh()).await.unwrap();
        assert_eq!(phones.alice.account.state(), AccountState::Registered);
        let home = phones.within(phones.alice.account.register()).await.unwrap();
        assert_eq!(home.home().host, "hs106.network.com");
        assert_eq!((hers.state(), his.state()), (CallState::Answered, CallState::Answered));
        phones.within(hers.hold()).await.unwrap();
        assert!(eventually(Duration::from_secs(5), || his.holds().peer).await);
        phones.within(hers.hang_up()).await.unwrap();
        assert_eq!(phones.end(&his).await.by, EndedBy::Peer);
        let gone = || phones.estate.node("hs104").calls().answered == 0;
        assert!(eventually(Duration::from_secs(5), gone).await);
    });
}

#[test]
fn what_cannot_be_placed_is_refused_at_once() {
    run(async {
        let phones = Phones::new(604).await;
        let account = &phones.alice.account;
        for (call, why) in [
            (account.call("tel:+123"), "no SIP URI"),
            (account.call("bob"), "no URI"),
            (account.call(BOB).header("Via", "x"), "reserved"),
            (account.call(BOB).header("X-A", "a\r\nRoute: x"), "two lines"),
            (account.call(BOB).ring_for(Duration::ZERO), "no time"),
        ] {
            assert_eq!(call.place().await.unwrap_err(), Error::Misuse(Misuse::BadMessage), "{why}");
        }
        account.unregister().await.unwrap();
        let error = account.call(BOB).place().await.unwrap_err();
        assert_eq!(error, Error::Misuse(Misuse::WrongState), "not signed in");
    });
}
