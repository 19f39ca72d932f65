//! Proxying in place of redirecting: by Via count, and always.

use homing_server_mock::node::config::Mode;
use homing_tests::town::{self, Town};

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
