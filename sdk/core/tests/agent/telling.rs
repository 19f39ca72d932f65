//! What a login tells on its way: states in order, journeys as they grow, news worth keeping.

use std::time::Duration;

use homing_core::command::Command;
use homing_core::event::{AccountEvent, LogoutReason, MoveCause};
use homing_core::journey::HopVerdict;
use homing_core::outbox::Answer;
use homing_core::outbox::Decision;
use homing_core::state::AccountState;

use super::world::main_job;
use super::world::server::{Fault, edited};

fn states(events: &[AccountEvent]) -> Vec<AccountState> {
    let to = |event: &AccountEvent| match event {
        AccountEvent::StateChanged { to, .. } => Some(*to),
        _ => None,
    };
    events.iter().filter_map(to).collect()
}

#[test]
fn the_states_of_the_main_job_are_told_in_order() {
    let mut world = main_job(|_| {});
    world.login();
    world.command(Command::Unregister);
    let expected = [
        AccountState::Resolving,
        AccountState::Connecting,
        AccountState::Registering,
        AccountState::Authenticating,
        AccountState::Redirected,
        AccountState::Connecting,
        AccountState::Registering,
        AccountState::Authenticating,
        AccountState::Registered,
        AccountState::LoggedOff,
    ];
    assert_eq!(states(&world.events), expected);
    let mut before = AccountState::Offline;
    for event in &world.events {
        if let AccountEvent::StateChanged { from, to } = event {
            assert_eq!(*from, before, "no state is left out");
            before = *to;
        }
    }
}

#[test]
fn the_journey_grows_hop_by_hop_and_ends_in_the_registration() {
    let mut world = main_job(|_| {});
    world.login();
    let journeys: Vec<_> = world
        .events
        .iter()
        .filter_map(|event| match event {
            AccountEvent::JourneyChanged(journey) => Some(journey.clone()),
            _ => None,
        })
        .collect();
    let hops: Vec<usize> = journeys.iter().map(|journey| journey.hops.len()).collect();
    assert!(hops.is_sorted() && hops.last() == Some(&2), "{hops:?}");
    let moved =
        journeys.iter().any(|journey| matches!(journey.hops[0].verdict, HopVerdict::Redirected { .. }));
    assert!(moved);
    assert!(journeys.iter().all(|journey| journey.limit == 5));
}

#[test]
fn the_home_server_is_told_when_it_is_another() {
    let mut world = main_job(|_| {});
    world.login();
    let causes = |events: &[AccountEvent]| -> Vec<MoveCause> {
        let cause = |event: &AccountEvent| match event {
            AccountEvent::HomeServerChanged { cause, .. } => Some(*cause),
            _ => None,
        };
        events.iter().filter_map(cause).collect()
    };
    assert_eq!(causes(&world.events), [MoveCause::First]);
    world.cut("hs104.network.com");
    world.pass(Duration::from_secs(3));
    assert_eq!(causes(&world.events), [MoveCause::First], "the same home is no news");
    world.server("hs105.network.com");
    world.at("hs102.network.com").redirect_to("<sip:hs105.network.com:5061;transport=tls>");
    world.at("hs104.network.com").unreachable = Some(homing_core::connect::ConnectError::Unreachable);
    world.cut("hs104.network.com");
    world.pass(Duration::from_secs(5));
    assert_eq!(causes(&world.events), [MoveCause::First, MoveCause::Failover]);
}

#[test]
fn a_flood_of_forgeries_is_counted_in_full_and_told_in_part() {
    let mut world = main_job(|_| {});
    world.login();
    world.command(Command::Refresh);
    world.at("hs104.network.com").silent = true;
    world.command(Command::Refresh);
    let request = world.registers("hs104.network.com").last().map(|request| (*request).clone()).unwrap();
    let ok = homing_wire::Builder::reply_to(&request, 200, "OK").to_tag("forged").finish();
    for _ in 0..50 {
        world.say("hs104.network.com", ok.clone());
    }
    let told =
        world.events.iter().filter(|event| matches!(event, AccountEvent::MessageRefused { .. })).count();
    assert_eq!(told, 10);
    assert_eq!(world.agent.counters().of(homing_core::counter::Counter::Unsigned), 50);
    assert!(!world.events.iter().any(|event| matches!(event, AccountEvent::LoggedOut { .. })));
}

#[test]
fn an_answer_of_another_kind_is_no_answer() {
    let mut world = main_job(|_| {});
    world.rules.hold_credentials = true;
    world.login();
    let (id, _) = world.held.pop().unwrap();
    world.answer(id, Answer::Redirect(Decision::Follow));
    assert_eq!(world.last_failure().error.code(), "E0603");
    assert_eq!(world.agent.questions(), 0);
}

#[test]
fn nothing_that_is_told_holds_a_secret() {
    let mut world = main_job(|_| {});
    world.at("hs102.network.com").spoil(Fault::WrongSignature);
    world.login();
    world.pass(Duration::from_secs(90));
    let told = format!("{:?} {:?} {:?}", world.events, world.asked, world.agent.counters());
    for secret in [super::world::PASSWORD, "TlRMTVNTUAAD", "rspauth"] {
        assert!(!told.contains(secret), "{secret}");
    }
    assert!(!world.sent.iter().any(|(_, message)| {
        message
            .bytes()
            .windows(super::world::PASSWORD.len())
            .any(|part| part == super::world::PASSWORD.as_bytes())
    }));
}

#[test]
fn a_redirect_on_refresh_is_told_as_a_move() {
    let mut world = main_job(|_| {});
    world.login();
    world.events.clear();
    world.at("hs104.network.com").redirect_to("<sip:hs102.network.com:5061;transport=tls>");
    world.at("hs102.network.com").then = super::world::server::Then::Accept { expires: 600 };
    world.command(Command::Refresh);
    let order: Vec<&str> = world
        .events
        .iter()
        .filter_map(|event| match event {
            AccountEvent::Forgotten => Some("forgotten"),
            AccountEvent::LoggedOut { why: LogoutReason::Moved } => Some("logged out"),
            AccountEvent::Registered(_) => Some("registered"),
            AccountEvent::HomeServerChanged { cause: MoveCause::Moved, .. } => Some("moved"),
            AccountEvent::Learned(_) => Some("learned"),
            _ => None,
        })
        .collect();
    assert_eq!(order, ["forgotten", "logged out", "registered", "moved", "learned"]);
}

#[test]
fn a_message_nobody_can_read_is_counted_and_harms_nothing() {
    let mut world = main_job(|_| {});
    world.login();
    for garbage in ["", "\r\n", "SIP/2.0 200", "INVITE\r\n\r\n", "SIP/2.0 200 OK\r\nVia: \r\n\r\n"] {
        world.say("hs104.network.com", bytes::Bytes::copy_from_slice(garbage.as_bytes()));
    }
    let wall = world.wall;
    let good = world.at("hs104.network.com").request("OPTIONS sip:user@198.51.100.7", &[], "", wall);
    world.say("hs104.network.com", edited(&good, |text| text.replace("Via:", "X-Via:")));
    assert!(world.agent.counters().of(homing_core::counter::Counter::Malformed) >= 4);
    assert_eq!(world.state(), AccountState::Registered);
}
