//! Signing out while a login's credentials are out: the server may have bound the account already.

use std::time::Duration;

use homing_core::command::Command;
use homing_core::event::{AccountEvent, UnregisterOutcome};
use homing_core::state::AccountState;
use homing_wire::{Message, Name};

use super::registrar::{Act, Behaviour, Registrar, accept, reply};
use super::world::World;
use super::world::server::Gate;

/// Challenges, and says nothing to what answers the challenge.
#[derive(Default)]
struct Slow {
    answered: Option<Message>,
    /// REGISTERs that ask for 0 seconds.
    sign_outs: usize,
}

impl Behaviour for Slow {
    fn register(&mut self, request: &Message, _now: Duration) -> Vec<Act> {
        if request.auth(Name::Authorization).next().is_none() {
            let challenge = "Digest realm=\"network.com\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"";
            return vec![Act::Say(reply(request, 401).header(Name::WwwAuthenticate, challenge).finish())];
        }
        if self.answered.is_some() {
            assert_eq!(request.expires(), Ok(Some(0)), "only the sign-out comes after it");
            self.sign_outs += 1;
            return vec![Act::Say(reply(request, 200).finish())];
        }
        self.answered = Some(request.clone());
        Vec::new()
    }
}

/// Told to sign out while the answer is waited for.
fn told() -> (Registrar<Slow>, Message) {
    let mut registrar = Registrar::new(Slow::default(), 1, 3_261);
    registrar.login();
    let request = registrar.behaviour.answered.clone().expect("the challenge is answered");
    registrar.command(Command::Unregister);
    assert_eq!((registrar.unregistered, registrar.agent.flows()), (None, 1), "nobody knows yet");
    (registrar, request)
}

fn is_over(registrar: &Registrar<Slow>, outcome: UnregisterOutcome) {
    assert_eq!((registrar.unregistered, registrar.registered.is_some()), (Some(outcome), false));
    let state = registrar.agent.state(registrar.accounts[0]);
    assert_eq!((state, registrar.agent.flows()), (Some(AccountState::LoggedOff), 0));
}

#[test]
fn a_binding_that_is_granted_meanwhile_is_removed() {
    let (mut registrar, request) = told();
    registrar.say(accept(&request).finish());
    assert_eq!(registrar.behaviour.sign_outs, 1);
    is_over(&registrar, UnregisterOutcome::Removed);
}

#[test]
fn a_login_that_is_refused_meanwhile_left_nothing() {
    for status in [401, 403, 503] {
        let (mut registrar, request) = told();
        registrar.say(reply(&request, status).finish());
        assert_eq!(registrar.behaviour.sign_outs, 0, "{status}");
        is_over(&registrar, UnregisterOutcome::NotRegistered);
    }
}

#[test]
fn a_login_without_an_answer_may_have_left_a_binding() {
    let (mut registrar, _) = told();
    registrar.pass(Duration::from_secs(5));
    is_over(&registrar, UnregisterOutcome::Unanswered);
    let (mut registrar, _) = told();
    registrar.cut();
    is_over(&registrar, UnregisterOutcome::Unanswered);
}

/// Grants nothing for less than two hours, and says nothing to who asks for that.
#[derive(Default)]
struct Brief {
    extended: Option<Message>,
    sign_outs: usize,
}

impl Behaviour for Brief {
    fn register(&mut self, request: &Message, _now: Duration) -> Vec<Act> {
        if request.expires() == Ok(Some(0)) {
            self.sign_outs += 1;
            return vec![Act::Say(reply(request, 200).finish())];
        }
        if request.auth(Name::Authorization).next().is_none() {
            let challenge = "Digest realm=\"network.com\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"";
            return vec![Act::Say(reply(request, 401).header(Name::WwwAuthenticate, challenge).finish())];
        }
        if request.text(Name::Contact).is_some_and(|contact| contact.contains("expires=86400")) {
            self.extended = Some(request.clone());
            return Vec::new();
        }
        vec![Act::Say(reply(request, 423).header(Name::MinExpires, 86_400).finish())]
    }
}

#[test]
fn a_binding_that_is_granted_for_longer_meanwhile_is_removed() {
    let mut registrar = Registrar::new(Brief::default(), 1, 3_261);
    registrar.login();
    let request = registrar.behaviour.extended.clone().expect("asked for longer");
    registrar.command(Command::Unregister);
    registrar.say(accept(&request).finish());
    assert_eq!(registrar.behaviour.sign_outs, 1);
    assert_eq!(registrar.unregistered, Some(UnregisterOutcome::Removed));
}

/// An account that answers no challenge is granted its first REGISTER.
#[test]
fn a_binding_without_authentication_that_is_granted_meanwhile_is_removed() {
    let mut world = World::new(|config| config.auth.schemes.clear());
    let server = "hs1.network.com";
    world.srv(&[(10, server)]);
    world.server(server).gate(Gate::Open).silent = true;
    world.login();
    world.command(Command::Unregister);
    let (request, wall) = (world.registers(server)[0].clone(), world.wall);
    world.at(server).silent = false;
    for answer in world.at(server).receive(&request, wall) {
        world.say(server, answer);
    }
    let last = world.registers(server).last().and_then(|register| register.text(Name::Expires));
    assert_eq!((last.as_deref(), world.state()), (Some("0"), AccountState::LoggedOff));
    let removed = AccountEvent::Unregistered { outcome: UnregisterOutcome::Removed };
    assert!(world.events.contains(&removed));
}
