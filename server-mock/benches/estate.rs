//! What a login, a refresh and a redirect cost a server, and how long an estate takes to start.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench fails by panicking")]

use homing_core::connect::FlowEvent;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use homing_core::auth::digest::{Algorithm, DigestInput, Hash, Qop, Secret, response};
use homing_core::ids::{FlowId, Seed};
use homing_core::secret::Password;
use homing_core::time::Now;
use homing_core::transport::Transport;
use homing_server_mock::directory::Lookup;
use homing_server_mock::estate::{Dialect, EstateBuilder, Role, Schemes, User};
use homing_server_mock::node::accounts::Accounts;
use homing_server_mock::node::config::{NodeConfig, Peer};
use homing_server_mock::node::random::Random;
use homing_server_mock::node::{Node, NodeInput, NodeOutput};
use homing_wire::{Frame, Message, Name};
use serde_json::Value;

const HOME: &str = "homeserver104.network.com";

/// The random values of the recorded conversation with the first server.
struct Recorded;

impl Random for Recorded {
    fn tag(&mut self) -> String {
        "88ff".to_owned()
    }
    fn opaque(&mut self) -> u32 {
        0xACDC_1230
    }
    fn challenge(&mut self) -> [u8; 8] {
        0x0123_4567_89AB_CDEF_u64.to_be_bytes()
    }
    fn salt(&mut self) -> u32 {
        0x8733
    }
    fn nonce(&mut self) -> String {
        "0123456789abcdef".to_owned()
    }
    fn call_id(&mut self) -> String {
        self.nonce()
    }
    fn retry_after(&mut self, _bound: u32) -> u32 {
        0
    }
    fn forged_key(&mut self) -> [u8; 16] {
        [7; 16]
    }
    fn garbage(&mut self) -> String {
        self.nonce()
    }
}

fn config(name: &str) -> NodeConfig {
    let mut config = NodeConfig::new(name, "network.com", Role::Home);
    let mut accounts = Accounts::new();
    accounts.add_domain("NETWORKCO", "network.com");
    accounts.add("user", "network.com", Password::new("Secret-Pass1"));
    config.accounts = Arc::new(accounts);
    config.peers = vec![Peer { fqdn: HOME.to_owned(), ports: vec![(Transport::Tls, 5061)] }];
    config
}

fn now() -> Now {
    Now::new(Duration::ZERO, Duration::from_secs(1_705_564_800))
}

fn open(node: &mut Node, flow: u64) {
    let (local, peer) = ("127.0.0.1:5061".parse().unwrap(), "127.0.0.1:40000".parse().unwrap());
    let flow = FlowId(flow);
    node.handle_input(
        NodeInput::Flow(FlowEvent::Accepted {
            flow,
            local,
            peer,
            transport: Transport::Tcp,
            client_names: None,
        }),
        now(),
    );
}

/// Hands one message in and gives the last answer.
fn ask(node: &mut Node, flow: u64, message: Bytes) -> Option<Bytes> {
    node.handle_input(
        NodeInput::Flow(FlowEvent::Received { flow: FlowId(flow), frame: Frame::Message(message) }),
        now(),
    );
    let mut answer = None;
    while let Some(output) = node.poll_output() {
        match output {
            NodeOutput::Send { bytes, .. } => answer = Some(bytes),
            NodeOutput::LookUp { id, .. } => {
                node.handle_answer(id, Lookup::Home { home: HOME.to_owned(), version: 1 }, now());
            }
            _ => {}
        }
    }
    answer
}

fn register(number: u64, more: &str) -> Bytes {
    format!(
        "REGISTER sip:network.com SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:40000;branch=z9hG4bK{number}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:user@network.com>;tag=f\r\nTo: <sip:user@network.com>\r\n\
         Call-ID: c1@127.0.0.1\r\nCSeq: {number} REGISTER\r\nContact: <sip:user@127.0.0.1:40000;transport=tcp>\r\n\
         {more}Content-Length: 0\r\n\r\n"
    )
    .into()
}

/// Two requests: the challenge, and the answer to it.
fn digest_login(criterion: &mut Criterion, hash: Hash, name: &str) {
    let mut config = config("homeserver104");
    config.authentication.schemes = Schemes::DigestMd5;
    let mut node = Node::new(config, &Seed::from_number(1));
    open(&mut node, 1 << 40);
    let challenge = Message::parse(ask(&mut node, 1 << 40, register(1, "")).unwrap()).unwrap();
    let nonce = challenge.auth(Name::WwwAuthenticate).next().unwrap().param("nonce").unwrap().to_owned();
    let (algorithm, password) = (Algorithm { hash, session: false }, Password::new("Secret-Pass1"));
    let mut number = 1;
    criterion.bench_function(name, |bencher| {
        bencher.iter_custom(|rounds| {
            let logins: Vec<(Bytes, Bytes)> = (0..rounds)
                .map(|_| {
                    number += 2;
                    let nc = format!("{number:08x}");
                    let input = DigestInput {
                        algorithm,
                        user: "user",
                        realm: "network.com",
                        secret: Secret::Password(&password),
                        method: "REGISTER",
                        uri: "sip:network.com",
                        nonce: &nonce,
                        nc: &nc,
                        cnonce: "abc",
                        qop: Some(Qop::Auth),
                        body: b"",
                    };
                    let more = format!(
                        "Authorization: Digest username=\"user\", realm=\"network.com\", nonce=\"{nonce}\", \
                         uri=\"sip:network.com\", response=\"{}\", algorithm={}, cnonce=\"abc\", qop=auth, nc={nc}\r\n",
                        response(&input),
                        algorithm.name()
                    );
                    (register(number, ""), register(number + 1, &more))
                })
                .collect();
            let begun = Instant::now();
            for (plain, answered) in logins {
                ask(&mut node, 1 << 40, plain);
                let done = ask(&mut node, 1 << 40, answered).unwrap();
                assert!(done.starts_with(b"SIP/2.0 200"));
            }
            begun.elapsed()
        });
    });
}

/// Three requests of a signed login that ends in a 301.
fn redirect(criterion: &mut Criterion) {
    let text = include_str!("../../tests/data/vectors/patent_and_golden_flows.json");
    let all: Value = serde_json::from_str(text).unwrap();
    let steps: Vec<String> =
        [0, 2, 4].map(|step| all["golden"]["sipae_v4"][step]["message"].as_str().unwrap().to_owned()).into();
    let mut config = config("homeserver102");
    config.authentication.dialect = Dialect::Sipae4;
    config.authentication.timestamp = false;
    config.authentication.names.netbios_domain = "NETWORKCO".to_owned();
    config.authentication.names.netbios_computer = "HS".to_owned();
    let mut node = Node::with_random(config, &Seed::from_number(1), Box::new(Recorded));
    let mut number = 1u64 << 40;
    criterion.bench_function("signed login ending in a 301", |bencher| {
        bencher.iter_custom(|rounds| {
            let logins: Vec<Vec<Bytes>> = (0..rounds)
                .map(|round| {
                    let own =
                        |step: &String| Bytes::from(step.replace("z9hG4bKc", &format!("z9hG4bK{round}c")));
                    steps.iter().map(own).collect()
                })
                .collect();
            let mut spent = Duration::ZERO;
            for messages in logins {
                number += 1;
                open(&mut node, number);
                let begun = Instant::now();
                let moved =
                    messages.into_iter().map(|message| ask(&mut node, number, message).unwrap()).last();
                spent += begun.elapsed();
                assert!(moved.unwrap().starts_with(b"SIP/2.0 301"));
                let why = homing_core::connect::ConnectError::Closed;
                node.handle_input(NodeInput::Flow(FlowEvent::Closed { flow: FlowId(number), why }), now());
                while node.poll_output().is_some() {}
            }
            spent
        });
    });
}

fn start(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    criterion.bench_function("start of an estate of three servers", |bencher| {
        bencher.iter(|| {
            let estate = EstateBuilder::new()
                .distributor("lb")
                .home("hs102")
                .home("hs104")
                .user(User::new("alice", "secret").assigned("hs104"))
                .transports([Transport::Tls, Transport::Tcp, Transport::Udp]);
            runtime.block_on(estate.start()).unwrap()
        });
    });
}

fn benches(criterion: &mut Criterion) {
    digest_login(criterion, Hash::Md5, "Digest MD5 login, two requests");
    digest_login(criterion, Hash::Sha256, "Digest SHA-256 login, two requests");
    redirect(criterion);
    start(criterion);
}

criterion_group!(estate, benches);
criterion_main!(estate);
