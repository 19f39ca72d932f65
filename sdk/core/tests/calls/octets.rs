//! Messages of a peer with one thing wrong in each, in every state of a call: nothing panics and nothing is left.

use std::time::Duration;

use homing_core::ids::CallId;
use homing_core::transport::Transport;
use homing_wire::{Builder, Message, Method, Name};

use crate::world::{Net, sdp};

const ALICE: usize = 0;
const BOB: usize = 0;

/// Values that no header is glad of.
const ODD: [&str; 18] = [
    "",
    ";;;",
    "0",
    "-1",
    "4294967295",
    "4294967296",
    "99999999999999999999 INVITE",
    "0 INVITE",
    "4294967295 BYE",
    "<sip:>",
    "<sip:a@b;lr",
    "<tel:+1>;tag=x",
    "sips:x@[::1]:99999",
    "*",
    "100rel, timer, replaces",
    "1;refresher=nobody",
    "multipart/mixed;boundary=\"",
    "\"unfinished",
];

const NAMES: [Name<'static>; 22] = [
    Name::Via,
    Name::From,
    Name::To,
    Name::CallId,
    Name::CSeq,
    Name::Contact,
    Name::RecordRoute,
    Name::Require,
    Name::Supported,
    Name::RSeq,
    Name::RAck,
    Name::SessionExpires,
    Name::MinSe,
    Name::ContentType,
    Name::ContentLength,
    Name::ContentDisposition,
    Name::ContentEncoding,
    Name::Allow,
    Name::Reason,
    Name::Warning,
    Name::PAssertedIdentity,
    Name::RetryAfter,
];

const METHODS: [Method<'static>; 10] = [
    Method::Invite,
    Method::Ack,
    Method::Bye,
    Method::Cancel,
    Method::Prack,
    Method::Update,
    Method::Info,
    Method::Refer,
    Method::Options,
    Method::Notify,
];

fn draw(net: &mut Net, bound: usize) -> usize {
    usize::try_from(net.draw(bound as u64)).unwrap()
}

/// The message with one thing wrong.
fn spoilt(net: &mut Net, message: Builder) -> Vec<u8> {
    let odd = ODD[draw(net, ODD.len())];
    let name = NAMES[draw(net, NAMES.len())];
    let message = match draw(net, 4) {
        0 => message.replace(name, odd),
        1 => message.header(name, odd),
        2 => message.remove(name),
        _ => message.body("application/sdp", b"v=0\r\nm=audio 1\r\nc=\xff\r\na=sendonly\r\n"),
    };
    let mut bytes = message.finish().to_vec();
    match draw(net, 6) {
        0 => {
            let at = draw(net, bytes.len());
            bytes[at] = u8::try_from(net.draw(256)).unwrap();
        }
        1 => {
            let end = draw(net, bytes.len());
            bytes.truncate(end);
        }
        _ => {}
    }
    bytes
}

/// A call in one of seven states, with a message of alice in its dialog, and the INVITE of alice if she placed it.
fn begin(net: &mut Net, state: usize) -> (Option<Message>, Option<Message>) {
    let body = sdp(3, "sendrecv");
    if state < 3 {
        let invite = net.request(BOB, Method::Invite).header(Name::Supported, "100rel, timer");
        let invite = invite.body(&body.content_type, &body.body).message();
        net.say(BOB, invite.bytes().clone());
        let call = net.incoming(ALICE);
        match state {
            0 => net.act(ALICE, |agent, now| agent.ring(call, false, now)).unwrap(),
            1 => net.act(ALICE, |agent, now| agent.ring(call, true, now)).unwrap(),
            _ => net.act(ALICE, |agent, now| agent.answer(call, now)).unwrap(),
        }
        let known = net.take(BOB);
        return (Some(known), None);
    }
    let call = net.place(ALICE, "bob");
    let invite = net.take_request(BOB, Method::Invite);
    if state > 3 {
        let reply = net.reply(BOB, &invite, 183, "b1").body(&body.content_type, &body.body);
        net.say(BOB, reply.finish());
    }
    match state {
        5 => net.act(ALICE, |agent, now| agent.hang_up(call, now)).unwrap(),
        6 => {
            let reply = net.reply(BOB, &invite, 200, "b1").body(&body.content_type, &body.body);
            net.say(BOB, reply.finish());
            let ack = net.take_request(BOB, Method::Ack);
            net.act(ALICE, |agent, now| agent.hold(call, now)).unwrap();
            let reinvite = net.take_request(BOB, Method::Invite);
            return (Some(ack), Some(reinvite));
        }
        _ => {}
    }
    (None, Some(invite))
}

#[test]
fn one_thing_wrong_in_every_state_panics_nowhere_and_leaves_nothing() {
    for seed in 0..700u64 {
        let transport = if seed % 2 == 0 { Transport::Udp } else { Transport::Tcp };
        let mut net = Net::seeded(transport, seed, 0);
        net.agent("alice", |calls| calls.reliable = homing_core::config::ReliableRule::Supported);
        net.script("bob");
        let (known, invite) = begin(&mut net, usize::try_from(seed % 7).unwrap());
        for turn in 0..12u32 {
            let bytes = match (&known, &invite) {
                (_, Some(invite)) if net.draw(2) == 0 => {
                    let status =
                        [100, 180, 183, 200, 202, 300, 302, 401, 407, 422, 481, 487, 491, 500, 603, 699];
                    let status = status[draw(&mut net, status.len())];
                    let tag = ["b1", "b2", ""][draw(&mut net, 3)];
                    let reply = net.reply(BOB, invite, status, tag).header(Name::RSeq, turn);
                    spoilt(&mut net, reply)
                }
                (Some(known), _) if net.draw(8) > 0 => {
                    let method = METHODS[draw(&mut net, METHODS.len())];
                    let known = known.clone();
                    let request = net.inside(BOB, &known, method, 10 + turn);
                    spoilt(&mut net, request)
                }
                _ => {
                    let method = METHODS[draw(&mut net, METHODS.len())];
                    let request = net.request(BOB, method);
                    spoilt(&mut net, request)
                }
            };
            net.say(BOB, bytes);
        }
        net.forget(BOB);
        for call in 0..20 {
            let _over = net.act(ALICE, |agent, now| agent.hang_up(CallId(call), now));
        }
        net.run(Duration::from_secs(100));
        net.rests();
    }
}
