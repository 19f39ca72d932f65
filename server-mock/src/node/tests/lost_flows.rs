//! Calls whose ends lose their connection: a caller's INVITE is taken back, a callee's ring goes on (settled 41).

use homing_core::transport::Transport;
use homing_wire::Message;

use super::two_servers::{Dialog, TwoServers, Who};

fn estate() -> (TwoServers, Who, Who) {
    let mut estate = TwoServers::new(&[("alice", 0), ("bob", 1), ("mallory", 1)], |_| ());
    let (alice, bob) = (estate.sign_in("alice", "aa", 0), estate.sign_in("bob", "bb", 1));
    (estate, alice, bob)
}

/// A call that rings at bob; gives alice's INVITE and what bob heard.
fn ringing() -> (TwoServers, Who, Who, Message) {
    let (mut estate, alice, bob) = estate();
    let invite = estate.invite(alice, "bob");
    estate.say(alice, &invite);
    let ring = estate.hears(bob);
    estate.answer(bob, &ring, 180, "");
    assert_eq!(estate.statuses(alice), [180]);
    (estate, alice, bob, ring)
}

fn method(message: &Message) -> String {
    message.method().map(|method| method.as_str().to_owned()).unwrap_or_default()
}

#[test]
fn the_invite_of_a_lost_caller_is_taken_back_as_soon_as_the_caller_is_there_again() {
    let (mut estate, alice, bob, ring) = ringing();
    estate.disconnect(alice);
    estate.wait(5);
    assert!(estate.heard(bob).is_empty());
    estate.connect(alice, Transport::Tls);
    estate.register(alice, "");
    estate.wait(0);
    let cancel = estate.hears(bob);
    assert_eq!(method(&cancel), "CANCEL", "{}", estate.ladders());
    estate.answer(bob, &cancel, 200, "");
    estate.answer(bob, &ring, 487, "");
    assert_eq!(method(&estate.hears(bob)), "ACK");
    assert!(estate.heard(alice).is_empty(), "the transaction of the dead flow is gone");
    estate.assert_at_rest();
}

#[test]
fn the_invite_of_a_caller_who_stays_away_is_taken_back_after_32_seconds() {
    let (mut estate, alice, bob, ring) = ringing();
    estate.disconnect(alice);
    estate.wait(31);
    assert!(estate.heard(bob).is_empty());
    estate.wait(2);
    let cancel = estate.hears(bob);
    assert_eq!(method(&cancel), "CANCEL");
    estate.answer(bob, &ring, 487, "");
    assert_eq!(estate.servers[0].told("connection is gone"), 2, "the flow's and the call's");
    estate.assert_at_rest();
}

#[test]
fn another_device_of_a_lost_caller_takes_nothing_back() {
    let (mut estate, alice, bob, _) = ringing();
    estate.disconnect(alice);
    estate.sign_in("alice", "a2", 0);
    estate.wait(5);
    assert!(estate.heard(bob).is_empty());
}

#[test]
fn a_callee_without_a_connection_answers_by_its_next_one_and_is_believed_by_its_signature() {
    let (mut estate, alice, bob, ring) = ringing();
    estate.disconnect(bob);
    estate.wait(20);
    assert!(estate.heard(alice).is_empty(), "the ring goes on");
    let thief = estate.sign_in("mallory", "mm", 1);
    let forged = estate.answer(thief, &ring, 200, "");
    assert!(estate.heard(alice).is_empty(), "by another endpoint: {forged}");
    estate.connect(bob, Transport::Tls);
    estate.register(bob, "");
    let unsigned = homing_wire::Builder::reply_to(&ring, 200, "OK").to_tag("x").message();
    estate.say_plain(bob, &super::two_servers::text(&unsigned));
    assert!(estate.heard(alice).is_empty(), "without a signature");
    let ok = estate.answer(bob, &ring, 200, "");
    let answered = estate.hears(alice);
    assert_eq!(answered.status(), Some(200), "{}", estate.ladders());
    estate.say_plain(bob, &ok);
    let again = estate.hears(alice);
    assert_eq!(again.status(), Some(200), "its copy goes back too");
    let mut side = Dialog::of_caller(alice, &answered);
    let ack = side.ack();
    estate.say(alice, &ack);
    assert_eq!(method(&estate.hears(bob)), "ACK");
    estate.exchange(&mut side, bob, "BYE");
    estate.assert_at_rest();
}

#[test]
fn a_callee_that_declines_by_its_next_connection_is_acknowledged_there() {
    let (mut estate, alice, bob, ring) = ringing();
    estate.disconnect(bob);
    estate.connect(bob, Transport::Tls);
    estate.register(bob, "");
    estate.answer(bob, &ring, 486, "");
    assert_eq!(method(&estate.hears(bob)), "ACK");
    assert_eq!(estate.hears(alice).status(), Some(486));
    estate.assert_at_rest();
}

#[test]
fn a_call_taken_back_while_its_callee_is_away_is_cancelled_when_it_is_back() {
    let (mut estate, alice, bob) = estate();
    let invite = estate.invite(alice, "bob");
    estate.say(alice, &invite);
    let ring = estate.hears(bob);
    estate.answer(bob, &ring, 180, "");
    estate.heard(alice);
    estate.disconnect(bob);
    estate.say(alice, &TwoServers::cancel_of(&invite));
    assert_eq!(estate.statuses(alice), [200]);
    estate.wait(5);
    estate.connect(bob, Transport::Tls);
    estate.register(bob, "");
    estate.wait(0);
    let cancel = estate.hears(bob);
    assert_eq!(method(&cancel), "CANCEL", "{}", estate.ladders());
    let via = |message: &Message| message.via().unwrap().branch().map(str::to_owned);
    assert_eq!(via(&cancel), via(&ring), "of the INVITE it knows");
    estate.answer(bob, &cancel, 200, "");
    estate.answer(bob, &ring, 487, "");
    assert_eq!(method(&estate.hears(bob)), "ACK");
    assert_eq!(estate.statuses(alice), [487]);
    estate.assert_at_rest();
}

#[test]
fn a_callee_that_stays_away_is_given_up_by_timer_c_and_one_that_never_rang_after_64_t1() {
    let (mut estate, alice, bob, _) = ringing();
    estate.disconnect(bob);
    estate.wait(190);
    assert!(estate.heard(alice).is_empty());
    estate.wait(50);
    assert_eq!(estate.statuses(alice), [408]);
    estate.assert_at_rest();
    let (mut estate, alice, bob) = self::estate();
    let invite = estate.invite(alice, "bob");
    estate.say(alice, &invite);
    estate.disconnect(bob);
    estate.wait(33);
    assert_eq!(estate.statuses(alice), [408]);
    estate.assert_at_rest();
}

#[test]
fn a_caller_that_lost_its_connection_before_the_ack_hears_the_next_2xx_by_the_new_one() {
    let (mut estate, alice, bob, ring) = ringing();
    let ok = estate.answer(bob, &ring, 200, "");
    let answered = estate.hears(alice);
    estate.disconnect(alice);
    estate.say_plain(bob, &ok);
    estate.connect(alice, Transport::Tls);
    estate.register(alice, "");
    estate.say_plain(bob, &ok);
    let again = estate.hears(alice);
    assert_eq!(again.status(), Some(200), "{}", estate.ladders());
    let mut side = Dialog::of_caller(alice, &answered);
    let ack = side.ack();
    estate.say(alice, &ack);
    assert_eq!(method(&estate.hears(bob)), "ACK");
    estate.assert_at_rest();
}

#[test]
fn a_link_between_servers_that_breaks_is_500_and_leaves_nothing() {
    let (mut estate, alice, _, _) = ringing();
    estate.cut_links();
    assert_eq!(estate.statuses(alice), [500], "{}", estate.ladders());
    estate.wait(40);
    estate.assert_at_rest();
}
