//! Parties: users whose calls a server takes and makes by itself, well or badly.

use std::time::Duration;

use homing_core::counter::Counter;
use homing_wire::{Message, Method, Name};

use super::super::io::NodeCommand;
use super::super::party::{AckManner, Manners, Party, Play, Then};
use super::two_servers::{Dialog, TwoServers, Who};

/// Alice at the first server, bob at the second, and at the second a party as well.
fn estate(change: impl Fn(&mut Party)) -> (TwoServers, Who, Who) {
    let homes = [("alice", 0), ("bob", 1), ("carol", 1), ("party", 1)];
    let mut estate = TwoServers::new(&homes, |config| {
        if config.identity.name == "hs104" {
            let mut party = Party::new("party@network.com");
            change(&mut party);
            config.parties.push(party);
        }
    });
    let (alice, bob) = (estate.sign_in("alice", "aa", 0), estate.sign_in("bob", "bb", 1));
    (estate, alice, bob)
}

fn method(message: &Message) -> String {
    message.method().map(|method| method.as_str().to_owned()).unwrap_or_default()
}

/// A call to the party that is answered and acknowledged.
fn talk(estate: &mut TwoServers, who: Who) -> Dialog {
    let invite = estate.invite(who, "party");
    estate.say(who, &invite);
    assert_eq!(estate.statuses(who), [180], "{}", estate.ladders());
    estate.wait(2);
    let ok = estate.hears(who);
    assert_eq!(ok.status(), Some(200), "{}", estate.ladders());
    assert!(ok.body().starts_with(b"v=0\r\n"));
    let mut side = Dialog::of_caller(who, &ok);
    let ack = side.ack();
    estate.say(who, &ack);
    side
}

#[test]
fn a_party_answers_takes_every_request_and_never_hangs_up() {
    for near in [false, true] {
        let (mut estate, alice, bob) = estate(|_| ());
        let who = if near { bob } else { alice };
        let mut side = talk(&mut estate, who);
        estate.wait(40);
        assert!(estate.heard(who).is_empty(), "acknowledged, so that nothing is repeated");
        for method in ["INFO", "OPTIONS", "INVITE", "BYE"] {
            let request = side.request(method);
            estate.say(who, &request);
            assert_eq!(estate.statuses(who), [200], "{method}\n{}", estate.ladders());
            if method == "INVITE" {
                let ack = side.ack();
                estate.say(who, &ack);
            }
        }
        let late = side.request("INFO");
        estate.say(who, &late);
        assert_eq!(estate.statuses(who), [481]);
        estate.assert_at_rest();
    }
}

#[test]
fn an_answer_that_is_not_acknowledged_is_repeated_alike_and_then_hung_up() {
    let (mut estate, alice, _) = estate(|party| party.after = Duration::ZERO);
    let invite = estate.invite(alice, "party");
    estate.say(alice, &invite);
    let first = estate.hears(alice);
    estate.wait(31);
    let copies = estate.heard(alice);
    assert!(copies.len() > 5 && copies.iter().all(|copy| copy.status() == Some(200)));
    assert_eq!(first.status(), Some(200));
    estate.wait(2);
    let heard = estate.heard(alice);
    assert_eq!(heard.last().map(method).as_deref(), Some("BYE"), "{}", estate.ladders());
    estate.assert_at_rest();
}

#[test]
fn parties_refuse_in_every_way() {
    for (plays, status) in
        [(Play::Busy, 486), (Play::Declines, 603), (Play::Redirects("sip:bob@network.com".into()), 302)]
    {
        let (mut estate, alice, _) = estate(|party| party.plays = plays.clone());
        let invite = estate.invite(alice, "party");
        estate.say(alice, &invite);
        let refused = estate.hears(alice);
        assert_eq!(refused.status(), Some(status));
        let contact = refused.text(Name::Contact);
        assert_eq!(contact.as_deref(), (status == 302).then_some("<sip:bob@network.com>"));
        estate.assert_at_rest();
    }
    let (mut estate, alice, _) = estate(|party| party.plays = Play::EarlyThenBusy);
    let invite = estate.invite(alice, "party");
    estate.say(alice, &invite);
    let early = estate.hears(alice);
    assert_eq!((early.status(), early.body().is_empty()), (Some(183), false));
    estate.wait(2);
    assert_eq!(estate.statuses(alice), [486]);
    estate.assert_at_rest();
}

#[test]
fn a_party_that_rings_for_ever_says_so_each_minute_and_stops_when_it_is_cancelled() {
    let (mut estate, alice, _) = estate(|party| party.plays = Play::Rings);
    let invite = estate.invite(alice, "party");
    estate.say(alice, &invite);
    estate.wait(601);
    let rings = estate.statuses(alice);
    assert_eq!(rings, [180; 11], "no timer C");
    estate.say(alice, &TwoServers::cancel_of(&invite));
    assert_eq!(estate.statuses(alice), [200, 487]);
    estate.assert_at_rest();
}

#[test]
fn a_party_hangs_up_at_once() {
    for near in [false, true] {
        let (mut estate, alice, bob) = estate(|party| party.then = Then::HangsUp);
        let who = if near { bob } else { alice };
        talk(&mut estate, who);
        let bye = estate.hears(who);
        assert_eq!(method(&bye), "BYE", "{}", estate.ladders());
        estate.answer(who, &bye, 200, "");
        for server in &estate.servers {
            assert_eq!(server.node.cx.dialogs.len(), 0);
        }
        estate.assert_at_rest();
    }
}

#[test]
fn a_storm_of_re_invites_has_as_many_as_were_asked_for() {
    let (mut estate, alice, _) = estate(|party| party.then = Then::Reinvites(50));
    let mut side = talk(&mut estate, alice);
    let mut seen = 0;
    loop {
        let heard = estate.heard(alice);
        let Some(invite) = heard.iter().find(|message| method(message) == "INVITE") else { break };
        seen += 1;
        estate.answer(alice, invite, if seen % 7 == 0 { 491 } else { 200 }, "");
    }
    assert_eq!(seen, 50);
    let bye = side.request("BYE");
    estate.say(alice, &bye);
    assert_eq!(estate.statuses(alice), [200]);
    estate.assert_at_rest();
}

#[test]
fn a_party_glares() {
    let (mut estate, alice, _) = estate(|party| party.then = Then::Glare);
    let mut side = talk(&mut estate, alice);
    let invite = side.request("INVITE");
    estate.say(alice, &invite);
    let heard = estate.heard(alice);
    let glare =
        heard.iter().find(|message| message.method() == Some(Method::Invite)).expect("its own INVITE");
    assert!(heard.iter().any(|message| message.status() == Some(491)), "{heard:?}");
    estate.answer(alice, glare, 491, "");
    assert_eq!(method(&estate.hears(alice)), "ACK");
    let bye = side.request("BYE");
    estate.say(alice, &bye);
    assert_eq!(estate.statuses(alice), [200]);
    estate.assert_at_rest();
}

fn order(estate: &mut TwoServers, callee: &str, manners: Manners) {
    let (party, callee) = ("party@network.com".to_owned(), format!("{callee}@network.com"));
    estate.command(1, NodeCommand::PartyCalls { party, callee, manners });
}

#[test]
fn a_party_calls_with_and_without_an_offer_and_acknowledges_when_it_likes() {
    for (callee, near) in [("alice", false), ("bob", true)] {
        for (offers, ack) in [
            (true, AckManner::Prompt),
            (false, AckManner::Prompt),
            (true, AckManner::Late(Duration::from_secs(5))),
            (true, AckManner::Never),
        ] {
            let (mut estate, alice, bob) = estate(|_| ());
            let who = if near { bob } else { alice };
            order(&mut estate, callee, Manners { offers, ack });
            let invite = estate.hears(who);
            assert_eq!(invite.body().is_empty(), !offers, "{}", estate.ladders());
            let ok = estate.answer(who, &invite, 200, "");
            let mut heard = estate.heard(who);
            if ack != AckManner::Prompt {
                assert!(heard.is_empty(), "{ack:?}");
                estate.wait(1);
                estate.say_plain(who, &ok);
                assert!(estate.heard(who).is_empty(), "its copies change nothing");
                estate.wait(10);
                heard = estate.heard(who);
            }
            let acked: Vec<String> = heard.iter().map(method).collect();
            let expected: &[&str] = if ack == AckManner::Never { &[] } else { &["ACK"] };
            assert_eq!(acked, expected, "{ack:?}\n{}", estate.ladders());
            let mut side = Dialog::of_callee(&estate, who, &invite);
            let bye = side.request("BYE");
            estate.say(who, &bye);
            assert_eq!(estate.statuses(who), [200], "{ack:?}\n{}", estate.ladders());
            estate.assert_at_rest();
        }
    }
}

#[test]
fn what_a_callee_of_a_party_did_not_sign_is_not_believed() {
    let (mut estate, _, bob) = estate(|_| ());
    order(&mut estate, "bob", Manners { offers: true, ack: AckManner::Prompt });
    let invite = estate.hears(bob);
    let forged = homing_wire::Builder::reply_to(&invite, 200, "OK").to_tag("x").message();
    estate.say_plain(bob, &super::two_servers::text(&forged));
    assert!(estate.heard(bob).is_empty());
    assert_eq!(estate.count(1, Counter::Unsigned), 1);
    order(&mut estate, "nobody", Manners { offers: true, ack: AckManner::Prompt });
    assert_eq!(estate.servers[1].told("no way to its other end"), 1);
}

#[test]
fn nobody_else_speaks_in_the_call_of_a_party() {
    let (mut estate, alice, bob) = estate(|_| ());
    let side = talk(&mut estate, alice);
    let mut forged = side.clone();
    forged.who = bob;
    forged.routes = Vec::new();
    forged.local = "<sip:bob@network.com>;tag=x;epid=bb".to_owned();
    let bye = forged.request("BYE");
    estate.say(bob, &bye);
    assert_eq!(estate.statuses(bob), [481], "{}", estate.ladders());
    let mut side = side;
    let info = side.request("INFO");
    estate.say(alice, &info);
    assert_eq!(estate.statuses(alice), [200]);
}

#[test]
fn a_call_of_a_party_that_nobody_ends_is_over_after_two_hours() {
    let (mut estate, alice, _) = estate(|_| ());
    talk(&mut estate, alice);
    estate.wait(2 * 3600 - 10);
    assert!(estate.heard(alice).is_empty());
    estate.wait(20);
    let bye = estate.hears(alice);
    assert_eq!(method(&bye), "BYE");
    estate.answer(alice, &bye, 200, "");
    estate.assert_at_rest();
}

#[test]
fn a_party_takes_no_cancel_and_no_ack_of_anybody_else() {
    let (mut estate, _, bob) = estate(|_| ());
    let thief = estate.client("thief", "tt", 1);
    let invite = estate.invite(bob, "party");
    estate.say(bob, &invite);
    assert_eq!(estate.statuses(bob), [180]);
    let cancel = TwoServers::cancel_of(&invite);
    for who in [thief, bob] {
        estate.say_plain(who, &cancel);
        assert!(estate.heard(bob).is_empty() && estate.heard(thief).is_empty(), "{}", estate.ladders());
    }
    estate.wait(2);
    let ok = estate.hears(bob);
    let mut side = Dialog::of_caller(bob, &ok);
    let ack = side.ack();
    for who in [thief, bob] {
        estate.say_plain(who, &ack);
    }
    estate.wait(1);
    assert_eq!(estate.statuses(bob), [200], "it still waits for the ACK\n{}", estate.ladders());
    estate.say(bob, &ack);
    estate.wait(40);
    assert!(estate.heard(bob).is_empty());
    let bye = side.request("BYE");
    estate.say(bob, &bye);
    assert_eq!(estate.statuses(bob), [200]);
    estate.assert_at_rest();
}

#[test]
fn another_user_on_the_same_connection_cancels_no_call_to_a_party() {
    let (mut estate, _, bob) = estate(|party| party.plays = Play::Rings);
    let carol = estate.sign_in_beside("carol", "cc", bob);
    let invite = estate.invite(bob, "party");
    estate.say(bob, &invite);
    assert_eq!(estate.statuses(bob), [180]);
    // Signed by carol, whose proof is as good as any.
    let cancel = TwoServers::cancel_of(&invite)
        .replace("From: <sip:bob@network.com>", "From: <sip:carol@network.com>")
        .replace("epid=bb", "epid=cc");
    estate.say(carol, &cancel);
    assert!(estate.heard(bob).is_empty(), "{}", estate.ladders());
    assert_eq!(estate.servers[1].told("a CANCEL of somebody else"), 1, "{}", estate.ladders());
    estate.say(bob, &TwoServers::cancel_of(&invite));
    assert_eq!(estate.statuses(bob), [200, 487], "{}", estate.ladders());
    estate.assert_at_rest();
}

#[test]
fn a_party_that_rings_stops_when_its_caller_is_gone() {
    for near in [false, true] {
        let (mut estate, alice, bob) = estate(|party| party.plays = Play::Rings);
        let who = if near { bob } else { alice };
        let invite = estate.invite(who, "party");
        estate.say(who, &invite);
        assert_eq!(estate.statuses(who), [180]);
        estate.wait(90);
        assert_eq!(estate.servers[1].node.in_hand_inside(), 1);
        estate.disconnect(who);
        estate.wait(60);
        assert_eq!(estate.servers[1].node.in_hand_inside(), 0, "{}", estate.ladders());
        assert_eq!(estate.servers[1].told("its caller is gone"), usize::from(near), "{}", estate.ladders());
        estate.assert_at_rest();
    }
    // The link between the servers is the way of the INVITE, too.
    let (mut estate, alice, _) = estate(|party| party.plays = Play::Rings);
    let invite = estate.invite(alice, "party");
    estate.say(alice, &invite);
    estate.cut_links();
    assert_eq!(estate.servers[1].told("its caller is gone"), 1, "{}", estate.ladders());
    estate.assert_at_rest();
}

#[test]
fn a_party_rings_for_two_hours_at_most() {
    for near in [false, true] {
        let (mut estate, alice, bob) = estate(|party| party.plays = Play::Rings);
        let who = if near { bob } else { alice };
        let invite = estate.invite(who, "party");
        estate.say(who, &invite);
        estate.wait(2 * 3600 - 10);
        let rings = estate.statuses(who);
        assert!(rings.len() > 100 && rings.iter().all(|status| *status == 180), "{rings:?}");
        estate.wait(20);
        assert_eq!(estate.statuses(who), [480], "{}", estate.ladders());
        estate.assert_at_rest();
    }
}

#[test]
fn one_user_does_not_take_all_the_calls_of_a_party() {
    let (mut estate, alice, bob) = estate(|party| party.plays = Play::Rings);
    let mut invites = Vec::new();
    for _ in 0..20 {
        let invite = estate.invite(bob, "party");
        estate.say(bob, &invite);
        assert_eq!(estate.statuses(bob), [180]);
        invites.push(invite);
    }
    let more = estate.invite(bob, "party");
    estate.say(bob, &more);
    let busy = estate.hears(bob);
    assert_eq!((busy.status(), busy.text(Name::RetryAfter).is_some()), (Some(486), true));
    assert_eq!(estate.count(1, Counter::OverCap), 1);
    let other = estate.invite(alice, "party");
    estate.say(alice, &other);
    assert_eq!(estate.statuses(alice), [180], "others have room");
    estate.say(bob, &TwoServers::cancel_of(&invites[0]));
    assert_eq!(estate.statuses(bob), [200, 487]);
    let again = estate.invite(bob, "party");
    estate.say(bob, &again);
    assert_eq!(estate.statuses(bob), [180], "what is over counts no more");
}
