//! What a binding costs a server in memory, by kind: resident octets of the process before and after, over the bindings.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench fails by panicking, and prints"
)]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use homing_core::auth::digest::{Algorithm, DigestInput, Hash, Qop, Secret, response};
use homing_core::connect::FlowEvent;
use homing_core::ids::{FlowId, Seed};
use homing_core::secret::Password;
use homing_core::time::Now;
use homing_core::transport::Transport;
use homing_server_mock::directory::Lookup;
use homing_server_mock::estate::{Role, Schemes};
use homing_server_mock::node::accounts::Accounts;
use homing_server_mock::node::config::{NodeConfig, Peer};
use homing_server_mock::node::{Node, NodeInput, NodeOutput};
use homing_wire::{Frame, Message, Name};

const HOME: &str = "homeserver104.network.com";
const USERS: u64 = 20_000;
/// Flows that peers open are named from here on.
const FIRST: u64 = 1 << 40;

/// What is registered.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    transport: Transport,
    schemes: Schemes,
    /// Lines that name a device, with `{}` for its number in twelve digits.
    device: &'static str,
    /// Every binding by a flow of its own.
    own_flow: bool,
}

fn now() -> Now {
    Now::new(Duration::ZERO, Duration::from_secs(1_705_564_800))
}

fn node(kind: Kind) -> Node {
    let mut config = NodeConfig::new("homeserver104", "network.com", Role::Home);
    let mut accounts = Accounts::new();
    (0..USERS).for_each(|n| accounts.add(&format!("user{n}"), "network.com", Password::new("Secret-Pass1")));
    config.accounts = Arc::new(accounts);
    config.authentication.schemes = kind.schemes;
    config.peers = vec![Peer { fqdn: HOME.to_owned(), ports: vec![(Transport::Tls, 5061)] }];
    Node::new(config, &Seed::from_number(1))
}

fn open(node: &mut Node, flow: u64, kind: Kind) {
    let port = u16::try_from(1024 + flow % 60_000).unwrap();
    let host = [10, 0, u8::try_from(flow / 60_000 % 256).unwrap(), 1];
    let flow = FlowId(flow);
    let (local, peer) = ("127.0.0.1:5060".parse().unwrap(), (host, port).into());
    let accepted = FlowEvent::Accepted { flow, local, peer, transport: kind.transport, client_names: None };
    node.handle_input(NodeInput::Flow(accepted), now());
}

/// Hands one message in and gives the last answer.
fn ask(node: &mut Node, flow: u64, message: Bytes) -> Option<Message> {
    let frame = Frame::Message(message);
    node.handle_input(NodeInput::Flow(FlowEvent::Received { flow: FlowId(flow), frame }), now());
    let mut answer = None;
    while let Some(output) = node.poll_output() {
        match output {
            NodeOutput::Send { bytes, .. } => answer = Message::parse(bytes).ok(),
            NodeOutput::LookUp { id, .. } => {
                node.handle_answer(id, Lookup::Home { home: HOME.to_owned(), version: 1 }, now());
            }
            _ => {}
        }
    }
    answer
}

fn register(n: u64, cseq: u32, kind: Kind, more: &str) -> Bytes {
    let device = kind.device.replace("{}", &format!("{n:012}"));
    let transport = kind.transport.uri_token();
    format!(
        "REGISTER sip:network.com SIP/2.0\r\nVia: SIP/2.0/{} 10.0.0.1:5060;rport;branch=z9hG4bK{n}x{cseq}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:user{n}@network.com>;tag=f\r\nTo: <sip:user{n}@network.com>\r\n\
         Call-ID: call{n}@10.0.0.1\r\nCSeq: {cseq} REGISTER\r\nUser-Agent: telephone/1.0\r\n\
         Contact: <sip:user{n}@10.0.0.1:5060;transport={transport}>{device}\r\n{more}Content-Length: 0\r\n\r\n",
        kind.transport.via_token(),
    )
    .into()
}

fn authorization(n: u64, challenge: &Message) -> String {
    let algorithm = Algorithm { hash: Hash::Sha256, session: false };
    let nonce = challenge.auth(Name::WwwAuthenticate).next().unwrap().param("nonce").unwrap().to_owned();
    let (user, password) = (format!("user{n}"), Password::new("Secret-Pass1"));
    let input = DigestInput {
        algorithm,
        user: &user,
        realm: "network.com",
        secret: Secret::Password(&password),
        method: "REGISTER",
        uri: "sip:network.com",
        nonce: &nonce,
        nc: "00000001",
        cnonce: "abc",
        qop: Some(Qop::Auth),
        body: b"",
    };
    format!(
        "Authorization: Digest username=\"{user}\", realm=\"network.com\", nonce=\"{nonce}\", uri=\"sip:network.com\", \
         response=\"{}\", algorithm={}, cnonce=\"abc\", qop=auth, nc=00000001\r\n",
        response(&input),
        algorithm.name()
    )
}

/// Resident octets of this process.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap_or_default() * 1_024
}

fn measure(kind: Kind) {
    let mut node = node(kind);
    let before = resident();
    for n in 0..USERS {
        let flow = if kind.own_flow { FIRST + n } else { FIRST };
        if kind.own_flow || n == 0 {
            open(&mut node, flow, kind);
        }
        let mut answer = ask(&mut node, flow, register(n, 1, kind, "")).unwrap();
        if answer.status() == Some(401) {
            let more = authorization(n, &answer);
            answer = ask(&mut node, flow, register(n, 2, kind, &more)).unwrap();
        }
        assert_eq!(answer.status(), Some(200), "{}", String::from_utf8_lossy(answer.bytes()));
    }
    // Transactions are gone after 64·T1, so that what is left is what is held.
    let later = Now::new(Duration::from_secs(60), Duration::from_secs(1_705_564_860));
    node.handle_input(NodeInput::DeadlineReached, later);
    while node.poll_output().is_some() {}
    assert_eq!(node.registrar().users() as u64, USERS);
    println!("{:<52} {:>6} octets", kind.name, (resident().saturating_sub(before)) / USERS);
}

/// One kind for each process: what another left to the allocator would be used again.
fn main() {
    let plain = Kind {
        name: "open network, one shared flow",
        transport: Transport::Tcp,
        schemes: Schemes::None,
        device: "",
        own_flow: false,
    };
    let instance = ";+sip.instance=\"<urn:uuid:00000000-0000-4000-8000-{}>\";reg-id=1";
    let digest = Schemes::Digest;
    let kinds = [
        plain,
        Kind { name: "open network, UDP, a peer each", transport: Transport::Udp, own_flow: true, ..plain },
        Kind { name: "Digest, one shared flow", schemes: digest, ..plain },
        Kind {
            name: "Digest, UDP, a peer each",
            schemes: digest,
            transport: Transport::Udp,
            own_flow: true,
            ..plain
        },
        Kind { name: "Digest, a connection each", schemes: digest, own_flow: true, ..plain },
        Kind {
            name: "Digest, a connection each, instance and reg-id",
            schemes: digest,
            own_flow: true,
            device: instance,
            ..plain
        },
    ];
    let asked = std::env::args().skip(1).find_map(|word| word.parse::<usize>().ok());
    match asked.and_then(|number| kinds.get(number)) {
        Some(kind) => measure(*kind),
        None => {
            let program = std::env::current_exe().unwrap();
            for number in 0..kinds.len() {
                let run = std::process::Command::new(&program).arg(number.to_string()).status().unwrap();
                assert!(run.success());
            }
        }
    }
}
