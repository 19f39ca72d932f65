//! A server that refuses outbound by 439 (RFC 5626 section 6): that is remembered for it until the account signs out.

use std::time::Duration;

use homing_core::command::Command;
use homing_wire::{Message, Name};

use super::registrar::{Act, Behaviour, Registrar, accept, reply};

/// What each REGISTER offered, in order.
#[derive(Default)]
struct LacksOutbound {
    offered: Vec<bool>,
}

impl Behaviour for LacksOutbound {
    fn register(&mut self, request: &Message, _now: Duration) -> Vec<Act> {
        let is_offered = request.text(Name::Contact).is_some_and(|contact| contact.contains("reg-id="));
        self.offered.push(is_offered);
        let answer = if is_offered { reply(request, 439) } else { accept(request) };
        vec![Act::Say(answer.finish())]
    }
}

#[test]
fn a_server_that_refused_outbound_is_not_offered_it_again_until_the_account_signed_out() {
    let mut registrar = Registrar::new(LacksOutbound::default(), 1, 439);
    registrar.login();
    assert_eq!((registrar.away(), &registrar.behaviour.offered[..]), (0, &[true, false][..]));
    // A refresh, and a new login after the connection broke, do without from the start.
    registrar.pass(Duration::from_secs(7_200));
    registrar.cut();
    registrar.pass_until_all_are_back(Duration::from_secs(120));
    let offered = std::mem::take(&mut registrar.behaviour.offered);
    assert!(offered.len() >= 4 && !offered[1..].contains(&true), "{offered:?}");
    // The administrator may have mended it meanwhile.
    registrar.command(Command::Unregister);
    registrar.behaviour.offered.clear();
    registrar.login();
    assert_eq!((registrar.away(), &registrar.behaviour.offered[..]), (0, &[true, false][..]));
}
