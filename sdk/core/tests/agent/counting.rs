//! What counts as a redirect: one 301 is one, however many addresses and nodes are tried for it.

use std::net::{IpAddr, SocketAddr};

use homing_core::dns::{DnsQuestion, DnsRecords, RecordKind, Srv};
use homing_core::journey::HopVerdict;
use homing_core::state::AccountState;

use super::world::{World, answer};

/// A server of that name with a dead address of IPv6 before its live one.
fn half_dead(world: &mut World, name: &str, dead: u16) -> SocketAddr {
    world.server(name);
    let live = *world.servers.iter().find(|(_, server)| server.name == name).unwrap().0;
    let gone = IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, dead]);
    let question = DnsQuestion { name: name.into(), kind: RecordKind::Address };
    world.dns.insert(question, answer(DnsRecords::Addresses(vec![gone, live.ip()])));
    live
}

/// A host without a port whose SRV record names `nodes`, all of them dead.
fn dead_pool(world: &mut World, host: &str, nodes: usize) {
    let node = |n: usize| format!("node{n}.{host}");
    let record = |n| Srv { priority: 10, weight: 10, port: 5061, target: node(n) };
    let question = DnsQuestion { name: format!("_sips._tcp.{host}"), kind: RecordKind::Srv };
    world.dns.insert(question, answer(DnsRecords::Srv((0..nodes).map(record).collect())));
    for n in 0..nodes {
        world.address(&node(n), SocketAddr::from(([203, 0, 113, 1 + u8::try_from(n).unwrap()], 5061)));
    }
}

/// `redirects` redirects, each to a host whose first address is dead.
fn half_dead_chain(redirects: u16) -> World {
    let mut world = World::new(|_| {});
    world.srv(&[(10, "s0.network.com")]);
    for n in 0..=redirects {
        half_dead(&mut world, &format!("s{n}.network.com"), n + 1);
        if n < redirects {
            let next = format!("<sip:s{}.network.com:5061;transport=tls>", n + 1);
            world.at(&format!("s{n}.network.com")).redirect_to(&next);
        }
    }
    world.login();
    world
}

#[test]
fn para_67_a_redirect_to_a_host_with_a_dead_address_is_one() {
    let world = half_dead_chain(1);
    let journey = &world.registered().journey;
    assert_eq!(journey.redirects(), 1, "{journey:?}");
    let dead = journey.hops.iter().filter(|hop| matches!(hop.verdict, HopVerdict::Unreachable(_)));
    assert_eq!(dead.count(), 2, "the dead addresses are told all the same");
}

#[test]
fn para_67_five_redirects_to_hosts_with_dead_addresses_are_followed_and_the_sixth_fails() {
    let world = half_dead_chain(5);
    assert_eq!(world.state(), AccountState::Registered);
    assert_eq!(world.registered().journey.redirects(), 5);
    assert_eq!(half_dead_chain(6).last_failure().error.code(), "E0701");
}

#[test]
fn para_67_a_redirect_to_a_pool_with_a_dead_node_is_one() {
    let mut world = World::new(|_| {});
    world.srv(&[(10, "s0.network.com")]);
    world.server("s0.network.com").redirect_to("<sip:pool.network.com;transport=tls>");
    dead_pool(&mut world, "pool.network.com", 3);
    let live = Srv { priority: 20, weight: 0, port: 5061, target: "live.network.com".into() };
    let question = DnsQuestion { name: "_sips._tcp.pool.network.com".into(), kind: RecordKind::Srv };
    if let DnsRecords::Srv(records) = &mut world.dns.get_mut(&question).unwrap().records {
        records.push(live);
    }
    world.server("live.network.com").certificate = vec!["pool.network.com".into()];
    world.at("live.network.com").targetname = "pool.network.com".into();
    world.login();
    assert_eq!(world.registered().journey.redirects(), 1);
}

#[test]
fn para_67_hundreds_of_dead_servers_do_not_hide_the_sixth_redirect() {
    let mut world = World::new(|_| {});
    world.srv(&[(10, "s0.network.com")]);
    for n in 0..=6 {
        let dead = (0..7).map(|k| format!("dead{n}x{k}.network.com"));
        dead.clone().for_each(|host| dead_pool(&mut world, &host, 10));
        let mut contacts: Vec<String> =
            dead.map(|host| format!("<sip:{host};transport=tls>;q=0.9")).collect();
        contacts.push(format!("<sip:s{}.network.com:5061;transport=tls>;q=0.1", n + 1));
        let contacts: Vec<&str> = contacts.iter().map(String::as_str).collect();
        world.server(&format!("s{n}.network.com")).redirect(301, &contacts, false);
    }
    world.server("s7.network.com");
    world.login();
    let failure = world.last_failure();
    assert_eq!(failure.error.code(), "E0701");
    assert_eq!(failure.journey.redirects(), 5);
    assert!(failure.journey.hops.len() <= 64, "the journey stays small");
    let followed =
        failure.journey.hops.iter().filter(|hop| matches!(hop.verdict, HopVerdict::Redirected { .. }));
    assert_eq!(followed.count(), 5, "and keeps the servers that answered");
    assert_eq!(world.at("s6.network.com").dials, 0);
}
