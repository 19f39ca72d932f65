//! Proxying in place of redirecting: by Via count, and always.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use homing_core::config::TargetNameRule;
use homing_core::event::{AccountEvent, RequestOutcome};
use homing_server_mock::node::config::{BehindProxy, Mode, NoAssociation, NodeConfig, OnMove, Schemes};
use homing_tests::town::{self, Town};
use homing_tests::world::World;

#[test]
fn claim_21_25_27_28_30_35_always_proxy_registers_through_the_first_server() {
    let mut world = Town { mode: Mode::AlwaysProxy, ..Town::default() }.build(1);
    town::must_sign_in(&mut world, "not registered");
    world.require(world.ladder.count("lb", "alice", "301") == 0, "nobody was redirected");
    world.require(world.ladder.count("lb", "hs104", "REGISTER") >= 1, "the distributor proxied");
    world
        .require(world.servers[world.server("hs104")].bindings(town::ALICE) == 1, "bound at the home server");
    world.require(world.servers[world.server("lb")].bindings(town::ALICE) == 0, "not at the distributor");
}

#[test]
fn claim_01_always_redirect_redirects() {
    let mut world = Town { mode: Mode::AlwaysRedirect, ..Town::default() }.build(2);
    town::must_sign_in(&mut world, "not registered");
    world.require(world.ladder.count("lb", "alice", "301") == 1, "one redirect");
}

fn rechallenging(config: &mut NodeConfig) {
    config.signpost.behind_proxy = BehindProxy::Rechallenge;
}

fn bound(world: &World, server: &str) -> usize {
    world.servers[world.server(server)].bindings(town::ALICE)
}

/// Everything that travels from one host to another, as text.
fn overheard(world: &mut World, from: &'static str, to: &'static str) -> Rc<RefCell<String>> {
    let heard = Rc::new(RefCell::new(String::new()));
    let pen = Rc::clone(&heard);
    world.network.middle = Some(Box::new(move |passing| {
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
    town::refresh(world);
    world.run_for(Duration::from_secs(5));
    let refreshed = world.phones[0].heard(|event| matches!(event, AccountEvent::Refreshed { .. }));
    world.require(refreshed == 1, "not refreshed");
    world.require(bound(world, "hs104") == 1, "one binding");
    town::logout(world);
    world.run_for(Duration::from_secs(5));
    world.require(bound(world, "hs104") == 0, "still bound after signing out");
}

#[test]
fn para_32_para_41_behind_a_rechallenging_proxy_the_home_server_owns_the_association() {
    for seed in 0..20 {
        let town = Town { mode: Mode::AlwaysProxy, ..Town::default() };
        let mut world = town.without_phones_but(seed, rechallenging);
        let mut config = town::alice();
        config.auth.target_name = TargetNameRule::InDomain;
        world.add_phone("alice", config, town::credentials());
        town::must_sign_in(&mut world, "not registered");
        world.require(bound(&world, "hs104") == 1 && bound(&world, "lb") == 0, "bound at the home server");
        lives_and_leaves(&mut world);
    }
}

#[test]
fn a_proxied_user_who_moves_is_held_by_one_server_within_the_lease() {
    for seed in 0..20 {
        let town = Town { mode: Mode::AlwaysProxy, on_move: OnMove::Recall, ..Town::default() };
        let mut world = town.build(seed);
        town::must_sign_in(&mut world, "not registered");
        world.assign(town::ALICE, "hs106.network.com", "rebalanced");
        town::refresh(&mut world);
        world.run_for(Duration::from_secs(2));
        world.require(bound(&world, "hs104") == 0, "the old server holds on beyond the lease");
        let home = world.run_to(Duration::from_secs(10), |world| bound(world, "hs106") == 1);
        world.require(home, "without a binding for longer than one login");
        world.run_for(Duration::from_secs(60));
        world.require(bound(&world, "hs106") == 1 && town::is_in(&world), "not at the new home");
    }
}

/// Settled: Digest users at the wrong server have no association that could sign a redirect.
#[test]
fn a_digest_user_at_the_wrong_server_is_proxied_without_credentials() {
    for seed in 0..20 {
        let mut world = Town { schemes: Schemes::Digest, ..Town::default() }.build(seed);
        let passed_on = overheard(&mut world, "lb", "hs104");
        town::must_sign_in(&mut world, "not registered");
        world.require(bound(&world, "hs104") == 1 && bound(&world, "lb") == 0, "bound at the home server");
        town::refresh(&mut world);
        world.run_for(Duration::from_secs(5));
        let refreshed = world.phones[0].heard(|event| matches!(event, AccountEvent::Refreshed { .. }));
        world.require(refreshed == 1, "not refreshed");
        town::logout(&mut world);
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
    let town = Town { schemes: Schemes::Digest, no_association: NoAssociation::Forbid, ..Town::default() };
    let mut world = town.build(1);
    let passed_on = overheard(&mut world, "lb", "hs104");
    town::login(&mut world);
    world.run_for(Duration::from_secs(20));
    world.require(world.ladder.count("lb", "alice", "403") >= 1, "no 403");
    world.require(!town::is_in(&world) && passed_on.borrow().is_empty(), "passed on all the same");
}
