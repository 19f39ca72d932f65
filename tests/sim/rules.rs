//! The standing rules themselves, in the order of the README: each of them ends a conversation that breaks it.

use std::time::Duration;

use homing_core::command::Command;
use homing_core::config::ServerChoice;
use homing_core::ids::AccountId;
use homing_core::state::AccountState;
use homing_core::time::{Now, Wall};
use homing_core::transport::Transport;
use homing_server_mock::directory::{Change, Directory as _, Key};
use homing_server_mock::node::config::{OnMove, Schemes};
use homing_tests::scenario::{self, Scenario};
use homing_tests::world::zone::Mood;
use homing_tests::world::{WALL, World};

const HOUR: Duration = Duration::from_secs(3_600);

#[test]
#[should_panic(expected = "an output was left in the outbox")]
fn rule_1_an_order_whose_outputs_nobody_takes_ends_the_conversation() {
    let mut world = Scenario::default().build(1);
    world.at(Duration::from_secs(1), |world| {
        let phone = &mut world.phones[0];
        let now = Now::new(Duration::from_secs(1), WALL);
        phone.agent.handle_command(Command::Register(phone.account), now).unwrap();
    });
    world.run_for(Duration::from_secs(2));
}

#[test]
#[should_panic(expected = "an account waits for nothing that has a name")]
fn rule_2_an_account_nobody_speaks_for_ends_the_conversation() {
    let mut world = Scenario::default().build(1);
    world.phones[0].account = AccountId(99);
    world.at(Duration::from_secs(1), |_| ());
    world.run_for(Duration::from_secs(2));
}

#[test]
#[should_panic(expected = "transactions left at rest")]
fn rule_3_a_transaction_that_outlives_its_timers_ends_the_conversation() {
    let mut world = Scenario::default().build(1);
    scenario::must_sign_in(&mut world, "not registered");
    world.silence(0);
    scenario::refresh(&mut world);
    world.phones[0].born += HOUR;
    world.run_for(HOUR);
}

#[test]
#[should_panic(expected = "(TLS: true), which proved nothing")]
fn rule_4_a_credential_for_a_server_that_must_not_see_one_ends_the_conversation() {
    let mut world = Scenario::default().build(1);
    let lb = world.server("lb");
    world.servers[lb].honest = false;
    scenario::sign_in(&mut world);
}

#[test]
#[should_panic(expected = "(TLS: false), which proved nothing")]
fn rule_4_a_credential_in_the_clear_that_the_account_does_not_allow_ends_the_conversation() {
    let mut world = Scenario { schemes: Schemes::Digest, ..Scenario::default() }.without_phones(1);
    let mut config = scenario::bob_by_udp();
    config.transports = vec![Transport::Tcp];
    config.server =
        ServerChoice::Fixed { host: "hs102.network.com".to_owned(), port: None, transport: Transport::Tcp };
    world.add_phone("bob", config, scenario::bobs_credentials());
    world.phones[0].config.transports = vec![Transport::Tls];
    scenario::sign_in(&mut world);
}

#[test]
#[should_panic(expected = "alice@network.com has two homes: [\"hs103\", \"hs104\"]")]
fn rule_5_a_user_moved_behind_the_servers_backs_ends_the_conversation() {
    let mut world = Scenario { on_move: OnMove::Recall, ..Scenario::default() }.build(1);
    scenario::must_sign_in(&mut world, "not registered");
    let when = Wall(WALL + world.now());
    let change = Change::new(Key::rtc(scenario::ALICE), "hs103.network.com", "nobody", "untold", when);
    world.directory.assign(&change).unwrap();
    let mut desk = scenario::alice();
    "9876543210".clone_into(&mut desk.epid);
    let desk = world.add_phone("desk", desk, scenario::credentials());
    world.run_for(Duration::from_secs(5));
    scenario::login_of(&mut world, desk);
    world.run_to(Duration::from_secs(60), |world| world.phones[desk].state() == AccountState::Registered);
    world.run_for(Duration::from_secs(10));
}

#[test]
fn rule_6_the_same_seed_gives_the_same_conversation_and_another_seed_another() {
    let tell = |seed| {
        let mut world = Scenario::default().build(seed);
        world.network.conditions.jitter = Duration::from_millis(60);
        scenario::must_sign_in(&mut world, "not registered");
        let answers = world.ladder.to_string();
        (answers, world.phones[0].registered().map(|registered| format!("{registered:?}")))
    };
    assert_eq!(tell(5), tell(5));
    assert_ne!(tell(5).0, tell(6).0);
}

#[test]
fn at_one_instant_the_queue_comes_before_deadlines_and_phones_go_by_number() {
    let mut world = Scenario::default().build(1);
    let bob = world.add_phone("bob", scenario::alice(), scenario::credentials());
    world.zone.mood = Mood::Silent;
    scenario::login_of(&mut world, bob);
    scenario::login_of(&mut world, 0);
    let due = world.phones.iter().map(|phone| phone.agent.deadline().unwrap().at.0).collect::<Vec<_>>();
    assert_eq!(due[0], due[1], "both wait for DNS equally long");
    world.ladder.clear();
    // What the queue holds for that instant, and what that schedules for it, happens before they ask again.
    world.at(due[0], |world| world.at(world.now(), |world| world.zone.mood = Mood::Answers));
    world.run_until(due[0]);
    let ladder = world.ladder.to_string();
    let told: Vec<&str> = ladder.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
    let half = told.len() / 2;
    assert!(half > 0 && told[..half].iter().all(|name| *name == "alice"), "{ladder}");
    assert!(told[half..].iter().all(|name| *name == "bob"), "{ladder}");
}

#[test]
#[should_panic(expected = "a thousand steps at one instant: a deadline does not move")]
fn rule_7_a_deed_that_is_due_again_at_once_ends_the_conversation() {
    fn again(world: &mut World, left: u32) {
        if left > 0 {
            world.at(world.now(), move |world| again(world, left - 1));
        }
    }
    let mut world = Scenario::default().build(1);
    again(&mut world, 2_000);
    world.run_for(Duration::from_secs(1));
}
