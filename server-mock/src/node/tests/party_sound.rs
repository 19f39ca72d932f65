//! The sound of a party's calls, as its node orders it: ports, descriptions, and their end.

use homing_core::ids::Seed;
use homing_media::{Agreed, LocalAddress, Negotiation, Policy, Security};
use homing_wire::{Builder, Message, Name};

use super::super::io::NodeInput;
use super::super::party::{Party, Then};
use super::super::sound::{PartySound, SoundOrder, SoundPorts, Speech};
use super::two_servers::{Dialog, TwoServers, Who, text};

/// Bob and a party with that sound, both at the second server.
fn estate(speech: Speech, change: impl Fn(&mut Party)) -> (TwoServers, Who) {
    let mut estate = TwoServers::new(&[("bob", 1), ("party", 1)], |config| {
        if config.identity.name == "hs104" {
            let sound = Some(PartySound { speech, fault: None });
            let mut party = Party { sound, ..Party::new("party@network.com") };
            change(&mut party);
            config.parties.push(party);
        }
    });
    let bob = estate.sign_in("bob", "bb", 1);
    (estate, bob)
}

fn caller() -> Negotiation {
    let local = LocalAddress { ip: [192, 0, 2, 9].into(), rtp_port: 4_000, rtcp_port: None };
    let policy = Policy { security: Security::Required, secure_signalling: true, ..Policy::default() };
    Negotiation::new(policy, local, &[1; 32])
}

fn with_body(text: &str, body: &str) -> String {
    let length = format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n", body.len());
    text.replace("Content-Length: 0\r\n", &length) + body
}

/// The order of the party's server that comes next.
fn order(estate: &mut TwoServers) -> SoundOrder {
    assert!(!estate.servers[1].sound.is_empty(), "{}", estate.ladders());
    estate.servers[1].sound.remove(0)
}

fn opened(estate: &mut TwoServers) -> u64 {
    match order(estate) {
        SoundOrder::Open { call, .. } => call,
        other => panic!("{other:?}"),
    }
}

fn agreed(estate: &mut TwoServers) -> Agreed {
    match order(estate) {
        SoundOrder::Agree { agreed, .. } => *agreed,
        other => panic!("{other:?}"),
    }
}

fn give_ports(estate: &mut TwoServers, call: u64) {
    let seed = Seed::from_number(5);
    let ports = SoundPorts { ip: [192, 0, 2, 4].into(), rtp: 20_000, rtcp: Some(20_001), seed };
    estate.tell(1, NodeInput::SoundOpened { call, ports: Some(ports) });
}

/// A call to the party that it answered, from its INVITE with this body.
fn answered(estate: &mut TwoServers, bob: Who, offer: &str) -> Message {
    let invite = estate.invite(bob, "party");
    estate.say(bob, &with_body(&invite, offer));
    assert_eq!(estate.statuses(bob), [180], "{}", estate.ladders());
    let call = opened(estate);
    give_ports(estate, call);
    estate.wait(2);
    estate.hears(bob)
}

#[test]
fn a_call_is_answered_with_its_ports_and_ends_with_them() {
    let (mut estate, bob) = estate(Speech::Echo, |_| ());
    let mut negotiation = caller();
    let ok = answered(&mut estate, bob, &negotiation.offer(false).unwrap());
    assert_eq!(ok.status(), Some(200), "{}", estate.ladders());
    let own = negotiation.take_answer(ok.body()).unwrap();
    assert_eq!((own.remote.rtp().unwrap().to_string(), own.keys.is_some()), ("192.0.2.4:20000".into(), true));
    let partys = agreed(&mut estate);
    assert_eq!(partys.remote.rtp().unwrap().to_string(), "192.0.2.9:4000");
    assert_eq!(own.keys.map(|keys| keys.send), partys.keys.map(|keys| keys.receive));
    let mut side = Dialog::of_caller(bob, &ok);
    let ack = side.ack();
    estate.say(bob, &ack);
    // Held by a re-INVITE, and then hung up.
    let hold = negotiation.offer(true).unwrap();
    let reinvite = with_body(&side.request("INVITE"), &hold);
    estate.say(bob, &reinvite);
    let held = negotiation.take_answer(estate.hears(bob).body()).unwrap();
    assert!(held.direction.sends() && !held.direction.receives());
    assert!(!agreed(&mut estate).direction.sends());
    let (ack, bye) = (side.ack(), side.request("BYE"));
    estate.say(bob, &ack);
    estate.say(bob, &bye);
    assert_eq!(estate.statuses(bob), [200]);
    assert!(matches!(order(&mut estate), SoundOrder::Close { .. }));
    assert!(estate.servers[1].sound.is_empty());
}

#[test]
fn without_an_offer_the_answer_has_it_and_the_ack_is_heard() {
    let (mut estate, bob) = estate(Speech::Tone(440), |_| ());
    let ok = answered(&mut estate, bob, "");
    assert!(estate.servers[1].sound.is_empty(), "nothing is agreed on yet");
    let answer = caller().answer(ok.body(), false).unwrap();
    let mut side = Dialog::of_caller(bob, &ok);
    let ack = with_body(&side.ack(), &answer.body);
    estate.say(bob, &ack);
    assert_eq!(agreed(&mut estate).remote.rtp().unwrap().to_string(), "192.0.2.9:4000");
}

#[test]
fn an_offer_that_nothing_comes_of_is_refused_with_the_reason() {
    let dtls = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n\
                m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\na=rtpmap:0 PCMU/8000\r\na=fingerprint:sha-256 AA:BB\r\n";
    for (offer, status, warns) in [(dtls, 488, true), ("no description", 400, false)] {
        let (mut estate, bob) = estate(Speech::Echo, |_| ());
        let refused = answered(&mut estate, bob, offer);
        assert_eq!(refused.status(), Some(status), "{}", estate.ladders());
        let warning = refused.text(Name::Warning).map(std::borrow::Cow::into_owned);
        let says =
            |warning: String| warning.starts_with("302 hs104.network.com \"") && warning.contains("DTLS");
        assert_eq!(warning.map(says), warns.then_some(true));
        assert!(matches!(order(&mut estate), SoundOrder::Close { .. }));
    }
}

#[test]
fn a_call_without_ports_is_refused_and_so_is_one_that_waits_for_them() {
    for told in [true, false] {
        let (mut estate, bob) = estate(Speech::Echo, |_| ());
        let invite = with_body(&estate.invite(bob, "party"), &caller().offer(false).unwrap());
        estate.say(bob, &invite);
        let call = opened(&mut estate);
        if told {
            estate.tell(1, NodeInput::SoundOpened { call, ports: None });
        }
        estate.wait(2);
        assert_eq!(estate.statuses(bob), if told { vec![180, 503] } else { vec![180] });
        estate.wait(3);
        assert_eq!(estate.statuses(bob), if told { vec![] } else { vec![503] }, "{}", estate.ladders());
        assert!(matches!(order(&mut estate), SoundOrder::Close { .. }));
        // Too late: nothing comes of it.
        give_ports(&mut estate, call);
        assert!(estate.heard(bob).is_empty() && estate.servers[1].sound.is_empty());
    }
}

#[test]
fn ports_that_come_late_are_answered_with_at_once() {
    let (mut estate, bob) = estate(Speech::Announcement, |party| party.after = std::time::Duration::ZERO);
    let invite = with_body(&estate.invite(bob, "party"), &caller().offer(false).unwrap());
    estate.say(bob, &invite);
    assert!(estate.statuses(bob).is_empty());
    let call = opened(&mut estate);
    give_ports(&mut estate, call);
    let ok = estate.hears(bob);
    assert_eq!(ok.status(), Some(200), "{}", estate.ladders());
    assert_eq!(ok.text(Name::Organization).as_deref(), Some("hs104, the home server of this call"));
}

#[test]
fn a_storm_of_re_invites_goes_on_with_the_same_sound() {
    let (mut estate, bob) = estate(Speech::Echo, |party| party.then = Then::Reinvites(1));
    let mut negotiation = caller();
    let ok = answered(&mut estate, bob, &negotiation.offer(false).unwrap());
    negotiation.take_answer(ok.body()).unwrap();
    agreed(&mut estate);
    let mut side = Dialog::of_caller(bob, &ok);
    let ack = side.ack();
    estate.say(bob, &ack);
    let reinvite = estate.hears(bob);
    let answer = negotiation.answer(reinvite.body(), false).unwrap();
    assert_eq!(answer.agreed.remote.rtp().unwrap().to_string(), "192.0.2.4:20000");
    let accepted = text(&Builder::reply_to(&reinvite, 200, "OK").message());
    let accepted = with_body(&accepted, &answer.body);
    estate.say(bob, &accepted);
    assert_eq!(agreed(&mut estate).remote.rtp().unwrap().to_string(), "192.0.2.9:4000");
}
