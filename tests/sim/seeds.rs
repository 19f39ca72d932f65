//! Many seeds of one long conversation: login, redirect, refresh, renewal, moves, crashes, DNS changes, loss.
//!
//! `HOMING_SEEDS` says how many (300 unless said), `HOMING_SEED` runs one and prints its ladder. Every
//! conversation is run twice and must be the same to the octet. Those that end well are not read, so their
//! ladders are kept as a fingerprint only; one that goes wrong is told once more, with its ladder.
//!
//! The first telling also gives the behaviour digest. Those of the first 300 seeds are committed and must
//! not move unseen; `HOMING_DIGESTS` names a file that takes those of all seeds.

use std::path::Path;
use std::time::Duration;

use homing_core::counter::Counter;
use homing_core::event::AccountEvent;
use homing_core::ids::{Rng, Seed};
use homing_core::outbox::Input;
use homing_core::state::AccountState;
use homing_server_mock::fault::Fault;
use homing_server_mock::node::config::{Dialect, OnMove, Schemes};
use homing_tests::digest::{self, Digest};
use homing_tests::scenario::{self, Scenario};
use homing_tests::world::World;
use homing_tests::world::link::NetworkConditions;
use homing_tests::world::zone::Mood;

/// Network conditions are bad for so long.
const DISTURBANCE: Duration = Duration::from_secs(3_600);
/// One conversation in four is quiet for so long first: its disturbance meets the renewal of the association, which
/// is due five minutes before eight hours.
const QUIET: Duration = Duration::from_secs(7 * 3_600 + 1_800);
/// After that everybody must be home within this.
const RECOVERY: Duration = Duration::from_secs(900);
/// Alice's phone: NTLM over TLS, found by DNS.
const ALICE: usize = 0;
/// Bob's phone: Digest over UDP, server written down.
const BOB: usize = 1;

#[test]
fn seeds() {
    if let Some(seed) = number("HOMING_SEED") {
        println!("{}", conversation(seed, Ladder::Read).ladder);
        return;
    }
    let digests: Vec<(String, u64)> = (0..number("HOMING_SEEDS").unwrap_or(LISTED))
        .map(|seed| (seed.to_string(), run_twice(seed)))
        .collect();
    if let Some(path) = std::env::var_os("HOMING_DIGESTS") {
        std::fs::write(path, digest::lines(&digests)).unwrap();
    }
    let listed = digests.len().min(usize::try_from(LISTED).unwrap());
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/digests/seeds.txt");
    digest::compare(&list, &digests[..listed]).unwrap_or_else(|moved| panic!("{moved}"));
}

/// So many seeds are run unless somebody asks for another number, and their digests are committed.
const LISTED: u64 = 300;

/// Whether anybody reads what happens.
#[derive(Clone, Copy)]
enum Ladder {
    Read,
    /// Its behaviour is digested.
    Digested,
    Unread,
}

/// Runs a conversation twice and returns its behaviour digest.
fn run_twice(seed: u64) -> u64 {
    let run = |ladder| {
        std::panic::catch_unwind(|| {
            let world = conversation(seed, ladder);
            (world.ladder.fingerprint(), world.digest.map(|digest| digest.finish()))
        })
    };
    if let (Ok((once, Some(digest))), Ok((again, _))) = (run(Ladder::Digested), run(Ladder::Unread))
        && once == again
    {
        return digest;
    }
    // Ends the test with the ladder if the conversation goes wrong.
    let world = conversation(seed, Ladder::Read);
    world.fail("the same seed gave another conversation")
}

fn behaviour(seed: u64) -> u64 {
    conversation(seed, Ladder::Digested).digest.unwrap().finish()
}

/// The fingerprint does not depend on the reader, and does on everything else.
#[test]
fn another_seed_is_another_conversation() {
    let print = |seed, ladder| conversation(seed, ladder).ladder.fingerprint();
    let prints: std::collections::BTreeSet<u64> = (0..20).map(|seed| print(seed, Ladder::Unread)).collect();
    assert_eq!(prints.len(), 20);
    assert!(prints.contains(&print(7, Ladder::Read)));
}

/// The digest of a conversation differs from another's, and does not change from one run to the next.
#[test]
fn a_digest_is_of_one_conversation() {
    let digests: std::collections::BTreeSet<u64> = (0..20).map(behaviour).collect();
    assert_eq!(digests.len(), 20);
    assert!(digests.contains(&behaviour(7)));
}

/// Runs one conversation to its end and checks that everybody came home.
fn conversation(seed: u64, ladder: Ladder) -> World {
    let script = Seed::from_number(seed ^ 0x5709_1e55);
    let pick = |purpose, of: u64| usize::try_from(script.rng(purpose).below(of)).unwrap_or(0);
    let dialect = [Dialect::Auto, Dialect::Sip2, Dialect::Sipae3, Dialect::Sipae4][pick("dialect", 4)];
    let quiet = if pick("quiet", 4) == 0 { QUIET } else { Duration::ZERO };
    let expires = [120, 300, 900][pick("expires", 3)];
    let expires = if quiet.is_zero() { expires } else { 900 };
    let schemes = Schemes::NtlmAndDigest;
    let on_move = if seed.is_multiple_of(2) { OnMove::AtRefresh } else { OnMove::Recall };
    let mut world =
        Scenario { dialect, expires, schemes, on_move, homes: 4, ..Scenario::default() }.build(seed);
    if !matches!(ladder, Ladder::Read) {
        world.ladder.keep_no_lines();
    }
    if matches!(ladder, Ladder::Digested) {
        world.digest = Some(Digest::default());
    }
    world.add_phone("bob", scenario::bob_by_udp(), scenario::bobs_credentials());
    let disturbed = conditions(pick("weather", 4));
    if quiet.is_zero() {
        world.network.conditions = disturbed;
    }
    scenario::login_of(&mut world, ALICE);
    scenario::login_of(&mut world, BOB);
    for deed in 0..2 + pick("deeds", 5) as u64 {
        let mut script = Rng::new(&script.stream("deed", &[deed]));
        let when = quiet + Duration::from_millis(script.below(3_400_000));
        plan(&mut world, &mut script, when);
    }
    world.run_until(quiet);
    world.network.conditions = disturbed;
    world.run_until(quiet + DISTURBANCE);
    recover(&mut world);
    world
}

/// Conditions are good again: what was broken is mended, then every phone must be registered.
fn recover(world: &mut World) {
    world.network.conditions = NetworkConditions::default();
    world.zone.mood = Mood::Answers;
    for server in 0..world.servers.len() {
        world.revive(server);
        world.servers[server].deaf = false;
        world.command(server, homing_server_mock::node::io::NodeCommand::ClearFaults);
    }
    for phone in [ALICE, BOB] {
        world.tell(phone, Input::NetworkChanged { online: true });
        if matches!(world.phones[phone].state(), AccountState::LoggedOff | AccountState::Offline) {
            scenario::login_of(world, phone);
        }
    }
    world.run_for(RECOVERY);
    for (phone, user) in [(ALICE, scenario::ALICE), (BOB, scenario::BOB)] {
        let state = world.phones[phone].state();
        let here = matches!(state, AccountState::Registered | AccountState::Fallback);
        world.require(here, &format!("{user}: a registration was lost, {state:?}"));
        let homes = world.homes(phone).count();
        world.require(homes == 1, &format!("{user}: {homes} homes"));
        let at = world.homes(phone).next().map(|server| server.config.identity.fqdn.clone());
        let assigned = world.home_of(user);
        world.require(at == assigned, &format!("{user} is at {at:?}, assigned to {assigned:?}"));
    }
}

fn conditions(pick: usize) -> NetworkConditions {
    match pick {
        0 => NetworkConditions::default(),
        1 => NetworkConditions::lossy(0, 0),
        2 => NetworkConditions::lossy(50, 20),
        _ => NetworkConditions::lossy(200, 50),
    }
}

/// Schedules one thing that goes wrong, and its end.
fn plan(world: &mut World, script: &mut Rng, when: Duration) {
    let length = Duration::from_millis(script.below(240_000));
    let victim = usize::try_from(script.below(world.servers.len() as u64)).unwrap_or(0);
    let home = format!("hs{}.network.com", 101 + script.below(4));
    match script.below(12) {
        0 => {
            world.at(when, move |world| world.crash_if_up(victim));
            world.at(when + length, move |world| world.revive(victim));
        }
        1 => world.at(when, move |world| world.assign(scenario::ALICE, &home, "rebalanced")),
        2 => {
            let back = home.clone();
            world.at(when, move |world| world.assign(scenario::ALICE, &home, "there"));
            world.at(when + length, move |world| world.assign(scenario::ALICE, &back, "again"));
        }
        3 => {
            let mood = if script.below(2) == 0 { Mood::Fails } else { Mood::Silent };
            world.at(when, move |world| world.zone.mood = mood);
            world.at(when + length, |world| world.zone.mood = Mood::Answers);
        }
        4 => world.at(when, move |world| {
            world.zone.set_srv("_sipinternaltls._tcp.network.com", &[(&home, 5061, 0, 0)]);
        }),
        5 => world.at(when, |world| world.silence(ALICE)),
        6 => {
            world.at(when, move |world| world.servers[victim].deaf = true);
            world.at(when + length, move |world| world.servers[victim].deaf = false);
        }
        7 => {
            let fault = fault(script);
            let short = world.servers[victim].short.clone();
            world.at(when, move |world| scenario::next(world, 2, &short, fault));
        }
        8 => {
            world.at(when, |world| world.tell(0, Input::NetworkChanged { online: false }));
            world.at(when + length, |world| world.tell(0, Input::NetworkChanged { online: true }));
        }
        9 => world.at(when, scenario::refresh),
        10 => {
            world.at(when, |world| world.silence(BOB));
        }
        _ => {
            world.at(when, |world| {
                world.restart_phone(0);
                scenario::login(world);
            });
        }
    }
}

fn fault(script: &mut Rng) -> Fault {
    let faults = [
        Fault::Unsigned301,
        Fault::BadSignature301,
        Fault::ContactChanged,
        Fault::Replayed301,
        Fault::ToItself,
        Fault::OtherDomain,
        Fault::TlsToTcp,
        Fault::Silence,
        Fault::Delay(Duration::from_secs(7)),
        Fault::Status503 { retry_after: Some(10) },
        Fault::Status500,
        Fault::Cut,
        Fault::Garbage(32),
        Fault::WrongCSeq,
        Fault::BindingLost,
    ];
    let pick = usize::try_from(script.below(faults.len() as u64)).unwrap_or(0);
    faults[pick].clone()
}

/// Over a few hundred seeds everything that can happen does.
#[test]
fn the_conversations_meet_everything_that_can_happen() {
    let mut sums = std::collections::BTreeMap::new();
    let mut renewals = 0;
    for seed in 1_000..1_300 {
        for phone in conversation(seed, Ladder::Unread).phones {
            renewals += phone.heard(|event| matches!(event, AccountEvent::AssociationRenewed));
            for (counter, count) in phone.agent.counters().iter() {
                *sums.entry(counter).or_insert(0u64) += count;
            }
        }
    }
    for counter in [
        Counter::Logins,
        Counter::Refreshes,
        Counter::RedirectFollowed,
        Counter::RedirectRefused,
        Counter::Unsigned,
        Counter::BadSignature,
    ] {
        let count = sums.get(&counter).copied().unwrap_or_default();
        assert!(count > 0, "in three hundred conversations {counter:?} never happened: {sums:?}");
    }
    assert!(renewals > 0, "in three hundred conversations no association was renewed");
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
