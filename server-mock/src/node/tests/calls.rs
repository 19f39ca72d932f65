//! Calls through one home server and through two: forks, the best response, CANCEL, and what is told to whom
//! (RFC 3261 16, RFC 3665 3).

use homing_core::transport::Transport;
use homing_wire::{Builder, Message, Name};

use super::super::Calls;
use super::super::destinations::Destinations;
use super::two_servers::{Dialog, TwoServers, text};

const HOMES: &[(&str, usize)] = &[("alice", 0), ("bob", 1), ("carol", 0)];

fn estate() -> TwoServers {
    TwoServers::new(HOMES, |_| ())
}

#[test]
fn two_users_of_two_servers_talk_and_hang_up_and_every_message_is_signed_anew() {
    for callee_hangs_up in [false, true] {
        let mut estate = estate();
        let (alice, bob) = (estate.sign_in("alice", "aa", 0), estate.sign_in("bob", "bb", 1));
        let invite = estate.invite(alice, "bob");
        estate.say(alice, &invite);
        let ringing = estate.hears(bob);
        assert_eq!(ringing.text(Name::PAssertedIdentity).as_deref(), Some("<sip:alice@network.com>"));
        assert_eq!(ringing.request_uri(), Some(estate.contact(bob).trim_matches(['<', '>'])));
        assert_eq!(ringing.lines(Name::RecordRoute).count(), 2, "each home server stays in the dialog");
        assert_eq!(ringing.lines(Name::Authorization).count(), 0, "credentials end at their server");
        assert_eq!(ringing.max_forwards().unwrap(), Some(68));
        estate.answer(bob, &ringing, 180, "");
        let told = estate.hears(alice);
        assert_eq!((told.status(), told.via_count()), (Some(180), 1));
        let [one, none] = [Calls { unanswered: 1, answered: 0 }, Calls::default()];
        assert_eq!([0, 1].map(|server: usize| estate.servers[server].node.calls()), [one; 2]);
        assert_eq!(told.lines(Name::Authorization).count(), 0, "the callee's proof is its server's");
        estate.answer(bob, &ringing, 200, "");
        let ok = estate.hears(alice);
        let mut sides = [Dialog::of_caller(alice, &ok), Dialog::of_callee(&estate, bob, &ringing)];
        let ack = sides[0].ack();
        estate.say(alice, &ack);
        let ack = estate.hears(bob);
        assert_eq!((ack.lines(Name::Route).count(), ack.lines(Name::Authorization).count()), (0, 0));
        let answered = Calls { unanswered: 0, answered: 1 };
        assert!(estate.servers.iter().all(|server| server.node.in_hand_inside() == 0), "nothing waits here");
        assert_eq!([0, 1].map(|server: usize| estate.servers[server].node.calls()), [answered; 2]);
        let (by, with) = if callee_hangs_up { (1, alice) } else { (0, bob) };
        let bye = estate.exchange(&mut sides[by], with, "BYE");
        assert_eq!(bye.lines(Name::Route).count(), 0);
        for server in 0..2 {
            assert_eq!(estate.servers[server].told("answered"), 1);
            assert_eq!(estate.servers[server].told("ended: BYE"), 1, "{}", estate.ladders());
            assert_eq!(estate.servers[server].node.cx.dialogs.len(), 0);
            assert_eq!(estate.servers[server].node.calls(), none);
        }
        estate.assert_at_rest();
    }
}

#[test]
fn two_users_of_one_server_talk_and_each_side_is_named_by_a_token_of_its_own() {
    let mut estate = estate();
    let (alice, carol) = (estate.sign_in("alice", "aa", 0), estate.sign_in("carol", "cc", 0));
    let [mut caller, mut callee] = estate.call(alice, carol);
    assert_eq!(caller.routes.len(), 2);
    for method in ["INFO", "UPDATE", "MESSAGE", "OPTIONS", "REFER", "NOTIFY", "DANCE"] {
        estate.exchange(&mut caller, carol, method);
        estate.exchange(&mut callee, alice, method);
    }
    estate.exchange(&mut callee, alice, "BYE");
    estate.assert_at_rest();
}

#[test]
fn requests_outside_a_dialog_of_every_method_reach_every_device_whoever_requires_what() {
    let mut estate = estate();
    let (alice, first) = (estate.sign_in("alice", "aa", 0), estate.sign_in("bob", "b1", 1));
    let second = estate.sign_in("bob", "b2", 1);
    for method in ["MESSAGE", "OPTIONS", "INFO", "DANCE"] {
        let request =
            estate.request(alice, method, "bob").replace("Contact:", "Require: fantasy\r\nContact:");
        estate.say(alice, &request);
        let heard = [estate.hears(first), estate.hears(second)];
        assert!(heard.iter().all(|request| request.lines(Name::RecordRoute).count() == 0));
        estate.answer(first, &heard[0], 404, "");
        assert!(estate.heard(alice).is_empty(), "the other device may still take it");
        estate.answer(second, &heard[1], 200, "");
        assert_eq!(estate.hears(alice).status(), Some(200));
    }
    let request =
        estate.request(alice, "MESSAGE", "bob").replace("Contact:", "Proxy-Require: fantasy\r\nContact:");
    estate.say(alice, &request);
    let refused = estate.hears(alice);
    assert_eq!((refused.status(), refused.text(Name::Unsupported).as_deref()), (Some(420), Some("fantasy")));
    estate.assert_at_rest();
}

#[test]
fn who_cannot_be_reached_is_480_who_is_unknown_404_and_hops_are_counted() {
    let mut estate = estate();
    let alice = estate.sign_in("alice", "aa", 0);
    for (callee, status) in [("bob", 480), ("carol", 480), ("nobody", 404)] {
        let invite = estate.invite(alice, callee);
        estate.say(alice, &invite);
        assert_eq!(estate.hears(alice).status(), Some(status), "{callee}");
    }
    let invite = estate.invite(alice, "bob").replace("Max-Forwards: 70", "Max-Forwards: 0");
    estate.say(alice, &invite);
    assert_eq!(estate.hears(alice).status(), Some(483));
    let bob = estate.sign_in("bob", "bb", 1);
    let invite = estate.invite(alice, "bob").replace("Max-Forwards: 70\r\n", "");
    estate.say(alice, &invite);
    let ringing = estate.hears(bob);
    assert_eq!(
        ringing.max_forwards().unwrap(),
        Some(69),
        "added where it is missing, and counted from then on"
    );
    let invite = estate.invite(alice, "bob").replace("Max-Forwards: 70", "Max-Forwards: 1");
    estate.say(alice, &invite);
    assert_eq!(estate.hears(alice).status(), Some(483), "at the second server");
}

#[test]
fn the_devices_of_a_user_ring_together_and_the_others_are_told_who_answered() {
    let mut estate = estate();
    let alice = estate.sign_in("alice", "aa", 0);
    let devices: Vec<usize> = ["b1", "b2", "b3"].map(|epid| estate.sign_in("bob", epid, 1)).into();
    let invite = estate.invite(alice, "bob");
    estate.say(alice, &invite);
    let rings: Vec<Message> = devices.iter().map(|device| estate.hears(*device)).collect();
    for (device, ring) in devices.iter().zip(&rings) {
        estate.answer(*device, ring, 180, "");
    }
    assert_eq!(estate.statuses(alice), [180, 180, 180], "of every early dialog");
    estate.answer(devices[1], &rings[1], 200, "");
    assert_eq!(estate.hears(alice).status(), Some(200));
    for other in [0, 2] {
        let cancel = estate.hears(devices[other]);
        assert_eq!(cancel.method().unwrap().as_str(), "CANCEL");
        assert_eq!(
            cancel.text(Name::Reason).as_deref(),
            Some("SIP;cause=200;text=\"Call completed elsewhere\"")
        );
        estate.answer(devices[other], &cancel, 200, "");
        estate.answer(devices[other], &rings[other], 487, "");
        assert_eq!(estate.hears(devices[other]).method().unwrap().as_str(), "ACK");
    }
    assert!(estate.heard(alice).is_empty() && estate.heard(devices[1]).is_empty());
    estate.assert_at_rest();
}

#[test]
fn every_2xx_of_a_fork_goes_back_and_each_may_be_acknowledged_and_ended() {
    let mut estate = estate();
    let alice = estate.sign_in("alice", "aa", 0);
    let devices = ["b1", "b2"].map(|epid| estate.sign_in("bob", epid, 1));
    let invite = estate.invite(alice, "bob");
    estate.say(alice, &invite);
    let rings = devices.map(|device| estate.hears(device));
    estate.answer(devices[0], &rings[0], 200, "");
    let first = estate.hears(alice);
    // The CANCEL crosses this answer.
    estate.answer(devices[1], &rings[1], 200, "");
    let second = estate.hears(alice);
    for (device, ok) in devices.into_iter().zip([first, second]) {
        let mut side = Dialog::of_caller(alice, &ok);
        let ack = side.ack();
        estate.heard(device);
        estate.say(alice, &ack);
        assert_eq!(estate.hears(device).method().unwrap().as_str(), "ACK");
        estate.exchange(&mut side, device, "BYE");
    }
    for server in 0..2 {
        assert_eq!(estate.servers[server].node.cx.dialogs.len(), 0, "{}", estate.ladders());
    }
    estate.assert_at_rest();
}

#[test]
fn a_2xx_that_its_callee_repeats_goes_back_signed_anew_each_time() {
    let mut estate = estate();
    let (alice, bob) = (estate.sign_in("alice", "aa", 0), estate.sign_in("bob", "bb", 1));
    let invite = estate.invite(alice, "bob");
    estate.say(alice, &invite);
    let ringing = estate.hears(bob);
    let ok = estate.answer(bob, &ringing, 200, "");
    let first = estate.hears(alice);
    estate.wait(1);
    estate.say_plain(bob, &ok);
    let second = estate.hears(alice);
    assert_eq!(second.status(), Some(200));
    assert_ne!(first.bytes(), second.bytes(), "another counter of the caller's association");
    estate.wait(40);
    estate.say_plain(bob, &ok);
    assert!(estate.heard(alice).is_empty(), "64·T1 later the branch is gone");
}

#[test]
fn groups_of_one_q_ring_one_after_the_other_the_highest_first() {
    let mut estate = estate();
    let alice = estate.sign_in("alice", "aa", 0);
    let low = estate.client("bob", "b1", 1);
    estate.register(low, ";q=0.3");
    let high = estate.client("bob", "b2", 1);
    estate.register(high, ";q=0.8");
    let invite = estate.invite(alice, "bob");
    estate.say(alice, &invite);
    let ring = estate.hears(high);
    assert!(estate.heard(low).is_empty());
    estate.answer(high, &ring, 486, "");
    estate.heard(high);
    let ring = estate.hears(low);
    assert!(estate.heard(alice).is_empty());
    estate.answer(low, &ring, 480, "");
    assert_eq!(estate.statuses(alice), [486], "the best of both groups");
    estate.assert_at_rest();
}

#[test]
fn a_decline_is_everywhere_and_ends_every_other_branch_and_group() {
    let mut estate = estate();
    let alice = estate.sign_in("alice", "aa", 0);
    let later = estate.client("bob", "b0", 1);
    estate.register(later, ";q=0.1");
    let devices = ["b1", "b2"].map(|epid| estate.sign_in("bob", epid, 1));
    let invite = estate.invite(alice, "bob");
    estate.say(alice, &invite);
    let rings = devices.map(|device| estate.hears(device));
    estate.answer(devices[1], &rings[1], 180, "");
    assert_eq!(estate.statuses(alice), [180]);
    estate.answer(devices[0], &rings[0], 603, "");
    assert!(estate.heard(alice).is_empty(), "the best response waits for the other branch");
    let cancel = estate.hears(devices[1]);
    assert_eq!(cancel.method().unwrap().as_str(), "CANCEL");
    estate.answer(devices[1], &cancel, 200, "");
    estate.answer(devices[1], &rings[1], 487, "");
    assert_eq!(estate.statuses(alice), [603]);
    assert!(estate.heard(later).is_empty(), "the next group is not tried");
    estate.assert_at_rest();
}

#[test]
fn a_call_that_is_taken_back_ends_with_487_on_both_sides() {
    let mut estate = estate();
    let (alice, bob) = (estate.sign_in("alice", "aa", 0), estate.sign_in("bob", "bb", 1));
    let invite = estate.invite(alice, "bob");
    estate.say(alice, &invite);
    let ringing = estate.hears(bob);
    estate.answer(bob, &ringing, 180, "");
    estate.heard(alice);
    let cancel =
        TwoServers::cancel_of(&invite).replace("CSeq", "Reason: SIP;cause=480;text=\"gone\"\r\nCSeq");
    estate.say(alice, &cancel);
    assert_eq!(estate.hears(alice).status(), Some(200), "the CANCEL is answered at once");
    let cancel = estate.hears(bob);
    assert_eq!(cancel.method().unwrap().as_str(), "CANCEL");
    assert_eq!(cancel.text(Name::Reason).as_deref(), Some("SIP;cause=480;text=\"gone\""));
    estate.answer(bob, &cancel, 200, "");
    estate.answer(bob, &ringing, 487, "");
    assert_eq!(estate.hears(bob).method().unwrap().as_str(), "ACK");
    assert_eq!(estate.hears(alice).status(), Some(487));
    estate.assert_at_rest();
}

#[test]
fn a_2xx_that_crosses_the_cancel_goes_back() {
    let mut estate = estate();
    let (alice, bob) = (estate.sign_in("alice", "aa", 0), estate.sign_in("bob", "bb", 1));
    let invite = estate.invite(alice, "bob");
    estate.say(alice, &invite);
    let ringing = estate.hears(bob);
    estate.answer(bob, &ringing, 180, "");
    estate.heard(alice);
    estate.say(alice, &TwoServers::cancel_of(&invite));
    estate.answer(bob, &ringing, 200, "");
    assert_eq!(estate.statuses(alice), [200, 200], "the CANCEL's and the INVITE's");
    estate.assert_at_rest();
}

#[test]
fn a_cancel_before_any_provisional_response_waits_for_one() {
    let mut estate = estate();
    let (alice, bob) = (estate.sign_in("alice", "aa", 0), estate.sign_in("bob", "bb", 1));
    let invite = estate.invite(alice, "bob");
    estate.say(alice, &invite);
    let ringing = estate.hears(bob);
    estate.say(alice, &TwoServers::cancel_of(&invite));
    assert!(estate.heard(bob).is_empty());
    estate.answer(bob, &ringing, 180, "");
    assert_eq!(estate.hears(bob).method().unwrap().as_str(), "CANCEL");
    estate.answer(bob, &ringing, 487, "");
    assert_eq!(estate.statuses(alice), [200, 487], "nothing rings that was taken back");
    estate.assert_at_rest();
}

#[test]
fn a_callee_that_says_nothing_more_is_given_up_after_timer_c_and_one_that_says_so_is_not() {
    let mut estate = estate();
    let (alice, bob) = (estate.sign_in("alice", "aa", 0), estate.sign_in("bob", "bb", 1));
    let invite = estate.invite(alice, "bob");
    estate.say(alice, &invite);
    let ringing = estate.hears(bob);
    for _ in 0..4 {
        estate.answer(bob, &ringing, 180, "");
        assert_eq!(estate.statuses(alice), [180]);
        estate.wait(150);
        assert!(estate.heard(bob).is_empty(), "ten minutes, while it says that it rings");
    }
    estate.wait(100);
    assert_eq!(estate.hears(bob).method().unwrap().as_str(), "CANCEL", "{}", estate.ladders());
    estate.wait(40);
    assert_eq!(estate.statuses(alice), [408]);
    estate.assert_at_rest();
}

#[test]
fn challenges_of_the_other_end_go_back_together_and_503_is_not_passed_on() {
    let mut estate = estate();
    let alice = estate.sign_in("alice", "aa", 0);
    let devices = ["b1", "b2"].map(|epid| estate.sign_in("bob", epid, 1));
    let invite = estate.invite(alice, "bob");
    estate.say(alice, &invite);
    let rings = devices.map(|device| estate.hears(device));
    for (device, ring) in devices.iter().zip(&rings) {
        let line = format!("Proxy-Authenticate: Digest realm=\"{device}\", nonce=\"1\"\r\n");
        estate.answer(*device, ring, 407, &line);
    }
    let challenged = estate.hears(alice);
    assert_eq!((challenged.status(), challenged.lines(Name::ProxyAuthenticate).count()), (Some(407), 2));
    let invite = estate.invite(alice, "bob");
    estate.say(alice, &invite);
    for device in devices {
        let ring = estate.heard(device).pop().unwrap();
        estate.answer(device, &ring, 503, "Retry-After: 300\r\n");
    }
    let refused = estate.hears(alice);
    assert_eq!((refused.status(), refused.text(Name::RetryAfter)), (Some(500), None));
    estate.assert_at_rest();
}

#[test]
fn a_redirect_of_the_callee_goes_back_to_the_caller() {
    let mut estate = estate();
    let (alice, bob) = (estate.sign_in("alice", "aa", 0), estate.sign_in("bob", "bb", 1));
    let invite = estate.invite(alice, "bob");
    estate.say(alice, &invite);
    let ringing = estate.hears(bob);
    estate.answer(bob, &ringing, 302, "Contact: <sip:carol@network.com>\r\n");
    let moved = estate.hears(alice);
    assert_eq!(
        (moved.status(), moved.text(Name::Contact).as_deref()),
        (Some(302), Some("<sip:carol@network.com>"))
    );
}

#[test]
fn a_gruu_or_an_epid_names_one_device_of_many() {
    let mut estate = estate();
    let alice = estate.sign_in("alice", "aa", 0);
    let devices = ["b1", "b2"].map(|epid| estate.sign_in("bob", epid, 1));
    let device = homing_core::endpoint::InstanceId::of_epid("b2");
    let gruu = device.gruu("bob@network.com");
    let instance = format!("sip:bob@network.com;gr={}", device.urn());
    for uri in [&gruu, &instance] {
        let invite =
            estate.invite(alice, "bob").replace("INVITE sip:bob@network.com", &format!("INVITE {uri}"));
        estate.say(alice, &invite);
        let ring = estate.hears(devices[1]);
        assert!(estate.heard(devices[0]).is_empty(), "{uri}");
        estate.answer(devices[1], &ring, 486, "");
        estate.heard(devices[1]);
        estate.heard(alice);
    }
    let invite =
        estate.invite(alice, "bob").replace("To: <sip:bob@network.com>", "To: <sip:bob@network.com>;epid=b1");
    estate.say(alice, &invite);
    estate.hears(devices[0]);
    assert!(estate.heard(devices[1]).is_empty());
    let nobody = homing_core::endpoint::InstanceId::of_epid("b9").gruu("bob@network.com");
    let invite =
        estate.invite(alice, "bob").replace("INVITE sip:bob@network.com", &format!("INVITE {nobody}"));
    estate.say(alice, &invite);
    assert_eq!(estate.statuses(alice), [480], "a device that is not there is nobody else");
}

#[test]
fn breadth_is_bounded_and_handed_down_in_parts() {
    let mut estate = estate();
    let alice = estate.sign_in("alice", "aa", 0);
    let devices = ["b1", "b2", "b3"].map(|epid| estate.sign_in("bob", epid, 1));
    let with = |estate: &mut TwoServers, breadth: u32| {
        let line = format!("Max-Breadth: {breadth}\r\nContact:");
        let invite = estate.invite(alice, "bob").replace("Contact:", &line);
        estate.say(alice, &invite);
    };
    with(&mut estate, 0);
    assert_eq!(estate.statuses(alice), [440]);
    with(&mut estate, 2);
    let rings = [estate.hears(devices[0]), estate.hears(devices[1])];
    assert!(estate.heard(devices[2]).is_empty(), "two at a time");
    assert!(rings.iter().all(|ring| ring.text(Name::MaxBreadth).as_deref() == Some("1")));
    for (device, ring) in devices.iter().zip(&rings) {
        estate.answer(*device, ring, 480, "");
        estate.heard(*device);
    }
    let last = estate.hears(devices[2]);
    estate.answer(devices[2], &last, 480, "");
    estate.heard(devices[2]);
    assert_eq!(estate.statuses(alice), [480]);
    with(&mut estate, 1_000_000);
    let ring = estate.hears(devices[0]);
    assert_eq!(ring.text(Name::MaxBreadth).as_deref(), Some("5"), "16 of this server, shared by three");
}

#[test]
fn a_request_that_goes_round_in_circles_is_482_and_one_that_comes_by_again_is_not() {
    let mut estate = estate();
    let alice = estate.sign_in("alice", "aa", 0);
    // Each server says that the other is his home.
    estate.servers[1].assign("bob@network.com", super::two_servers::SERVERS[0]);
    let invite = estate.invite(alice, "bob");
    estate.say(alice, &invite);
    assert_eq!(estate.statuses(alice), [482], "{}", estate.ladders());
    let passes = estate.servers[0].told("to bob@network.com");
    assert_eq!(passes, 1, "not until Max-Forwards is used up");
    // A request that was here before, with another target, is served.
    let bob = estate.sign_in("carol", "cc", 0);
    let known = estate.servers[0].node.cx.route_tokens.loop_mark(&["something else"]);
    let via = format!("Via: SIP/2.0/TLS hs102.network.com;branch=z9hG4bKold.{known}\r\nMax-Forwards");
    let invite = estate.invite(alice, "carol").replace("Max-Forwards", &via);
    estate.say(alice, &invite);
    estate.hears(bob);
}

#[test]
fn too_many_calls_of_one_user_and_for_one_user_are_refused_with_a_time_to_come_again() {
    let mut estate = TwoServers::new(HOMES, |config| {
        config.calls.from_user = 2;
        config.calls.to_user = 3;
    });
    let (alice, carol) = (estate.sign_in("alice", "aa", 0), estate.sign_in("carol", "cc", 0));
    let bob = estate.sign_in("bob", "bb", 1);
    let mut refused = Vec::new();
    for who in [alice, alice, alice, carol, carol] {
        let invite = estate.invite(who, "bob");
        estate.say(who, &invite);
        refused.extend(estate.heard(who));
    }
    let statuses: Vec<_> = refused.iter().filter_map(Message::status).collect();
    assert_eq!(statuses, [503, 486], "the third of one caller, the fourth for one callee");
    assert!(refused.iter().all(|answer| answer.text(Name::RetryAfter).is_some()));
    assert_eq!(estate.servers[0].told("too many unanswered calls"), 1);
    let rings = estate.heard(bob);
    assert_eq!(rings.len(), 3);
    for ring in rings {
        estate.answer(bob, &ring, 486, "");
    }
    estate.heard(bob);
    let invite = estate.invite(alice, "bob");
    estate.say(alice, &invite);
    estate.hears(bob);
}

#[test]
fn at_the_bound_of_a_server_a_request_is_refused_and_nothing_else_suffers() {
    let mut estate = TwoServers::new(HOMES, |config| config.calls.contexts = 2);
    let (alice, bob) = (estate.sign_in("alice", "aa", 0), estate.sign_in("bob", "bb", 1));
    let mut invites = Vec::new();
    for _ in 0..3 {
        let invite = estate.invite(alice, "bob");
        estate.say(alice, &invite);
        invites.push(invite);
    }
    let refused = estate.hears(alice);
    assert_eq!(refused.status(), Some(503));
    assert!(refused.text(Name::RetryAfter).is_some());
    for ring in estate.heard(bob) {
        estate.answer(bob, &ring, 486, "");
    }
    assert_eq!(estate.statuses(alice), [486, 486]);
    estate.assert_at_rest();
}

#[test]
fn a_user_calls_only_whom_they_may() {
    let mut estate = TwoServers::new(HOMES, |config| {
        let mut accounts = (*config.accounts).clone();
        assert!(accounts.restrict("alice@network.com", Destinations::only(["c*"])));
        config.accounts = std::sync::Arc::new(accounts);
    });
    let (alice, bob) = (estate.sign_in("alice", "aa", 0), estate.sign_in("bob", "bb", 1));
    let carol = estate.sign_in("carol", "cc", 0);
    let invite = estate.invite(alice, "bob");
    let in_a_dialog = invite.replace("To: <sip:bob@network.com>", "To: <sip:bob@network.com>;tag=x");
    assert_ne!(invite, in_a_dialog);
    for invite in [invite, in_a_dialog] {
        estate.say(alice, &invite);
        assert_eq!(estate.statuses(alice), [403], "{}", estate.ladders());
    }
    assert!(estate.heard(bob).is_empty());
    estate.call(alice, carol);
    estate.call(bob, alice);
    let message = estate.request(alice, "MESSAGE", "bob");
    estate.say(alice, &message);
    assert_eq!(estate.hears(bob).method().unwrap().as_str(), "MESSAGE", "it is about calls only");
}

#[test]
fn keys_for_sound_go_by_protected_connections_only() {
    const SDP: &str = "v=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:secret\r\na=sendrecv\r\n";
    let with_keys = |text: &str| {
        let head = format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{SDP}", SDP.len());
        text.replace("Content-Length: 0\r\n\r\n", &head)
    };
    let has_keys = |message: &Message| {
        let body = String::from_utf8_lossy(message.body()).into_owned();
        assert!(body.contains("a=sendrecv"), "{message:?}");
        body.contains("secret")
    };
    for is_clear in [false, true] {
        let mut estate = estate();
        let (alice, bob) = (estate.sign_in("alice", "aa", 0), estate.sign_in("bob", "bb", 1));
        if is_clear {
            estate.disconnect(bob);
            estate.connect(bob, Transport::Tcp);
            assert_eq!(estate.register(bob, "").status(), Some(200), "{}", estate.ladders());
        }
        for (from, to, callee) in [(alice, bob, "bob"), (bob, alice, "alice")] {
            let invite = with_keys(&estate.invite(from, callee));
            estate.say(from, &invite);
            let ring = estate.heard(to).pop().unwrap();
            assert_eq!(has_keys(&ring), !is_clear, "{}", estate.ladders());
            for status in [183, 200] {
                let contact = estate.contact(to);
                let reply =
                    Builder::reply_to(&ring, status, "X").to_tag("t").copy_from(&ring, Name::RecordRoute);
                let reply = with_keys(&text(&reply.header(Name::Contact, contact).message()));
                let reply = estate.sign(to, &reply);
                estate.say_plain(to, &reply);
                let answer = estate.heard(from).pop().unwrap();
                assert_eq!((answer.status(), has_keys(&answer)), (Some(status), !is_clear));
            }
        }
    }
}

#[test]
fn one_user_takes_no_room_of_others() {
    let mut estate = TwoServers::new(HOMES, |config| config.calls.requests_of_user = 2);
    let (alice, carol) = (estate.sign_in("alice", "aa", 0), estate.sign_in("carol", "cc", 0));
    let bob = estate.sign_in("bob", "bb", 1);
    for _ in 0..3 {
        let message = estate.request(alice, "MESSAGE", "bob");
        estate.say(alice, &message);
    }
    let refused = estate.hears(alice);
    assert_eq!(refused.status(), Some(503));
    assert!(refused.text(Name::RetryAfter).is_some());
    let asked = estate.heard(bob);
    assert_eq!(asked.len(), 2);
    let message = estate.request(carol, "MESSAGE", "alice");
    estate.say(carol, &message);
    let others = estate.hears(alice);
    estate.answer(alice, &others, 200, "");
    assert_eq!(estate.statuses(carol), [200]);
    for message in asked {
        estate.answer(bob, &message, 200, "");
    }
    assert_eq!(estate.statuses(alice), [200, 200]);
    let message = estate.request(alice, "MESSAGE", "bob");
    estate.say(alice, &message);
    let asked = estate.hears(bob);
    estate.answer(bob, &asked, 200, "");
    estate.assert_at_rest();
}

#[test]
fn a_fork_that_hangs_up_leaves_the_call_of_the_other() {
    let mut estate = estate();
    let alice = estate.sign_in("alice", "aa", 0);
    let (first, second) = (estate.sign_in("bob", "b1", 1), estate.sign_in("bob", "b2", 1));
    let invite = estate.invite(alice, "bob");
    estate.say(alice, &invite);
    let rings = [first, second].map(|who| estate.hears(who));
    let mut sides = Vec::new();
    for (who, ring) in [first, second].into_iter().zip(&rings) {
        estate.answer(who, ring, 200, "");
        let ok = estate.heard(alice).pop().expect("every 2xx goes back");
        sides.push(Dialog::of_caller(alice, &ok));
        let ack = sides.last_mut().unwrap().ack();
        estate.say(alice, &ack);
        estate.heard(who);
    }
    estate.exchange(&mut sides[1], second, "BYE");
    assert_eq!(estate.servers[0].told("ended: BYE"), 0, "{}", estate.ladders());
    assert_eq!([0, 1].map(|server: usize| estate.servers[server].node.calls().answered), [1, 1]);
    estate.exchange(&mut sides[0], first, "BYE");
    assert_eq!(estate.servers[0].told("ended: BYE"), 1);
    assert_eq!([0, 1].map(|server: usize| estate.servers[server].node.cx.dialogs.len()), [0, 0]);
}

#[test]
fn a_stranger_who_uses_the_call_id_of_a_call_ends_nothing_of_it() {
    let mut estate = estate();
    let (alice, bob) = (estate.sign_in("alice", "aa", 0), estate.sign_in("bob", "bb", 1));
    let carol = estate.sign_in("carol", "cc", 0);
    let [mut caller, _] = estate.call(alice, bob);
    for status in [486, 200] {
        estate.heard(bob);
        let invite = estate.invite(carol, "bob");
        let own = Message::parse(invite.clone()).unwrap();
        let invite = invite.replace(own.call_id().unwrap(), &caller.call_id);
        estate.say(carol, &invite);
        let ring = estate.hears(bob);
        estate.answer(bob, &ring, status, "");
        let answer = estate.heard(carol).pop().unwrap();
        if status == 200 {
            let mut side = Dialog::of_caller(carol, &answer);
            let ack = side.ack();
            estate.say(carol, &ack);
            estate.heard(bob);
            estate.exchange(&mut side, bob, "BYE");
        }
        assert_eq!(estate.servers[1].node.calls().answered, 1, "{}", estate.ladders());
    }
    estate.exchange(&mut caller, bob, "BYE");
    assert_eq!(estate.servers[1].node.calls().answered, 0);
}

#[test]
fn who_hides_their_identity_is_named_to_servers_only() {
    let mut estate = estate();
    let (alice, bob) = (estate.sign_in("alice", "aa", 0), estate.sign_in("bob", "bb", 1));
    let invite = estate.invite(alice, "bob").replace("Contact:", "Privacy: id;critical\r\nContact:");
    estate.say(alice, &invite);
    assert_eq!(estate.hears(bob).text(Name::PAssertedIdentity), None);
    let forged = "P-Asserted-Identity: <sip:carol@network.com>\r\nP-Preferred-Identity: <sip:carol@network.com>\r\nContact:";
    let invite = estate.invite(alice, "bob").replace("Contact:", forged);
    estate.say(alice, &invite);
    let ring = estate.hears(bob);
    assert_eq!(ring.text(Name::PAssertedIdentity).as_deref(), Some("<sip:alice@network.com>"));
    assert_eq!(ring.text(Name::PPreferredIdentity), None);
}

#[test]
fn a_call_through_servers_that_ask_for_no_password_is_cancelled_by_its_flow_alone() {
    let mut estate = TwoServers::new(HOMES, super::two_servers::open);
    let mut clients = Vec::new();
    for (user, epid, server) in [("alice", "aa", 0), ("bob", "bb", 1), ("carol", "cc", 0)] {
        let who = estate.client(user, epid, server);
        let register = estate
            .request(who, "REGISTER", user)
            .replace(&format!("{user}@network.com SIP"), "network.com SIP");
        assert_eq!(estate.ask(who, &register).status(), Some(200), "{}", estate.ladders());
        clients.push(who);
    }
    let [alice, bob, carol] = clients[..] else { panic!() };
    let invite = estate.invite(alice, "bob");
    estate.say_plain(alice, &invite);
    let ring = estate.heard(bob).remove(0);
    let ringing = Builder::reply_to(&ring, 180, "Ringing").to_tag("t").message();
    estate.say_plain(bob, &text(&ringing));
    estate.heard(alice);
    estate.say_plain(carol, &TwoServers::cancel_of(&invite));
    assert!(estate.heard(bob).is_empty(), "somebody else by another flow");
    estate.heard(carol);
    estate.say_plain(alice, &TwoServers::cancel_of(&invite));
    let heard = estate.heard(bob).remove(0);
    assert_eq!(heard.method().unwrap().as_str(), "CANCEL", "{}", estate.ladders());
    let gone = Builder::reply_to(&ring, 487, "Request Terminated").to_tag("t").message();
    estate.say_plain(bob, &text(&gone));
    assert_eq!(estate.statuses(alice), [200, 487]);
}

#[test]
fn a_call_taken_back_while_the_directory_is_asked_rings_nowhere() {
    let mut estate = estate();
    let (alice, bob) = (estate.sign_in("alice", "aa", 0), estate.sign_in("bob", "bb", 1));
    estate.servers[0].slow = true;
    let invite = estate.invite(alice, "bob");
    estate.say(alice, &invite);
    estate.say(alice, &TwoServers::cancel_of(&invite));
    assert_eq!(estate.statuses(alice), [200]);
    estate.answer_late(0);
    assert_eq!(estate.statuses(alice), [487]);
    assert!(estate.heard(bob).is_empty());
    estate.assert_at_rest();
}
