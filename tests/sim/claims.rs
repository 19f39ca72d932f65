//! The methods of the redirecting patent, whole: whom the first server redirects, whom it proxies, and that it
//! knows its client before it asks the directory.

use homing_core::config::Scheme;
use homing_core::secret::Password;
use homing_core::transport::Transport;
use homing_server_mock::node::config::{Dialect, Mode};
use homing_tests::scenario::{self, Scenario};
use homing_tests::world::World;
use homing_wire::{Builder, Message, Name};

/// A load distributor, and a home server that is not Alice's.
const FIRST_SERVERS: [&str; 2] = ["lb", "hs102"];
const DIALECTS: [Dialect; 4] = [Dialect::Sip2, Dialect::Sipae3, Dialect::Sipae4, Dialect::Auto];
/// Where the directory says that Alice belongs.
const HOME: &str = "hs106";

/// A scenario whose directory service names `first`, with Alice assigned to [`HOME`].
fn scenario(mode: Mode, first: &str, dialect: Dialect) -> World {
    let mut world = Scenario { mode, dialect, ..Scenario::default() }.build(1);
    let first = format!("{first}.network.com");
    world.zone.set_srv("_sipinternaltls._tcp.network.com", &[(&first, 5061, 0, 0)]);
    world.assign(scenario::ALICE, &format!("{HOME}.network.com"), "balanced");
    world
}

/// Every first server in every dialect.
fn each(mut tell: impl FnMut(&'static str, Dialect)) {
    for first in FIRST_SERVERS {
        for dialect in DIALECTS {
            tell(first, dialect);
        }
    }
}

/// A proxy on the client's side: it adds its Via to requests and takes it off answers (RFC 3261 16.6, 16.7).
fn through_a_forward_proxy(world: &mut World, first: &'static str) {
    world.network.tamper = Some(Box::new(move |passing| {
        let message = Message::parse(passing.bytes.clone()).ok()?;
        if ![(passing.from, passing.to), (passing.to, passing.from)].contains(&("alice", first)) {
            return None;
        }
        let passed_on = if message.is_request() {
            let branch = message.via().ok()?.branch()?.to_owned();
            let via = format!("SIP/2.0/TLS proxy.client.net:5061;branch={branch}-forward");
            Builder::from_message(&message).prepend(Name::Via, via)
        } else {
            Builder::from_message(&message).remove_first(Name::Via)
        };
        Some(vec![passed_on.finish()])
    }));
}

/// Redirected once, by a signed 301 of the first server, and not heard of there again.
fn was_redirected(world: &World, first: &str) {
    world.require(world.ladder.count(first, "alice", "301") == 1, "one 301 by the first server");
    world.require(world.ladder.count(first, HOME, "REGISTER") == 0, "nothing was proxied");
    let all = world.ladder.messages();
    let redirected = all.iter().position(|line| line.starts_with(&format!("{first} > alice: 301")));
    let later = &all[redirected.expect("counted above")..];
    let heard = later.iter().any(|line| line.starts_with(&format!("alice > {first}:")));
    world.require(!heard, "the first server heard from its client after its 301");
    world.require(
        scenario::home(world).as_deref() == Some(HOME),
        "the client's outbound proxy is its home server",
    );
    let journey = &world.phones[0].registered().expect("registered").journey;
    world.require(journey.hops.len() == 2 && journey.redirects() == 1, "a journey of two hops");
}

/// Not redirected at all: the first server passes the requests on and stays in the way.
fn was_proxied(world: &World, first: &str) {
    let redirects: usize =
        world.servers.iter().map(|server| world.ladder.count(&server.short, "alice", "301")).sum();
    world.require(redirects == 0, "somebody redirected");
    world
        .require(world.ladder.count(first, HOME, "REGISTER") == 1, "the first server passed one REGISTER on");
    world.require(world.ladder.count("alice", HOME, "") == 0, "the client spoke to its home server itself");
    world.require(scenario::home(world).as_deref() == Some(first), "the first server is the outbound proxy");
}

/// Every hop by NTLM over TLS, one binding, and it is where the directory says.
fn is_home_by_ntlm_over_tls(world: &World) {
    for hop in &world.phones[0].registered().expect("registered").journey.hops {
        world.require(hop.scheme == Some(Scheme::Ntlm), "by NTLM");
        world.require(hop.transport == Transport::Tls, "over TLS");
    }
    for server in &world.servers {
        let bound = usize::from(server.short == HOME);
        world.require(server.bindings(scenario::ALICE) == bound, &format!("bindings at {}", server.short));
    }
}

/// The server asked its directory only once its client had sent the token that proves it.
fn knew_its_client_before_it_asked(world: &World, server: &str) {
    let proved = world.ladder.place_of("alice", server, "NTLM token");
    let asked = world.ladder.place_of(server, "", "asks the directory about alice@network.com");
    world.require(proved.is_some() && asked.is_some(), "a proof and a question");
    world.require(proved < asked, &format!("{server} asked the directory about somebody unknown"));
}

/// The directory is not asked about a user whose password is wrong.
fn asks_nothing_about_the_unproved(mut world: World) {
    let mut wrong = scenario::credentials();
    wrong.password = Password::new("not it");
    world.phones[0].credentials = Some(wrong);
    let registered = scenario::sign_in(&mut world);
    world.require(!registered, "registered with a wrong password");
    for server in &world.servers {
        let asked = world.ladder.place_of(&server.short, "", "asks the directory");
        world.require(asked.is_none(), &format!("{} asked about somebody unproved", server.short));
    }
}

#[test]
fn redirect_claim_01_02_04_to_08_10_para_32_49_the_first_server_redirects() {
    each(|first, dialect| {
        let mut world = scenario(Mode::AlwaysRedirect, first, dialect);
        scenario::must_sign_in(&mut world, "not registered");
        was_redirected(&world, first);
        is_home_by_ntlm_over_tls(&world);
        // The home server goes through the same procedure as the first one.
        for server in [first, HOME] {
            knew_its_client_before_it_asked(&world, server);
        }
        asks_nothing_about_the_unproved(scenario(Mode::AlwaysRedirect, first, dialect));
    });
}

#[test]
fn redirect_claim_11_12_14_to_18_20_34_para_51_52_54_62_one_via_redirects_and_more_proxy() {
    each(|first, dialect| {
        let mut world = scenario(Mode::ByVia, first, dialect);
        scenario::must_sign_in(&mut world, "not registered");
        was_redirected(&world, first);
        is_home_by_ntlm_over_tls(&world);
        knew_its_client_before_it_asked(&world, first);

        let mut world = scenario(Mode::ByVia, first, dialect);
        through_a_forward_proxy(&mut world, first);
        scenario::must_sign_in(&mut world, "not registered through a proxy");
        was_proxied(&world, first);
        is_home_by_ntlm_over_tls(&world);
        knew_its_client_before_it_asked(&world, first);
        asks_nothing_about_the_unproved(scenario(Mode::ByVia, first, dialect));
    });
}

#[test]
fn redirect_claim_21_24_to_28_30_35_the_first_server_proxies() {
    each(|first, dialect| {
        let mut world = scenario(Mode::AlwaysProxy, first, dialect);
        scenario::must_sign_in(&mut world, "not registered");
        was_proxied(&world, first);
        is_home_by_ntlm_over_tls(&world);
        knew_its_client_before_it_asked(&world, first);
        asks_nothing_about_the_unproved(scenario(Mode::AlwaysProxy, first, dialect));
    });
}
