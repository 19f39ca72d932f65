//! Calls between people at home servers: answered, refused, forked, held, moved, and cut off at every moment.

use std::time::Duration;

use homing_core::call_event::{CallEvent, EndReason, EndedBy};
use homing_core::config::CallRules;
use homing_core::ids::CallId;
use homing_core::transport::Transport;
use homing_server_mock::node::config::{OnMove, Schemes};
use homing_tests::scenario::{self, Scenario};
use homing_tests::world::World;
use homing_tests::world::link::NetworkConditions;
use homing_tests::world::person::Habit;

const ALICE: usize = 0;
const BOB: usize = 1;
/// After this nothing of a call is left.
const REST: Duration = Duration::from_secs(120);

/// Alice at hs104 and Bob at hs102, both signed in: she by NTLM over TLS, he on an odd seed too, else by UDP.
fn two(seed: u64, scenario: Scenario, change: impl Fn(&mut CallRules)) -> World {
    let mut world = scenario.without_phones(seed);
    let mut rules = CallRules::default();
    change(&mut rules);
    let mut alice = scenario::alice();
    alice.calls = Some(rules.clone().into());
    let mut bob = if seed.is_multiple_of(2) { scenario::bob_by_udp() } else { scenario::bob() };
    bob.calls = Some(rules.into());
    world.add_phone("alice", alice, scenario::credentials());
    world.add_phone("bob", bob, scenario::bobs_credentials());
    for phone in [ALICE, BOB] {
        scenario::login_of(&mut world, phone);
    }
    world.run_for(Duration::from_secs(30));
    world
}

fn both_schemes() -> Scenario {
    Scenario { schemes: Schemes::NtlmAndDigest, ..Scenario::default() }
}

/// Places a call that is answered after a second, and waits until both sides know.
fn talking(world: &mut World, caller: usize, called: usize, address: &str) -> [CallId; 2] {
    world.phones[called].person.habit = Habit::Answers(Duration::from_secs(1));
    let out = world.call(caller, address).unwrap();
    world.run_for(Duration::from_secs(5));
    let came = world.phones[called].person.came_in().unwrap_or_else(|| world.fail("no call came in"));
    let is_up = world.phones[caller].person.is_answered(out) && world.phones[called].person.is_answered(came);
    world.require(is_up, "the call is not answered on both sides");
    [out, came]
}

fn hang_up(world: &mut World, phone: usize, call: CallId) {
    world.act(phone, "hangs up", |agent, now| agent.hang_up(call, now));
}

/// Both sides heard that it was hung up, and nothing is left.
fn is_over(world: &mut World, calls: [CallId; 2]) {
    world.run_for(REST);
    for (phone, call) in [ALICE, BOB].into_iter().zip(calls) {
        let why = world.phones[phone].person.end(call).map(|end| end.why.clone());
        world.require(why == Some(EndReason::HungUp), &format!("phone {phone}: {why:?}"));
        world.require(world.phones[phone].agent.calls() == 0, "a call is left");
    }
}

#[test]
fn two_people_at_two_home_servers_talk_hold_and_hang_up() {
    for seed in 0..8 {
        let mut world = two(seed, both_schemes(), |_| {});
        let (caller, called, address) =
            if seed % 2 == 0 { (ALICE, BOB, scenario::BOB) } else { (BOB, ALICE, scenario::ALICE) };
        let [out, came] = talking(&mut world, caller, called, address);
        let calls = if caller == ALICE { [out, came] } else { [came, out] };
        for (phone, call) in [(ALICE, calls[0]), (BOB, calls[1])] {
            world.act(phone, "holds", |agent, now| agent.hold(call, now));
            world.run_for(Duration::from_secs(2));
            let other = 1 - phone;
            let held = |what: &CallEvent| *what == CallEvent::PeerHolds(true);
            let heard = world.phones[other].person.heard(calls[other], held);
            world.require(heard == 1, "the other side does not know that it is held");
            world.act(phone, "resumes", |agent, now| agent.resume(call, now));
            world.run_for(Duration::from_secs(2));
        }
        let who = usize::try_from(seed / 2 % 2).unwrap();
        hang_up(&mut world, who, calls[who]);
        world.run_for(Duration::from_secs(5));
        let by = world.phones[1 - who].person.end(calls[1 - who]).map(|end| end.by);
        world.require(by == Some(EndedBy::Peer), "the other side does not know who hung up");
        is_over(&mut world, calls);
    }
}

#[test]
fn a_call_is_refused_or_given_up_through_two_servers() {
    let mut world = two(3, both_schemes(), |_| {});
    world.phones[BOB].person.habit = Habit::Rejects(Duration::from_secs(1), 486);
    let out = world.call(ALICE, scenario::BOB).unwrap();
    world.run_for(Duration::from_secs(40));
    let end = world.phones[ALICE].person.end(out).cloned();
    world.require(end.as_ref().is_some_and(|end| end.status == Some(486)), &format!("{end:?}"));
    world.phones[BOB].person.habit = Habit::Ignores;
    let out = world.call(ALICE, scenario::BOB).unwrap();
    world.run_for(Duration::from_secs(3));
    hang_up(&mut world, ALICE, out);
    world.run_for(REST);
    let came = world.phones[BOB].person.came_in().unwrap();
    let end = world.phones[BOB].person.end(came).cloned();
    let is_cancelled = end.as_ref().is_some_and(|end| end.why == EndReason::Cancelled);
    world.require(is_cancelled, &format!("{end:?}"));
}

/// One device answers: the other stops ringing, and hears why.
#[test]
fn of_two_devices_one_answers_and_the_other_is_told_so() {
    let mut world = two(5, both_schemes(), |_| {});
    let mut desk = scenario::alice();
    desk.epid = "de5c".into();
    desk.calls = Some(Box::default());
    let desk = world.add_phone("desk", desk, scenario::credentials());
    scenario::login_of(&mut world, desk);
    world.run_for(Duration::from_secs(30));
    world.phones[desk].person.habit = Habit::Answers(Duration::from_secs(60));
    let calls = talking(&mut world, BOB, ALICE, scenario::ALICE);
    let rang = world.phones[desk].person.came_in().unwrap_or_else(|| world.fail("the desk did not ring"));
    let why = world.phones[desk].person.end(rang).map(|end| end.why.clone());
    world.require(why == Some(EndReason::AnsweredElsewhere), &format!("{why:?}"));
    hang_up(&mut world, ALICE, calls[1]);
    is_over(&mut world, [calls[1], calls[0]]);
}

/// Decision 8: a call outlives the move of its user. Nothing is said in it for forty minutes, and nothing but the
/// keep-alives of the flows keeps it.
#[test]
fn a_silent_call_of_forty_minutes_goes_on_across_a_move() {
    let places = [(ALICE, scenario::ALICE, "hs103.network.com"), (BOB, scenario::BOB, "hs101.network.com")];
    for (seed, on_move) in [(1, OnMove::AtRefresh), (3, OnMove::Recall)] {
        for (caller, moved, who) in [(ALICE, 0, ALICE), (ALICE, 0, BOB), (BOB, 0, ALICE), (ALICE, 1, BOB)] {
            let scenario = Scenario { expires: 300, on_move, ..both_schemes() };
            let mut world = two(seed, scenario, |rules| rules.session_timers.expires = 0);
            let called = 1 - caller;
            let [out, came] = talking(&mut world, caller, called, places[called].1);
            let calls = if caller == ALICE { [out, came] } else { [came, out] };
            world.run_for(Duration::from_secs(600));
            let (_, user, home) = places[moved];
            world.assign(user, home, "rebalanced");
            world.run_for(Duration::from_secs(1_800));
            let homes: Vec<_> =
                world.homes(moved).map(|server| server.config.identity.fqdn.clone()).collect();
            world.require(homes == [home], &format!("{homes:?}"));
            for (phone, call) in [ALICE, BOB].into_iter().zip(calls) {
                world.require(world.phones[phone].person.end(call).is_none(), "the call ended by itself");
            }
            hang_up(&mut world, who, calls[who]);
            world.run_for(Duration::from_secs(2));
            let by = world.phones[1 - who].person.end(calls[1 - who]).map(|end| end.by);
            world.require(by == Some(EndedBy::Peer), "BYE does not arrive");
            is_over(&mut world, calls);
            world.require(world.phones[moved].agent.flows() == 1, "a draining link is left");
        }
    }
}

/// The connection of either side dies at every moment of a call: an answered call goes on, another ends with a reason.
#[test]
fn a_connection_that_dies_at_any_moment_leaves_no_call_in_doubt() {
    let (mut survived, mut ended) = (0, 0);
    for step in 0..80_u64 {
        for (caller, who) in [(ALICE, ALICE), (BOB, ALICE)] {
            let mut world = two(step, both_schemes(), |_| {});
            let called = 1 - caller;
            world.phones[called].person.habit = Habit::Answers(Duration::from_millis(1_500));
            let address = if called == BOB { scenario::BOB } else { scenario::ALICE };
            let start = world.now();
            world.at(start + Duration::from_millis(step * 25), move |world| {
                let home = world.server("hs104");
                for link in world.links_between(who, home) {
                    world.sever(link);
                }
            });
            let out = world.call(caller, address).unwrap();
            world.run_for(Duration::from_secs(60));
            let both: Vec<bool> = [caller, called]
                .into_iter()
                .map(|phone| {
                    let calls = world.phones[phone].person.calls();
                    let open = |call: &CallId| world.phones[phone].person.end(*call).is_none();
                    calls.iter().any(open)
                })
                .collect();
            world.require(both[0] == both[1], "one side talks to nobody");
            if both[0] {
                survived += 1;
                hang_up(&mut world, caller, out);
            } else {
                ended += 1;
            }
            world.run_for(REST);
            for phone in [ALICE, BOB] {
                world.require(world.phones[phone].agent.calls() == 0, "a call is left");
            }
        }
    }
    assert!(survived > 100, "{survived} survived, {ended} ended");
}

/// What is lost is sent again by the timers of RFC 3261, and every call that fails ends by one of them. A 2xx and its ACK
/// go from end to end (section 13.3.1.4): with both sides by UDP at 30 % one in four of the 11 rounds succeeds, so that
/// the bound is for calls with one such hop.
#[test]
fn datagrams_are_lost_and_calls_come_about() {
    let of = |loss, callers: &[Transport]| {
        let calls: Vec<bool> = (0..200).map(|seed| call_through_loss(2 * seed, loss, callers)).collect();
        calls.iter().filter(|came_about| **came_about).count()
    };
    assert_eq!(of(100, &[Transport::Udp, Transport::Udp]), 200);
    for transports in [[Transport::Udp, Transport::Tls], [Transport::Tls, Transport::Udp]] {
        let came_about = of(300, &transports);
        assert!(came_about >= 199, "{came_about} of 200 by {transports:?}");
    }
}

/// True if the call was answered on both sides. If not, either side says which timer ended it.
fn call_through_loss(seed: u64, loss: u16, transports: &[Transport]) -> bool {
    let mut world =
        two(if transports[1] == Transport::Udp { seed } else { seed + 1 }, both_schemes(), |_| {});
    let mut carol =
        if transports[0] == Transport::Udp { scenario::alice_by_udp() } else { scenario::alice() };
    carol.epid = "ca401".into();
    carol.calls = Some(Box::default());
    let carol = world.add_phone("carol", carol, scenario::credentials());
    scenario::login_of(&mut world, carol);
    world.run_for(Duration::from_secs(30));
    world.network.conditions = NetworkConditions::lossy(loss, 20);
    world.phones[BOB].person.habit = Habit::Answers(Duration::from_secs(2));
    let out = world.call(carol, scenario::BOB).unwrap();
    world.run_for(Duration::from_secs(70));
    let answered = world.phones[carol].person.is_answered(out);
    let came = world.phones[BOB].person.came_in();
    let there = came.is_some_and(|came| world.phones[BOB].person.is_answered(came));
    if answered {
        hang_up(&mut world, carol, out);
    }
    world.network.conditions = NetworkConditions::default();
    world.run_for(REST * 3);
    for phone in [carol, BOB] {
        world.require(world.phones[phone].agent.calls() == 0, "a call is left");
        for call in world.phones[phone].person.calls() {
            let why = world.phones[phone].person.end(call).map(|end| end.why.clone());
            let named = [
                EndReason::HungUp,
                EndReason::NoAnswer,
                EndReason::Unavailable,
                EndReason::NotAcknowledged,
                EndReason::Cancelled,
            ];
            world.require(why.as_ref().is_some_and(|why| named.contains(why)), &format!("{why:?}"));
        }
    }
    answered && there
}
