//! Accounts whose server cannot sign: a redirect at a refresh, and a server that ends a registration.

use homing_core::command::Command;
use homing_core::config::UnsignedRule;
use homing_core::counter::Counter;
use homing_core::event::{AccountEvent, LogoutReason};
use homing_core::state::AccountState;
use homing_wire::Message;

use super::world::World;
use super::world::server::Gate;

const HOME: &str = "hs104.network.com";
const NEXT: &str = "hs105.network.com";

/// Registered at a home server that signs nothing.
fn registered(gate: &Gate, unsigned: UnsignedRule) -> World {
    let mut world = World::new(|config| config.redirect.unsigned = unsigned);
    world.srv(&[(10, HOME)]);
    for name in [HOME, NEXT] {
        world.server(name).gate(gate.clone());
    }
    world.login();
    assert_eq!(world.state(), AccountState::Registered, "by {gate:?}");
    world
}

/// The reasons of every logout so far.
fn logged_out(world: &World) -> Vec<LogoutReason> {
    let reasons = world.events.iter().filter_map(|event| match event {
        AccountEvent::LoggedOut { why } => Some(*why),
        _ => None,
    });
    reasons.collect()
}

#[test]
fn an_unsigned_301_at_a_refresh_moves_a_digest_account_only_where_it_says_so() {
    for (unsigned, moves) in [(UnsignedRule::Refuse, false), (UnsignedRule::FollowOverTls, true)] {
        let mut world = registered(&Gate::Digest("SHA-256"), unsigned);
        world.at(HOME).redirect_to(&format!("<sip:{NEXT}:5061;transport=tls>"));
        world.command(Command::Refresh);
        assert!(world.state().is_reachable(), "{:?}", world.state());
        if moves {
            assert_eq!(logged_out(&world), [LogoutReason::Moved]);
            assert_eq!(world.registered().home.host, NEXT);
        } else {
            assert_eq!(logged_out(&world), []);
            assert_eq!(world.registered().home.host, HOME);
            assert_eq!(world.at(NEXT).dials, 0, "nothing was dialled for it");
            assert_eq!(world.agent.counters().of(Counter::RedirectRefused), 1);
        }
    }
}

/// The last answer the agent gave.
fn last_answer(world: &World) -> &Message {
    &world.sent.iter().rev().find(|(_, message)| !message.is_request()).expect("an answer").1
}

/// Anybody on the way could have written it (decision 12 protects associations only): it is refused and does
/// nothing.
#[test]
fn without_an_association_nobody_ends_a_registration_by_a_notify() {
    for gate in [Gate::Open, Gate::Digest("SHA-256")] {
        for event in ["unregistered", "rejected", "deactivated", "preferred-registrar-change"] {
            let mut world = registered(&gate, UnsignedRule::FollowOverTls);
            let kind = if event.starts_with("preferred") { "registered" } else { "deregistered" };
            let there = format!("<sip:{NEXT};transport=tls>");
            let headers = [("Event", "registration-notify"), ("P-Preferred-Registrar", there.as_str())];
            let (wall, body) = (world.wall, format!("{kind};event={event}"));
            let head = "NOTIFY sip:user@198.51.100.7:40000";
            let notify = world.at(HOME).request(head, &headers, &body, wall);
            world.say(HOME, notify);
            assert_eq!(last_answer(&world).status(), Some(403), "{event} by {gate:?}");
            assert_eq!(logged_out(&world), [], "{event} by {gate:?}");
            assert_eq!(world.state(), AccountState::Registered, "{event} by {gate:?}");
            assert_eq!(world.at(NEXT).dials, 0, "{event} by {gate:?}");
        }
    }
}
