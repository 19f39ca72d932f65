//! A Digest server's proof (`rspauth`) is judged by what the request that it answers said, not by what was said last.

use std::time::Duration;

use homing_core::auth::digest::{Algorithm, DigestCredentials, DigestInput, Qop, Secret};
use homing_core::command::Command;
use homing_core::counter::Counter;
use homing_wire::{Message, Method, Name};

use super::registrar::{Act, Behaviour, Registrar, accept, reply};
use super::world::credentials;

/// Answers a refresh only after the request that comes next.
struct Slow {
    refresh: Option<Message>,
    /// The refresh is answered with the proof of the request after it.
    takes_the_wrong_one: bool,
}

impl Behaviour for Slow {
    fn register(&mut self, request: &Message, _now: Duration) -> Vec<Act> {
        let Some(proof) = proof(request) else {
            let challenge = "Digest realm=\"network.com\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"";
            let answer = reply(request, 401).header(Name::WwwAuthenticate, challenge);
            return vec![Act::Say(answer.finish())];
        };
        let proven = |answer: homing_wire::Builder, proof: &str| {
            let info = format!("qop=auth, rspauth=\"{proof}\"");
            Act::Say(answer.header(Name::AuthenticationInfo, info).finish())
        };
        if request.method() == Some(Method::Options) {
            let mut acts = vec![proven(reply(request, 200), &proof)];
            if let Some(refresh) = self.refresh.take() {
                let own = self::proof(&refresh).unwrap();
                let given = if self.takes_the_wrong_one { &proof } else { &own };
                acts.push(proven(accept(&refresh), given));
            }
            return acts;
        }
        if request.cseq().is_ok_and(|cseq| cseq.seq < 3) {
            return vec![proven(accept(request), &proof)];
        }
        self.refresh = Some(request.clone());
        Vec::new()
    }
}

/// What proves to the client of this request that the server knows the password (RFC 7616 section 3.5).
fn proof(request: &Message) -> Option<String> {
    let auth = request.auth(Name::Authorization).next()?;
    let given = DigestCredentials::parse(&auth).unwrap();
    let password = credentials().password;
    Some(homing_core::auth::digest::response(&DigestInput {
        algorithm: Algorithm::parse("SHA-256").unwrap(),
        user: "user",
        realm: given.realm,
        secret: Secret::Password(&password),
        method: "",
        uri: given.uri,
        nonce: given.nonce,
        nc: given.nc,
        cnonce: given.cnonce,
        qop: Some(Qop::Auth),
        body: b"",
    }))
}

fn refreshed(takes_the_wrong_one: bool) -> Registrar<Slow> {
    let mut registrar = Registrar::new(Slow { refresh: None, takes_the_wrong_one }, 1, 7_616);
    registrar.login();
    assert_eq!(registrar.away(), 0);
    registrar.command(Command::Refresh);
    registrar.options();
    registrar
}

#[test]
fn a_proof_is_judged_by_the_request_that_it_answers() {
    let registrar = refreshed(false);
    assert!(registrar.behaviour.refresh.is_none(), "the refresh was answered");
    assert_eq!((registrar.away(), registrar.agent.counters().of(Counter::WrongProof)), (0, 0));
}

#[test]
fn the_proof_of_another_request_proves_nothing() {
    let registrar = refreshed(true);
    assert!(registrar.agent.counters().of(Counter::WrongProof) > 0);
    assert_eq!(registrar.away(), 1);
}
