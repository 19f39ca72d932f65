//! Changes of an answered session against a scripted peer: re-INVITE and UPDATE, refusals, glare, session timers.

use std::time::Duration;

use homing_core::call_event::{CallEvent, EndReason, EndedBy};
use homing_core::call_request::InfoBody;
use homing_core::config::CallRules;
use homing_core::error::Misuse;
use homing_core::ids::CallId;
use homing_core::transport::Transport;
use homing_wire::{Message, Method, Name};

use crate::world::{Net, T1, sdp};

const ALICE: usize = 0;
const BOB: usize = 0;

/// Alice called the script, which answered with these lines besides; the call and its INVITE.
fn talking(change: impl FnOnce(&mut CallRules), lines: &[(Name<'static>, &str)]) -> (Net, CallId, Message) {
    let mut net = Net::new(Transport::Tcp);
    net.agent("alice", change);
    net.script("bob");
    let call = net.place(ALICE, "bob");
    let invite = net.take_request(BOB, Method::Invite);
    let body = sdp(7, "sendrecv");
    let success = net.reply(BOB, &invite, 200, "b1").body(&body.content_type, &body.body);
    let success = lines.iter().fold(success, |success, (name, value)| success.replace(*name, value));
    net.say(BOB, success.finish());
    net.take_request(BOB, Method::Ack);
    (net, call, invite)
}

fn hang_up(net: &mut Net, call: CallId) {
    net.forget(BOB);
    net.act(ALICE, |agent, now| agent.hang_up(call, now)).unwrap();
    let bye = net.take_request(BOB, Method::Bye);
    net.say(BOB, net.reply(BOB, &bye, 200, "").finish());
    net.rests();
}

#[test]
fn a_change_that_is_refused_leaves_the_session_as_it_was() {
    for status in [488, 403, 500, 606] {
        let (mut net, call, _) = talking(|_| {}, &[]);
        net.act(ALICE, |agent, now| agent.hold(call, now)).unwrap();
        let reinvite = net.take_request(BOB, Method::Invite);
        assert!(String::from_utf8_lossy(reinvite.body()).contains("a=sendonly"));
        net.say(BOB, net.reply(BOB, &reinvite, status, "").finish());
        net.take_request(BOB, Method::Ack);
        assert!(net.is_told(ALICE, &CallEvent::ChangeRefused { status }));
        // It is our turn again.
        net.act(ALICE, |agent, now| agent.hold(call, now)).unwrap();
        let again = net.take_request(BOB, Method::Invite);
        let body = sdp(8, "recvonly");
        net.say(BOB, net.reply(BOB, &again, 200, "").body(&body.content_type, &body.body).finish());
        net.take_request(BOB, Method::Ack);
        assert!(net.is_told(ALICE, &CallEvent::Held(true)));
        hang_up(&mut net, call);
    }
}

/// RFC 5057: the peer knows the dialog no more.
#[test]
fn a_481_or_408_to_a_change_ends_the_call() {
    for (status, says_bye) in [(481, false), (408, true)] {
        let (mut net, call, _) = talking(|_| {}, &[]);
        net.act(ALICE, |agent, now| agent.hold(call, now)).unwrap();
        let reinvite = net.take_request(BOB, Method::Invite);
        net.say(BOB, net.reply(BOB, &reinvite, status, "").finish());
        net.take_request(BOB, Method::Ack);
        assert_eq!((net.end(ALICE).why, net.end(ALICE).status), (EndReason::Forgotten, Some(status)));
        assert_eq!(net.waiting(BOB), usize::from(says_bye));
        net.forget(BOB);
        net.rests();
    }
}

#[test]
fn a_491_is_tried_again_after_the_pause_of_the_caller() {
    let (mut net, call, _) = talking(|_| {}, &[]);
    net.act(ALICE, |agent, now| agent.hold(call, now)).unwrap();
    let reinvite = net.take_request(BOB, Method::Invite);
    net.say(BOB, net.reply(BOB, &reinvite, 491, "").finish());
    net.take_request(BOB, Method::Ack);
    net.run(Duration::from_millis(1_900));
    assert_eq!(net.waiting(BOB), 0, "RFC 3261 section 14.1: not before 2.1 s");
    net.run(Duration::from_millis(2_200));
    let again = net.take_request(BOB, Method::Invite);
    let body = sdp(8, "recvonly");
    net.say(BOB, net.reply(BOB, &again, 200, "").body(&body.content_type, &body.body).finish());
    net.take_request(BOB, Method::Ack);
    assert!(net.is_told(ALICE, &CallEvent::Held(true)));
    hang_up(&mut net, call);
}

#[test]
fn who_informs_a_silent_peer_is_stopped() {
    let (mut net, call, _) = talking(|_| {}, &[]);
    for number in 0..20 {
        let info = InfoBody { content_type: "application/dtmf".into(), body: b"5".to_vec() };
        let taken = net.act(ALICE, |agent, now| agent.info(call, info, now));
        assert_eq!(taken, if number < 8 { Ok(()) } else { Err(Misuse::Limit) }, "{number}");
    }
    net.forget(BOB);
    net.rests();
}

#[test]
fn an_offer_that_crosses_ours_gets_491() {
    let (mut net, call, _) = talking(|_| {}, &[]);
    net.act(ALICE, |agent, now| agent.hold(call, now)).unwrap();
    let reinvite = net.take_request(BOB, Method::Invite);
    let body = sdp(8, "sendonly");
    for (method, seq) in [(Method::Invite, 1), (Method::Update, 2)] {
        let crossing = net.inside(BOB, &reinvite, method, seq).body(&body.content_type, &body.body);
        net.say(BOB, crossing.finish());
        net.take_response(BOB, 491);
    }
    let (bare, asked) = (net.inside(BOB, &reinvite, Method::Invite, 3), net.side(ALICE).asked.len());
    net.say(BOB, bare.finish());
    net.take_response(BOB, 491);
    assert_eq!(net.side(ALICE).asked.len(), asked, "the application is not asked for what cannot leave");
    let answer = sdp(8, "recvonly");
    net.say(BOB, net.reply(BOB, &reinvite, 200, "").body(&answer.content_type, &answer.body).finish());
    net.forget(BOB);
    hang_up(&mut net, call);
}

#[test]
fn a_peer_holds_by_update_and_by_the_address_of_nowhere() {
    let (mut net, call, _) = talking(|_| {}, &[]);
    net.act(ALICE, |agent, now| {
        agent.info(call, InfoBody { content_type: "application/dtmf".into(), body: b"5".to_vec() }, now)
    })
    .unwrap();
    let known = net.take_request(BOB, Method::Info);
    net.say(BOB, net.reply(BOB, &known, 200, "").finish());
    let nowhere = String::from_utf8(sdp(9, "sendrecv").body.to_vec())
        .unwrap()
        .replace("c=IN IP4 192.0.2.9", "c=IN IP4 0.0.0.0");
    for (seq, method, text, holds) in [
        (1, Method::Update, nowhere.clone(), true),
        (2, Method::Update, String::from_utf8(sdp(10, "sendrecv").body.to_vec()).unwrap(), false),
        (3, Method::Invite, String::from_utf8(sdp(11, "inactive").body.to_vec()).unwrap(), true),
    ] {
        let offer = net.inside(BOB, &known, method, seq).body("application/sdp", text.as_bytes());
        net.say(BOB, offer.finish());
        let granted = net.take_response(BOB, 200);
        assert!(!granted.body().is_empty());
        assert_eq!(net.told(ALICE).last(), Some(&CallEvent::PeerHolds(holds)), "{seq}");
    }
    let ack = net.inside(BOB, &known, Method::Ack, 3);
    net.say(BOB, ack.finish());
    hang_up(&mut net, call);
}

#[test]
fn a_reinvite_without_an_offer_gets_ours_and_the_ack_answers_it() {
    let (mut net, call, _) = talking(|_| {}, &[]);
    net.act(ALICE, |agent, now| {
        agent.info(call, InfoBody { content_type: "application/dtmf".into(), body: b"5".to_vec() }, now)
    })
    .unwrap();
    let known = net.take_request(BOB, Method::Info);
    net.say(BOB, net.reply(BOB, &known, 200, "").finish());
    let reinvite = net.inside(BOB, &known, Method::Invite, 1);
    net.say(BOB, reinvite.finish());
    let offer = net.take_response(BOB, 200);
    assert!(!offer.body().is_empty());
    let answer = sdp(9, "inactive");
    let ack = net.inside(BOB, &known, Method::Ack, 1).body(&answer.content_type, &answer.body);
    net.say(BOB, ack.finish());
    assert!(net.is_told(ALICE, &CallEvent::PeerHolds(true)));
    hang_up(&mut net, call);
}

#[test]
fn the_peers_new_contact_is_where_requests_go() {
    let (mut net, call, _) = talking(|_| {}, &[]);
    net.act(ALICE, |agent, now| agent.hold(call, now)).unwrap();
    let reinvite = net.take_request(BOB, Method::Invite);
    let body = sdp(8, "recvonly");
    let moved = net.script("desk");
    let contact = net.uri("desk");
    let success = net.reply(BOB, &reinvite, 200, "").replace(Name::Contact, format_args!("<{contact}>"));
    net.say(BOB, success.body(&body.content_type, &body.body).finish());
    let ack = net.take_request(moved, Method::Ack);
    assert_eq!(ack.request_uri(), Some(&*contact));
    net.act(ALICE, |agent, now| agent.hang_up(call, now)).unwrap();
    let bye = net.take_request(moved, Method::Bye);
    net.say(moved, net.reply(moved, &bye, 200, "").finish());
    net.rests();
}

// Session timers (RFC 4028).

#[test]
fn who_refreshes_does_so_half_way_by_update() {
    let (mut net, call, invite) = talking(|_| {}, &[(Name::SessionExpires, "100;refresher=uac")]);
    assert_eq!(invite.text(Name::SessionExpires).unwrap(), "1800");
    net.run(Duration::from_secs(49));
    assert_eq!(net.waiting(BOB), 0);
    net.run(Duration::from_secs(2));
    let update = net.take_request(BOB, Method::Update);
    assert_eq!(update.text(Name::SessionExpires).unwrap(), "1800;refresher=uac");
    assert!(update.body().is_empty());
    let granted = net.reply(BOB, &update, 200, "").header(Name::SessionExpires, "200;refresher=uac");
    net.say(BOB, granted.finish());
    net.run(Duration::from_secs(99));
    assert_eq!(net.waiting(BOB), 0);
    net.run(Duration::from_secs(2));
    net.take_request(BOB, Method::Update);
    hang_up(&mut net, call);
}

#[test]
fn a_refresh_is_a_reinvite_with_what_was_agreed_on_where_the_peer_takes_no_update() {
    let lines = [(Name::SessionExpires, "100;refresher=uac"), (Name::Allow, "INVITE, ACK, BYE, CANCEL")];
    let (mut net, call, invite) = talking(|_| {}, &lines);
    net.run(Duration::from_secs(51));
    let refresh = net.take_request(BOB, Method::Invite);
    assert_eq!(refresh.body(), invite.body(), "RFC 4028 section 7.4");
    let body = sdp(7, "sendrecv");
    let success = net.reply(BOB, &refresh, 200, "").header(Name::SessionExpires, "100;refresher=uac");
    net.say(BOB, success.body(&body.content_type, &body.body).finish());
    net.take_request(BOB, Method::Ack);
    hang_up(&mut net, call);
}

#[test]
fn a_peer_that_does_not_refresh_is_hung_up_before_the_session_lapses() {
    let (mut net, _, _) = talking(|_| {}, &[(Name::SessionExpires, "120;refresher=uas")]);
    net.run(Duration::from_secs(87));
    assert_eq!(net.waiting(BOB), 0);
    net.run(Duration::from_secs(2));
    let bye = net.take_request(BOB, Method::Bye);
    net.say(BOB, net.reply(BOB, &bye, 200, "").finish());
    assert_eq!((net.end(ALICE).by, net.end(ALICE).why), (EndedBy::Network, EndReason::Forgotten));
    net.rests();
}

#[test]
fn a_refresh_that_nobody_answers_ends_the_call() {
    let (mut net, _, _) = talking(|_| {}, &[(Name::SessionExpires, "100;refresher=uac")]);
    net.run(Duration::from_secs(51) + T1 * 64);
    assert_eq!(net.end(ALICE).why, EndReason::Forgotten);
    net.forget(BOB);
    net.rests();
}

#[test]
fn a_422_is_met_with_a_longer_interval() {
    let mut net = Net::new(Transport::Tcp);
    net.agent("alice", |_| {});
    net.script("bob");
    net.place(ALICE, "bob");
    let invite = net.take_request(BOB, Method::Invite);
    net.say(BOB, net.reply(BOB, &invite, 422, "b1").header(Name::MinSe, 3_600).finish());
    net.take_request(BOB, Method::Ack);
    let again = net.take_request(BOB, Method::Invite);
    assert_eq!(again.text(Name::SessionExpires).unwrap(), "3600");
    assert_eq!(again.text(Name::MinSe).unwrap(), "3600");
    assert_eq!(
        (again.call_id(), again.cseq().unwrap().seq),
        (invite.call_id(), invite.cseq().unwrap().seq + 1)
    );
    net.say(BOB, net.reply(BOB, &again, 422, "b2").header(Name::MinSe, 3_600).finish());
    net.take_request(BOB, Method::Ack);
    assert_eq!((net.end(ALICE).status, net.waiting(BOB)), (Some(422), 0), "it was given what it asked for");
    net.rests();
}

#[test]
fn a_422_that_demands_more_each_time_is_met_twice() {
    let mut net = Net::new(Transport::Tcp);
    net.agent("alice", |_| {});
    net.script("bob");
    net.place(ALICE, "bob");
    for least in 2_001..=2_003 {
        let invite = net.take_request(BOB, Method::Invite);
        net.say(BOB, net.reply(BOB, &invite, 422, "b1").header(Name::MinSe, least).finish());
        net.take_request(BOB, Method::Ack);
    }
    assert_eq!((net.end(ALICE).status, net.waiting(BOB)), (Some(422), 0));
    net.rests();
}

/// What the peer brought is kept as it is, and is over once the peer says so.
#[test]
fn a_side_that_asks_for_no_timers_refreshes_by_the_one_that_was_agreed_on() {
    let lines = [(Name::SessionExpires, "100;refresher=uac")];
    let (mut net, call, invite) = talking(|rules| rules.session_timers.expires = 0, &lines);
    assert_eq!(invite.text(Name::SessionExpires), None);
    net.run(Duration::from_secs(51));
    let update = net.take_request(BOB, Method::Update);
    assert_eq!(update.text(Name::SessionExpires).unwrap(), "100;refresher=uac");
    net.say(BOB, net.reply(BOB, &update, 200, "").finish());
    net.run(Duration::from_secs(200));
    assert_eq!(net.waiting(BOB), 0, "the call goes on without a timer");
    hang_up(&mut net, call);
}
