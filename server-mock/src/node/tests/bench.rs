//! A few nodes on a table: flows by hand, a directory that answers at once, links between servers.

use homing_core::connect::FlowEvent;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use homing_core::identity::CertNames;
use homing_core::ids::{FlowId, Seed};
use homing_core::secret::Password;
use homing_core::time::Now;
use homing_core::transport::Transport;
use homing_wire::{Frame, Message, Name};
use serde_json::Value;

use super::super::accounts::Accounts;
use super::super::config::{Dialect, NodeConfig, Peer};
use super::super::io::{LookupId, NodeInput, NodeOutput};
use super::super::random::Random;
use super::super::sound::SoundOrder;
use super::super::{Node, io::NodeCommand};
use crate::directory::Lookup;
use crate::journal::{Entry, Verdict};
use crate::role::Role;

/// Thu, 18 Jan 2024 08:00:00 GMT, the wall clock of the golden conversations.
pub(super) const WALL: u64 = 1_705_564_800;

/// The moment `seconds` after the start.
pub(super) fn at(seconds: u64) -> Now {
    Now::new(Duration::from_secs(seconds), Duration::from_secs(WALL + seconds))
}

/// Random values as a recording has them; the last of each kind is used again when they run out.
#[derive(Default)]
pub(super) struct Script {
    pub(super) tags: VecDeque<String>,
    pub(super) opaques: VecDeque<u32>,
    pub(super) challenges: VecDeque<[u8; 8]>,
    pub(super) salts: VecDeque<u32>,
    count: u64,
}

fn next<T: Clone>(queue: &mut VecDeque<T>, fallback: T) -> T {
    if queue.len() > 1 { queue.pop_front() } else { queue.front().cloned() }.unwrap_or(fallback)
}

impl Random for Script {
    fn tag(&mut self) -> String {
        next(&mut self.tags, "t".to_owned())
    }

    fn opaque(&mut self) -> u32 {
        next(&mut self.opaques, 1)
    }

    fn challenge(&mut self) -> [u8; 8] {
        next(&mut self.challenges, [7; 8])
    }

    fn salt(&mut self) -> u32 {
        next(&mut self.salts, 9)
    }

    fn nonce(&mut self) -> String {
        self.count += 1;
        format!("{:016}", self.count)
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

/// One recorded conversation.
pub(super) struct Golden {
    pub(super) dialect: Dialect,
    steps: Vec<Value>,
}

impl Golden {
    pub(super) fn read(name: &str, dialect: Dialect) -> Self {
        let text = include_str!("../../../../tests/data/vectors/patent_and_golden_flows.json");
        let all: Value = serde_json::from_str(text).unwrap();
        Self { dialect, steps: all["golden"][name].as_array().unwrap().clone() }
    }

    pub(super) fn all() -> Vec<Self> {
        let names =
            [("patent_v2", Dialect::Sip2), ("sipae_v3", Dialect::Sipae3), ("sipae_v4", Dialect::Sipae4)];
        names.map(|(name, dialect)| Self::read(name, dialect)).into()
    }

    pub(super) fn len(&self) -> usize {
        self.steps.len()
    }

    pub(super) fn server(&self, step: usize) -> &str {
        self.steps[step]["server"].as_str().unwrap()
    }

    pub(super) fn text(&self, step: usize) -> String {
        self.steps[step]["message"].as_str().unwrap().to_owned()
    }

    pub(super) fn message(&self, step: usize) -> Message {
        Message::parse(self.text(step)).unwrap()
    }

    /// The random values one server of the recording shows.
    fn script(&self, server: &str) -> Script {
        let mut script = Script::default();
        let own = |step: &&Value| step["server"] == *server && step["direction"] == "s>c";
        for step in self.steps.iter().filter(own) {
            let message = Message::parse(step["message"].as_str().unwrap().to_owned()).unwrap();
            script.tags.push_back(message.to().unwrap().tag().unwrap().to_owned());
            let headers = [
                Name::WwwAuthenticate,
                Name::ProxyAuthenticate,
                Name::AuthenticationInfo,
                Name::ProxyAuthenticationInfo,
            ];
            for auth in headers.iter().flat_map(|name| message.auth(*name)) {
                if let Some(token) = auth.param("gssapi-data") {
                    let token =
                        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, token).unwrap();
                    script.challenges.push_back(token[24..32].try_into().unwrap());
                    script.opaques.push_back(u32::from_str_radix(auth.param("opaque").unwrap(), 16).unwrap());
                }
                if let Some(salt) = auth.param("srand") {
                    script.salts.push_back(u32::from_str_radix(salt, 16).unwrap());
                }
            }
        }
        script
    }

    /// The node of the recording behind `server`, with its random values.
    pub(super) fn node(&self, server: &str, change: impl FnOnce(&mut NodeConfig)) -> Node {
        let name = server.split('.').next().unwrap();
        let mut config = NodeConfig::new(name, "network.com", Role::Home);
        config.authentication.dialect = self.dialect;
        config.authentication.timestamp = false;
        config.authentication.names.netbios_domain = "NETWORKCO".to_owned();
        config.authentication.names.netbios_computer = "HS".to_owned();
        if self.dialect == Dialect::Sip2 {
            config.authentication.realm = "NetworkCo".to_owned();
        }
        config.routing.contact_binding = false;
        config.accounts = accounts();
        config.peers = peers(&["homeserver102.network.com", "homeserver104.network.com"]);
        change(&mut config);
        Node::with_random(config, &Seed::from_number(1), Box::new(self.script(server)))
    }
}

pub(super) fn accounts() -> Arc<Accounts> {
    let mut accounts = Accounts::new();
    accounts.add_domain("NETWORKCO", "network.com");
    accounts.add("user", "network.com", Password::new("Secret-Pass1"));
    accounts.add("bob", "network.com", Password::new("bobs"));
    Arc::new(accounts)
}

pub(super) fn peers(names: &[&str]) -> Vec<Peer> {
    let ports = vec![(Transport::Tls, 5061), (Transport::Tcp, 5060), (Transport::Udp, 5060)];
    names.iter().map(|fqdn| Peer { fqdn: (*fqdn).to_owned(), ports: ports.clone() }).collect()
}

/// One node with a directory that answers at once.
pub(super) struct Bench {
    pub(super) node: Node,
    pub(super) journal: Vec<Entry>,
    /// Home of each user; `*` stands for all others.
    homes: BTreeMap<String, String>,
    pub(super) others: Vec<NodeOutput>,
    /// What it wants done about the sound of its parties.
    pub(super) sound: Vec<SoundOrder>,
    /// Ports that responses went to beside the one a request came from.
    pub(super) redirected: Vec<u16>,
    /// Flows that are held.
    pub(super) held: Vec<FlowId>,
    /// Whether the directory keeps its answers back, and those that it keeps.
    pub(super) slow: bool,
    kept: Vec<(LookupId, Lookup)>,
}

impl Bench {
    pub(super) fn new(node: Node, homes: &[(&str, &str)]) -> Self {
        let homes = homes.iter().map(|(user, home)| ((*user).to_owned(), (*home).to_owned())).collect();
        Self {
            node,
            journal: Vec::new(),
            homes,
            others: Vec::new(),
            sound: Vec::new(),
            redirected: Vec::new(),
            held: Vec::new(),
            slow: false,
            kept: Vec::new(),
        }
    }

    /// Puts the user somewhere else.
    pub(super) fn assign(&mut self, user: &str, home: &str) {
        self.homes.insert(user.to_owned(), home.to_owned());
    }

    /// A client opens a flow.
    pub(super) fn open(&mut self, flow: u64, transport: Transport) -> FlowId {
        self.open_as(flow, transport, None, at(0))
    }

    /// A peer with a certificate opens a flow.
    pub(super) fn open_as(&mut self, flow: u64, transport: Transport, dns: Option<&str>, now: Now) -> FlowId {
        let names = dns.map(|name| CertNames { dns: vec![name.to_owned()], ..CertNames::default() });
        let input = NodeInput::Flow(FlowEvent::Accepted {
            flow: FlowId(flow),
            local: "127.0.0.1:5061".parse().unwrap(),
            peer: format!("127.0.0.1:{}", 40_000 + flow).parse().unwrap(),
            transport,
            client_names: names,
        });
        assert!(self.input(input, now).is_empty());
        FlowId(flow)
    }

    /// A client at this address opens a flow; the other end is the server's UDP or TCP port.
    pub(super) fn open_from(&mut self, flow: u64, transport: Transport, peer: &str, now: Now) -> FlowId {
        let input = NodeInput::Flow(FlowEvent::Accepted {
            flow: FlowId(flow),
            local: "127.0.0.1:5060".parse().unwrap(),
            peer: peer.parse().unwrap(),
            transport,
            client_names: None,
        });
        assert!(self.input(input, now).is_empty());
        FlowId(flow)
    }

    /// A flow ends.
    pub(super) fn close(&mut self, flow: FlowId, now: Now) {
        let why = homing_core::connect::ConnectError::Closed;
        self.input(NodeInput::Flow(FlowEvent::Closed { flow, why }), now);
    }

    /// How many entries of the journal say so.
    pub(super) fn told(&self, words: &str) -> usize {
        let decisions = self.journal.iter().filter_map(Entry::decision);
        decisions.filter(|decision| decision.reason.contains(words)).count()
    }

    /// Hands a message in and gives what the node sends, with the flow each goes by.
    pub(super) fn say(&mut self, flow: FlowId, text: &str, now: Now) -> Vec<(FlowId, Bytes)> {
        let frame = Frame::Message(Bytes::copy_from_slice(text.as_bytes()));
        self.input(NodeInput::Flow(FlowEvent::Received { flow, frame }), now)
    }

    /// As [`say`](Self::say), for exactly one answer on the same flow.
    pub(super) fn ask(&mut self, flow: FlowId, text: &str, now: Now) -> Message {
        let sent = self.say(flow, text, now);
        assert_eq!(sent.len(), 1, "one answer to:\n{text}\n{}", self.ladder());
        assert_eq!(sent[0].0, flow);
        Message::parse(sent[0].1.clone()).unwrap()
    }

    pub(super) fn input(&mut self, input: NodeInput, now: Now) -> Vec<(FlowId, Bytes)> {
        self.node.handle_input(input, now);
        self.drain(now)
    }

    pub(super) fn command(&mut self, command: NodeCommand, now: Now) -> Vec<(FlowId, Bytes)> {
        self.node.handle_command(command, now);
        self.drain(now)
    }

    /// The directory gives the answers it kept back.
    pub(super) fn answer_late(&mut self, now: Now) -> Vec<(FlowId, Bytes)> {
        self.slow = false;
        for (id, found) in std::mem::take(&mut self.kept) {
            self.node.handle_answer(id, found, now);
        }
        self.drain(now)
    }

    pub(super) fn drain(&mut self, now: Now) -> Vec<(FlowId, Bytes)> {
        let mut sent = Vec::new();
        while let Some(output) = self.node.poll_output() {
            match output {
                NodeOutput::Send { flow, bytes } => sent.push((flow, bytes)),
                NodeOutput::SendToPort { flow, port, bytes } => {
                    self.redirected.push(port);
                    sent.push((flow, bytes));
                }
                NodeOutput::Hold { flow } => self.held.push(flow),
                NodeOutput::Journal(entry) => self.journal.push(entry),
                NodeOutput::LookUp { id, user, .. } => {
                    let found = match self.homes.get(&user).or_else(|| self.homes.get("*")) {
                        Some(home) => Lookup::Home { home: home.clone(), version: 1 },
                        None => Lookup::Unknown,
                    };
                    if self.slow {
                        self.kept.push((id, found));
                    } else {
                        self.node.handle_answer(id, found, now);
                    }
                }
                NodeOutput::Sound(order) => self.sound.push(order),
                other => self.others.push(other),
            }
        }
        sent
    }

    /// The last decision of that kind, with its reason.
    pub(super) fn reason(&self, verdict: Verdict) -> String {
        let decisions = self.journal.iter().rev().filter_map(Entry::decision);
        decisions
            .filter(|decision| decision.verdict == verdict)
            .map(|decision| decision.reason.to_string())
            .next()
            .unwrap_or_else(|| panic!("nothing {verdict}:\n{}", self.ladder()))
    }

    pub(super) fn ladder(&self) -> String {
        let journal = crate::journal::Journal::new();
        self.journal.iter().cloned().for_each(|entry| journal.record(entry));
        journal.ladder()
    }
}

/// The parameters of an auth header, of both header families.
pub(super) fn auth_param(message: &Message, name: Name<'_>, param: &str) -> Option<String> {
    message.auth(name).find_map(|auth| auth.param(param).map(str::to_owned))
}
