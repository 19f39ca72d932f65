//! Proxying in place of redirecting: by Via count, and always.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use homing_core::config::TargetNameRule;
use homing_core::event::{AccountEvent, RequestOutcome};
use homing_server_mock::node::config::{BehindProxy, Mode, NoAssociation, NodeConfig, OnMove, Schemes};
use homing_tests::scenario::{self, Scenario};
use homing_tests::world::World;

#[test]
fn always_proxy_registers_through_the_first_server() {
    let mut world = Scenario { mode: Mode::AlwaysProxy, ..Scenario::default() }.build(1);
    scenario::must_sign_in(&mut world, "not registered");
    world.require(world.ladder.count("lb", "alice", "301") == 0, "nobody was redirected");
    world.require(world.ladder.count("lb", "hs104", "REGISTER") >= 1, "the distributor proxied");
    world.require(
        world.servers[world.server("hs104")].bindings(scenario::ALICE) == 1,
        "bound at the home server",
    );
    world.require(world.servers[world.server("lb")].bindings(scenario::ALICE) == 0, "not at the distributor");
}

#[test]
fn always_redirect_redirects() {
    let mut world = Scenario { mode: Mode::AlwaysRedirect, ..Scenario::default() }.build(2);
    scenario::must_sign_in(&mut world, "not registered");
    world.require(world.ladder.count("lb", "alice", "301") == 1, "one redirect");
}

fn rechallenging(config: &mut NodeConfig) {
    config.routing.behind_proxy = BehindProxy::Rechallenge;
}

fn bound(world: &World, server: &str) -> usize {
    world.servers[world.server(server)].bindings(scenario::ALICE)
}

/// Everything that travels from one host to another, as text.
fn overheard(world: &mut World, from: &'static str, to: &'static str) -> Rc<RefCell<String>> {
    let heard = Rc::new(RefCell::new(String::new()));
    let pen = Rc::clone(&heard);
    world.network.tamper = Some(Box::new(move |passing| {
        if passing.from == from && passing.to == to {
            pen.borrow_mut().push_str(&String::from_utf8_lossy(passing.bytes));
        }
        None
    }));
    heard
}

/// A life with a server that proxies: OPTIONS, a refresh, the end.
fn lives_and_leaves(world: &mut World) {
    let account = world.phones[0].account;
    world.ask_options(0, account);
    world.run_for(Duration::from_secs(5));
    let answered = world.phones[0].told.iter().find_map(|(_, event)| match event {
        AccountEvent::RequestEnded { outcome: RequestOutcome::Answered { answer, .. }, .. } => {
            Some(answer.status)
        }
        _ => None,
    });
    world.require(answered == Some(200), &format!("OPTIONS: {answered:?}"));
    scenario::refresh(world);
    world.run_for(Duration::from_secs(5));
    let refreshed = world.phones[0].heard(|event| matches!(event, AccountEvent::Refreshed { .. }));
    world.require(refreshed == 1, "not refreshed");
    world.require(bound(world, "hs104") == 1, "one binding");
    scenario::logout(world);
    world.run_for(Duration::from_secs(5));
    world.require(bound(world, "hs104") == 0, "still bound after signing out");
}

#[test]
fn para_32_para_41_behind_a_rechallenging_proxy_the_home_server_owns_the_association() {
    for seed in 0..20 {
        let scenario = Scenario { mode: Mode::AlwaysProxy, ..Scenario::default() };
        let mut world = scenario.without_phones_but(seed, rechallenging);
        let mut config = scenario::alice();
        config.auth.target_name = TargetNameRule::InDomain;
        world.add_phone("alice", config, scenario::credentials());
        scenario::must_sign_in(&mut world, "not registered");
        world.require(bound(&world, "hs104") == 1 && bound(&world, "lb") == 0, "bound at the home server");
        lives_and_leaves(&mut world);
    }
}

#[test]
fn a_proxied_user_who_moves_is_held_by_one_server_within_the_lease() {
    for seed in 0..20 {
        let scenario = Scenario { mode: Mode::AlwaysProxy, on_move: OnMove::Recall, ..Scenario::default() };
        let mut world = scenario.build(seed);
        scenario::must_sign_in(&mut world, "not registered");
        world.assign(scenario::ALICE, "hs106.network.com", "rebalanced");
        scenario::refresh(&mut world);
        world.run_for(Duration::from_secs(2));
        world.require(bound(&world, "hs104") == 0, "the old server holds on beyond the lease");
        let home = world.run_to(Duration::from_secs(10), |world| bound(world, "hs106") == 1);
        world.require(home, "without a binding for longer than one login");
        world.run_for(Duration::from_secs(60));
        world.require(bound(&world, "hs106") == 1 && scenario::is_in(&world), "not at the new home");
    }
}

/// The directory changes between the look-up of the server that passes a REGISTER on and that of the next one,
/// which always redirects clients: a server is not redirected, whatever the mode.
#[test]
fn what_another_server_passed_on_is_proxied_even_where_clients_are_always_redirected() {
    let change = |config: &mut NodeConfig| {
        let first = config.identity.name == "lb";
        config.routing.mode = if first { Mode::AlwaysProxy } else { Mode::AlwaysRedirect };
    };
    // A server has no association: as a client it would be refused here.
    let scenario = Scenario { no_association: NoAssociation::Forbid, ..Scenario::default() };
    let mut world = scenario.build_with(3, change);
    let slow = world.server("hs104");
    world.servers[slow].directory_delay = Duration::from_millis(500);
    scenario::login(&mut world);
    let passed_on = world.run_to(Duration::from_secs(10), |world| {
        world.ladder.place_of("hs104", "", "asks the directory").is_some()
    });
    world.require(passed_on, "nothing was passed on to hs104");
    world.assign(scenario::ALICE, "hs106.network.com", "rebalanced");
    let registered = world.run_to(Duration::from_secs(10), scenario::is_in);
    world.require(registered, "not registered");
    world.require(bound(&world, "hs106") == 1 && bound(&world, "hs104") == 0, "bound at the home server");
    world.require(world.ladder.count("hs104", "hs106", "REGISTER") == 1, "hs104 passed it on");
    world.require(world.ladder.count("hs104", "lb", "301") == 0, "a server was redirected");
    world.require(world.ladder.count("lb", "alice", "301") == 0, "and its client with it");
}

/// Settled: Digest users at the wrong server have no association that could sign a redirect.
#[test]
fn a_digest_user_at_the_wrong_server_is_proxied_without_credentials() {
    for seed in 0..20 {
        let mut world = Scenario { schemes: Schemes::Digest, ..Scenario::default() }.build(seed);
        let passed_on = overheard(&mut world, "lb", "hs104");
        scenario::must_sign_in(&mut world, "not registered");
        world.require(bound(&world, "hs104") == 1 && bound(&world, "lb") == 0, "bound at the home server");
        scenario::refresh(&mut world);
        world.run_for(Duration::from_secs(5));
        let refreshed = world.phones[0].heard(|event| matches!(event, AccountEvent::Refreshed { .. }));
        world.require(refreshed == 1, "not refreshed");
        scenario::logout(&mut world);
        world.run_for(Duration::from_secs(5));
        world.require(bound(&world, "hs104") == 0, "still bound after signing out");
        let text = passed_on.borrow();
        world.require(text.matches("REGISTER sip:").count() == 3, "sign in, refresh, sign out");
        world.require(text.contains("P-Asserted-Identity: <sip:alice@network.com>"), "vouched for");
        world.require(!text.contains("uthorization"), "credentials were passed on");
    }
}

#[test]
fn a_digest_user_at_the_wrong_server_is_refused_where_the_estate_forbids_it() {
    let scenario =
        Scenario { schemes: Schemes::Digest, no_association: NoAssociation::Forbid, ..Scenario::default() };
    let mut world = scenario.build(1);
    let passed_on = overheard(&mut world, "lb", "hs104");
    scenario::login(&mut world);
    world.run_for(Duration::from_secs(20));
    world.require(world.ladder.count("lb", "alice", "403") >= 1, "no 403");
    world.require(!scenario::is_in(&world) && passed_on.borrow().is_empty(), "passed on all the same");
}
