//! What is done with an account while it has calls: removed, ended for a reason, undisturbed.

use std::time::Duration;

use homing_core::call_event::{EndReason, EndedBy};
use homing_core::command::Command;
use homing_core::config::DoNotDisturb;
use homing_core::transport::Transport;
use homing_wire::Method;

use crate::world::{Net, sdp};

const ALICE: usize = 0;
const BOB: usize = 0;

fn net() -> Net {
    let mut net = Net::new(Transport::Tcp);
    net.agent("alice", |_| {});
    net.script("bob");
    net
}

fn called(net: &mut Net) {
    let body = sdp(3, "sendrecv");
    let invite = net.request(BOB, Method::Invite).body(&body.content_type, &body.body);
    net.say(BOB, invite.finish());
}

/// Places a call that bob answers.
fn talking(net: &mut Net) {
    net.place(ALICE, "bob");
    let invite = net.take_request(BOB, Method::Invite);
    let answer = sdp(4, "sendrecv");
    let reply = net.reply(BOB, &invite, 200, "b1").body(&answer.content_type, &answer.body);
    net.say(BOB, reply.finish());
    net.take_request(BOB, Method::Ack);
    assert!(net.is_answered(ALICE));
}

fn command(net: &mut Net, order: Command) {
    net.act(ALICE, |agent, now| agent.handle_command(order, now)).unwrap();
    net.run(Duration::from_millis(100));
}

#[test]
fn an_account_that_is_removed_hangs_its_calls_up() {
    let mut net = net();
    talking(&mut net);
    let account = net.side(ALICE).account;
    command(&mut net, Command::Remove(account));
    net.take_request(BOB, Method::Bye);
    assert_eq!((net.end(ALICE).by, net.end(ALICE).why), (EndedBy::Us, EndReason::AccountRemoved));
    net.rests();
}

#[test]
fn calls_end_for_the_reason_that_is_given_and_decline_for_nobody_else() {
    let mut net = net();
    called(&mut net);
    let account = net.side(ALICE).account;
    net.act(ALICE, |agent, now| agent.end_calls(account, &EndReason::ShutDown, now));
    net.run(Duration::from_millis(100));
    net.take_response(BOB, 480);
    assert_eq!((net.end(ALICE).by, net.end(ALICE).why), (EndedBy::Us, EndReason::ShutDown));
    net.rests();
}

#[test]
fn do_not_disturb_is_changed_while_the_account_stands() {
    let mut net = net();
    let account = net.side(ALICE).account;
    command(&mut net, Command::DoNotDisturb(account, DoNotDisturb::Busy));
    called(&mut net);
    net.take_response(BOB, 486);
    assert!(net.told(ALICE).is_empty(), "who is not disturbed hears of no call");
    command(&mut net, Command::DoNotDisturb(account, DoNotDisturb::Off));
    called(&mut net);
    let call = net.incoming(ALICE);
    net.act(ALICE, |agent, now| agent.reject(call, 486, now)).unwrap();
    net.forget(BOB);
    net.rests();
}
