//! Who proved who they are and still may not: users who are disabled, and users who act for somebody else.

use std::sync::Arc;
use std::time::Duration;

use homing_core::config::{ServerChoice, UnsignedRule};
use homing_core::secret::Password;
use homing_core::transport::Transport;
use homing_server_mock::node::accounts::Accounts;
use homing_server_mock::node::config::{Dialect, NodeConfig, Schemes};
use homing_tests::scenario::{self, Scenario};
use homing_tests::world::World;
use homing_wire::{Builder, Message, Method, Name};

const SCHEMES: [Schemes; 2] = [Schemes::Ntlm, Schemes::Digest];

/// Everybody's bindings, everywhere.
fn bindings(world: &World) -> usize {
    let held = |server: &homing_tests::world::server::Server| {
        server.bindings(scenario::ALICE) + server.bindings(scenario::BOB)
    };
    world.servers.iter().map(held).sum()
}

/// A scenario that knows Alice and her password; `enabled` as its administrator has it.
fn town_where_alice_is(enabled: bool, schemes: Schemes) -> World {
    let mut accounts = Accounts::new();
    accounts.add_domain("NETWORK", scenario::DOMAIN);
    accounts.add("alice", scenario::DOMAIN, Password::new(scenario::CANARY));
    assert!(accounts.enable(scenario::ALICE, enabled));
    let accounts = Arc::new(accounts);
    let known = |config: &mut NodeConfig| config.accounts = Arc::clone(&accounts);
    Scenario { schemes, dialect: Dialect::Sip2, ..Scenario::default() }.build_with(1, known)
}

#[test]
fn a_disabled_user_does_not_sign_in_by_ntlm_nor_by_digest() {
    for schemes in SCHEMES {
        let mut world = town_where_alice_is(true, schemes);
        scenario::must_sign_in(&mut world, "the same user, enabled");
        let mut world = town_where_alice_is(false, schemes);
        let registered = scenario::sign_in(&mut world);
        world.require(!registered && bindings(&world) == 0, &format!("signed in by {schemes:?}"));
        world.require(world.phones[0].failure().is_some(), "nobody told her");
    }
}

/// Alice at her home server, where the proof does not cover To: by Digest, and by NTLM before version 4.
fn alice_registers_for(whom: &'static str, schemes: Schemes) -> World {
    let mut config = scenario::alice();
    config.server =
        ServerChoice::Fixed { host: "hs104.network.com".to_owned(), port: None, transport: Transport::Tls };
    config.redirect.unsigned = UnsignedRule::Refuse;
    let mut world = Scenario { schemes, dialect: Dialect::Sip2, ..Scenario::default() }.without_phones(2);
    world.network.tamper = Some(Box::new(move |passing| {
        let request = Message::parse(passing.bytes.clone()).ok()?;
        let to = format!("<sip:{whom}>");
        let is_register = request.method() == Some(Method::Register);
        is_register.then(|| vec![Builder::from_message(&request).replace(Name::To, to).finish()])
    }));
    world.add_phone("alice", config, scenario::credentials());
    world
}

#[test]
fn a_user_registers_nobody_else() {
    for schemes in SCHEMES {
        let mut world = alice_registers_for(scenario::ALICE, schemes);
        scenario::must_sign_in(&mut world, "To as it was");
        for whom in [scenario::BOB, "nobody@network.com"] {
            let mut world = alice_registers_for(whom, schemes);
            scenario::login(&mut world);
            world.run_for(Duration::from_secs(60));
            world.require(bindings(&world) == 0, &format!("registered {whom} by {schemes:?}"));
            world
                .require(world.ladder.count("hs104", "alice", "403") >= 1, &format!("no 403 by {schemes:?}"));
        }
    }
}
