//! The caller against a scripted peer: acknowledgement, cancelling and its races, redirects, refusals.

use std::time::Duration;

use homing_core::call_event::{CallEvent, EndReason, EndedBy};
use homing_core::call_request::{CallHeader, CallRequest};
use homing_core::config::CallRules;
use homing_core::error::Misuse;
use homing_core::ids::CallId;
use homing_core::transport::Transport;
use homing_wire::{Builder, Message, Method, Name};

use crate::world::{Net, T1, sdp};

const ALICE: usize = 0;
const BOB: usize = 0;

fn net(transport: Transport) -> Net {
    net_with(transport, |_| {})
}

fn net_with(transport: Transport, change: impl FnOnce(&mut CallRules)) -> Net {
    let mut net = Net::new(transport);
    net.agent("alice", change);
    net.script("bob");
    net
}

/// The script answers an INVITE with a description.
fn success(net: &Net, invite: &Message, tag: &str) -> Message {
    let body = sdp(7, "sendrecv");
    net.reply(BOB, invite, 200, tag).body(&body.content_type, &body.body).message()
}

/// A call that the script answered; with its INVITE and ACK.
fn answered(net: &mut Net) -> (CallId, Message, Message) {
    let call = net.place(ALICE, "bob");
    let invite = net.take_request(BOB, Method::Invite);
    net.say(BOB, success(net, &invite, "b1").bytes().clone());
    let ack = net.take_request(BOB, Method::Ack);
    (call, invite, ack)
}

#[test]
fn a_2xx_is_acknowledged_and_a_copy_of_it_gets_the_same_ack() {
    let mut net = net(Transport::Udp);
    let call = net.place(ALICE, "bob");
    let invite = net.take_request(BOB, Method::Invite);
    assert_eq!(invite.text(Name::ContentType).unwrap(), "application/sdp");
    let success = success(&net, &invite, "b1");
    net.say(BOB, success.bytes().clone());
    let ack = net.take_request(BOB, Method::Ack);
    assert_eq!(ack.cseq().unwrap().seq, invite.cseq().unwrap().seq);
    assert_eq!(ack.to().unwrap().tag(), Some("b1"));
    assert!(ack.via().unwrap().branch() != invite.via().unwrap().branch(), "a transaction of its own");
    net.say(BOB, success.bytes().clone());
    assert_eq!(net.take_request(BOB, Method::Ack).bytes(), ack.bytes(), "decision 41");
    let again = Builder::from_message(&success).header(Name::Other("X-Again"), 1).finish();
    net.say(BOB, again);
    let anew = net.take_request(BOB, Method::Ack);
    assert!(anew.via().unwrap().branch() != ack.via().unwrap().branch(), "a 2xx that was made anew");
    net.act(ALICE, |agent, now| agent.hang_up(call, now)).unwrap();
    let bye = net.take_request(BOB, Method::Bye);
    assert_eq!(bye.cseq().unwrap().seq, invite.cseq().unwrap().seq + 1);
    net.say(BOB, net.reply(BOB, &bye, 200, "").finish());
    net.say(BOB, success.bytes().clone());
    net.take_request(BOB, Method::Ack);
    net.forget(BOB);
    net.rests();
}

#[test]
fn a_call_is_given_up_before_and_after_the_first_provisional_response() {
    for first in [None, Some(100), Some(180)] {
        let mut net = net(Transport::Tcp);
        let call = net.place(ALICE, "bob");
        let invite = net.take_request(BOB, Method::Invite);
        if let Some(status) = first {
            net.say(BOB, net.reply(BOB, &invite, status, "b1").finish());
        }
        net.act(ALICE, |agent, now| agent.hang_up(call, now)).unwrap();
        assert_eq!(net.end(ALICE).why, EndReason::Cancelled);
        if first.is_none() {
            assert_eq!(net.waiting(BOB), 0, "RFC 3261 section 9.1: not before a provisional response");
            net.say(BOB, net.reply(BOB, &invite, 100, "").finish());
        }
        let cancel = net.take_request(BOB, Method::Cancel);
        assert_eq!(cancel.via().unwrap().branch(), invite.via().unwrap().branch());
        net.say(BOB, net.reply(BOB, &cancel, 200, "b1").finish());
        net.say(BOB, net.reply(BOB, &invite, 487, "b1").finish());
        net.take_request(BOB, Method::Ack);
        net.rests();
    }
}

/// RFC 5407 section 3.1.2: the CANCEL crossed the 2xx.
#[test]
fn who_answers_after_all_is_acknowledged_and_hung_up() {
    let mut net = net(Transport::Udp);
    let call = net.place(ALICE, "bob");
    let invite = net.take_request(BOB, Method::Invite);
    net.say(BOB, net.reply(BOB, &invite, 180, "b1").finish());
    net.act(ALICE, |agent, now| agent.hang_up(call, now)).unwrap();
    let cancel = net.take_request(BOB, Method::Cancel);
    net.say(BOB, success(&net, &invite, "b1").bytes().clone());
    net.take_request(BOB, Method::Ack);
    let bye = net.take_request(BOB, Method::Bye);
    net.say(BOB, net.reply(BOB, &cancel, 200, "b1").finish());
    net.say(BOB, net.reply(BOB, &bye, 200, "b1").finish());
    assert_eq!(net.end(ALICE).why, EndReason::Cancelled, "what was told stays");
    assert!(!net.is_answered(ALICE));
    net.rests();
}

#[test]
fn a_peer_that_says_nothing_is_given_up_by_timer_b() {
    for (transport, copies) in [(Transport::Udp, 7), (Transport::Tcp, 1)] {
        let mut net = net(transport);
        net.place(ALICE, "bob");
        net.run(Duration::from_secs(33));
        assert_eq!((net.end(ALICE).by, net.end(ALICE).why), (EndedBy::Network, EndReason::NoAnswer));
        assert_eq!(net.waiting(BOB), copies);
        net.forget(BOB);
        net.rests();
    }
}

#[test]
fn a_call_that_rings_too_long_is_cancelled() {
    let mut net = net(Transport::Tcp);
    let mut request = CallRequest::new(net.uri("bob"));
    request.ring_for = Duration::from_secs(20);
    net.place_with(ALICE, request);
    let invite = net.take_request(BOB, Method::Invite);
    net.say(BOB, net.reply(BOB, &invite, 180, "b1").finish());
    net.run(Duration::from_secs(20));
    assert_eq!((net.end(ALICE).by, net.end(ALICE).why), (EndedBy::Rule, EndReason::NoAnswer));
    net.take_request(BOB, Method::Cancel);
    net.say(BOB, net.reply(BOB, &invite, 487, "b1").finish());
    net.take_request(BOB, Method::Ack);
    net.rests();
}

#[test]
fn a_peer_that_answers_neither_cancel_nor_invite_is_given_up() {
    let mut net = net(Transport::Tcp);
    let call = net.place(ALICE, "bob");
    let invite = net.take_request(BOB, Method::Invite);
    net.say(BOB, net.reply(BOB, &invite, 180, "b1").finish());
    net.act(ALICE, |agent, now| agent.hang_up(call, now)).unwrap();
    net.run(T1 * 65);
    assert_eq!(net.side(ALICE).agent.calls(), 0, "64·T1 after the CANCEL");
    net.rests();
}

#[test]
fn a_refusal_is_told_with_its_status_and_words() {
    let mut net = net(Transport::Udp);
    net.place(ALICE, "bob");
    let invite = net.take_request(BOB, Method::Invite);
    let refusal = net.reply(BOB, &invite, 488, "b1").header(Name::Warning, "305 bob \"no codec in common\"");
    net.say(BOB, refusal.finish());
    let end = net.end(ALICE);
    assert_eq!(
        (end.why, end.status, end.words.as_str()),
        (EndReason::NotAcceptable, Some(488), "no codec in common")
    );
    net.rests();
}

#[test]
fn a_2xx_without_description_is_acknowledged_and_hung_up() {
    let unreadable = ("application/sdp", "nonsense\r\n");
    for body in [None, Some(unreadable), Some(("text/plain", "hello"))] {
        let mut net = net(Transport::Tcp);
        net.place(ALICE, "bob");
        let invite = net.take_request(BOB, Method::Invite);
        let reply = net.reply(BOB, &invite, 200, "b1");
        let reply = match body {
            Some((kind, text)) => reply.body(kind, text.as_bytes()),
            None => reply,
        };
        net.say(BOB, reply.finish());
        net.take_request(BOB, Method::Ack);
        let bye = net.take_request(BOB, Method::Bye);
        net.say(BOB, net.reply(BOB, &bye, 200, "b1").finish());
        assert_eq!(net.end(ALICE).why, EndReason::NoDescription);
        net.rests();
    }
}

#[test]
fn a_2xx_whose_contact_or_route_cannot_be_used_is_acknowledged_and_hung_up() {
    for spoil in ["no contact", "bad route"] {
        let mut net = net(Transport::Tcp);
        net.place(ALICE, "bob");
        let invite = net.take_request(BOB, Method::Invite);
        let success = success(&net, &invite, "b1");
        let spoilt = Builder::from_message(&success);
        let spoilt = match spoil {
            "no contact" => spoilt.remove(Name::Contact),
            _ => spoilt.header(Name::RecordRoute, "<http://p.example.com>"),
        };
        net.say(BOB, spoilt.finish());
        net.take_request(BOB, Method::Ack);
        let bye = net.take_request(BOB, Method::Bye);
        net.say(BOB, net.reply(BOB, &bye, 200, "b1").finish());
        assert_eq!(net.end(ALICE).why, EndReason::NoDescription, "{spoil}");
        net.rests();
    }
}

#[test]
fn what_an_application_may_not_say_is_misuse() {
    let mut net = net(Transport::Tcp);
    let (account, now) = (net.side(ALICE).account, net.now());
    let to = net.uri("bob");
    let mut place = |change: &dyn Fn(&mut CallRequest)| {
        let mut request = CallRequest::new(to.clone());
        change(&mut request);
        net.side(ALICE).agent.place_call(account, request, now).err()
    };
    assert_eq!(place(&|request| request.to = "tel:+1".into()), Some(Misuse::BadMessage));
    assert_eq!(place(&|request| request.to = "sip:b@c.d?Subject=x".into()), Some(Misuse::BadMessage));
    assert_eq!(place(&|request| request.ring_for = Duration::ZERO), Some(Misuse::BadMessage));
    let header = |name: &str| vec![CallHeader::new(name, "1")];
    assert_eq!(place(&|request| request.headers = header("Route")), Some(Misuse::BadMessage));
    assert_eq!(place(&|request| request.headers = header("X-Ticket")), None);
    net.run(Duration::from_millis(100));
    let invite = net.take_request(BOB, Method::Invite);
    assert_eq!(invite.text(Name::Other("X-Ticket")).unwrap(), "1");
    let now = net.now();
    assert_eq!(net.side(ALICE).agent.hang_up(CallId(99), now), Err(Misuse::UnknownCall));
    assert_eq!(net.side(ALICE).agent.answer(CallId(0), now), Err(Misuse::WrongState));
    assert_eq!(net.side(ALICE).agent.hold(CallId(0), now), Err(Misuse::WrongState));
    net.say(BOB, net.reply(BOB, &invite, 404, "b1").finish());
    net.forget(BOB);
    net.rests();
}

#[test]
fn a_private_call_says_so_and_names_nobody() {
    let mut net = net(Transport::Tcp);
    let mut request = CallRequest::new(net.uri("bob"));
    request.private = true;
    net.place_with(ALICE, request);
    let invite = net.take_request(BOB, Method::Invite);
    assert_eq!(invite.text(Name::Privacy).unwrap(), "id");
    let from = invite.from().unwrap();
    assert_eq!(
        (from.display(), from.uri_str()),
        (None, "sip:anonymous@anonymous.invalid"),
        "RFC 3323 section 4.1"
    );
    net.say(BOB, success(&net, &invite, "b1").bytes().clone());
    let ack = net.take_request(BOB, Method::Ack);
    assert_eq!(ack.from().unwrap().uri_str(), "sip:anonymous@anonymous.invalid");
    net.act(ALICE, |agent, now| agent.hang_up(CallId(0), now)).unwrap();
    let bye = net.take_request(BOB, Method::Bye);
    net.say(BOB, net.reply(BOB, &bye, 200, "b1").finish());
    net.rests();
}

#[test]
fn nobody_can_be_reached() {
    let mut net = net(Transport::Tcp);
    let account = net.side(ALICE).account;
    net.act(ALICE, |agent, now| {
        agent.place_call(account, CallRequest::new("sip:x@203.0.113.1:5060;transport=tcp"), now)
    })
    .unwrap();
    assert!(matches!(net.end(ALICE).why, EndReason::Unreachable(_)));
    net.rests();
}

/// Settled 3: a 301 changes the Request-URI, and an account without registrar looks for its server.
#[test]
fn a_redirected_call_goes_on_to_the_new_address() {
    let mut net = Net::new(Transport::Tcp);
    net.agent("alice", |_| {});
    net.script("bob");
    net.script("carol");
    net.place(ALICE, "bob");
    let invite = net.take_request(0, Method::Invite);
    // Over TCP a redirect is not followed unless the account says so.
    let carol = net.uri("carol");
    let moved = Builder::reply_to(&invite, 301, "Moved").to_tag("b1");
    net.say(0, moved.header(Name::Contact, format_args!("<{carol}>")).finish());
    net.take_request(0, Method::Ack);
    assert_eq!((net.end(ALICE).status, net.waiting(1)), (Some(301), 0));
    net.rests();
}

#[test]
fn no_challenge_inside_a_dialog_is_answered_by_an_account_without_registrar() {
    let mut net = net(Transport::Tcp);
    let (call, ..) = answered(&mut net);
    net.act(ALICE, |agent, now| agent.hang_up(call, now)).unwrap();
    let bye = net.take_request(BOB, Method::Bye);
    let challenge = net.reply(BOB, &bye, 401, "b1");
    let line = "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"";
    net.say(BOB, challenge.header(Name::WwwAuthenticate, line).finish());
    assert_eq!((net.waiting(BOB), net.end(ALICE).why), (0, EndReason::HungUp));
    net.rests();
}

#[test]
fn a_bye_that_nobody_answers_ends_the_call_by_timer_f() {
    let mut net = net(Transport::Udp);
    let (call, ..) = answered(&mut net);
    net.act(ALICE, |agent, now| agent.hang_up(call, now)).unwrap();
    net.rests();
    assert_eq!(net.waiting(BOB), 11, "RFC 3261 section 17.1.2.2: eleven copies");
    assert!(net.told(ALICE).iter().filter(|what| matches!(what, CallEvent::Ended(_))).count() == 1);
}

/// RFC 3261 section 12.2.1.1, decision 43: a proxy that records no route is out of the way after the INVITE.
#[test]
fn requests_inside_a_dialog_go_to_its_next_hop() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let (proxy, bob) = (0, 1);
        let mut net = Net::new(transport);
        net.agent("alice", |_| {});
        net.script("proxy");
        net.script("bob");
        let call = net.place(ALICE, "proxy");
        let invite = net.take_request(proxy, Method::Invite);
        let contact = format!("<{}>", net.uri("bob"));
        let answer = Builder::from_message(&success(&net, &invite, "b1"));
        let answer = answer.replace(Name::Contact, &contact).message();
        net.say(proxy, answer.bytes().clone());
        let ack = net.take_request(bob, Method::Ack);
        net.say(proxy, answer.bytes().clone());
        assert_eq!(net.take_request(bob, Method::Ack).bytes(), ack.bytes(), "{transport:?}");
        net.act(ALICE, |agent, now| agent.hang_up(call, now)).unwrap();
        let bye = net.take_request(bob, Method::Bye);
        net.say(bob, net.reply(bob, &bye, 200, "").finish());
        assert_eq!((net.waiting(proxy), net.waiting(bob)), (0, 0));
        net.rests();
        // One that records its route stays in it.
        let mut net = Net::new(transport);
        net.agent("alice", |_| {});
        net.script("proxy");
        net.script("bob");
        let call = net.place(ALICE, "proxy");
        let invite = net.take_request(proxy, Method::Invite);
        let route = format!("<{};lr>", net.uri("proxy"));
        let recorded = Builder::from_message(&success(&net, &invite, "b1")).replace(Name::Contact, &contact);
        net.say(proxy, recorded.header(Name::RecordRoute, &route).finish());
        assert_eq!(net.take_request(proxy, Method::Ack).text(Name::Route).unwrap(), route);
        net.act(ALICE, |agent, now| agent.hang_up(call, now)).unwrap();
        let bye = net.take_request(proxy, Method::Bye);
        net.say(proxy, net.reply(proxy, &bye, 200, "").finish());
        net.rests();
    }
}
