//! Where requests of a call without registrar go: by the route set, else to the Contact of the peer, over a connection of
//! their own where the one of the INVITE does not lead there (RFC 3261 section 12.2.1.1; decision 43).

use homing_core::transport::Transport;
use homing_wire::{Message, Method, Name};

use crate::world::{Net, sdp};

const ALICE: usize = 0;
const PROXY: usize = 0;
const CAROL: usize = 1;

/// Alice, a proxy that calls her for itself and for Carol, and Carol.
fn net() -> Net {
    let mut net = Net::new(Transport::Tcp);
    net.agent("alice", |calls| calls.most_ringing_per_caller = 2);
    for name in ["proxy", "carol"] {
        net.script(name);
    }
    net
}

/// The proxy calls with that Contact; the INVITE.
fn called(net: &mut Net, contact: &str) -> Message {
    let (body, contact) = (sdp(3, "sendrecv"), net.uri(contact));
    let invite = net.request(PROXY, Method::Invite).replace(Name::Contact, format_args!("<{contact}>"));
    let invite = invite.body(&body.content_type, &body.body).message();
    net.say(PROXY, invite.bytes().clone());
    invite
}

/// Two calls that came by one connection each go on where their own peer is.
#[test]
fn calls_of_one_connection_each_go_to_their_own_peer() {
    let mut net = net();
    let invites = [called(&mut net, "carol"), called(&mut net, "proxy")];
    let calls = net.came_in(ALICE);
    for (invite, call) in invites.iter().zip(&calls) {
        net.act(ALICE, |agent, now| agent.answer(*call, now)).unwrap();
        let success = net.take_final(PROXY, 200);
        let ack = net.inside(PROXY, &success, Method::Ack, invite.cseq().unwrap().seq);
        net.say(PROXY, ack.finish());
    }
    for (call, peer) in calls.into_iter().zip([CAROL, PROXY]) {
        net.act(ALICE, |agent, now| agent.hang_up(call, now)).unwrap();
        let bye = net.take_request(peer, Method::Bye);
        net.say(peer, net.reply(peer, &bye, 200, "").finish());
    }
    net.rests();
}
