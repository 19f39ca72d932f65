//! Registrations by Digest and without authentication; bindings, keep-alives, refusals, forced ends.

use homing_core::auth::digest::{Algorithm, DigestInput, Hash, Qop, Secret, response};
use homing_core::connect::FlowEvent;
use homing_core::ids::{FlowId, Seed};
use homing_core::secret::Password;
use homing_core::time::Now;
use homing_core::transport::Transport;
use homing_wire::{Contact, Frame, Message, Name};

use super::super::config::{NodeConfig, Schemes};
use super::super::io::{Deregistration, NodeCommand, NodeInput};
use super::super::{Node, NodeOutput};
use super::bench::{Bench, Golden, accounts, at, auth_param, peers};
use crate::journal::Verdict;
use crate::role::Role;

const HOMES: &[(&str, &str)] =
    &[("user@network.com", "hs104.network.com"), ("bob@network.com", "hs104.network.com")];

pub(super) fn bench(schemes: Schemes, change: impl FnOnce(&mut NodeConfig)) -> (Bench, FlowId) {
    let mut config = NodeConfig::new("hs104", "network.com", Role::Home);
    config.authentication.schemes = schemes;
    config.accounts = accounts();
    config.peers = peers(&["hs102.network.com", "hs104.network.com"]);
    change(&mut config);
    let mut bench = Bench::new(Node::new(config, &Seed::from_number(7)), HOMES);
    let flow = bench.open(1, Transport::Tls);
    (bench, flow)
}

/// A REGISTER of a plain client; `more` are further header lines.
pub(super) fn register(user: &str, cseq: u32, more: &str) -> String {
    let more = if more.is_empty() { String::new() } else { format!("{more}\r\n") };
    format!(
        "REGISTER sip:network.com SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:40001;branch=z9hG4bK{cseq}x\r\n\
         Max-Forwards: 70\r\nFrom: <sip:{user}@network.com>;tag=f\r\nTo: <sip:{user}@network.com>\r\n\
         Call-ID: c1@127.0.0.1\r\nCSeq: {cseq} REGISTER\r\n{more}Content-Length: 0\r\n\r\n"
    )
}

pub(super) const CONTACT: &str = "Contact: <sip:user@127.0.0.1:40001;transport=tls>";

/// The Authorization line that answers a challenge.
pub(super) fn answer(challenge: &Message, hash: Hash, password: &str, nc: &str) -> String {
    authorization(challenge, hash, password, (nc, "sip:network.com"))
}

/// As [`answer`], the first time, for that `uri`.
pub(super) fn answer_for(challenge: &Message, hash: Hash, password: &str, uri: &str) -> String {
    authorization(challenge, hash, password, ("00000001", uri))
}

fn authorization(challenge: &Message, hash: Hash, password: &str, (nc, uri): (&str, &str)) -> String {
    let algorithm = Algorithm { hash, session: false };
    let auth = challenge
        .auth(Name::WwwAuthenticate)
        .find(|auth| auth.param("algorithm") == Some(algorithm.name()))
        .expect("the algorithm is offered");
    let (nonce, password) = (auth.param("nonce").unwrap(), Password::new(password));
    let input = DigestInput {
        algorithm,
        user: "user",
        realm: "network.com",
        secret: Secret::Password(&password),
        method: "REGISTER",
        uri,
        nonce,
        nc,
        cnonce: "abc",
        qop: Some(Qop::Auth),
        body: b"",
    };
    format!(
        "Authorization: Digest username=\"user\", realm=\"network.com\", nonce=\"{nonce}\", uri=\"{uri}\", \
         response=\"{}\", algorithm={}, cnonce=\"abc\", qop=auth, nc={nc}",
        response(&input),
        algorithm.name()
    )
}

#[test]
fn digest_offers_md5_first_where_it_may_and_takes_any_that_is_offered() {
    for (schemes, hashes) in [
        (Schemes::NtlmAndDigest, vec![Hash::Sha512Slash256, Hash::Sha256]),
        (Schemes::DigestMd5, vec![Hash::Md5, Hash::Sha512Slash256, Hash::Sha256]),
    ] {
        let (mut bench, flow) = bench(schemes, |_| ());
        let challenge = bench.ask(flow, &register("user", 1, CONTACT), at(0));
        let offered: Vec<_> = challenge
            .auth(Name::WwwAuthenticate)
            .map(|auth| auth.param("algorithm").unwrap().to_owned())
            .collect();
        let names: Vec<_> =
            hashes.iter().map(|hash| Algorithm { hash: *hash, session: false }.name()).collect();
        assert_eq!(offered, names);
        for (cseq, hash) in hashes.into_iter().enumerate() {
            let nc = format!("{:08x}", cseq + 1);
            let line = format!("{CONTACT}\r\n{}", answer(&challenge, hash, "Secret-Pass1", &nc));
            let done = bench.ask(flow, &register("user", u32::try_from(cseq).unwrap() + 2, &line), at(1));
            assert_eq!(done.status(), Some(200), "{}", bench.ladder());
            assert!(done.text(Name::AuthenticationInfo).unwrap().contains("rspauth="));
        }
    }
}

#[test]
fn a_nonce_count_is_good_once_and_a_nonce_for_five_minutes() {
    let (mut bench, flow) = bench(Schemes::Digest, |_| ());
    let challenge = bench.ask(flow, &register("user", 1, CONTACT), at(0));
    let line = |nc: &str| answer(&challenge, Hash::Sha256, "Secret-Pass1", nc);
    assert_eq!(bench.ask(flow, &register("user", 2, &line("00000001")), at(1)).status(), Some(200));
    let stale = |answer: &Message| auth_param(answer, Name::WwwAuthenticate, "stale");
    let replay = bench.ask(flow, &register("user", 3, &line("00000001")), at(2));
    assert_eq!((replay.status(), stale(&replay).as_deref()), (Some(401), Some("true")));
    assert_eq!(bench.ask(flow, &register("user", 4, &line("00000002")), at(299)).status(), Some(200));
    let late = bench.ask(flow, &register("user", 5, &line("00000003")), at(300));
    assert_eq!((late.status(), stale(&late).as_deref()), (Some(401), Some("true")));
}

#[test]
fn wrong_digest_answers_of_users_and_strangers_look_the_same_and_end_in_403() {
    let (mut bench, flow) = bench(Schemes::Digest, |_| ());
    let challenge = bench.ask(flow, &register("user", 1, CONTACT), at(0));
    let line = answer(&challenge, Hash::Sha256, "wrong", "00000001");
    let stranger = line.replace("username=\"user\"", "username=\"mallory\"");
    for (cseq, line, status) in [(2, &line, 401), (3, &stranger, 401), (4, &line, 403)] {
        let answer = bench.ask(flow, &register("user", cseq, line), at(1));
        assert_eq!(answer.status(), Some(status), "{cseq}");
        assert_eq!(auth_param(&answer, Name::WwwAuthenticate, "stale"), None);
    }
    let other = line.replace("uri=\"sip:network.com\"", "uri=\"sip:elsewhere.org\"");
    assert_eq!(bench.ask(flow, &register("user", 5, &other), at(1)).status(), Some(400));
}

#[test]
fn what_a_200_says_about_bindings_gruu_and_keep_alives() {
    let golden = Golden::read("sipae_v4", super::super::config::Dialect::Sipae4);
    let mut bench = Bench::new(
        golden.node("homeserver104.network.com", |_| ()),
        &[("user@network.com", "homeserver104.network.com")],
    );
    let flow = bench.open(1, Transport::Tls);
    bench.ask(flow, &golden.text(8), at(0));
    let done = bench.ask(flow, &golden.text(10), at(0));
    assert_eq!(done.expires(), Ok(Some(7200)));
    assert_eq!(
        done.text(Name::MsKeepAlive).as_deref(),
        Some("UAS; tcp=no; hop-hop=yes; end-end=no; timeout=300")
    );
    assert_eq!(done.text(Name::PresenceState).as_deref(), Some("register-action=\"added\""));
    let contact = done.text(Name::Contact).unwrap();
    assert!(
        contact.contains(";+sip.instance=\"<urn:uuid:d0b51c2a-d769-588b-9e78-24f4450a6ebb>\""),
        "{contact}"
    );
    assert!(contact.contains(";gruu=\"sip:user@network.com;opaque=user:epid:"), "{contact}");
    let again = bench.ask(flow, &golden.text(12), at(1));
    assert_eq!(again.text(Name::PresenceState).as_deref(), Some("register-action=\"refreshed\""));
    // The connection is given up when it was silent for longer than agreed, not sooner.
    bench.input(NodeInput::DeadlineReached, at(330));
    assert!(bench.others.is_empty());
    bench.input(NodeInput::Flow(FlowEvent::Received { flow, frame: Frame::Ping }), at(330));
    bench.input(NodeInput::DeadlineReached, at(659));
    assert!(bench.others.is_empty());
    bench.input(NodeInput::DeadlineReached, at(660));
    assert!(matches!(bench.others.as_slice(), [NodeOutput::Close { .. }]), "{}", bench.ladder());
}

#[test]
fn outbound_and_keep_are_answered_and_their_pings_too() {
    let (mut bench, flow) = bench(Schemes::None, |_| ());
    let ping = |bench: &mut Bench| {
        bench.input(NodeInput::Flow(FlowEvent::Received { flow, frame: Frame::Ping }), at(1))
    };
    assert!(ping(&mut bench).is_empty(), "nobody asked for pongs yet");
    let contact =
        format!("{CONTACT};reg-id=1;+sip.instance=\"<urn:uuid:d0b51c2a-d769-588b-9e78-24f4450a6ebb>\"");
    let done =
        bench.ask(flow, &register("user", 1, &format!("{contact}\r\nSupported: outbound, path")), at(1));
    assert!(done.has_token(Name::Require, "outbound"));
    assert_eq!(done.text(Name::FlowTimer).as_deref(), Some("120"));
    assert_eq!(ping(&mut bench)[0].1.as_ref(), b"\r\n");
    let kept = bench.ask(flow, &register("user", 2, CONTACT).replace(";branch", ";keep;branch"), at(1));
    assert!(kept.text(Name::Via).unwrap().contains(";keep=120;branch"), "{:?}", kept.text(Name::Via));
}

#[test]
fn what_ms_siprege_refuses_is_refused_with_its_diagnostics() {
    let (mut bench, flow) = bench(Schemes::None, |_| ());
    for (cseq, line, status, id) in
        [(1, "Event: presence", 489, "4055;"), (2, "Supported: msrtc-event-categories", 421, "2057;")]
    {
        let answer = bench.ask(flow, &register("user", cseq, &format!("{CONTACT}\r\n{line}")), at(0));
        assert_eq!(answer.status(), Some(status));
        assert!(answer.text(Name::MsDiagnostics).unwrap().starts_with(id));
    }
    let both = "Supported: msrtc-event-categories, gruu-10\r\nEvent: registration";
    assert_eq!(
        bench.ask(flow, &register("user", 3, &format!("{CONTACT}\r\n{both}")), at(0)).status(),
        Some(200)
    );
    assert_eq!(bench.ask(flow, &register("nobody", 4, CONTACT), at(0)).status(), Some(404));
    bench.assign("bob@network.com", "hs104.network.com");
    let far = register("bob", 5, &format!("{CONTACT}\r\nRequire: nonsense, path, fantasy"));
    let answer = bench.ask(flow, &far, at(0));
    assert_eq!(
        (answer.status(), answer.text(Name::Unsupported).as_deref()),
        (Some(420), Some("nonsense, fantasy"))
    );
    let elsewhere = register("bob", 6, CONTACT).replace("REGISTER sip:network.com", "REGISTER sip:other.org");
    assert_eq!(bench.ask(flow, &elsewhere, at(0)).status(), Some(404));
}

#[test]
fn requests_other_than_register_get_an_answer_that_says_what_is_understood() {
    let (mut bench, flow) = bench(Schemes::None, |_| ());
    for (method, status) in [
        ("OPTIONS", 200),
        ("SUBSCRIBE", 489),
        ("INVITE", 405),
        ("MESSAGE", 405),
        ("BYE", 481),
        ("CANCEL", 481),
        ("FLY", 501),
    ] {
        let text = register("user", 1, "")
            .replace("REGISTER", method)
            .replace("z9hG4bK", &format!("z9hG4bK{method}"));
        let answer = bench.ask(flow, &text, at(0));
        assert_eq!(answer.status(), Some(status), "{method}");
        let tells = matches!(status, 200 | 405 | 501);
        assert_eq!(answer.has_token(Name::Allow, "REGISTER"), tells, "{method}");
    }
    assert!(bench.say(flow, &register("user", 9, "").replace("REGISTER", "ACK"), at(0)).is_empty());
}

#[test]
fn a_flood_through_strangers_proxies_is_capped_per_source() {
    let (mut bench, flow) = bench(Schemes::None, |config| config.routing.rate_limit = 2);
    let through = |cseq| {
        register("user", cseq, CONTACT)
            .replace("Max-Forwards", "Via: SIP/2.0/TCP 10.0.0.1;branch=z9hG4bKq\r\nMax-Forwards")
    };
    let status = |bench: &mut Bench, cseq, now: Now| bench.ask(flow, &through(cseq), now).status();
    assert_eq!((status(&mut bench, 1, at(0)), status(&mut bench, 2, at(1))), (Some(200), Some(200)));
    let refused = bench.ask(flow, &through(3), at(2));
    assert_eq!((refused.status(), refused.text(Name::RetryAfter).as_deref()), (Some(503), Some("60")));
    assert!(bench.reason(Verdict::Refused).contains("not configured"));
    assert_eq!(status(&mut bench, 4, at(61)), Some(200), "a minute later it starts anew");
}

/// The kind of one client says nothing about the next.
#[test]
fn clients_behind_one_strangers_proxy_are_each_spoken_to_in_their_own_way() {
    let (mut bench, flow) = bench(Schemes::Ntlm, |_| ());
    let through = |cseq, marks: &str| {
        register("user", cseq, &format!("{CONTACT}{marks}"))
            .replace(";tag=f", ";tag=f;epid=01")
            .replace("Max-Forwards", "Via: SIP/2.0/TCP 10.0.0.1;branch=z9hG4bKq\r\nMax-Forwards")
    };
    let microsoft = "\r\nms-keep-alive: UAC;hop-hop=yes";
    for (cseq, marks, status) in [(1, "", 407), (2, microsoft, 401), (3, "", 407), (4, microsoft, 401)] {
        assert_eq!(bench.ask(flow, &through(cseq, marks), at(0)).status(), Some(status), "{cseq}");
    }
}

#[test]
fn a_user_who_is_disabled_is_told_under_a_signature() {
    let golden = Golden::read("sipae_v4", super::super::config::Dialect::Sipae4);
    let mut bench = Bench::new(
        golden.node("homeserver104.network.com", |_| ()),
        &[("user@network.com", "homeserver104.network.com")],
    );
    let flow = bench.open(1, Transport::Tls);
    for step in [8, 10] {
        bench.ask(flow, &golden.text(step), at(0));
    }
    let user = "User@network.com".to_owned();
    let order = |event| NodeCommand::Deregister { user: user.clone(), event };
    assert!(
        bench.command(order(Deregistration::Deactivated), at(1)).is_empty(),
        "this client would stay offline"
    );
    bench.ask(flow, &golden.text(12), at(2));
    let told = bench.command(order(Deregistration::Rejected), at(3));
    let notify = Message::parse(told[0].1.clone()).unwrap();
    assert_eq!(notify.text(Name::Event).as_deref(), Some("registration-notify"));
    assert_eq!(notify.text(Name::SubscriptionState).as_deref(), Some("terminated;expires=0"));
    assert_eq!(notify.text(Name::MsDiagnosticsPublic).as_deref(), Some("4141;reason=\"User disabled\""));
    assert_eq!(notify.body(), b"deregistered;event=rejected");
    assert_eq!(notify.to().unwrap().param("epid"), Some(Some("3344")));
    assert_eq!(auth_param(&notify, Name::AuthenticationInfo, "snum").as_deref(), Some("3"));
    assert!(bench.node.bindings("user@network.com").is_empty());
    let ok = format!(
        "SIP/2.0 200 OK\r\nVia: {}\r\nFrom: {}\r\nTo: {};tag=x\r\nCall-ID: {}\r\nCSeq: 1 NOTIFY\r\nContent-Length: 0\r\n\r\n",
        notify.text(Name::Via).unwrap(),
        notify.text(Name::From).unwrap(),
        notify.text(Name::To).unwrap(),
        notify.call_id().unwrap()
    );
    assert!(bench.say(flow, &ok, at(3)).is_empty());
    assert_eq!(bench.node.transactions(), 0);
}

#[test]
fn every_contact_comes_back_and_only_in_time() {
    let (mut bench, flow) = bench(Schemes::None, |_| ());
    let two = "Contact: <sip:user@127.0.0.1:1>;expires=100, <sip:user@127.0.0.1:2>;expires=200";
    bench.ask(flow, &register("user", 1, two), at(0));
    let left = |answer: &Message| -> Vec<u32> {
        answer.all::<Contact<'_>>().map(|contact| contact.unwrap().expires().unwrap()).collect()
    };
    assert_eq!(left(&bench.ask(flow, &register("user", 2, ""), at(40))), [60, 160]);
    bench.input(NodeInput::DeadlineReached, at(100));
    assert_eq!(left(&bench.ask(flow, &register("user", 3, ""), at(100))), [100]);
    bench.ask(flow, &register("user", 4, "Contact: *\r\nExpires: 0"), at(100));
    assert_eq!(left(&bench.ask(flow, &register("user", 5, ""), at(100))), [0u32; 0]);
}
