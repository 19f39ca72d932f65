//! Calls by keys: what is ordered of the agent, what rings, and what a person reads.

use homing::call::{CallEnd, CallEvent, EndReason, EndedBy};
use homing::sound::SoundEvent;

use super::*;
use crate::effect::CallOrder;
use crate::msg::CallMsg;
use crate::screen::phone::Began;

fn began(key: u64, incoming: bool, party: &str) -> Msg {
    let (party, name) = (ScreenText::of(party), ScreenText::default());
    Msg::Call(CallMsg::Began(Began { key, account: ALICE, party, name, vouched: true, incoming }))
}

fn happened(key: u64, what: CallEvent) -> Msg {
    Msg::Call(CallMsg::Happened { key, what })
}

fn ended(key: u64, by: EndedBy, why: EndReason) -> Msg {
    let end = CallEnd { by, why, status: None, words: String::new() };
    happened(key, CallEvent::Ended(Box::new(end)))
}

fn words(model: &Model) -> Vec<String> {
    model.pages.phone.calls().map(|call| call.words().to_string()).collect()
}

fn orders(effects: &[Effect]) -> Vec<CallOrder> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Call(order) => Some(order.clone()),
            _ => None,
        })
        .collect()
}

#[test]
fn what_is_typed_is_dialled_from_the_account_that_is_named() {
    let mut model = phone();
    let bob = AccountId(2);
    let aor = Aor::parse("clerk@corp.example").unwrap();
    update(&mut model, Msg::Account(AccountMsg::Added { id: bob, aor }), at(0));
    for (typed, keys, account, to) in [
        ("bob", "Enter", ALICE, "bob@network.com"),
        ("bob", "Tab Enter", bob, "bob@corp.example"),
        ("sip:carol@other.org", "Enter", bob, "sip:carol@other.org"),
        ("+4930123", "Tab Enter", ALICE, "+4930123@network.com"),
    ] {
        press(&mut model, "1 d");
        spell(&mut model, typed);
        let placed = press(&mut model, keys);
        assert_eq!(orders(&placed), [CallOrder::Place { account, to: to.to_owned() }]);
    }
    press(&mut model, "d");
    assert!(press(&mut model, "Enter").is_empty());
    assert!(told(&model).contains("nobody is dialled"), "{}", told(&model));
    // A screen away the same key leads here.
    press(&mut model, "Esc Esc 6");
    update(&mut model, Msg::Key(Chord::char(':')), at(2));
    spell(&mut model, "dial");
    press(&mut model, "Enter");
    assert_eq!(model.navigation.screen(), Screen::Phone);
}

#[test]
fn a_call_that_comes_in_rings_until_it_is_answered_and_is_told_once() {
    let mut model = phone();
    let rings = |effects: &[Effect]| {
        let bells = effects.iter().filter(|effect| matches!(effect, Effect::Bell)).count();
        let told = effects.iter().filter(|effect| matches!(effect, Effect::Attention(_))).count();
        (bells, told)
    };
    assert_eq!(rings(&update(&mut model, began(1, true, "sip:bob@network.com"), at(10))), (1, 1));
    assert_eq!(rings(&update(&mut model, Msg::Tick, at(11))), (0, 0));
    assert_eq!(model.next_change(), Some(Duration::from_secs(12)), "its seconds are counted");
    assert_eq!(rings(&update(&mut model, Msg::Tick, at(14))), (1, 0));
    assert_eq!(words(&model), ["calls you"]);
    let answered = update(&mut model, Msg::Key(Chord::parse("F5").unwrap()), at(15));
    assert_eq!(orders(&answered), [CallOrder::Answer(1)]);
    assert_eq!((model.navigation.screen(), words(&model)), (Screen::Phone, vec!["answering".to_owned()]));
    assert_eq!(rings(&update(&mut model, Msg::Tick, at(20))), (0, 0));
    update(&mut model, happened(1, CallEvent::Answered { fork: 0 }), at(21));
    assert_eq!(words(&model), ["connected"]);
    assert_eq!(orders(&press(&mut model, "x")), [CallOrder::HangUp(1)]);
    update(&mut model, ended(1, EndedBy::Us, EndReason::HungUp), at(22));
    assert_eq!(words(&model), ["ended by you"]);
    assert!(press(&mut model, "x").is_empty());
    assert!(told(&model).contains("no call is under way"));
}

#[test]
fn a_silenced_phone_rings_no_bell() {
    let mut model = phone();
    let saved = Msg::Saved { path: "ui.ring".to_owned(), value: toml::Value::Boolean(false) };
    update(&mut model, saved, at(9));
    let effects = update(&mut model, began(1, true, "sip:bob@network.com"), at(10));
    assert!(matches!(effects[..], [Effect::Attention(_)]), "{effects:?}");
}

#[test]
fn what_is_typed_answers_no_call_and_f5_does_whatever_is_open() {
    let mut model = phone();
    press(&mut model, "1 d");
    spell(&mut model, "b");
    update(&mut model, began(1, true, "sip:carol@network.com"), at(10));
    spell(&mut model, "oxa");
    assert_eq!(model.pages.phone.dialled().value(), "boxa");
    press(&mut model, "Esc 2 +");
    assert!(!model.overlays.is_empty());
    spell(&mut model, "xa");
    assert_eq!(words(&model), ["calls you"]);
    assert_eq!(orders(&press(&mut model, "F6")), [CallOrder::HangUp(1)]);
    assert!(!model.overlays.is_empty(), "what is typed is not lost");
    assert!(orders(&press(&mut model, "F5")).is_empty(), "nothing rings any more");
}

#[test]
fn a_second_call_holds_the_first_and_each_is_known_by_its_place() {
    let mut model = phone();
    update(&mut model, began(1, false, "bob@network.com"), at(10));
    update(&mut model, happened(1, CallEvent::Progress { fork: 0, status: 180 }), at(11));
    update(&mut model, happened(1, CallEvent::Answered { fork: 0 }), at(12));
    update(&mut model, began(2, true, "sip:carol@network.com"), at(13));
    press(&mut model, "1");
    let hold = CallOrder::Hold { key: 1, on: true };
    assert_eq!(orders(&press(&mut model, "a")), [CallOrder::Answer(2), hold.clone()]);
    update(&mut model, happened(2, CallEvent::Answered { fork: 0 }), at(14));
    update(&mut model, happened(1, CallEvent::Held(true)), at(14));
    assert_eq!(words(&model), ["connected", "on hold (you)"]);
    update(&mut model, happened(2, CallEvent::PeerHolds(true)), at(15));
    assert_eq!(words(&model), ["on hold (them)", "on hold (you)"]);
    press(&mut model, "Down");
    assert_eq!(orders(&press(&mut model, "h")), [CallOrder::Hold { key: 1, on: false }]);
    update(&mut model, ended(2, EndedBy::Peer, EndReason::HungUp), at(16));
    assert_eq!(model.pages.phone.current().unwrap().key, 1, "the cursor stays on its call");
    assert_eq!(words(&model), ["on hold (you)", "ended by them"]);
}

#[test]
fn every_end_has_its_words_and_a_failure_its_code_and_next_step() {
    let mut model = phone();
    for (key, incoming, by, why, said) in [
        (1, true, EndedBy::Peer, EndReason::Cancelled, "missed"),
        (2, true, EndedBy::Peer, EndReason::AnsweredElsewhere, "answered on another device"),
        (3, true, EndedBy::Us, EndReason::Declined, "declined"),
        (4, false, EndedBy::Us, EndReason::Cancelled, "given up"),
        (5, false, EndedBy::Peer, EndReason::Busy, "failed (E1201): they are busy"),
        (6, false, EndedBy::Network, EndReason::NoAnswer, "failed (E1208): nobody answered"),
    ] {
        update(&mut model, began(key, incoming, "sip:bob@network.com"), at(key));
        update(&mut model, ended(key, by, why), at(key));
        assert_eq!(words(&model)[0], said);
    }
    assert!(model.toast.as_ref().unwrap().notification.hint.as_str().contains("Try again"));
    // Enter dials the selected one again.
    press(&mut model, "1 Enter");
    assert_eq!(model.pages.phone.dialled().value(), "bob@network.com");
}

#[test]
fn the_connection_of_a_call_is_told_and_a_call_that_cannot_be_placed_says_why() {
    let mut model = phone();
    update(&mut model, began(1, false, "bob@network.com"), at(1));
    update(&mut model, happened(1, CallEvent::Answered { fork: 0 }), at(2));
    update(&mut model, happened(1, CallEvent::ConnectionLost), at(3));
    assert_eq!(words(&model), ["connection lost, reconnecting"]);
    update(&mut model, happened(1, CallEvent::ConnectionBack), at(4));
    assert_eq!(words(&model), ["connected"]);
    update(&mut model, began(2, false, "nobody"), at(5));
    let problem = Problem::new("E0303", &"no SIP URI", "Write user@host.");
    update(&mut model, Msg::Call(CallMsg::NotPlaced { key: 2, problem }), at(5));
    assert_eq!(words(&model), ["connected", "failed (E0303): no SIP URI"]);
}

#[test]
fn leaving_takes_a_second_thought_while_a_call_is_under_way() {
    let mut model = phone();
    update(&mut model, began(1, false, "bob@network.com"), at(1));
    assert!(update(&mut model, Msg::Key(Chord::char('q')), at(2)).is_empty());
    assert!(told(&model).contains("once more"));
    assert!(update(&mut model, Msg::Key(Chord::char('q')), at(30)).is_empty(), "that was long ago");
    assert!(matches!(update(&mut model, Msg::Key(Chord::char('q')), at(31))[..], [Effect::Leave]));
    update(&mut model, Msg::Ended, at(32));
}

#[test]
fn calls_that_ended_are_bounded_and_those_under_way_are_kept() {
    let mut model = phone();
    update(&mut model, began(1, false, "bob@network.com"), at(1));
    for key in 2..200 {
        update(&mut model, began(key, true, "sip:eve@network.com"), at(key));
        update(&mut model, ended(key, EndedBy::Peer, EndReason::Cancelled), at(key));
    }
    let keys: Vec<u64> = model.pages.phone.calls().map(|call| call.key).collect();
    assert_eq!((keys.len(), keys[0], keys[1]), (50, 1, 199));
}

#[test]
fn do_not_disturb_is_asked_of_the_account_and_told() {
    let mut model = phone();
    assert_eq!(orders(&press(&mut model, "1 n")), [CallOrder::Disturb { account: ALICE, on: false }]);
    update(&mut model, Msg::Call(CallMsg::Disturb { account: ALICE, on: false }), at(3));
    assert!(told(&model).contains("do not disturb"));
    assert_eq!(orders(&press(&mut model, "n")), [CallOrder::Disturb { account: ALICE, on: true }]);
}

#[test]
fn digits_and_mute_go_to_the_call_that_is_connected() {
    let mut model = phone();
    update(&mut model, began(1, false, "bob@network.com"), at(1));
    assert!(orders(&press(&mut model, "1 m")).is_empty());
    assert!(orders(&press(&mut model, "k")).is_empty());
    assert!(told(&model).contains("no call is connected"));
    update(&mut model, happened(1, CallEvent::Answered { fork: 0 }), at(2));
    assert_eq!(orders(&press(&mut model, "m")), [CallOrder::Mute { key: 1, on: true }]);
    assert_eq!(words(&model), ["connected, muted"]);
    assert_eq!(orders(&press(&mut model, "m")), [CallOrder::Mute { key: 1, on: false }]);
    press(&mut model, "k");
    for (key, digit) in [("1", '1'), ("#", '#'), ("A", 'A')] {
        assert_eq!(orders(&press(&mut model, key)), [CallOrder::Digit { key: 1, digit }]);
    }
    assert_eq!(model.navigation.screen(), Screen::Phone, "a digit shows no other screen");
    press(&mut model, "Esc 2");
    assert_eq!(model.navigation.screen(), Screen::Accounts, "afterwards it does again");
    press(&mut model, "1 k x");
    assert!(!model.pages.phone.is_pressing(), "what is no digit means what it always does");
    assert_eq!(words(&model), ["ending"]);
}

#[test]
fn what_happens_in_the_sound_is_told_where_it_matters() {
    let mut model = phone();
    update(&mut model, began(1, false, "bob@network.com"), at(1));
    update(&mut model, happened(1, CallEvent::Answered { fork: 0 }), at(2));
    let sounded = |what| Msg::Call(CallMsg::Sounded { key: 1, what });
    update(&mut model, sounded(SoundEvent::PeerSilent), at(3));
    assert!(told(&model).contains("nothing comes from the other side"), "{}", told(&model));
}
