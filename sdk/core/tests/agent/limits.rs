//! Every bound of an agent: the settled figure, and what happens at it.

use homing_core::connect::FlowEvent;
use std::time::Duration;

use homing_core::command::Command;
use homing_core::connect::ConnectError;
use homing_core::counter::Counter;
use homing_core::error::Misuse;
use homing_core::event::{AccountEvent, UnregisterOutcome};
use homing_core::limits::Limits;
use homing_core::outbox::{Input, Output};
use homing_core::state::AccountState;
use homing_core::transaction::Caps;
use homing_wire::Frame;

use super::world::server::{Gate, Then};
use super::world::{World, main_job};

/// The main job with these limits.
fn limited(change: impl FnOnce(&mut Limits)) -> World {
    let mut world = World::with_agent(|agent| change(&mut agent.limits), |_| {});
    world.srv(&[(10, "hs102.network.com")]);
    world.server("hs102.network.com").redirect_to("<sip:hs104.network.com:5061;transport=tls>");
    world.server("hs104.network.com");
    world
}

#[test]
fn the_transaction_table_keeps_to_the_limits_of_the_agent() {
    let mut limits = Limits::default();
    (limits.client_transactions, limits.server_transactions) = (7, 8);
    let caps = Caps::from(&limits);
    assert_eq!(
        (caps.clients, caps.servers, caps.lingering_bytes, caps.lingering_invites),
        (7, 8, 4 << 20, 10_000)
    );
}

#[test]
fn an_answer_over_its_bound_ends_the_login_at_once_with_the_name_of_the_bound() {
    for (long, taken) in [(15 << 10, true), (17 << 10, false)] {
        let mut world = main_job(|_| {});
        let challenge = format!("Basic realm=\"{}\"", "r".repeat(long));
        world.at("hs102.network.com").gate(Gate::Raw(vec![challenge]));
        world.login();
        assert_eq!(world.agent.counters().of(Counter::OverLimit), u64::from(!taken), "{long}");
        let error = world.last_failure().error.clone();
        let sentence = "the answer of hs102.network.com:5061 cannot be used: its answer has a line of more than \
                        16,384 octets (WWW-Authenticate)";
        assert_eq!((error.code() == "E0805", error.to_string() == sentence), (!taken, !taken), "{error}");
    }
    let mut world = limited(|limits| limits.message.message = 300);
    world.login();
    assert!(world.agent.counters().of(Counter::OverLimit) > 0);
    assert!(!world.state().is_reachable());
}

#[test]
fn every_account_has_room_for_two_requests_whatever_the_others_do() {
    let mut world = limited(|limits| limits.client_transactions = 0);
    world.login();
    assert_eq!(world.state(), AccountState::Registered);
    world.at("hs104.network.com").silent = true;
    world.command(Command::Refresh);
    world.options();
    assert_eq!(world.agent.transactions(), 2);
}

#[test]
fn a_dial_is_given_up_in_time() {
    let mut world = limited(|limits| limits.connect = Duration::from_secs(3));
    world.at("hs102.network.com").unreachable = Some(ConnectError::Timeout);
    world.login();
    world.pass(Duration::from_millis(2_999));
    assert!(world.failures().is_empty());
    world.pass(Duration::from_millis(1));
    assert_eq!(world.last_failure().error.code(), "E0503");
}

#[test]
fn a_question_is_given_up_in_time() {
    let mut world = limited(|limits| limits.question = Duration::from_secs(2));
    world.rules.dns_silent = true;
    world.login();
    world.pass(Duration::from_secs(9));
    assert_eq!(world.last_failure().error.code(), "E0402");
}

#[test]
fn a_wait_that_is_asked_for_is_honoured_up_to_its_bound() {
    let mut world = limited(|limits| limits.retry_after = Duration::from_secs(100));
    let headers = vec![("Retry-After", "3600".to_owned())];
    world.at("hs102.network.com").then = Then::Status { status: 503, reason: "Busy", headers };
    world.login();
    let due = world.agent.deadline().unwrap().at.0;
    assert_eq!(due, world.clock + Duration::from_secs(100));
}

#[test]
fn no_more_targets_are_tried_than_allowed() {
    for (most, registered) in [(1, false), (2, true)] {
        let mut world = limited(|limits| limits.targets = most);
        world.srv(&[(0, "dead.network.com"), (10, "hs102.network.com")]);
        world.server("dead.network.com").unreachable = Some(ConnectError::ConnectionRefused);
        world.login();
        assert_eq!(world.state().is_reachable(), registered, "{most}");
    }
}

#[test]
fn no_more_contacts_of_a_redirect_are_tried_than_allowed() {
    for (most, registered) in [(1, false), (2, true)] {
        let mut world = limited(|limits| limits.contacts = most);
        let contacts =
            ["<sip:dead.network.com;transport=tls>;q=0.9", "<sip:hs104.network.com;transport=tls>;q=0.5"];
        world.at("hs102.network.com").redirect(301, &contacts, false);
        world.server("dead.network.com").unreachable = Some(ConnectError::ConnectionRefused);
        world.login();
        assert_eq!(world.state().is_reachable(), registered, "{most}");
    }
}

#[test]
fn handshakes_are_rationed_as_configured() {
    let mut world = limited(|limits| limits.challenges_per_minute = 1);
    world.login();
    for refused in 0..2 {
        world.at("hs104.network.com").amnesia = true;
        world.command(Command::Refresh);
        assert_eq!(world.agent.counters().of(Counter::ChallengeRate), refused);
    }
}

#[test]
fn an_agent_that_is_not_drained_hears_no_more_and_says_so() {
    let mut world = limited(|limits| limits.outputs = 8);
    world.login();
    assert_eq!(world.agent.counters().of(Counter::Undrained), 0, "one input may bring more than may wait");
    let flow = *world.flows.keys().next().unwrap();
    let now = world.now();
    let refresh = Command::Refresh(world.account);
    for _ in 0..100 {
        let _full = world.agent.handle_command(refresh.clone(), now);
        let home = world.at("hs104.network.com");
        let options = home.request("OPTIONS sip:user@198.51.100.7", &[], "", now.wall.0);
        world
            .agent
            .handle_input(Input::Flow(FlowEvent::Received { flow, frame: Frame::Message(options) }), now);
        world.agent.handle_input(Input::DeadlineReached, now);
    }
    assert_eq!(world.agent.handle_command(refresh.clone(), now), Err(Misuse::Limit));
    assert!(world.agent.counters().of(Counter::Undrained) > 200);
    let mut waiting = Vec::new();
    while let Some(output) = world.agent.poll_output() {
        waiting.push(output);
    }
    assert!(waiting.len() <= 16, "{} outputs wait", waiting.len());
    waiting.into_iter().for_each(|output| world.carry(output));
    world.settle();
    world.command(Command::Refresh);
    assert!(matches!(world.events.last(), Some(AccountEvent::Refreshed { .. })), "{:?}", world.events.last());
}

#[test]
fn what_answers_a_drained_output_is_taken_however_many_others_wait() {
    let mut world = limited(|limits| limits.outputs = 0);
    let now = world.now();
    world.agent.handle_command(Command::Register(world.account), now).unwrap();
    let mut steps = 0;
    while let Some(output) = world.agent.poll_output() {
        steps += 1;
        let Output::Send { .. } = output else {
            world.carry(output);
            continue;
        };
        break;
    }
    assert!(steps > 3, "DNS was answered and the connection opened, {steps} steps");
}

/// There are too many requests under way for one more.
#[test]
fn a_sign_out_that_cannot_be_sent_is_no_refusal() {
    let mut world = limited(|limits| limits.client_transactions = 0);
    world.login();
    world.at("hs104.network.com").silent = true;
    world.options();
    world.options();
    world.command(Command::Unregister);
    let unanswered = AccountEvent::Unregistered { outcome: UnregisterOutcome::Unanswered };
    assert!(world.events.contains(&unanswered), "{:?}", world.events.last());
    assert_eq!(world.state(), AccountState::LoggedOff);
}
