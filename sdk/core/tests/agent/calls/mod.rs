//! Calls over a home server's link: every message signed and verified, renewals and moves in the middle, flows that die.

use std::time::Duration;

use homing_core::call_event::{CallEnd, CallEvent, EndReason, EndedBy};
use homing_core::call_request::{CallRequest, InfoBody};
use homing_core::command::Command;
use homing_core::config::{AccountConfig, InDialogChallenge, OnMove, ServerChoice};
use homing_core::counter::Counter;
use homing_core::error::Misuse;
use homing_core::ids::{CallId, Rng, Seed};
use homing_core::state::AccountState;
use homing_core::transport::Transport;
use homing_wire::header::RSeq;
use homing_wire::{Builder, Message, Method, Name};

use crate::world::server::Gate;
use crate::world::{SDP, World, is_register};

mod handshakes;
mod lost_flow;
mod new_flow;

const HOME: &str = "hs1.network.com";
const OTHER: &str = "hs2.network.com";
const CONTACT: &str = "<sip:bob@192.0.2.99:5061;transport=tls>";

/// Signed in at a home server that answers nothing but REGISTER by itself.
fn signed_in_with(config: impl FnOnce(&mut AccountConfig)) -> World {
    let mut world = World::new(|account| {
        account.calls = Some(Box::default());
        config(account);
    });
    world.srv(&[(10, HOME)]);
    world.server(HOME).manual = true;
    world.login();
    assert_eq!(world.state(), AccountState::Registered);
    world
}

fn signed_in() -> World {
    signed_in_with(|_| {})
}

fn place(world: &mut World) -> CallId {
    let now = world.now();
    let call = world.agent.place_call(world.account, CallRequest::new("sip:bob@network.com"), now).unwrap();
    world.settle();
    call
}

/// The last request with that method that went to a server.
fn last(world: &World, server: &str, method: Method<'_>) -> Message {
    let mut sent = world.sent.iter().rev();
    let found = sent.find(|(to, message)| to == server && message.method() == Some(method));
    found.expect("such a request").1.clone()
}

fn count(world: &World, server: &str, method: Method<'_>) -> usize {
    world.sent.iter().filter(|(to, message)| to == server && message.method() == Some(method)).count()
}

fn responses(world: &World, status: u16) -> Vec<Message> {
    world.sent.iter().map(|(_, message)| message.clone()).filter(|one| one.status() == Some(status)).collect()
}

fn is_signed(message: &Message) -> bool {
    [Name::Authorization, Name::ProxyAuthorization]
        .into_iter()
        .flat_map(|name| message.auth(name))
        .any(|auth| auth.is("NTLM") && auth.param("response").is_some())
}

/// A server's final or provisional answer, signed if it holds an association.
fn reply(world: &mut World, server: &str, request: &Message, status: u16, body: bool) {
    let bytes = built(request, status, body);
    let wall = world.wall;
    let signed = world.at(server).sign(bytes.finish(), wall);
    world.say(server, signed);
}

fn built(request: &Message, status: u16, body: bool) -> Builder {
    let reply = Builder::reply_to(request, status, "Whatever").to_tag("b1").header(Name::Contact, CONTACT);
    let reply = reply.header(Name::Allow, "INVITE, ACK, BYE, CANCEL, UPDATE");
    if body { reply.body("application/sdp", SDP.as_bytes()) } else { reply }
}

/// A call that bob answered through the home server.
fn talking(world: &mut World) -> CallId {
    let call = place(world);
    let invite = last(world, HOME, Method::Invite);
    reply(world, HOME, &invite, 200, true);
    assert!(world.calls.contains(&CallEvent::Answered { fork: 0 }), "{:?}", world.calls);
    call
}

fn hang_up(world: &mut World, call: CallId) {
    let now = world.now();
    world.agent.hang_up(call, now).unwrap();
    world.settle();
}

fn informs(world: &mut World, call: CallId) {
    let (info, now) =
        (InfoBody { content_type: "application/dtmf".into(), body: b"5".to_vec() }, world.now());
    world.agent.info(call, info, now).unwrap();
    world.settle();
}

fn hold(world: &mut World, call: CallId) {
    let now = world.now();
    world.agent.hold(call, now).unwrap();
    world.settle();
}

fn end(world: &World) -> Option<&CallEnd> {
    world
        .calls
        .iter()
        .rev()
        .find_map(|what| if let CallEvent::Ended(end) = what { Some(&**end) } else { None })
}

/// Nothing is left of calls.
fn rests(world: &mut World) {
    world.pass(Duration::from_secs(70));
    let agent = &world.agent;
    assert_eq!((agent.calls(), agent.dialogs(), agent.questions()), (0, 0, 0), "{:?}", world.calls);
}

/// Decision 11: every request of a call is signed, ACK and CANCEL too.
#[test]
fn every_request_of_a_call_is_signed() {
    let mut world = signed_in();
    let call = place(&mut world);
    let invite = last(&world, HOME, Method::Invite);
    let wall = world.wall;
    let early = built(&invite, 183, true).header(Name::Require, "100rel").header(Name::RSeq, RSeq(7));
    let early = world.at(HOME).sign(early.finish(), wall);
    world.say(HOME, early);
    let prack = last(&world, HOME, Method::Prack);
    reply(&mut world, HOME, &prack, 200, false);
    reply(&mut world, HOME, &invite, 200, false);
    let ack = last(&world, HOME, Method::Ack);
    hold(&mut world, call);
    let reinvite = last(&world, HOME, Method::Invite);
    reply(&mut world, HOME, &reinvite, 488, false);
    let refused = last(&world, HOME, Method::Ack);
    hang_up(&mut world, call);
    let bye = last(&world, HOME, Method::Bye);
    reply(&mut world, HOME, &bye, 200, false);
    for request in [&invite, &prack, &ack, &reinvite, &refused, &bye] {
        assert!(is_signed(request), "{:?}", request.method());
    }
    let call = place(&mut world);
    let invite = last(&world, HOME, Method::Invite);
    reply(&mut world, HOME, &invite, 180, false);
    hang_up(&mut world, call);
    let cancel = last(&world, HOME, Method::Cancel);
    assert!(is_signed(&cancel));
    reply(&mut world, HOME, &cancel, 200, false);
    reply(&mut world, HOME, &invite, 487, false);
    assert!(is_signed(&last(&world, HOME, Method::Ack)));
    rests(&mut world);
}

/// Decisions 12 and 42.
#[test]
fn an_unsigned_2xx_is_no_answer_and_an_unsigned_183_is_early_media_over_tls() {
    let mut world = signed_in();
    let call = place(&mut world);
    let invite = last(&world, HOME, Method::Invite);
    world.say(HOME, built(&invite, 183, true).finish());
    assert!(world.calls.contains(&CallEvent::Progress { fork: 0, status: 183 }));
    assert!(world.calls.iter().any(|what| matches!(what, CallEvent::Described { preview: true, .. })));
    for status in [200, 486, 301] {
        world.say(HOME, built(&invite, status, true).finish());
    }
    assert!(end(&world).is_none() && count(&world, HOME, Method::Ack) == 0, "{:?}", world.calls);
    assert_eq!(world.agent.counters().of(Counter::Unsigned), 3);
    let route = "<sip:evil.example;lr>";
    world.say(HOME, built(&invite, 180, false).header(Name::RecordRoute, route).finish());
    reply(&mut world, HOME, &invite, 200, true);
    assert_eq!(last(&world, HOME, Method::Ack).text(Name::Route), None, "the 2xx sets the route anew");
    hang_up(&mut world, call);
    let bye = last(&world, HOME, Method::Bye);
    reply(&mut world, HOME, &bye, 200, false);
    rests(&mut world);
}

/// Decision 12: an unsigned 408 or 503 ends its transaction, and says nothing of the dialog.
#[test]
fn an_unsigned_408_or_503_inside_a_dialog_ends_nothing_but_its_transaction() {
    for status in [408, 503] {
        let mut world = signed_in();
        let call = talking(&mut world);
        hold(&mut world, call);
        let reinvite = last(&world, HOME, Method::Invite);
        world.say(HOME, built(&reinvite, status, false).finish());
        assert!(world.calls.contains(&CallEvent::ChangeRefused { status }), "{:?}", world.calls);
        let (info, now) =
            (InfoBody { content_type: "application/dtmf".into(), body: b"5".to_vec() }, world.now());
        world.agent.info(call, info, now).unwrap();
        world.settle();
        let info = last(&world, HOME, Method::Info);
        world.say(HOME, built(&info, status, false).finish());
        assert!(world.calls.contains(&CallEvent::InfoAnswered { status }), "{:?}", world.calls);
        world.cut(HOME);
        world.pass_until(AccountState::Registered, Duration::from_secs(60));
        let probe = last(&world, HOME, Method::Update);
        world.say(HOME, built(&probe, status, false).finish());
        assert!(!world.calls.contains(&CallEvent::ConnectionBack), "nobody said so");
        assert!(end(&world).is_none(), "{:?}", world.calls);
        world.pass(Duration::from_secs(33));
        let again = last(&world, HOME, Method::Update);
        assert_ne!(again.cseq(), probe.cseq(), "it is asked again");
        reply(&mut world, HOME, &again, 200, false);
        assert!(world.calls.contains(&CallEvent::ConnectionBack), "{:?}", world.calls);
        hang_up(&mut world, call);
        let bye = last(&world, HOME, Method::Bye);
        reply(&mut world, HOME, &bye, 200, false);
        rests(&mut world);
    }
}

/// Decision 12: what is tried again because no answer proves anything is tried three times.
#[test]
fn a_probe_that_is_answered_without_a_signature_only_ends_the_call_at_last() {
    let mut world = signed_in();
    talking(&mut world);
    world.cut(HOME);
    world.pass_until(AccountState::Registered, Duration::from_secs(60));
    for round in 0..4 {
        assert!(end(&world).is_none(), "{round}: {:?}", world.calls);
        let probe = last(&world, HOME, Method::Update);
        world.say(HOME, built(&probe, 408, false).finish());
        world.pass(Duration::from_secs(33));
    }
    assert_eq!(count(&world, HOME, Method::Update), 4);
    assert_eq!(end(&world).map(|end| end.why.clone()), Some(EndReason::ConnectionLost));
    rests(&mut world);
}

/// Decision 12: nor does it let the session lapse.
#[test]
fn a_refresh_with_an_unsigned_408_is_tried_again_before_the_session_lapses() {
    for allow in ["UPDATE", "INVITE"] {
        let mut world = signed_in();
        let call = place(&mut world);
        let invite = last(&world, HOME, Method::Invite);
        let success = built(&invite, 200, true).replace(Name::Allow, allow);
        let success = success.header(Name::SessionExpires, "100;refresher=uac").finish();
        let wall = world.wall;
        let success = world.at(HOME).sign(success, wall);
        world.say(HOME, success);
        let method = if allow == "UPDATE" { Method::Update } else { Method::Invite };
        world.pass(Duration::from_secs(51));
        let refresh = last(&world, HOME, method);
        world.say(HOME, built(&refresh, 408, false).finish());
        assert!(end(&world).is_none());
        world.pass(Duration::from_secs(33));
        let again = last(&world, HOME, method);
        assert_ne!(again.cseq(), refresh.cseq(), "{allow}");
        reply(&mut world, HOME, &again, 200, method == Method::Invite);
        hang_up(&mut world, call);
        let bye = last(&world, HOME, Method::Bye);
        reply(&mut world, HOME, &bye, 200, false);
        rests(&mut world);
    }
}

/// What waits for another flow is bounded.
#[test]
fn who_informs_while_the_flow_is_lost_is_stopped() {
    let mut world = signed_in();
    let call = talking(&mut world);
    world.at(HOME).unreachable = Some(homing_core::connect::ConnectError::ConnectionRefused);
    world.cut(HOME);
    for number in 0..20 {
        let info = InfoBody { content_type: "application/dtmf".into(), body: b"5".to_vec() };
        let now = world.now();
        let taken = world.agent.info(call, info, now);
        assert_eq!(taken, if number < 8 { Ok(()) } else { Err(Misuse::Limit) }, "{number}");
        world.settle();
    }
    hang_up(&mut world, call);
    rests(&mut world);
}

/// An INVITE of bob through the home server; signed or not.
fn rings(world: &mut World, signed: bool) -> Message {
    let wall = world.wall;
    let server = world.at(HOME);
    let association = if signed { None } else { server.association.take() };
    let headers = [
        ("Contact", CONTACT),
        ("Allow", "INVITE, ACK, BYE, CANCEL, UPDATE"),
        ("P-Asserted-Identity", "<sip:bob@network.com>"),
    ];
    let invite = server.request("INVITE sip:user@198.51.100.7:40000;transport=tls", &headers, "", wall);
    if association.is_some() {
        server.association = association;
    }
    world.say(HOME, invite.clone());
    Message::parse(invite).unwrap()
}

/// A request of bob inside the dialog of his INVITE.
fn inside(world: &mut World, server: &str, success: &Message, method: Method<'_>, seq: u32) {
    let request = Builder::request(method, "sip:user@198.51.100.7:40000;transport=tls")
        .header(Name::Via, format_args!("SIP/2.0/TLS {server};branch=z9hG4bKi{seq}{method}"))
        .header(Name::MaxForwards, 70)
        .header(Name::From, success.text(Name::From).unwrap())
        .header(Name::To, success.text(Name::To).unwrap())
        .header(Name::CallId, success.call_id().unwrap())
        .header(Name::CSeq, format_args!("{seq} {method}"))
        .header(Name::Contact, CONTACT);
    let request =
        if method == Method::Ack { request.body("application/sdp", SDP.as_bytes()) } else { request };
    let wall = world.wall;
    let signed = world.at(server).sign(request.finish(), wall);
    world.say(server, signed);
}

fn came(world: &World) -> CallId {
    let incoming = world.calls.iter().filter(|what| matches!(what, CallEvent::Incoming(_))).count();
    CallId(u32::try_from(incoming).unwrap() - 1)
}

fn answer(world: &mut World) -> Message {
    let (call, now) = (came(world), world.now());
    world.agent.answer(call, now).unwrap();
    world.settle();
    responses(world, 200).last().unwrap().clone()
}

#[test]
fn a_call_comes_in_only_with_a_signature_and_its_answers_are_signed() {
    let mut world = signed_in();
    rings(&mut world, false);
    assert!(world.calls.is_empty(), "decision 12");
    let invite = rings(&mut world, true);
    let [CallEvent::Incoming(caller)] = &world.calls[..] else { panic!("{:?}", world.calls) };
    assert_eq!(caller.asserted.as_deref(), Some("sip:bob@network.com"), "TLS proved who asserts it");
    let (call, now) = (came(&world), world.now());
    world.agent.ring(call, false, now).unwrap();
    world.settle();
    let success = answer(&mut world);
    for response in responses(&world, 180).iter().chain([&success]) {
        assert!(is_signed(response), "{:?}", response.status());
    }
    let seq = invite.cseq().unwrap().seq;
    let association = world.at(HOME).association.take();
    inside(&mut world, HOME, &success, Method::Ack, seq);
    assert!(!world.calls.contains(&CallEvent::Answered { fork: 0 }), "an unsigned ACK is none");
    world.at(HOME).association = association;
    inside(&mut world, HOME, &success, Method::Ack, seq);
    assert!(world.calls.contains(&CallEvent::Answered { fork: 0 }));
    inside(&mut world, HOME, &success, Method::Bye, seq + 1);
    assert_eq!(end(&world).unwrap().by, EndedBy::Peer);
    rests(&mut world);
}

/// Decision 13: the association is renewed by the registration whenever a request of a call is challenged.
#[test]
fn a_renewal_in_the_middle_of_every_step_changes_nothing() {
    let mut world = signed_in();
    for step in ["INVITE", "hold", "BYE"] {
        world.calls.clear();
        let registers = count(&world, HOME, Method::Register);
        let forget = |world: &mut World, now: &str| world.at(HOME).amnesia = now == step;
        forget(&mut world, "INVITE");
        let call = place(&mut world);
        let invite = last(&world, HOME, Method::Invite);
        reply(&mut world, HOME, &invite, 200, true);
        forget(&mut world, "hold");
        hold(&mut world, call);
        let reinvite = last(&world, HOME, Method::Invite);
        reply(&mut world, HOME, &reinvite, 200, true);
        assert!(world.calls.contains(&CallEvent::Held(true)), "{step}: {:?}", world.calls);
        forget(&mut world, "BYE");
        hang_up(&mut world, call);
        let bye = last(&world, HOME, Method::Bye);
        assert!(is_signed(&bye), "{step}");
        reply(&mut world, HOME, &bye, 200, false);
        assert!(count(&world, HOME, Method::Register) > registers, "{step}");
        world.pass(Duration::from_secs(61));
        rests(&mut world);
    }
}

/// The account moves to another server with its next refresh.
fn moves(world: &mut World) {
    world.server(OTHER).manual = true;
    world.srv(&[(10, OTHER)]);
    world.at(HOME).redirect_to("<sip:hs2.network.com:5061;transport=tls>");
    world.command(Command::Refresh);
    world.pass(Duration::from_secs(3));
    assert_eq!(world.state(), AccountState::Registered);
    assert_eq!(world.registered().home.host, OTHER);
}

/// Decisions 8 and 39.
#[test]
fn a_call_goes_on_over_the_old_home_after_a_move() {
    let mut world = signed_in();
    let call = talking(&mut world);
    moves(&mut world);
    assert!(end(&world).is_none());
    assert_eq!(world.agent.flows(), 2);
    hold(&mut world, call);
    let reinvite = last(&world, HOME, Method::Invite);
    assert!(is_signed(&reinvite));
    reply(&mut world, HOME, &reinvite, 200, true);
    assert!(world.calls.contains(&CallEvent::Held(true)));
    hang_up(&mut world, call);
    let bye = last(&world, HOME, Method::Bye);
    reply(&mut world, HOME, &bye, 200, false);
    assert_eq!(count(&world, OTHER, Method::Bye), 0);
    world.pass(Duration::from_secs(40));
    assert_eq!(world.agent.flows(), 1, "the old link ends with its last dialog");
    rests(&mut world);
}

#[test]
fn an_account_may_end_its_calls_with_a_move() {
    let mut world = signed_in_with(|config| config.calls.get_or_insert_default().on_move = OnMove::End);
    talking(&mut world);
    moves(&mut world);
    assert_eq!(end(&world).map(|end| (end.by, end.why.clone())), Some((EndedBy::Rule, EndReason::Moved)));
    let bye = last(&world, HOME, Method::Bye);
    assert!(is_signed(&bye));
    reply(&mut world, HOME, &bye, 200, false);
    rests(&mut world);
}

/// Decision 39: a draining link renews by the challenge to its next request, never by REGISTER.
#[test]
fn a_draining_link_draws_its_handshake_by_a_request_inside_the_dialog() {
    let mut world = signed_in();
    let call = talking(&mut world);
    moves(&mut world);
    let registers = count(&world, HOME, Method::Register);
    world.at(HOME).amnesia = true;
    hang_up(&mut world, call);
    assert_eq!(count(&world, HOME, Method::Register), registers);
    assert_eq!(count(&world, HOME, Method::Bye), 3, "signed, with the empty token, with the token");
    let bye = last(&world, HOME, Method::Bye);
    reply(&mut world, HOME, &bye, 200, false);
    rests(&mut world);
}

/// Decision 39: the link dials again, and the UPDATE that goes out at once draws the handshake.
#[test]
fn a_draining_link_that_lost_its_flow_dials_again() {
    let mut world = signed_in();
    let call = talking(&mut world);
    moves(&mut world);
    let dials = world.at(HOME).dials;
    world.cut(HOME);
    assert_eq!(world.at(HOME).dials, dials + 1);
    assert_eq!(count(&world, HOME, Method::Update), 3, "bare, with the empty token, with the token");
    let update = last(&world, HOME, Method::Update);
    reply(&mut world, HOME, &update, 200, false);
    assert!(world.calls.contains(&CallEvent::ConnectionBack), "{:?}", world.calls);
    hang_up(&mut world, call);
    let bye = last(&world, HOME, Method::Bye);
    assert!(is_signed(&bye));
    reply(&mut world, HOME, &bye, 200, false);
    rests(&mut world);
}

#[test]
fn a_draining_link_whose_server_is_gone_ends_its_calls_with_a_sentence() {
    let mut world = signed_in();
    talking(&mut world);
    moves(&mut world);
    world.at(HOME).unreachable = Some(homing_core::connect::ConnectError::ConnectionRefused);
    world.cut(HOME);
    assert_eq!(end(&world).map(|end| end.why.clone()), Some(EndReason::ConnectionLost));
    rests(&mut world);
}

/// Decision 39: a new login at the same server goes on with the link.
#[test]
fn an_answered_call_goes_on_with_the_next_login_at_the_same_server() {
    let mut world = signed_in();
    let call = talking(&mut world);
    world.cut(HOME);
    assert!(world.calls.contains(&CallEvent::ConnectionLost));
    world.pass_until(AccountState::Registered, Duration::from_secs(60));
    let update = last(&world, HOME, Method::Update);
    assert!(is_signed(&update), "the login proved both already");
    reply(&mut world, HOME, &update, 200, false);
    assert!(world.calls.contains(&CallEvent::ConnectionBack));
    hang_up(&mut world, call);
    let bye = last(&world, HOME, Method::Bye);
    reply(&mut world, HOME, &bye, 200, false);
    rests(&mut world);
    assert_eq!(world.agent.flows(), 1);
}

#[test]
fn an_answered_call_whose_account_signs_in_elsewhere_dials_its_own_server() {
    let mut world = signed_in();
    let call = talking(&mut world);
    world.server(OTHER).manual = true;
    world.srv(&[(10, OTHER)]);
    world.at(HOME).redirect_to("<sip:hs2.network.com:5061;transport=tls>");
    world.cut(HOME);
    world.pass_until(AccountState::Registered, Duration::from_secs(60));
    assert_eq!(world.registered().home.host, OTHER);
    let update = last(&world, HOME, Method::Update);
    reply(&mut world, HOME, &update, 200, false);
    assert!(world.calls.contains(&CallEvent::ConnectionBack), "{:?}", world.calls);
    hang_up(&mut world, call);
    let bye = last(&world, HOME, Method::Bye);
    reply(&mut world, HOME, &bye, 200, false);
    rests(&mut world);
}

#[test]
fn an_unanswered_invite_goes_once_more_with_the_next_login_and_a_new_call_id() {
    let mut world = signed_in();
    place(&mut world);
    let first = last(&world, HOME, Method::Invite);
    world.cut(HOME);
    world.pass_until(AccountState::Registered, Duration::from_secs(60));
    let second = last(&world, HOME, Method::Invite);
    assert_ne!(first.call_id(), second.call_id());
    assert_eq!(count(&world, HOME, Method::Invite), 2);
    world.cut(HOME);
    assert_eq!(end(&world).map(|end| end.why.clone()), Some(EndReason::ConnectionLost));
    rests(&mut world);
}

#[test]
fn a_ring_whose_flow_is_lost_is_cancelled_over_the_next() {
    let mut world = signed_in();
    let invite = rings(&mut world, true);
    let (call, now) = (came(&world), world.now());
    world.agent.ring(call, false, now).unwrap();
    world.settle();
    world.cut(HOME);
    world.pass_until(AccountState::Registered, Duration::from_secs(60));
    assert!(end(&world).is_none(), "it rings on");
    let seq = invite.cseq().unwrap().seq;
    cancels(&mut world, HOME, &invite, seq + 1);
    assert!(end(&world).is_none(), "it cancels another INVITE");
    cancels(&mut world, HOME, &invite, seq);
    assert_eq!(end(&world).map(|end| end.why.clone()), Some(EndReason::AnsweredElsewhere));
    rests(&mut world);
}

/// A signed CANCEL of a server for an INVITE, whoever that came from.
fn cancels(world: &mut World, server: &str, invite: &Message, seq: u32) {
    let cancel = Builder::request(Method::Cancel, invite.request_uri().unwrap())
        .copy_from(invite, Name::Via)
        .header(Name::MaxForwards, 70)
        .copy_from(invite, Name::From)
        .copy_from(invite, Name::To)
        .copy_from(invite, Name::CallId)
        .header(Name::CSeq, format_args!("{seq} CANCEL"))
        .header(Name::Reason, "SIP;cause=200");
    let wall = world.wall;
    let cancel = world.at(server).sign(cancel.finish(), wall);
    world.say(server, cancel);
}

/// Decision 43: neither while the INVITE's transaction is there, nor when it went with its flow.
#[test]
fn only_the_server_of_a_ring_cancels_it() {
    for is_lost in [false, true] {
        let mut world = signed_in();
        let invite = rings(&mut world, true);
        moves(&mut world);
        if is_lost {
            world.cut(HOME);
        }
        cancels(&mut world, OTHER, &invite, invite.cseq().unwrap().seq);
        assert!(end(&world).is_none(), "lost: {is_lost}");
        assert_eq!(responses(&world, 481).len(), 1, "RFC 3261 section 9.2");
        world.pass(Duration::from_secs(200));
        rests(&mut world);
    }
}

/// Decisions 39 and 43: an association that ended with its connection still tells its server from another.
#[test]
fn nobody_else_speaks_in_a_dialog_whose_association_is_lost() {
    let mut world = signed_in();
    place(&mut world);
    let invite = last(&world, HOME, Method::Invite);
    let at_other = "<sip:bob@192.0.2.2:5061;transport=tls>";
    let (success, wall) = (built(&invite, 200, true).replace(Name::Contact, at_other).finish(), world.wall);
    let success = world.at(HOME).sign(success, wall);
    world.say(HOME, success);
    let ack = last(&world, HOME, Method::Ack);
    moves(&mut world);
    world.at(HOME).silent = true;
    world.cut(HOME);
    let known = Builder::from_message(&ack)
        .replace(Name::From, ack.text(Name::To).unwrap())
        .replace(Name::To, ack.text(Name::From).unwrap())
        .message();
    inside(&mut world, OTHER, &known, Method::Bye, 1);
    assert_eq!((responses(&world, 481).len(), end(&world)), (1, None));
    rests(&mut world);
}

/// Decision 41: on a new flow the 2xx is signed anew.
#[test]
fn a_2xx_without_ack_is_signed_anew_over_the_next_flow() {
    let mut world = signed_in();
    let invite = rings(&mut world, true);
    let success = answer(&mut world);
    world.cut(HOME);
    world.pass_until(AccountState::Registered, Duration::from_secs(20));
    let again = responses(&world, 200).last().unwrap().clone();
    assert_eq!(again.cseq(), success.cseq());
    assert!(is_signed(&again) && again.bytes() != success.bytes());
    inside(&mut world, HOME, &again, Method::Ack, invite.cseq().unwrap().seq);
    assert!(world.calls.contains(&CallEvent::Answered { fork: 0 }), "{:?}", world.calls);
    inside(&mut world, HOME, &again, Method::Bye, invite.cseq().unwrap().seq + 1);
    rests(&mut world);
}

/// Decisions 39 and 41: over a link that drains, the handshake comes first.
#[test]
fn a_2xx_without_ack_waits_for_the_handshake_of_a_draining_link() {
    let mut world = signed_in();
    let invite = rings(&mut world, true);
    let success = answer(&mut world);
    moves(&mut world);
    world.cut(HOME);
    let before = responses(&world, 200).len();
    world.pass(Duration::from_secs(5));
    assert_eq!(responses(&world, 200).len(), before, "nothing unsigned");
    let update = last(&world, HOME, Method::Update);
    reply(&mut world, HOME, &update, 200, false);
    let again = responses(&world, 200).last().unwrap().clone();
    assert_eq!((responses(&world, 200).len(), again.cseq()), (before + 1, success.cseq()));
    assert!(is_signed(&again));
    inside(&mut world, HOME, &again, Method::Ack, invite.cseq().unwrap().seq);
    assert!(world.calls.contains(&CallEvent::Answered { fork: 0 }), "{:?}", world.calls);
    inside(&mut world, HOME, &again, Method::Bye, invite.cseq().unwrap().seq + 1);
    rests(&mut world);
}

/// Decision 43: another server of the account does not speak in the dialog.
#[test]
fn only_the_server_of_a_dialog_speaks_in_it() {
    let mut world = signed_in();
    let call = talking(&mut world);
    let ack = last(&world, HOME, Method::Ack);
    moves(&mut world);
    let known = Builder::from_message(&ack)
        .replace(Name::From, ack.text(Name::To).unwrap())
        .replace(Name::To, ack.text(Name::From).unwrap())
        .message();
    inside(&mut world, OTHER, &known, Method::Bye, 1);
    assert_eq!(responses(&world, 481).len(), 1);
    assert!(end(&world).is_none());
    inside(&mut world, HOME, &known, Method::Bye, 1);
    assert_eq!(end(&world).map(|end| end.by), Some(EndedBy::Peer));
    let _over = call;
    rests(&mut world);
}

#[test]
fn a_registration_says_what_an_account_with_calls_takes() {
    let world = signed_in();
    let register =
        world.sent.iter().map(|(_, message)| message).find(|message| is_register(message)).unwrap();
    assert!(register.text(Name::Allow).unwrap().starts_with("INVITE, ACK, CANCEL, BYE"));
}

/// Signed in at a home server that asks for Digest.
fn with_digest(config: impl FnOnce(&mut AccountConfig)) -> World {
    let mut world = World::new(|account| {
        account.calls = Some(Box::default());
        config(account);
    });
    world.srv(&[(10, HOME)]);
    let server = world.server(HOME);
    server.manual = true;
    server.gate = Gate::Digest("SHA-256");
    world.login();
    assert_eq!(world.state(), AccountState::Registered);
    world
}

/// Decision 44.
#[test]
fn a_digest_challenge_inside_a_dialog_is_answered_once_and_for_a_known_realm_only() {
    let byes = |change: &dyn Fn(&mut World), rule: InDialogChallenge| {
        let mut world = with_digest(|config| config.calls.get_or_insert_default().answer_in_dialog = rule);
        let call = talking(&mut world);
        assert!(last(&world, HOME, Method::Ack).auth(Name::Authorization).next().is_some(), "as its INVITE");
        change(&mut world);
        hang_up(&mut world, call);
        let byes = count(&world, HOME, Method::Bye);
        let bye = last(&world, HOME, Method::Bye);
        reply(&mut world, HOME, &bye, 200, false);
        rests(&mut world);
        byes
    };
    let stale = |world: &mut World| world.at(HOME).expire_nonce();
    let foreign = |world: &mut World| {
        world.at(HOME).realm = "another".into();
        world.at(HOME).expire_nonce();
    };
    assert_eq!(byes(&|_| {}, InDialogChallenge::OwnRealm), 1);
    assert_eq!(byes(&stale, InDialogChallenge::OwnRealm), 2);
    assert_eq!(byes(&foreign, InDialogChallenge::OwnRealm), 1, "the realm is nobody's");
    assert_eq!(byes(&stale, InDialogChallenge::Never), 1);
}

/// Decision 3: another Request-URI, the same way, signed.
#[test]
fn a_signed_redirect_changes_the_request_uri_of_a_call_once_for_each_uri() {
    let mut world = signed_in();
    place(&mut world);
    let to = |world: &mut World, uri: &str| {
        let invite = last(world, HOME, Method::Invite);
        let moved = Builder::reply_to(&invite, 301, "Moved").to_tag("b1");
        let moved = moved.header(Name::Contact, format_args!("<{uri}>")).finish();
        let wall = world.wall;
        let signed = world.at(HOME).sign(moved, wall);
        world.say(HOME, signed);
    };
    to(&mut world, "sips:bob@desk.network.com");
    let invite = last(&world, HOME, Method::Invite);
    assert_eq!(invite.request_uri(), Some("sips:bob@desk.network.com"));
    assert_eq!(invite.to().unwrap().uri_str(), "sip:bob@network.com");
    assert!(is_signed(&invite));
    to(&mut world, "sip:bob@network.com");
    assert_eq!(end(&world).and_then(|end| end.status), Some(301), "it was asked before");
    assert_eq!(count(&world, HOME, Method::Invite), 2);
    rests(&mut world);
}

/// T20, decision 46: by the identity that the server asserts, whatever From says.
#[test]
fn one_asserted_caller_rings_once_at_a_time() {
    let mut world = signed_in_with(|config| config.calls.get_or_insert_default().most_calls = 9);
    let wall = world.wall;
    for (number, asserted) in
        ["sip:bob@network.com", "sip:BOB@network.com", "sip:carol@network.com"].iter().enumerate()
    {
        let identity = format!("<{asserted}>");
        let headers = [("Contact", CONTACT), ("P-Asserted-Identity", &*identity)];
        let invite =
            world.at(HOME).request("INVITE sip:user@198.51.100.7:40000;transport=tls", &headers, "", wall);
        world.say(HOME, invite);
        assert_eq!(responses(&world, 486).len(), usize::from(number > 0), "{asserted}");
    }
    let incoming = world.calls.iter().filter(|what| matches!(what, CallEvent::Incoming(_))).count();
    assert_eq!(incoming, 2);
    world.pass(Duration::from_secs(200));
    rests(&mut world);
}

/// A person takes their time over a password: the call waits, and is given up by its own deadline.
#[test]
fn a_call_that_waits_for_a_password_ends_when_its_time_is_over() {
    let mut world = with_digest(|_| {});
    world.rules.hold_credentials = true;
    world.at(HOME).realm = "another".into();
    world.at(HOME).expire_nonce();
    place(&mut world);
    assert_eq!(world.held.len(), 1);
    world.pass(Duration::from_secs(181));
    assert!(world.held.is_empty(), "the question is taken back");
    assert_eq!(end(&world).map(|end| end.why.clone()), Some(EndReason::NoAnswer));
    rests(&mut world);
}

/// Decision 42: over a connection that proves nobody, an unsigned 183 only rings.
#[test]
fn an_unsigned_183_over_tcp_only_rings() {
    let mut world = World::new(|account| {
        account.calls = Some(Box::default());
        account.transports = vec![Transport::Tcp];
        account.server =
            ServerChoice::Fixed { host: HOME.into(), port: Some(5061), transport: Transport::Tcp };
    });
    world.server(HOME).manual = true;
    world.login();
    assert_eq!(world.state(), AccountState::Registered);
    let call = place(&mut world);
    let invite = last(&world, HOME, Method::Invite);
    let early = built(&invite, 183, true).header(Name::Require, "100rel").header(Name::RSeq, RSeq(7));
    world.say(HOME, early.finish());
    assert_eq!(world.calls, [CallEvent::Progress { fork: 0, status: 183 }]);
    assert_eq!(count(&world, HOME, Method::Prack), 0);
    hang_up(&mut world, call);
    reply(&mut world, HOME, &invite, 487, false);
    rests(&mut world);
}

/// True while the agent holds a connection to that server.
fn is_connected(world: &World, server: &str) -> bool {
    let address = world.servers.iter().find(|(_, one)| one.name == server).map(|(address, _)| *address);
    world.flows.values().any(|at| Some(*at) == address)
}

/// One thing that the application, the server or the network does.
fn happens(world: &mut World, rng: &mut Rng) {
    let call = CallId(u32::try_from(rng.below(6)).unwrap());
    let now = world.now();
    let statuses = [100, 180, 183, 200, 200, 200, 200, 401, 422, 481, 487, 488, 491, 500, 503, 603];
    let status = statuses[usize::try_from(rng.below(statuses.len() as u64)).unwrap()];
    let requests: Vec<Message> = world
        .sent
        .iter()
        .filter(|(to, message)| to == HOME && message.is_request() && !is_register(message))
        .map(|(_, message)| message.clone())
        .filter(|message| message.method() != Some(Method::Ack))
        .collect();
    let recent = requests.len().saturating_sub(1 + usize::try_from(rng.below(4)).unwrap());
    match rng.below(16) {
        0 | 1 => drop(world.agent.place_call(world.account, CallRequest::new("sip:bob@network.com"), now)),
        2 if is_connected(world, HOME) => drop(rings(world, true)),
        3 => drop(world.agent.answer(call, now)),
        4 => drop(world.agent.ring(call, false, now)),
        5 => drop(world.agent.hang_up(call, now)),
        6 => {
            for call in 0..40 {
                let _refused = world.agent.hold(CallId(call), now);
            }
        }
        7..=10 if is_connected(world, HOME) && !requests.is_empty() => {
            let request = &requests[recent];
            if rng.below(6) == 0 {
                world.say(HOME, built(request, status, status < 300).finish());
            } else {
                reply(world, HOME, request, status, rng.below(4) > 0);
            }
        }
        11 if is_connected(world, HOME) => {
            if let Some(success) = responses(world, 200).last().cloned() {
                let methods = [Method::Ack, Method::Bye, Method::Update, Method::Info, Method::Cancel];
                let method = methods[usize::try_from(rng.below(5)).unwrap()];
                inside(world, HOME, &success, method, 1 + u32::try_from(rng.below(60)).unwrap());
            }
        }
        12 if is_connected(world, HOME) => world.cut(HOME),
        13 => world.at(HOME).amnesia = true,
        14 => drop(world.agent.handle_command(Command::Refresh(world.account), now)),
        _ => world.pass(Duration::from_millis(rng.below(20_000))),
    }
    world.settle();
}

/// The same chaos that two agents alone live through, with a server that signs, forgets, lies and hangs up.
#[test]
fn whatever_a_home_server_does_every_call_ends_once_and_leaves_nothing() {
    let mut seen = [0; 4];
    for seed in 0..150 {
        let mut rng = Rng::new(&Seed::from_number(seed));
        let mut world = signed_in_with(|config| {
            config.calls.get_or_insert_default().most_calls = 4;
            config.calls.get_or_insert_default().most_ringing_per_caller = 3;
        });
        for _ in 0..50 {
            happens(&mut world, &mut rng);
        }
        for call in 0..80 {
            let now = world.now();
            let _over = world.agent.hang_up(CallId(call), now);
        }
        world.settle();
        world.pass(Duration::from_secs(300));
        let agent = &world.agent;
        assert_eq!((agent.calls(), agent.dialogs()), (0, 0), "seed {seed}: {:#?}", world.calls);
        for (count, wanted) in seen.iter_mut().zip(["Answered", "ConnectionLost", "ConnectionBack", "Held"]) {
            *count += world.calls.iter().filter(|what| format!("{what:?}").starts_with(wanted)).count();
        }
    }
    let least = [50, 50, 20, 3];
    assert!(seen.iter().zip(least).all(|(count, least)| *count >= least), "{seen:?}");
}
