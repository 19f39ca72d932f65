//! Calls of clients that prove a password by Digest: no association, so that flows and credentials speak for them.

use homing_core::auth::digest::{Algorithm, DigestInput, Hash, Qop, Secret, response};
use homing_core::counter::Counter;
use homing_core::secret::Password;
use homing_core::transport::Transport;
use homing_wire::{Builder, Message, Name};

use super::super::config::Schemes;
use super::two_servers::{Dialog, TwoServers, Who, text};

fn estate() -> (TwoServers, Who, Who) {
    let mut estate = TwoServers::new(&[("alice", 0), ("bob", 1), ("eve", 0)], |config| {
        config.authentication.schemes = Schemes::Digest;
    });
    let [alice, bob] = [("alice", 0), ("bob", 1)].map(|(user, server)| {
        let who = estate.client(user, "", server);
        sign_in(&mut estate, who, user);
        who
    });
    (estate, alice, bob)
}

fn sign_in(estate: &mut TwoServers, who: Who, user: &str) {
    let register = plain(&estate.request(who, "REGISTER", user));
    let register = register.replace(&format!("sip:{user}@network.com SIP"), "sip:network.com SIP");
    let done = prove(estate, who, user, &register);
    assert_eq!(done.first().and_then(Message::status), Some(200), "{}", estate.ladders());
}

/// As a plain client writes it.
fn plain(text: &str) -> String {
    text.replace(";epid=", "")
}

/// Sends a request, and again with the answer to its challenge; gives what is heard then.
fn prove(estate: &mut TwoServers, who: Who, user: &str, text: &str) -> Vec<Message> {
    let challenge = estate.ask(who, text);
    assert_eq!(challenge.status(), Some(401), "{text}\n{}", estate.ladders());
    let request = Message::parse(text.to_owned()).unwrap();
    let algorithm = Algorithm { hash: Hash::Sha256, session: false };
    let auth = challenge
        .auth(Name::WwwAuthenticate)
        .find(|auth| auth.param("algorithm") == Some(algorithm.name()))
        .expect("SHA-256 is offered");
    let (nonce, password) = (auth.param("nonce").unwrap().to_owned(), Password::new("Secret-Pass1"));
    let uri = request.request_uri().unwrap();
    let input = DigestInput {
        algorithm,
        user,
        realm: "network.com",
        secret: Secret::Password(&password),
        method: request.method().unwrap().as_str(),
        uri,
        nonce: &nonce,
        nc: "00000001",
        cnonce: "abc",
        qop: Some(Qop::Auth),
        body: request.body(),
    };
    let line = format!(
        "Authorization: Digest username=\"{user}\", realm=\"network.com\", nonce=\"{nonce}\", uri=\"{uri}\", \
         response=\"{}\", algorithm={}, cnonce=\"abc\", qop=auth, nc=00000001\r\nContent-Length",
        response(&input),
        algorithm.name()
    );
    let again = text.replace("branch=z9hG4bK", "branch=z9hG4bKp").replace("Content-Length", &line);
    let cseq = request.cseq().unwrap();
    let method = cseq.method.as_str();
    let again =
        again.replace(&format!("CSeq: {} {method}", cseq.seq), &format!("CSeq: {} {method}", cseq.seq + 1));
    estate.say_plain(who, &again);
    estate.heard(who)
}

fn reply(estate: &TwoServers, who: Who, request: &Message, status: u16) -> String {
    let contact = estate.contact(who);
    let reply = Builder::reply_to(request, status, "X")
        .to_tag(&format!("t{who}"))
        .copy_from(request, Name::RecordRoute)
        .header(Name::Contact, contact);
    text(&reply.message())
}

fn method(message: &Message) -> String {
    message.method().map(|method| method.as_str().to_owned()).unwrap_or_default()
}

#[test]
fn a_call_by_digest_is_acknowledged_without_credentials_and_ended_with_them() {
    let (mut estate, alice, bob) = estate();
    let invite = plain(&estate.invite(alice, "bob"));
    assert!(prove(&mut estate, alice, "alice", &invite).is_empty(), "{}", estate.ladders());
    let ring = estate.heard(bob).remove(0);
    assert_eq!(ring.lines(Name::Authorization).count(), 0, "credentials end at their server");
    let ok = reply(&estate, bob, &ring, 200);
    estate.say_plain(bob, &ok);
    let ok = estate.heard(alice).remove(0);
    assert_eq!(ok.status(), Some(200));
    assert!(ok.text(Name::AuthenticationInfo).is_some(), "the server proves that it knows the password, too");
    let mut side = Dialog::of_caller(alice, &ok);
    let ack = side.ack();
    // By the flow of somebody else it goes nowhere.
    let eve = estate.client("eve", "", 0);
    estate.say_plain(eve, &ack);
    assert!(estate.heard(bob).is_empty());
    assert_eq!(estate.count(0, Counter::Unsigned), 1);
    estate.say_plain(alice, &ack);
    assert_eq!(method(&estate.heard(bob)[0]), "ACK", "{}", estate.ladders());
    let bye = side.request("BYE");
    assert!(prove(&mut estate, alice, "alice", &bye).is_empty());
    let heard = estate.heard(bob).remove(0);
    assert_eq!(method(&heard), "BYE");
    let ok = reply(&estate, bob, &heard, 200);
    estate.say_plain(bob, &ok);
    assert_eq!(estate.statuses(alice), [200]);
    estate.assert_at_rest();
}

#[test]
fn a_client_that_calls_by_another_connection_than_it_registered_by_acknowledges_by_that_one() {
    let (mut estate, alice, bob) = estate();
    let other = estate.client("alice", "", 0);
    let invite = plain(&estate.invite(other, "bob"));
    assert!(prove(&mut estate, other, "alice", &invite).is_empty(), "{}", estate.ladders());
    let ring = estate.heard(bob).remove(0);
    let ok = reply(&estate, bob, &ring, 200);
    estate.say_plain(bob, &ok);
    let ok = estate.heard(other).remove(0);
    let mut side = Dialog::of_caller(other, &ok);
    let ack = side.ack();
    let eve = estate.client("eve", "", 0);
    estate.say_plain(eve, &ack);
    assert!(estate.heard(bob).is_empty(), "nobody else may");
    estate.say_plain(other, &ack);
    assert_eq!(method(&estate.heard(bob)[0]), "ACK", "{}", estate.ladders());
    let bye = side.request("BYE");
    assert!(prove(&mut estate, other, "alice", &bye).is_empty());
    assert_eq!(method(&estate.heard(bob)[0]), "BYE");
    assert!(estate.heard(alice).is_empty());
}

#[test]
fn a_call_by_digest_is_taken_back_by_its_own_flow() {
    let (mut estate, alice, bob) = estate();
    let invite = plain(&estate.invite(alice, "bob"));
    prove(&mut estate, alice, "alice", &invite);
    let ring = estate.heard(bob).remove(0);
    let ringing = reply(&estate, bob, &ring, 180);
    estate.say_plain(bob, &ringing);
    assert_eq!(estate.statuses(alice), [180]);
    let sent = invite.replace("branch=z9hG4bK", "branch=z9hG4bKp").replace("CSeq: 1 ", "CSeq: 2 ");
    let cancel = TwoServers::cancel_of(&sent);
    let eve = estate.client("eve", "", 0);
    estate.say_plain(eve, &cancel);
    assert!(estate.heard(bob).is_empty());
    estate.say_plain(alice, &cancel);
    assert_eq!(method(&estate.heard(bob)[0]), "CANCEL", "{}", estate.ladders());
    let gone = reply(&estate, bob, &ring, 487);
    estate.say_plain(bob, &gone);
    assert_eq!(estate.statuses(alice), [200, 487]);
    estate.assert_at_rest();
}

#[test]
fn a_dialog_by_digest_follows_its_endpoints_to_new_connections() {
    let (mut estate, alice, bob) = estate();
    let invite = plain(&estate.invite(alice, "bob"));
    prove(&mut estate, alice, "alice", &invite);
    let ring = estate.heard(bob).remove(0);
    let ok = reply(&estate, bob, &ring, 200);
    estate.say_plain(bob, &ok);
    let ok = estate.heard(alice).remove(0);
    let mut side = Dialog::of_caller(alice, &ok);
    let ack = side.ack();
    estate.say_plain(alice, &ack);
    estate.heard(bob);
    estate.disconnect(bob);
    estate.connect(bob, Transport::Tls);
    sign_in(&mut estate, bob, "bob");
    let info = side.request("INFO");
    prove(&mut estate, alice, "alice", &info);
    let heard = estate.heard(bob);
    assert_eq!(heard.first().map(method).as_deref(), Some("INFO"), "{}", estate.ladders());
}

/// Neither phone names its device: the one that answered is the one in the dialog.
#[test]
fn of_two_phones_without_a_name_the_one_that_answered_is_spoken_to() {
    let (mut estate, alice, first) = estate();
    let second = estate.client("bob", "", 1);
    sign_in(&mut estate, second, "bob");
    let invite = plain(&estate.invite(alice, "bob"));
    prove(&mut estate, alice, "alice", &invite);
    let rings = [first, second].map(|who| estate.heard(who).remove(0));
    for (who, ring) in [first, second].into_iter().zip(&rings) {
        let ringing = reply(&estate, who, ring, 180);
        estate.say_plain(who, &ringing);
    }
    let ok = reply(&estate, second, &rings[1], 200);
    estate.say_plain(second, &ok);
    let ok = estate.heard(alice).into_iter().find(|heard| heard.status() == Some(200)).unwrap();
    estate.heard(first);
    let ack = Dialog::of_caller(alice, &ok).ack();
    estate.say_plain(alice, &ack);
    assert!(estate.heard(first).is_empty(), "{}", estate.ladders());
    assert_eq!(estate.heard(second).first().map(method).as_deref(), Some("ACK"));
}

#[test]
fn a_recorded_route_rings_nobody_anew_and_what_names_a_dialog_is_counted() {
    let (mut estate, alice, bob) = estate();
    let invite = plain(&estate.invite(alice, "bob"));
    prove(&mut estate, alice, "alice", &invite);
    let ring = estate.heard(bob).remove(0);
    let ok = reply(&estate, bob, &ring, 200);
    estate.say_plain(bob, &ok);
    let ok = estate.heard(alice).remove(0);
    let mut side = Dialog::of_caller(alice, &ok);
    let ack = side.ack();
    estate.say_plain(alice, &ack);
    estate.heard(bob);
    let again = side.request("INVITE");
    let (before, to) = again.split_once("To: ").unwrap();
    let (to, after) = to.split_once("\r\n").unwrap();
    let fresh = format!("{before}To: {}\r\n{after}", to.split(";tag=").next().unwrap());
    let refused = prove(&mut estate, alice, "alice", &fresh);
    assert_eq!(refused.iter().filter_map(Message::status).collect::<Vec<_>>(), [403], "{}", estate.ladders());
    assert!(estate.heard(bob).is_empty());
}

/// RFC 3325 section 5: an identity that a client asserts goes no further, in responses either.
#[test]
fn no_client_asserts_an_identity_in_a_response() {
    let (mut estate, alice, bob) = estate();
    let invite = plain(&estate.invite(alice, "bob"));
    prove(&mut estate, alice, "alice", &invite);
    let ring = estate.heard(bob).remove(0);
    let ringing = reply(&estate, bob, &ring, 180);
    let ringing = ringing.replace("Contact:", "P-Asserted-Identity: <sip:chief@network.com>\r\nContact:");
    assert!(ringing.contains("chief"));
    estate.say_plain(bob, &ringing);
    let heard = estate.heard(alice).remove(0);
    assert_eq!((heard.status(), heard.lines(Name::PAssertedIdentity).count()), (Some(180), 0));
}
