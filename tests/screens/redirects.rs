//! The redirect table as a person meets it: each wrong or right redirect is played in the world, what the phone
//! was told is replayed on its screen, and the sentences stand in one reviewed table.

use std::fmt::Write as _;
use std::time::Duration;

use homing_core::config::{AccountConfig, LoopRule, UnsignedRule};
use homing_core::event::AccountEvent;
use homing_server_mock::fault::Fault;
use homing_server_mock::node::config::{NoAssociation, Schemes};
use homing_tests::scenario::{self, Scenario};
use homing_tests::world::World;
use homing_tui::HeadlessPhone;

const MINUTE: Duration = Duration::from_secs(60);

/// One row: what is played, and what comes of it.
type Row = (&'static str, fn() -> Played);

/// A world after its play, and when that began.
struct Played {
    world: World,
    since: Duration,
}

const ROWS: &[Row] = &[
    ("signed and good", || lured(|_| {})),
    ("unsigned", || lured_by(Fault::Unsigned301)),
    ("wrong signature", || lured_by(Fault::BadSignature301)),
    ("signature of another server's association", || lured_by(Fault::OtherServersSignature)),
    ("replayed", || lured_by(Fault::Replayed301)),
    ("status changed after signing", || lured_by(Fault::StatusChanged)),
    ("Contact changed after signing", || lured_by(Fault::ContactChanged)),
    ("to itself", || lured_by(Fault::ToItself)),
    ("a loop of two", || ring_of(2)),
    ("a loop of three", || ring_of(3)),
    ("five hops pass", || lured(|world| scenario::row(world, 5))),
    ("the sixth hop fails", || lured(|world| scenario::row(world, 6))),
    ("limit 0", || by_rule(|config| config.redirect.limit = 0, |_| {})),
    ("the strict reading fails at the second", || {
        by_rule(|config| config.redirect.loops = LoopRule::StrictPatent, |world| scenario::row(world, 2))
    }),
    ("from TLS to TCP", || lured_by(Fault::TlsToTcp)),
    ("into another domain", || lured_by(Fault::OtherDomain)),
    ("an IP literal", || lured_by(Fault::IpLiteral)),
    ("maddr", || lured_by(Fault::Maddr)),
    ("no usable Contact", || lured_by(Fault::NoContact)),
    ("two Contacts with q, the first is dead", || lured_by(Fault::TwoContactsFirstDead)),
    ("signed, during a refresh", || at_refresh(None)),
    ("unsigned, during a refresh", || at_refresh(Some(Fault::Unsigned301))),
    ("during the renewal of the association", at_renewal),
    ("302, not allowed", || lured_by(Fault::Status302)),
    ("302, allowed by policy", || {
        by_rule(
            |config| config.redirect.also_302 = true,
            |world| scenario::always(world, "lb", Fault::Status302),
        )
    }),
    ("from a Digest registrar, not allowed", || from_digest(UnsignedRule::Refuse)),
    ("from a Digest registrar, allowed by policy", || from_digest(UnsignedRule::FollowOverTls)),
];

/// Sets a trap, signs in, and waits until that went well or failed.
fn lured(trap: impl FnOnce(&mut World)) -> Played {
    signed_in_or_not(Scenario::default().build(7), trap)
}

fn lured_by(fault: Fault) -> Played {
    lured(|world| scenario::always(world, "lb", fault))
}

fn ring_of(length: u8) -> Played {
    let world = Scenario { homes: length - 1, ..Scenario::default() }.build(8);
    signed_in_or_not(world, |world| scenario::ring(world, Fault::Loop(length)))
}

/// The same with a rule of the account's own.
fn by_rule(rule: impl FnOnce(&mut AccountConfig), trap: impl FnOnce(&mut World)) -> Played {
    let mut config = scenario::alice();
    rule(&mut config);
    let mut world = Scenario::default().without_phones(7);
    world.add_phone("alice", config, scenario::credentials());
    signed_in_or_not(world, trap)
}

fn from_digest(unsigned: UnsignedRule) -> Played {
    let mut config = scenario::alice();
    config.redirect.unsigned = unsigned;
    let no_association = NoAssociation::Unsigned301;
    let mut world =
        Scenario { schemes: Schemes::Digest, no_association, ..Scenario::default() }.without_phones(14);
    world.add_phone("alice", config, scenario::credentials());
    signed_in_or_not(world, |_| {})
}

/// Alice is signed in and moved; the 301 meets her refresh.
fn at_refresh(fault: Option<Fault>) -> Played {
    let mut world = Scenario { expires: 600, ..Scenario::default() }.build(2);
    scenario::must_sign_in(&mut world, "not registered");
    let since = world.now();
    world.assign(scenario::ALICE, "hs106.network.com", "rebalanced");
    if let Some(fault) = fault {
        scenario::next(&mut world, 1, "hs104", fault);
    }
    scenario::refresh(&mut world);
    until_settled(world, since)
}

/// Alice is moved while her association is renewed, eight hours after she came.
fn at_renewal() -> Played {
    let mut world = Scenario { expires: 900, ..Scenario::default() }.build(2);
    scenario::must_sign_in(&mut world, "not registered");
    let handshakes = |world: &World| {
        let opens =
            |line: &&String| line.contains("alice > hs104: REGISTER") && line.contains("NTLM empty token");
        world.ladder.messages().iter().filter(opens).count()
    };
    let renewing = world.run_to(Duration::from_secs(8 * 3600), |world| handshakes(world) == 2);
    world.require(renewing, "no renewal in eight hours");
    let since = world.now();
    world.assign(scenario::ALICE, "hs106.network.com", "at the wrong moment");
    until_settled(world, since)
}

fn signed_in_or_not(mut world: World, trap: impl FnOnce(&mut World)) -> Played {
    trap(&mut world);
    scenario::login(&mut world);
    until_settled(world, Duration::ZERO)
}

/// Runs until a login ended, well or not, at most for a minute.
fn until_settled(mut world: World, since: Duration) -> Played {
    let ended = |event: &AccountEvent| {
        matches!(event, AccountEvent::Registered(_) | AccountEvent::LoginFailed { .. })
    };
    world.run_to(MINUTE, |world| world.phones[0].told.iter().any(|(at, event)| *at >= since && ended(event)));
    Played { world, since }
}

/// What the phone shows of it: everything it told, then the journey and the status line as they stand.
fn shown(played: &Played) -> String {
    let phone = &played.world.phones[0];
    let mut headless = HeadlessPhone::new(118, 60);
    headless.add(phone.account, phone.config.aor.clone());
    let mut before = 0;
    for (at, event) in &phone.told {
        if *at < played.since {
            before = headless.told().len();
        }
        headless.happened(phone.account, event.clone(), *at);
    }
    let mut text = String::new();
    for told in headless.told().into_iter().skip(before) {
        let told = told.replace('\n', "\n         ");
        writeln!(text, "  says   {told}").expect("a string takes it");
    }
    let screen = headless.screen();
    let inside = screen.iter().filter_map(|line| line.strip_prefix('│')?.strip_suffix('│'));
    for line in inside.map(str::trim_end).filter(|line| !line.is_empty()) {
        writeln!(text, "  shows  {line}").expect("a string takes it");
    }
    let status = screen.last().map(String::as_str).unwrap_or_default();
    writeln!(text, "  stands {status}").expect("a string takes it");
    text
}

#[test]
fn every_row_of_the_redirect_table_has_its_sentence_and_next_step() {
    let mut table = String::new();
    for (name, play) in ROWS {
        write!(table, "{name}\n{}\n", shown(&play())).expect("a string takes it");
    }
    insta::assert_snapshot!("redirect_table", table);
}

#[test]
fn what_is_refused_has_a_code_and_a_hint_and_what_is_followed_has_neither() {
    for (name, play) in ROWS {
        let played = play();
        let text = shown(&played);
        let failed = played.world.phones[0].failure();
        assert_eq!(text.contains("Hint:"), failed.is_some(), "{name}\n{text}");
        if let Some(error) = failed {
            let code = error.code();
            assert!(text.contains(&format!("says   {code} ")), "{name}: {code} is not said\n{text}");
            assert!(text.contains(&format!("rejected ({code})")), "{name}: {code} does not stand\n{text}");
            assert!(text.contains("next attempt in"), "{name}: when it is tried again is not said\n{text}");
        }
    }
}
