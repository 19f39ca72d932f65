//! Two accounts of one address of record on one connection: what is said to one of them reaches that one.

use bytes::Bytes;
use homing_core::command::Command;
use homing_core::config::{AccountConfig, Aor};
use homing_core::ids::AccountId;
use homing_core::state::AccountState;

use super::world::World;
use super::world::server::Gate;

const SERVER: &str = "hs104.network.com";

/// Adds an account and signs it in over the connection that is there.
fn add(world: &mut World, aor: &str, epid: &str) -> AccountId {
    let now = world.now();
    let config = AccountConfig::new(Aor::parse(aor).unwrap(), epid);
    let account = world.agent.add_account(config, now).unwrap();
    world.command(|_| Command::Register(account));
    assert_eq!(world.agent.state(account), Some(AccountState::Registered), "{aor} {epid}");
    account
}

/// What the agent answers to an OPTIONS for that endpoint.
fn asked(world: &mut World, aor: &str, epid: &str, number: u32) -> Option<u16> {
    let request = format!(
        "OPTIONS sip:198.51.100.7:40000 SIP/2.0\r\nVia: SIP/2.0/TLS {SERVER};branch=z9hG4bKo{number}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:somebody@network.com>;tag=s\r\nTo: <sip:{aor}>;epid={epid}\r\n\
         Call-ID: o{number}\r\nCSeq: {number} OPTIONS\r\nContent-Length: 0\r\n\r\n"
    );
    let before = world.sent.len();
    world.say(SERVER, Bytes::from(request));
    world.sent[before..].iter().find_map(|(_, message)| message.status())
}

#[test]
fn when_one_of_two_namesakes_is_removed_the_other_is_still_found() {
    let mut world = World::new(|_| {});
    world.srv(&[(10, SERVER)]);
    world.server(SERVER).gate(Gate::Open);
    world.login();
    let (aor, stays, gone) = ("user@network.com", "3344", "5566");
    let second = add(&mut world, aor, gone);
    // With a third on the connection, whom a request is for is told by its address only.
    add(&mut world, "bob@network.com", "7788");
    assert_eq!(world.agent.flows(), 1);
    for (number, epid) in (1..).zip([stays, gone]) {
        assert_eq!(asked(&mut world, aor, epid, number), Some(200), "{epid}");
    }
    world.command(|_| Command::Unregister(second));
    world.command(|_| Command::Remove(second));
    assert_eq!(asked(&mut world, aor, stays, 3), Some(200), "the namesake that stays");
    assert_eq!(asked(&mut world, aor, gone, 4), Some(404), "the one that is gone");
    assert_eq!(asked(&mut world, "bob@network.com", "7788", 5), Some(200));
    assert_eq!(world.state(), AccountState::Registered);
}
