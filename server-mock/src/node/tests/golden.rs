//! The golden conversations, request by request, as the servers of the recording.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use homing_core::transport::Transport;
use homing_wire::{Contact, Message, Name};

use super::bench::{Bench, Golden, at};
use super::digest::{self, Digest, Fate};

const HOMES: &[(&str, &str)] = &[("user@network.com", "homeserver104.network.com")];

/// Everything a recorded answer has, ours has too, to the byte where a signature covers it.
fn assert_like(ours: &Message, golden: &Message, step: usize) {
    let context = || {
        format!(
            "step {step}\nours:\n{}\nrecorded:\n{}",
            String::from_utf8_lossy(ours.bytes()),
            String::from_utf8_lossy(golden.bytes())
        )
    };
    assert_eq!(ours.status(), golden.status(), "{}", context());
    for line in golden.headers() {
        match line.name {
            Name::WwwAuthenticate
            | Name::ProxyAuthenticate
            | Name::AuthenticationInfo
            | Name::ProxyAuthenticationInfo => {
                assert_eq!(params(ours, line.name), params(golden, line.name), "{}", context());
            }
            Name::Contact => {
                let contact = |message: &Message| {
                    let contact = message.get::<Contact<'_>>().unwrap().unwrap();
                    (contact.addr().unwrap().uri_str().to_owned(), contact.expires())
                };
                assert_eq!(contact(ours), contact(golden), "{}", context());
            }
            Name::Via => {
                let via = ours.text(Name::Via).unwrap();
                assert_eq!(
                    via.split(";received=").next(),
                    golden.text(Name::Via).as_deref(),
                    "{}",
                    context()
                );
            }
            name => assert_eq!(ours.text(name), golden.text(name), "{}", context()),
        }
    }
}

/// Parameters of the NTLM line; `version` counts only in challenges (Info headers repeat it or not).
fn params(message: &Message, name: Name<'_>) -> BTreeMap<String, String> {
    let info = matches!(name, Name::AuthenticationInfo | Name::ProxyAuthenticationInfo);
    let ntlm = message.auth(name).find(|auth| auth.is("NTLM")).expect("an NTLM line");
    ntlm.params()
        .filter(|(key, _)| !(info && *key == "version"))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

#[test]
fn para_34_to_37_39_41_to_44_the_golden_conversations_in_three_dialects() {
    let mut digests = Vec::new();
    let names = ["patent_v2", "sipae_v3", "sipae_v4"];
    for (golden, name) in Golden::all().into_iter().zip(names) {
        let mut digest = Digest::default();
        let servers = ["homeserver102.network.com", "homeserver104.network.com"];
        let mut nodes = servers.map(|server| {
            let mut bench = Bench::new(golden.node(server, |_| ()), HOMES);
            bench.open(1, Transport::Tls);
            (server, bench)
        });
        for step in (0..golden.len()).step_by(2) {
            let (_, bench) = nodes.iter_mut().find(|(server, _)| *server == golden.server(step)).unwrap();
            let answer = bench.ask(homing_core::ids::FlowId(1), &golden.text(step), at(0));
            assert_like(&answer, &golden.message(step + 1), step + 1);
            digest.sent(Duration::ZERO, (SERVER, CLIENT), Fate::Sent, answer.bytes());
        }
        digests.push((name.to_owned(), digest.finish()));
        let [(_, first), (_, second)] = &nodes;
        assert_eq!((first.node.registrar().users(), second.node.registrar().users()), (0, 1));
        assert_eq!((first.node.transactions(), second.node.transactions()), (0, 0));
    }
    // What no recording fixes, such as further headers, may not move unseen either.
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/digests/golden_estate.txt");
    digest::compare(&list, &digests).unwrap_or_else(|moved| panic!("{moved}"));
}

/// The two ends, as the digest has them.
const CLIENT: u64 = 0;
const SERVER: u64 = 1;

#[test]
fn the_first_answer_of_auto_is_the_dialect_the_client_speaks() {
    use super::super::config::Dialect;
    for golden in Golden::all().into_iter().filter(|golden| golden.dialect != Dialect::Sipae3) {
        let server = golden.server(0).to_owned();
        let mut bench =
            Bench::new(golden.node(&server, |config| config.authentication.dialect = Dialect::Auto), HOMES);
        let flow = bench.open(1, Transport::Tls);
        for step in [0, 2, 4] {
            let answer = bench.ask(flow, &golden.text(step), at(0));
            assert_like(&answer, &golden.message(step + 1), step + 1);
        }
    }
}

#[test]
fn the_patents_own_messages_are_understood_letter_for_letter() {
    let text = include_str!("../../../../tests/data/vectors/patent_and_golden_flows.json");
    let all: serde_json::Value = serde_json::from_str(text).unwrap();
    let literal: Vec<&str> =
        all["literal"].as_array().unwrap().iter().map(|step| step["message"].as_str().unwrap()).collect();
    let requests: Vec<&&str> = literal.iter().filter(|text| text.starts_with("REGISTER")).collect();
    assert_eq!(requests.len(), 4);
    let golden = Golden::read("patent_v2", super::super::config::Dialect::Auto);
    let mut benches: Vec<(&str, Bench)> = ["homeserver102", "homeserver104"]
        .map(|name| {
            let server = format!("{name}.network.com");
            let node = golden.node(&server, |config| config.authentication.realm = "NetworkCo".to_owned());
            let mut bench = Bench::new(node, HOMES);
            bench.open(1, Transport::Tls);
            (name, bench)
        })
        .into();
    for text in requests {
        let here = |(name, _): &&mut (&str, Bench)| {
            text.to_ascii_lowercase().starts_with(&format!("register sip:{name}"))
        };
        let (_, bench) = benches.iter_mut().find(here).unwrap();
        // One branch and one CSeq for two requests, credentials that are none: each is answered by a
        // challenge in the patent's own dialect.
        let answer = bench.ask(homing_core::ids::FlowId(1), text, at(0));
        assert_eq!(answer.status(), Some(407), "{text}\n{}", bench.ladder());
        assert_eq!(params(&answer, Name::ProxyAuthenticate).get("version"), None);
        assert_eq!(answer.from().unwrap().tag(), Some("1123"));
    }
    let verdicts = benches[0].1.journal.iter().filter_map(|entry| entry.decision());
    let refused =
        verdicts.filter(|decision| decision.verdict == crate::journal::Verdict::LogonRefused).count();
    assert_eq!(refused, 1, "the printed token was taken for one and refused");
}
