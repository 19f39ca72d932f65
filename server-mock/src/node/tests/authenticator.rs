//! Attacks on the authenticator, made from the recorded conversations.

use homing_core::connect::FlowEvent;
use homing_core::endpoint::InstanceId;
use homing_core::ids::FlowId;
use homing_core::secret::Password;
use homing_core::transport::Transport;
use homing_wire::{Message, Name};

use super::super::accounts::Accounts;
use super::super::config::{Dialect, ExtendedProtection};
use super::super::endpoint::Endpoint;
use super::super::io::NodeInput;
use super::bench::{Bench, Golden, at, auth_param};
use crate::journal::Verdict;

const SERVER: &str = "homeserver104.network.com";
const HOMES: &[(&str, &str)] = &[("user@network.com", SERVER)];
/// Steps of the recording at the home server: no credentials, empty token, token, refresh.
const PLAIN: usize = 6;
const EMPTY: usize = 8;
const TOKEN: usize = 10;
const REFRESH: usize = 12;

fn v4() -> Golden {
    Golden::read("sipae_v4", Dialect::Sipae4)
}

fn bench(golden: &Golden) -> (Bench, FlowId) {
    let mut bench = Bench::new(golden.node(SERVER, |_| ()), HOMES);
    let flow = bench.open(1, Transport::Tls);
    (bench, flow)
}

/// A home server where the recorded user is logged in.
fn logged_in(golden: &Golden) -> (Bench, FlowId) {
    let (mut bench, flow) = bench(golden);
    for step in [PLAIN, EMPTY, TOKEN] {
        bench.ask(flow, &golden.text(step), at(0));
    }
    assert_eq!(bench.node.bindings("user@network.com").len(), 1, "{}", bench.ladder());
    (bench, flow)
}

/// The message with the value of one header parameter replaced.
pub(super) fn with(text: &str, param: &str, value: &str) -> String {
    let start = text.find(&format!("{param}=\"")).unwrap() + param.len() + 2;
    let end = start + text[start..].find('"').unwrap();
    format!("{}{value}{}", &text[..start], &text[end..])
}

/// The message as a new transaction.
pub(super) fn again(text: &str, number: u32) -> String {
    text.replace("branch=z9hG4bKc", &format!("branch=z9hG4bKagain{number}c"))
}

/// The message as another device sends it: epid, and the instance that belongs to it.
pub(super) fn as_device(text: &str, epid: &str) -> String {
    let instance = InstanceId::of_epid(epid).urn();
    let own = InstanceId::of_epid("3344").urn();
    text.replace("epid=3344", &format!("epid={epid}")).replace(&own, &instance)
}

fn is_first_challenge(answer: &Message) -> bool {
    answer.status() == Some(401) && auth_param(answer, Name::WwwAuthenticate, "gssapi-data").is_none()
}

#[test]
fn a_token_is_worth_nothing_on_another_connection_or_for_another_endpoint() {
    let golden = v4();
    let (mut bench, first) = bench(&golden);
    bench.ask(first, &golden.text(PLAIN), at(0));
    bench.ask(first, &golden.text(EMPTY), at(0));
    let second = bench.open(2, Transport::Tls);
    let answer = bench.ask(second, &golden.text(TOKEN), at(0));
    assert!(is_first_challenge(&answer), "{}", bench.ladder());
    assert!(bench.reason(Verdict::LogonRefused).contains("no challenge is open"));
    let answer = bench.ask(first, &again(&golden.text(TOKEN), 1), at(0));
    assert_eq!(answer.status(), Some(200), "who knows the opaque cannot end another's login");

    let (mut bench, flow) = self::bench(&golden);
    bench.ask(flow, &golden.text(EMPTY), at(0));
    let other = golden.text(TOKEN).replace("epid=3344", "epid=3345");
    assert!(is_first_challenge(&bench.ask(flow, &other, at(0))));
    assert!(bench.reason(Verdict::LogonRefused).contains("for this endpoint"));
    assert_eq!(bench.node.cx.sessions.half_open(), 1);
}

/// As [`TOKEN`], without the signature of version 4 beside it, which covers From and the opaque.
pub(super) fn unsigned(token: &str) -> String {
    let cut = token.find(", crand=").unwrap();
    format!("{}{}", &token[..cut], &token[cut + token[cut..].find("\r\n").unwrap()..])
}

#[test]
fn no_table_keeps_anything_of_a_failed_login() {
    let golden = v4();
    let (mut bench, flow) = bench(&golden);
    for round in 0..2 {
        bench.ask(flow, &again(&golden.text(EMPTY), round), at(0));
        let wrong = again(&with(&golden.text(TOKEN), "gssapi-data", "AAAA"), round);
        assert!(is_first_challenge(&bench.ask(flow, &wrong, at(0))));
        assert_eq!(bench.node.cx.sessions.entries(), [0; 6], "round {round}");
    }
}

#[test]
fn a_user_who_claims_anothers_endpoint_ends_nobodys_association() {
    let golden = v4();
    let (mut bench, flow) = logged_in(&golden);
    let refresh = golden.message(REFRESH);
    let endpoint = Endpoint::of(&refresh).unwrap();
    let before = bench.node.cx.sessions.of_endpoint(&endpoint);
    assert!(before.is_some());

    // The same token now proves a user of another domain.
    let mut accounts = Accounts::new();
    accounts.add_domain("NETWORKCO", "elsewhere.com");
    accounts.add("user", "elsewhere.com", Password::new("Secret-Pass1"));
    bench.node.cx.config.accounts = accounts.into();
    let mallory = bench.open(2, Transport::Tls);
    let challenge = bench.ask(mallory, &again(&golden.text(EMPTY), 1), at(1));
    let opaque = auth_param(&challenge, Name::WwwAuthenticate, "opaque").unwrap();
    let token = unsigned(&with(&again(&golden.text(TOKEN), 1), "opaque", &opaque));
    let answer = bench.ask(mallory, &token, at(1));
    assert_eq!(answer.status(), Some(403), "{}", bench.ladder());
    assert!(auth_param(&answer, Name::AuthenticationInfo, "rspauth").is_some());
    let sessions = &bench.node.cx.sessions;
    assert_eq!(sessions.of_endpoint(&endpoint), before);
    assert_eq!(sessions.on_flow(mallory), None, "it signs nothing else on its connection");

    // Signed under the keys of the refusal it has no sender, and the victim goes on.
    let refused = with(&again(&golden.text(REFRESH), 2), "opaque", &opaque);
    assert!(is_first_challenge(&bench.ask(mallory, &refused, at(2))));
    assert!(bench.reason(Verdict::Challenged).contains("no such association"));
    bench.input(NodeInput::DeadlineReached, at(60));
    assert_eq!(bench.node.cx.sessions.len(), 1, "the one of the refusal is gone");
    assert_eq!(bench.ask(flow, &golden.text(REFRESH), at(61)).status(), Some(200), "{}", bench.ladder());
}

#[test]
fn a_connection_holds_so_many_associations_and_the_oldest_goes() {
    let golden = v4();
    let node = golden.node(SERVER, |config| config.authentication.limits.associations = 2);
    let mut bench = Bench::new(node, HOMES);
    let flow = bench.open(1, Transport::Tls);
    let device = |step: usize, n: u32| as_device(&again(&golden.text(step), n), &format!("99{n}"));
    for n in 0..4 {
        let challenge = bench.ask(flow, &device(EMPTY, n), at(0));
        let opaque = auth_param(&challenge, Name::WwwAuthenticate, "opaque").unwrap();
        let answer = bench.ask(flow, &unsigned(&with(&device(TOKEN, n), "opaque", &opaque)), at(0));
        assert_eq!(answer.status(), Some(200), "{}", bench.ladder());
    }
    let sessions = &bench.node.cx.sessions;
    assert_eq!(sessions.entries(), [0, 2, 2, 2, 2, 2]);
    let held = |n| {
        sessions.of_endpoint(&Endpoint::of(&Message::parse(device(EMPTY, n)).unwrap()).unwrap()).is_some()
    };
    assert_eq!([0, 1, 2, 3].map(held), [false, false, true, true]);
}

#[test]
fn a_token_cannot_be_used_twice_nor_after_a_minute() {
    let golden = v4();
    let (mut bench, flow) = logged_in(&golden);
    let answer = bench.ask(flow, &again(&golden.text(TOKEN), 1), at(1));
    assert!(is_first_challenge(&answer));
    assert!(bench.reason(Verdict::LogonRefused).contains("no challenge is open"));

    let (mut bench, flow) = self::bench(&golden);
    bench.ask(flow, &golden.text(EMPTY), at(0));
    assert_eq!(bench.node.deadline().map(|deadline| deadline.at), Some(at(60).since_start));
    bench.input(NodeInput::DeadlineReached, at(60));
    assert!(is_first_challenge(&bench.ask(flow, &golden.text(TOKEN), at(60))));
}

#[test]
fn wrong_credentials_and_strangers_get_the_same_answers_and_after_three_a_403() {
    let golden = v4();
    let mut answers = Vec::new();
    for (user, password) in [("user", "Other-Pass1"), ("nobody", "x")] {
        let mut accounts = Accounts::new();
        accounts.add(user, "network.com", Password::new(password));
        let node = golden.node(SERVER, |config| config.accounts = accounts.into());
        let mut bench = Bench::new(node, HOMES);
        let flow = bench.open(1, Transport::Tls);
        let mut heard = Vec::new();
        for round in 0..3 {
            bench.ask(flow, &again(&golden.text(EMPTY), round), at(0));
            let answer = bench.ask(flow, &again(&golden.text(TOKEN), round), at(0));
            heard.push((answer.status(), String::from_utf8_lossy(answer.bytes()).into_owned()));
        }
        assert_eq!(
            heard.iter().map(|(status, _)| *status).collect::<Vec<_>>(),
            [Some(401), Some(401), Some(403)]
        );
        answers.push(heard);
    }
    assert_eq!(answers[0], answers[1], "an unknown user and a wrong password cannot be told apart");
}

#[test]
fn the_signature_beside_a_version_4_token_must_hold() {
    let golden = v4();
    let (mut bench, flow) = bench(&golden);
    bench.ask(flow, &golden.text(EMPTY), at(0));
    let forged = with(&golden.text(TOKEN), "response", "01000000639ccfd8a85bd62664000000");
    assert!(is_first_challenge(&bench.ask(flow, &forged, at(0))));
    assert!(bench.reason(Verdict::LogonRefused).contains("signature beside the token"));
    assert!(bench.node.bindings("user@network.com").is_empty());
}

#[test]
fn a_signed_request_is_taken_once_and_only_as_it_was_signed() {
    for golden in Golden::all() {
        let challenge = if golden.dialect == Dialect::Sip2 { Some(407) } else { Some(401) };
        let (mut bench, flow) = logged_in(&golden);
        let refresh = golden.text(REFRESH);
        for (changed, what) in [
            (with(&refresh, "response", "0100000000000000000000006400000"), "another signature"),
            (with(&refresh, "cnum", "77"), "another counter"),
            (refresh.replace("Expires: 7200", "Expires: 7201"), "another Expires"),
            (with(&refresh, "opaque", "00000000"), "another association"),
            (refresh.replace("epid=3344", "epid=3345"), "another endpoint"),
        ] {
            let answer = bench.ask(flow, &again(&changed, 1), at(1));
            assert_eq!(answer.status(), challenge, "{what}\n{}", bench.ladder());
        }
        assert_eq!(bench.ask(flow, &refresh, at(2)).status(), Some(200), "bad signatures moved no window");
        // A replay as a transaction of its own: the signature is good, the counter is used.
        assert!(bench.say(flow, &again(&refresh, 9), at(3)).is_empty());
        assert!(bench.reason(Verdict::Discarded).contains("counter"));
    }
}

#[test]
fn a_counter_far_ahead_moves_the_window_only_when_its_signature_is_good() {
    let golden = v4();
    let (mut bench, flow) = logged_in(&golden);
    let far = with(&golden.text(REFRESH), "cnum", "4000000000");
    assert!(is_first_challenge(&bench.ask(flow, &again(&far, 1), at(1))));
    assert_eq!(bench.ask(flow, &golden.text(REFRESH), at(1)).status(), Some(200));
}

#[test]
fn a_retransmission_gets_identical_bytes_and_touches_no_counter() {
    let golden = v4();
    let mut bench = Bench::new(golden.node(SERVER, |_| ()), HOMES);
    let flow = bench.open(1, Transport::Udp);
    for step in [PLAIN, EMPTY, TOKEN, REFRESH] {
        let udp = golden.text(step).replace("SIP/2.0/TLS", "SIP/2.0/UDP");
        let first = bench.ask(flow, &udp, at(0));
        let second = bench.ask(flow, &udp, at(1));
        assert_eq!(first.bytes(), second.bytes(), "step {step}");
    }
    assert_eq!(
        bench.journal.iter().filter_map(|e| e.decision()).filter(|d| d.verdict == Verdict::Repeated).count(),
        4
    );
}

#[test]
fn ack_and_cancel_without_credentials_are_dropped_and_others_challenged() {
    let golden = v4();
    let (mut bench, flow) = bench(&golden);
    for method in ["ACK", "CANCEL"] {
        let text = again(&golden.text(PLAIN), 1).replace("REGISTER sip", &format!("{method} sip"));
        let text = text.replace("1 REGISTER", &format!("1 {method}"));
        assert!(bench.say(flow, &text, at(0)).is_empty(), "{method}");
    }
    let text = golden.text(PLAIN).replace("REGISTER sip", "OPTIONS sip").replace("1 REGISTER", "1 OPTIONS");
    assert!(is_first_challenge(&bench.ask(flow, &text, at(0))));
}

#[test]
fn an_association_ends_with_its_connection_and_with_its_life() {
    let golden = v4();
    let (mut bench, flow) = logged_in(&golden);
    let why = homing_core::connect::ConnectError::Closed;
    bench.input(NodeInput::Flow(FlowEvent::Closed { flow, why }), at(1));
    assert!(bench.node.bindings("user@network.com").is_empty());
    let flow = bench.open(2, Transport::Tls);
    assert!(is_first_challenge(&bench.ask(flow, &golden.text(REFRESH), at(2))));

    let (mut bench, flow) = logged_in(&golden);
    let after = 7200 + 31;
    bench.input(NodeInput::DeadlineReached, at(after));
    let flow = if bench.others.is_empty() { flow } else { bench.open(3, Transport::Tls) };
    assert!(is_first_challenge(&bench.ask(flow, &golden.text(REFRESH), at(after))), "{}", bench.ladder());
}

#[test]
fn a_user_may_not_register_for_another() {
    let golden = v4();
    let (mut bench, flow) = bench(&golden);
    let theirs = |step| golden.text(step).replace("sip:user@network.com", "sip:bob@network.com");
    bench.ask(flow, &theirs(EMPTY), at(0));
    let answer = bench.ask(flow, &unsigned(&theirs(TOKEN)), at(0));
    assert_eq!(answer.status(), Some(403));
    assert!(
        auth_param(&answer, Name::AuthenticationInfo, "rspauth").is_some(),
        "and is told so under a signature"
    );
    assert!(bench.node.bindings("bob@network.com").is_empty());
}

#[test]
fn a_version_that_was_not_offered_is_refused_and_an_older_one_is_spoken() {
    let golden = v4();
    let mut bench =
        Bench::new(golden.node(SERVER, |config| config.authentication.dialect = Dialect::Sipae3), HOMES);
    let flow = bench.open(1, Transport::Tls);
    bench.ask(flow, &golden.text(PLAIN), at(0));
    assert_eq!(bench.ask(flow, &golden.text(EMPTY), at(0)).status(), Some(400));
    let (mut bench, flow) = self::bench(&golden);
    bench.ask(flow, &golden.text(PLAIN), at(0));
    let older = golden.text(EMPTY).replace(", version=4", ", version=3");
    let answer = bench.ask(flow, &older, at(0));
    assert_eq!(auth_param(&answer, Name::WwwAuthenticate, "version").as_deref(), Some("3"));
}

#[test]
fn a_pinned_dialect_holds_for_a_client_that_begins_with_the_empty_token_and_behind_a_server() {
    let golden = v4();
    for (dialect, refused) in
        [(Dialect::Sip2, "4"), (Dialect::Sip2, "3"), (Dialect::Sip2By401, "3"), (Dialect::Sipae3, "4")]
    {
        let empty = golden.text(EMPTY).replace(", version=4", &format!(", version={refused}"));
        let mut bench =
            Bench::new(golden.node(SERVER, |config| config.authentication.dialect = dialect), HOMES);
        let flow = bench.open(1, Transport::Tls);
        assert_eq!(bench.ask(flow, &empty, at(0)).status(), Some(400), "{dialect:?}, version {refused}");
        let server = bench.open_as(2, Transport::Tls, Some("homeserver102.network.com"), at(0));
        assert_eq!(bench.ask(server, &empty, at(0)).status(), Some(400), "{dialect:?}, behind a server");
    }
}

#[test]
fn the_header_family_of_the_client_is_followed() {
    let golden = v4();
    let (mut bench, flow) = bench(&golden);
    bench.ask(flow, &golden.text(PLAIN), at(0));
    let proxy = |step| golden.text(step).replace("Authorization: NTLM", "Proxy-Authorization: NTLM");
    let challenge = bench.ask(flow, &proxy(EMPTY), at(0));
    assert_eq!(challenge.status(), Some(407));
    assert!(auth_param(&challenge, Name::ProxyAuthenticate, "gssapi-data").is_some());
    let answer = bench.ask(flow, &proxy(TOKEN), at(0));
    let signature = |name| auth_param(&answer, name, "rspauth");
    assert!(signature(Name::ProxyAuthenticationInfo).is_some());
    assert_eq!(signature(Name::ProxyAuthenticationInfo), signature(Name::AuthenticationInfo));
}

#[test]
fn our_own_clients_get_one_info_header_and_the_patents_literals_stand_where_it_prints_them() {
    let golden = Golden::read("patent_v2", Dialect::Sip2);
    let node = golden
        .node("homeserver102.network.com", |config| config.authentication.patent_literal_headers = true);
    let mut bench = Bench::new(node, HOMES);
    let flow = bench.open(1, Transport::Tls);
    let ours =
        |step| golden.text(step).replace("Max-Forwards: 70", "Max-Forwards: 70\r\nUser-Agent: Homing/0.1");
    bench.ask(flow, &ours(0), at(0));
    bench.ask(flow, &ours(2), at(0));
    let moved = bench.ask(flow, &ours(4), at(0));
    let signature = |message: &Message, name| auth_param(message, name, "rspauth");
    assert_eq!(signature(&moved, Name::ProxyAuthenticationInfo), signature(&moved, Name::ProxyAuthenticate));
    assert_eq!(signature(&moved, Name::AuthenticationInfo), None);
    let node = golden.node(SERVER, |config| config.authentication.patent_literal_headers = true);
    let mut bench = Bench::new(node, HOMES);
    let flow = bench.open(1, Transport::Tls);
    bench.ask(flow, &golden.text(EMPTY), at(0));
    let welcome = bench.ask(flow, &golden.text(TOKEN), at(0));
    assert!(signature(&welcome, Name::ProxyAuthorization).is_some());
    assert!(auth_param(&welcome, Name::ProxyAuthorization, "gssapi-data").is_none(), "no token is sent back");
}

#[test]
fn with_extended_protection_required_a_client_that_binds_nothing_stays_outside() {
    let golden = v4();
    let node =
        golden.node(SERVER, |config| config.authentication.extended_protection = ExtendedProtection::Require);
    let mut bench = Bench::new(node, HOMES);
    let flow = bench.open(1, Transport::Tls);
    bench.ask(flow, &golden.text(EMPTY), at(0));
    assert!(is_first_challenge(&bench.ask(flow, &golden.text(TOKEN), at(0))));
    assert!(bench.reason(Verdict::LogonRefused).contains("bound"));
}

#[test]
fn credentials_that_contradict_themselves_or_are_no_base64_get_no_further() {
    let golden = v4();
    let (mut bench, flow) = bench(&golden);
    bench.ask(flow, &golden.text(EMPTY), at(0));
    let twice = golden.text(TOKEN).replace("opaque=\"ACD22230\"", "opaque=\"ACD22230\", opaque=\"00000001\"");
    assert_eq!(bench.ask(flow, &twice, at(0)).status(), Some(400));
    for (round, token) in ["!!!!", "AAAA", "TlRMTVNTUAAD", &"A".repeat(9000)].iter().enumerate() {
        let (mut bench, flow) = self::bench(&golden);
        bench.ask(flow, &golden.text(EMPTY), at(0));
        let text = again(&with(&golden.text(TOKEN), "gssapi-data", token), u32::try_from(round).unwrap());
        assert!(is_first_challenge(&bench.ask(flow, &text, at(0))), "{token:.20}");
    }
}

#[test]
fn a_silent_connection_is_closed_when_nobody_authenticates() {
    let (mut bench, flow) = bench(&v4());
    assert_eq!(bench.node.deadline().map(|deadline| deadline.at), Some(at(120).since_start));
    bench.input(NodeInput::DeadlineReached, at(120));
    assert!(
        matches!(bench.others.as_slice(), [super::super::NodeOutput::Close { flow: closed }] if *closed == flow)
    );
}
