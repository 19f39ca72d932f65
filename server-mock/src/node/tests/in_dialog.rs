//! Requests inside dialogs: along tokens that outlive connections, verified where the association is, and closed to
//! everybody else (decisions 11, 34, 39, 49; settled 41).

use homing_core::counter::Counter;
use homing_core::transport::Transport;
use homing_wire::{Message, Name};

use super::two_servers::{Dialog, SERVERS, TwoServers};

const HOMES: &[(&str, usize)] = &[("alice", 0), ("bob", 1), ("carol", 0), ("eve", 0)];

fn estate() -> TwoServers {
    TwoServers::new(HOMES, |_| ())
}

fn method(message: &Message) -> String {
    message.method().map(|method| method.as_str().to_owned()).unwrap_or_default()
}

#[test]
fn a_dialog_follows_both_ends_to_new_connections() {
    let mut estate = estate();
    let (alice, bob) = (estate.sign_in("alice", "aa", 0), estate.sign_in("bob", "bb", 1));
    let [mut caller, mut callee] = estate.call(alice, bob);
    for who in [bob, alice] {
        estate.disconnect(who);
        estate.connect(who, Transport::Tls);
        assert_eq!(estate.register(who, "").status(), Some(200), "{}", estate.ladders());
        estate.exchange(&mut caller, bob, "INFO");
        estate.exchange(&mut callee, alice, "UPDATE");
        let reinvite = callee.request("INVITE");
        estate.say(bob, &reinvite);
        let heard = estate.hears(alice);
        assert_eq!(heard.lines(Name::RecordRoute).count(), 2, "a re-INVITE records the same");
        estate.answer(alice, &heard, 200, "");
        assert_eq!(estate.hears(bob).status(), Some(200));
        let ack = callee.ack();
        estate.say(bob, &ack);
        assert_eq!(method(&estate.hears(alice)), "ACK");
    }
    estate.exchange(&mut callee, alice, "BYE");
    estate.assert_at_rest();
}

#[test]
fn an_endpoint_without_any_connection_is_430_and_its_dialog_is_not_over() {
    let mut estate = estate();
    let (alice, bob) = (estate.sign_in("alice", "aa", 0), estate.sign_in("bob", "bb", 1));
    let [mut caller, _] = estate.call(alice, bob);
    estate.disconnect(bob);
    let info = caller.request("INFO");
    estate.say(alice, &info);
    assert_eq!(estate.hears(alice).status(), Some(430));
    estate.connect(bob, Transport::Tls);
    estate.register(bob, "");
    estate.exchange(&mut caller, bob, "BYE");
}

#[test]
fn a_forged_ack_or_bye_or_cancel_is_dropped_and_counted() {
    let mut estate = estate();
    let (alice, bob) = (estate.sign_in("alice", "aa", 0), estate.sign_in("bob", "bb", 1));
    let invite = estate.invite(alice, "bob");
    estate.say(alice, &invite);
    let ringing = estate.hears(bob);
    estate.answer(bob, &ringing, 180, "");
    estate.heard(alice);
    estate.say_plain(alice, &TwoServers::cancel_of(&invite));
    assert!(estate.heard(bob).is_empty() && estate.heard(alice).is_empty(), "an unsigned CANCEL");
    let broken = estate.sign(alice, &TwoServers::cancel_of(&invite)).replace("response=\"0", "response=\"1");
    estate.say_plain(alice, &broken);
    assert!(
        estate.heard(bob).is_empty() && estate.heard(alice).is_empty(),
        "a CANCEL with a wrong signature"
    );
    estate.answer(bob, &ringing, 200, "");
    let ok = estate.hears(alice);
    let mut side = Dialog::of_caller(alice, &ok);
    let before = estate.count(0, Counter::RefusedRequest);
    let ack = side.ack();
    estate.say_plain(alice, &ack);
    let wrong = estate.sign(alice, &ack).replace("response=\"0", "response=\"1");
    estate.say_plain(alice, &wrong);
    assert!(estate.heard(bob).is_empty(), "an ACK nobody signed well reaches nobody");
    assert_eq!(estate.count(0, Counter::RefusedRequest), before + 2);
    let ack = estate.sign(alice, &ack);
    estate.say_plain(alice, &ack);
    assert_eq!(method(&estate.hears(bob)), "ACK");
    estate.say_plain(alice, &ack);
    assert!(estate.heard(bob).is_empty(), "a replayed one neither");
    let bye = side.request("BYE");
    estate.say_plain(alice, &bye);
    assert_eq!(estate.statuses(alice), [401], "whoever can prove it may");
    assert!(estate.heard(bob).is_empty());
}

#[test]
fn what_a_callee_did_not_sign_is_dropped_and_counted() {
    let mut estate = estate();
    let (alice, bob) = (estate.sign_in("alice", "aa", 0), estate.sign_in("bob", "bb", 1));
    let invite = estate.invite(alice, "bob");
    estate.say(alice, &invite);
    let ringing = estate.hears(bob);
    for status in [180, 200, 486, 603] {
        let answer = homing_wire::Builder::reply_to(&ringing, status, "Forged").to_tag("x").message();
        estate.say_plain(bob, &super::two_servers::text(&answer));
        assert!(estate.heard(alice).is_empty(), "{status}");
    }
    assert_eq!(estate.count(1, Counter::Unsigned), 4);
    // 100 is a neighbour's word and goes no further.
    let trying = homing_wire::Builder::reply_to(&ringing, 100, "Trying").message();
    estate.say_plain(bob, &super::two_servers::text(&trying));
    assert_eq!((estate.count(1, Counter::Unsigned), estate.heard(alice).len()), (4, 0));
    estate.answer(bob, &ringing, 486, "");
    assert_eq!(estate.hears(alice).status(), Some(486));
    estate.assert_at_rest();
}

#[test]
fn a_stranger_reaches_and_ends_nothing_with_a_token_of_others() {
    let mut estate = estate();
    let (alice, carol) = (estate.sign_in("alice", "aa", 0), estate.sign_in("carol", "cc", 0));
    let eve = estate.sign_in("eve", "ee", 0);
    let [caller, mut callee] = estate.call(alice, carol);
    let forge = |dialog: &Dialog| {
        let mut forged = dialog.clone();
        forged.who = eve;
        forged.local = "<sip:eve@network.com>;tag=e;epid=ee".to_owned();
        forged
    };
    // With the tokens of both, as a wiretap would have them.
    let bye = forge(&caller).request("BYE");
    estate.say(eve, &bye);
    assert_eq!(estate.statuses(eve), [403]);
    // With a token of her own for a call that she made by the same Call-ID and tag.
    let invite = estate.invite(eve, "carol");
    let own = Message::parse(invite.clone()).unwrap();
    let invite = invite.replace(own.call_id().unwrap(), &caller.call_id).replace(
        own.from().unwrap().tag().unwrap(),
        caller.local.split("tag=").nth(1).unwrap().split(';').next().unwrap(),
    );
    estate.say(eve, &invite);
    let ringing = estate.hears(carol);
    estate.answer(carol, &ringing, 200, "");
    let mine = Dialog::of_caller(eve, &estate.hears(eve));
    let mut mixed = forge(&caller);
    mixed.routes = vec![mine.routes[0].clone(), forge(&callee).routes[1].clone()];
    for method in ["BYE", "INFO", "INVITE"] {
        let text = mixed.request(method);
        estate.say(eve, &text);
        assert_eq!(estate.statuses(eve), [403], "{method}");
    }
    mixed.routes[1] = caller.routes[1].clone();
    let text = mixed.request("BYE");
    estate.say(eve, &text);
    assert_eq!(estate.statuses(eve), [403]);
    let ack = mixed.ack();
    estate.say(eve, &ack);
    // Her own dialog with carol is hers, and nobody else's.
    assert!(estate.heard(alice).is_empty() && estate.heard(carol).is_empty(), "{}", estate.ladders());
    let made_up = caller.routes[1].replacen("sip:d", "sip:dAAAA", 1);
    let mut forged = forge(&caller);
    forged.routes = vec![mine.routes[0].clone(), made_up];
    let text = forged.request("BYE");
    estate.say(eve, &text);
    assert_eq!(estate.statuses(eve), [403]);
    let mut abroad = forge(&caller);
    abroad.routes = vec!["<sip:hs.elsewhere.org;lr>".to_owned()];
    let text = abroad.request("BYE");
    estate.say(eve, &text);
    assert_eq!(estate.statuses(eve), [403]);
    estate.exchange(&mut callee, alice, "BYE");
}

#[test]
fn a_token_is_no_use_in_another_call_of_the_same_two() {
    let mut estate = estate();
    let (alice, bob) = (estate.sign_in("alice", "aa", 0), estate.sign_in("bob", "bb", 1));
    let [mut first, _] = estate.call(alice, bob);
    let [second, _] = estate.call(alice, bob);
    first.routes = second.routes.clone();
    let bye = first.request("BYE");
    estate.say(alice, &bye);
    assert_eq!(estate.statuses(alice), [403]);
    assert!(estate.heard(bob).is_empty());
}

#[test]
fn another_device_of_the_same_user_cannot_speak_in_the_dialog() {
    let mut estate = estate();
    let (alice, bob) = (estate.sign_in("alice", "aa", 0), estate.sign_in("bob", "bb", 1));
    let other = estate.sign_in("alice", "a2", 0);
    let [caller, _] = estate.call(alice, bob);
    let mut forged = caller.clone();
    forged.who = other;
    forged.local = forged.local.replace("epid=aa", "epid=a2");
    let bye = forged.request("BYE");
    estate.say(other, &bye);
    assert_eq!(estate.statuses(other), [403]);
    assert!(estate.heard(bob).is_empty());
}

#[test]
fn a_strict_router_in_front_is_tolerated() {
    let mut estate = estate();
    let (alice, bob) = (estate.sign_in("alice", "aa", 0), estate.sign_in("bob", "bb", 1));
    let [caller, _] = estate.call(alice, bob);
    let mut strict = caller.clone();
    let own = strict.routes.remove(0);
    strict.routes.push(format!("<{}>", caller.target));
    strict.target = own.trim_matches(['<', '>']).to_owned();
    let info = strict.request("INFO");
    estate.say(alice, &info);
    let heard = estate.hears(bob);
    assert_eq!(heard.request_uri(), Some(caller.target.as_str()), "{}", estate.ladders());
    assert_eq!(heard.lines(Name::Route).count(), 0);
}

#[test]
fn where_the_transport_changes_both_are_recorded() {
    let mut estate = estate();
    let alice = estate.client("alice", "aa", 0);
    estate.connect(alice, Transport::Tcp);
    estate.register(alice, "");
    let bob = estate.sign_in("bob", "bb", 1);
    let [mut caller, mut callee] = estate.call(alice, bob);
    let transports: Vec<String> = caller
        .routes
        .iter()
        .map(|route| route.split("transport=").nth(1).unwrap().split(';').next().unwrap().to_owned())
        .collect();
    assert_eq!(transports, ["tcp", "tls", "tls"], "{:?}", caller.routes);
    estate.exchange(&mut caller, bob, "INFO");
    estate.exchange(&mut callee, alice, "BYE");
    estate.assert_at_rest();
}

#[test]
fn an_old_home_relays_its_dialogs_on_and_nothing_is_left_when_the_last_is_over() {
    let mut estate = estate();
    let (alice, bob) = (estate.sign_in("alice", "aa", 0), estate.sign_in("bob", "bb", 1));
    let [mut caller, mut callee] = estate.call(alice, bob);
    for server in &mut estate.servers {
        server.assign("alice@network.com", SERVERS[1]);
    }
    let register = estate.request(alice, "REGISTER", "alice").replace("REGISTER sip:alice@", "REGISTER sip:");
    estate.say(alice, &register);
    assert_eq!(estate.hears(alice).status(), Some(301));
    assert!(estate.servers[0].node.bindings("alice@network.com").is_empty());
    // Forty minutes of silence: longer than an association lives without use.
    for _ in 0..2 {
        estate.wait(40 * 60);
        estate.exchange(&mut callee, alice, "INFO");
    }
    // The old flow dies; the next request inside the dialog draws a handshake, and the dialog goes on.
    estate.disconnect(alice);
    estate.connect(alice, Transport::Tls);
    let update = caller.request("UPDATE");
    assert_eq!(estate.ask(alice, &update).status(), Some(401));
    let dialog = caller.clone();
    let update = move |auth: &str, cseq: u32, _: &TwoServers| {
        let mut dialog = dialog.clone();
        (0..cseq).for_each(|_| drop(dialog.request("UPDATE")));
        dialog.request("UPDATE").replace("Content-Length", &format!("{auth}Content-Length"))
    };
    let heard = {
        // The last step of the handshake reaches bob, who answers.
        estate.handshake_open(alice, update);
        estate.hears(bob)
    };
    estate.answer(bob, &heard, 200, "");
    assert_eq!(estate.hears(alice).status(), Some(200), "{}", estate.ladders());
    estate.wait(40 * 60);
    estate.exchange(&mut callee, alice, "BYE");
    assert_eq!(estate.servers[0].node.cx.dialogs.len(), 0);
    assert!(estate.servers[0].node.cx.sessions.of_endpoint(&estate.endpoint(alice)).is_some());
    estate.wait(16 * 60);
    assert!(
        estate.servers[0].node.cx.sessions.of_endpoint(&estate.endpoint(alice)).is_none(),
        "no dialog needs it"
    );
    estate.assert_at_rest();
}

#[test]
fn a_dialog_that_is_silent_for_too_long_or_unknown_to_its_end_is_forgotten() {
    let mut estate = estate();
    let (alice, bob) = (estate.sign_in("alice", "aa", 0), estate.sign_in("bob", "bb", 1));
    let [mut caller, _] = estate.call(alice, bob);
    let info = caller.request("INFO");
    estate.say(alice, &info);
    let heard = estate.hears(bob);
    estate.answer(bob, &heard, 481, "");
    assert_eq!(estate.hears(alice).status(), Some(481));
    assert_eq!(estate.servers.iter().map(|server| server.node.cx.dialogs.len()).sum::<usize>(), 0);
    let invite = estate.invite(alice, "bob");
    estate.say(alice, &invite);
    let ringing = estate.hears(bob);
    estate.answer(bob, &ringing, 200, "Session-Expires: 90\r\n");
    assert_eq!(estate.hears(alice).status(), Some(200));
    estate.wait(121);
    assert_eq!(estate.servers[0].node.cx.dialogs.len(), 1);
    estate.wait(2);
    assert_eq!(estate.servers.iter().map(|server| server.node.cx.dialogs.len()).sum::<usize>(), 0);
    assert_eq!(estate.servers[0].told("nothing passed for too long"), 1);
}

#[test]
fn a_renewal_in_the_middle_of_a_call_changes_who_signs_and_nothing_else() {
    let mut estate = estate();
    let (alice, bob) = (estate.sign_in("alice", "aa", 0), estate.sign_in("bob", "bb", 1));
    let invite = estate.invite(alice, "bob");
    estate.say(alice, &invite);
    let ringing = estate.hears(bob);
    estate.answer(bob, &ringing, 180, "");
    estate.heard(alice);
    for who in [alice, bob] {
        assert_eq!(estate.register(who, "").status(), Some(200));
    }
    estate.wait(60);
    // The former associations are gone; the answer and the ACK for a refusal are signed by the new ones.
    estate.answer(bob, &ringing, 486, "");
    assert_eq!(method(&estate.hears(bob)), "ACK");
    assert_eq!(estate.hears(alice).status(), Some(486));
    estate.assert_at_rest();
}

#[test]
fn too_many_recorded_hops_are_refused() {
    let mut estate = estate();
    let (alice, _) = (estate.sign_in("alice", "aa", 0), estate.sign_in("bob", "bb", 1));
    let line = "Record-Route: <sip:h.example;lr>\r\n".repeat(21);
    let invite = estate.invite(alice, "bob").replace("Contact:", &format!("{line}Contact:"));
    estate.say(alice, &invite);
    assert_eq!(estate.statuses(alice), [483]);
    let line = "Route: <sip:hs102.network.com;lr>\r\n".repeat(21);
    let invite = estate.invite(alice, "bob").replace("Contact:", &format!("{line}Contact:"));
    estate.say(alice, &invite);
    assert_eq!(estate.statuses(alice), [483]);
}

#[test]
fn an_ack_for_a_refusal_ends_its_transaction_only_if_it_is_signed() {
    let mut estate = estate();
    let alice = estate.sign_in("alice", "aa", 0);
    let invite = estate.invite(alice, "bob");
    estate.say(alice, &invite);
    let refused = estate.hears(alice);
    assert_eq!(refused.status(), Some(480));
    let to = format!("To: {}", refused.text(Name::To).unwrap());
    let ack =
        TwoServers::cancel_of(&invite).replace("CANCEL", "ACK").replace("To: <sip:bob@network.com>", &to);
    let pending = |estate: &TwoServers| estate.servers[0].node.transactions();
    estate.say_plain(alice, &ack);
    let wrong = estate.sign(alice, &ack).replace("response=\"0", "response=\"1");
    estate.say_plain(alice, &wrong);
    assert_eq!((pending(&estate), estate.count(0, Counter::Unsigned)), (1, 2));
    estate.say(alice, &ack);
    assert_eq!(pending(&estate), 0, "{}", estate.ladders());
}

#[test]
fn an_ack_for_a_2xx_that_repeats_the_branch_of_its_invite_goes_on() {
    let mut estate = estate();
    let (alice, bob) = (estate.sign_in("alice", "aa", 0), estate.sign_in("bob", "bb", 1));
    let invite = estate.invite(alice, "bob");
    estate.say(alice, &invite);
    let ringing = estate.hears(bob);
    estate.answer(bob, &ringing, 200, "");
    let mut side = Dialog::of_caller(alice, &estate.hears(alice));
    let ack = side.ack();
    let via = |text: &str| text.lines().find(|line| line.starts_with("Via")).unwrap().to_owned();
    let ack = ack.replace(&via(&ack), &via(&invite));
    estate.say(alice, &ack);
    assert_eq!(method(&estate.hears(bob)), "ACK", "{}", estate.ladders());
}

/// Whatever octets arrive in place of those of a call: nothing panics, and nothing is left.
#[test]
fn mangled_messages_of_a_call_do_no_harm() {
    let mut rng = homing_core::ids::Seed::from_number(7).rng("mangled");
    for round in 0..60 {
        let mut estate = estate();
        let (alice, bob) = (estate.sign_in("alice", "aa", 0), estate.sign_in("bob", "bb", 1));
        let [caller, callee] = estate.call(alice, bob);
        for _ in 0..25 {
            let (mut dialog, with) =
                if round % 2 == 0 { (caller.clone(), bob) } else { (callee.clone(), alice) };
            let kinds = ["INVITE", "BYE", "UPDATE", "ACK", "CANCEL", "REFER"];
            let kind = kinds[usize::try_from(rng.below(6)).unwrap()];
            let text = match rng.below(3) {
                0 => estate.invite(dialog.who, "bob"),
                _ => dialog.request(kind),
            };
            let mut bytes = estate.sign(dialog.who, &text).into_bytes();
            for _ in 0..=rng.below(3) {
                let at = usize::try_from(rng.below(bytes.len() as u64)).unwrap();
                match rng.below(3) {
                    0 => bytes[at] = u8::try_from(rng.below(256)).unwrap(),
                    1 => drop(bytes.remove(at)),
                    _ => bytes.truncate(at.max(1)),
                }
            }
            estate.say_plain(dialog.who, &String::from_utf8_lossy(&bytes));
            for heard in estate.heard(with) {
                if heard.is_request() && heard.method() != Some(homing_wire::Method::Ack) {
                    let answer = estate.reply_mangled(with, &heard, &mut rng);
                    estate.say_plain(with, &answer);
                }
            }
        }
        estate.wait(9 * 3600);
        estate.assert_at_rest();
        for server in &estate.servers {
            assert_eq!(server.node.cx.dialogs.len(), 0, "round {round}");
        }
    }
}

#[test]
fn what_a_dialog_keeps_passes_to_the_successor_of_an_association() {
    let mut estate = estate();
    let (alice, bob) = (estate.sign_in("alice", "aa", 0), estate.sign_in("bob", "bb", 1));
    let [_, mut callee] = estate.call(alice, bob);
    assert_eq!(estate.register(alice, "").status(), Some(200), "a renewal");
    // Longer than her registration, and than an association lives without use.
    estate.wait(2 * 3600 - 60);
    estate.register(bob, "");
    estate.wait(3600);
    assert!(estate.servers[0].node.bindings("alice@network.com").is_empty());
    estate.exchange(&mut callee, alice, "BYE");
}

/// SIPp writes its whole route into one line.
#[test]
fn a_route_of_one_line_leads_as_one_of_many() {
    let mut estate = estate();
    let (alice, bob) = (estate.sign_in("alice", "aa", 0), estate.sign_in("bob", "bb", 1));
    let [mut caller, _] = estate.call(alice, bob);
    let bye = caller.request("BYE");
    let (before, routes) = bye.split_once("Route: ").unwrap();
    let bye = format!("{before}Route: {}", routes.replace("\r\nRoute: ", ", "));
    assert!(bye.matches("Route: ").count() == 1 && bye.contains(">, <"), "{bye}");
    estate.say(alice, &bye);
    let heard = estate.hears(bob);
    assert_eq!(method(&heard), "BYE", "{}", estate.ladders());
    estate.answer(bob, &heard, 200, "");
    assert_eq!(estate.hears(alice).status(), Some(200));
    estate.assert_at_rest();
}

/// The binding is of the connection before, the association of the new one: whoever sits at the old one proves nothing.
#[test]
fn nothing_goes_unsigned_to_a_client_that_signs_over_another_connection() {
    let mut estate = estate();
    let (alice, bob) = (estate.sign_in("alice", "aa", 0), estate.sign_in("bob", "bb", 1));
    estate.connect(bob, Transport::Tls);
    let number = estate.next();
    let options = move |auth: &str, cseq: u32, _: &TwoServers| {
        format!(
            "OPTIONS sip:network.com SIP/2.0\r\nVia: SIP/2.0/TLS c;branch=z9hG4bKo{number}x{cseq}\r\nMax-Forwards: 70\r\n\
             From: <sip:bob@network.com>;tag=f;epid=bb\r\nTo: <sip:network.com>\r\nCall-ID: o{number}\r\n\
             CSeq: {cseq} OPTIONS\r\n{auth}Content-Length: 0\r\n\r\n"
        )
    };
    assert_eq!(estate.handshake(bob, options).status(), Some(200), "{}", estate.ladders());
    let invite = estate.invite(alice, "bob");
    estate.say(alice, &invite);
    assert!(estate.heard(bob).is_empty(), "{}", estate.ladders());
    assert!(estate.statuses(alice).iter().all(|status| *status >= 400));
    assert_eq!(estate.register(bob, "").status(), Some(200));
    let invite = estate.invite(alice, "bob");
    estate.say(alice, &invite);
    let heard = estate.hears(bob);
    assert!(estate.is_signed_for(bob, &heard));
}
