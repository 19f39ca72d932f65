//! The golden conversations of the patent's redirect, as the client speaks them, in three dialects.

use homing_core::connect::FlowEvent;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use homing_core::agent::Agent;
use homing_core::auth::security_association::{Stamp, Version, buffer};
use homing_core::command::Command;
use homing_core::config::{AccountConfig, AgentConfig, Aor, ExtendedProtection};
use homing_core::connect::TlsProof;
use homing_core::dns::{DnsError, DnsRecords, RecordKind, Srv};
use homing_core::event::AccountEvent;
use homing_core::ids::{FlowId, Seed};
use homing_core::outbox::{Answer, Input, Output, Question};
use homing_core::state::AccountState;
use homing_core::time::Now;
use homing_wire::{Frame, Message, Name};
use serde_json::Value;

use super::digest::{self, Digest, Fact, Fate};
use super::numbers::{of_record, of_state, of_transport};
use super::world::random::Scripted;
use super::world::{answer, credentials};

#[test]
fn para_34_to_36_39_to_44_in_the_dialect_of_the_patent() {
    replay("patent_v2", Version::V2);
}

#[test]
fn para_34_to_36_39_to_44_in_version_3() {
    replay("sipae_v3", Version::V3);
}

#[test]
fn para_34_to_36_39_to_44_in_version_4() {
    replay("sipae_v4", Version::V4);
}

/// What the client does in the recorded conversations, headers and all that no recording fixes included.
#[test]
fn the_behaviour_in_the_golden_conversations_is_the_committed_one() {
    let dialects = [("patent_v2", Version::V2), ("sipae_v3", Version::V3), ("sipae_v4", Version::V4)];
    let digests = dialects.map(|(name, version)| (name.to_owned(), replay(name, version)));
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/digests/golden_agent.txt");
    digest::compare(&list, &digests).unwrap_or_else(|moved| panic!("{moved}"));
}

/// The client of the conversation: every request it sends is held against the recorded one, and the
/// recorded answer is what it hears.
struct Replay {
    agent: Agent,
    steps: Vec<Value>,
    at: usize,
    now: Now,
    dialled: Vec<String>,
    flow: FlowId,
    version: Version,
    events: Vec<AccountEvent>,
    digest: Digest,
}

/// Replays a conversation and returns the digest of what the client did.
fn replay(dialect: &str, version: Version) -> u64 {
    let text = include_str!("../../../../tests/data/vectors/patent_and_golden_flows.json");
    let vectors: Value = serde_json::from_str(text).unwrap();
    let steps = vectors["golden"][dialect].as_array().unwrap().clone();
    let random = Scripted {
        call_ids: ["123@client.network.com", "124@client.network.com"].map(str::to_owned).into(),
        from_tag: Some("1123".into()),
        branches: [1021, 1022, 1023, 1041, 1042, 1043, 1044].map(|n| format!("z9hG4bKc{n}")).into(),
        salts: [0x00a1_b2c3, 0x00a1_b2c3, 0x00a1_b2c4].into(),
        client_challenges: [[0xaa; 8], [0xbb; 8]].into(),
        session_keys: [[0x55; 16], [0x66; 16]].into(),
        ..Scripted::default()
    };
    let now = Now::new(Duration::ZERO, CLOCK);
    let mut config = AgentConfig::default();
    config.workstation = "CLIENT".into();
    let mut agent = Agent::with_random(config, Seed::from_number(7), Box::new(random), now);
    let mut account = AccountConfig::new(Aor::parse("user@network.com").unwrap(), "3344");
    account.display = "User".into();
    account.auth.extended_protection = ExtendedProtection::Off;
    let account = agent.add_account(account, now).unwrap();
    agent.handle_command(Command::Register(account), now).unwrap();
    let (dialled, events) = (Vec::new(), Vec::new());
    let digest = Digest::default();
    let mut replay = Replay { agent, steps, at: 0, now, dialled, flow: FlowId(0), version, events, digest };
    replay.run();
    assert_eq!(replay.agent.state(account), Some(AccountState::Registered));
    assert_eq!(replay.dialled, ["homeserver102.network.com", "homeserver104.network.com"]);
    replay.agent.handle_command(Command::Refresh(account), replay.now).unwrap();
    replay.run();
    assert_eq!(replay.at, 14, "every step was taken");
    assert!(replay.events.contains(&AccountEvent::Refreshed { expires: 7200 }));
    assert_eq!(replay.agent.state(account), Some(AccountState::Registered));
    replay.digest.finish()
}

/// What TLS proves of a server of that name.
fn proof_of(name: &str) -> TlsProof {
    TlsProof {
        name: name.to_owned(),
        names: vec![name.to_owned()],
        pinned: false,
        end_point_hash: Bytes::from_static(&[1; 32]),
        version: "TLSv1.3",
        round_trips: 1,
    }
}

impl Replay {
    fn run(&mut self) {
        while let Some(output) = self.agent.poll_output() {
            let now = self.now;
            match output {
                Output::Connect { flow, address, identity, transport } => {
                    self.tell(Fact::Dial, &[of_transport(transport)], &address.to_string());
                    self.dialled.push(identity.server_name().to_owned());
                    self.flow = flow;
                    let local: SocketAddr = format!("{CLIENT_ADDRESS}:5061").parse().unwrap();
                    let proof = Some(proof_of(identity.server_name()));
                    self.agent.handle_input(
                        Input::Flow(FlowEvent::Connected { flow, local, peer: address, proof }),
                        now,
                    );
                }
                Output::Send { flow, bytes } => {
                    assert_eq!(flow, self.flow);
                    self.digest.sent(now.since_start.0, (CLIENT, SERVER), Fate::Sent, &bytes);
                    self.compare(&Message::parse(bytes).unwrap());
                    let heard = self.steps[self.at + 1]["message"].as_str().unwrap();
                    // The recorded client wrote its name into Via, where this one writes its address.
                    let heard = heard.replace("client.network.com:5061;branch", "198.51.100.7:5061;branch");
                    let heard = heard.replace("Thu, 18 Jan 2024 08:00:00", "Wed, 17 Jan 2024 21:20:00");
                    self.at += 2;
                    let frame = Frame::Message(Bytes::from(heard.into_bytes()));
                    self.agent.handle_input(Input::Flow(FlowEvent::Received { flow, frame }), now);
                }
                Output::Ask { id, question: Question::Resolve(question), .. } => {
                    self.tell(Fact::Question, &[of_record(question.kind)], &question.name);
                    let found = match (question.kind, question.name.as_str()) {
                        (RecordKind::Srv, "_sipinternaltls._tcp.network.com") => {
                            Ok(DnsRecords::Srv(vec![Srv {
                                priority: 0,
                                weight: 0,
                                port: 5061,
                                target: "homeserver102.network.com".into(),
                            }]))
                        }
                        (RecordKind::Address, "homeserver102.network.com") => {
                            Ok(DnsRecords::Addresses(vec!["192.0.2.102".parse().unwrap()]))
                        }
                        (RecordKind::Address, "homeserver104.network.com") => {
                            Ok(DnsRecords::Addresses(vec!["192.0.2.104".parse().unwrap()]))
                        }
                        _ => Err(DnsError::NoRecord),
                    };
                    self.agent.handle_answer(id, Answer::Resolved(found.map(answer)), now);
                }
                Output::Ask { id, .. } => {
                    self.agent.handle_answer(id, Answer::Credentials(Some(credentials())), now);
                }
                Output::Event(event) => {
                    if let AccountEvent::StateChanged { from, to } = &event.what {
                        self.tell(Fact::State, &[of_state(*from), of_state(*to)], "");
                    }
                    self.events.push(event.what);
                }
                Output::Close { .. } | Output::Forget { .. } | Output::Call(_) => {}
            }
        }
    }

    fn tell(&mut self, fact: Fact, numbers: &[u64], words: &str) {
        self.digest.fact(self.now.since_start.0, CLIENT, fact, (numbers, words));
    }

    /// Tokens, signature buffers and signatures are exact; the rest is equal in meaning.
    fn compare(&self, sent: &Message) {
        let step = &self.steps[self.at];
        let text = step["message"].as_str().unwrap();
        let recorded = Message::parse(text.as_bytes().to_vec()).unwrap();
        for name in [Name::MaxForwards, Name::From, Name::To, Name::CallId, Name::CSeq, Name::Expires] {
            assert_eq!(sent.text(name), recorded.text(name), "{name:?} in {}", step["note"]);
        }
        for name in [Name::Authorization, Name::ProxyAuthorization] {
            assert_eq!(sent.text(name), recorded.text(name), "{name:?} in {}", step["note"]);
        }
        assert_eq!(request_line(sent), request_line(&recorded), "{}", step["note"]);
        assert_eq!(sent.request_uri(), Some("sip:network.com"), "{}", step["note"]);
        assert_eq!(via(sent), via(&recorded), "{}", step["note"]);
        let (ours, theirs) = (contact(sent), contact(&recorded));
        assert_eq!(ours[0], theirs[0], "{}", step["note"]);
        let lacks = theirs.iter().find(|param| !ours.contains(param));
        assert_eq!(lacks, None, "{} has {ours:?}", step["note"]);
        for name in [Name::Event, Name::MsKeepAlive] {
            assert!(recorded.text(name).is_none() || sent.text(name) == recorded.text(name), "{name:?}");
        }
        assert!(recorded.tokens(Name::Supported).all(|token| sent.has_token(Name::Supported, token)));
        if let Some(expected) = step["signature_buffer"].as_str() {
            let auth =
                sent.auth(Name::Authorization).chain(sent.auth(Name::ProxyAuthorization)).next().unwrap();
            let stamp = Stamp {
                scheme: auth.scheme,
                salt: auth.param("crand").unwrap(),
                number: auth.param("cnum").unwrap(),
                realm: auth.param("realm").unwrap(),
                targetname: auth.param("targetname").unwrap(),
            };
            assert_eq!(String::from_utf8(buffer(sent, &stamp, self.version).unwrap()).unwrap(), expected);
            assert_eq!(auth.param("response"), step["signature"].as_str());
        }
    }
}

/// The request line. The patent's names the server that is asked; that of a REGISTER names the domain (RFC 3261
/// section 10.2), as all later clients have it.
fn request_line(request: &Message) -> String {
    let text = String::from_utf8(request.bytes().to_vec()).unwrap();
    let line = text.lines().next().unwrap();
    ["homeserver102.", "homeserver104."].iter().fold(line.to_owned(), |line, name| line.replace(name, ""))
}

/// Transport, sent-by and branch. Our Via also asks for `rport` and offers `keep`, which the recording has not.
fn via(request: &Message) -> (String, Option<String>) {
    let text = request.text(Name::Via).unwrap().replace(CLIENT_NAME, CLIENT_ADDRESS);
    let sent_by = text.split(';').next().unwrap().to_owned();
    (sent_by, request.via().unwrap().branch().map(str::to_owned))
}

/// The address of a Contact, then its parameters.
fn contact(request: &Message) -> Vec<String> {
    let text = request.text(Name::Contact).unwrap().replace(CLIENT_NAME, CLIENT_ADDRESS);
    let (address, params) = text.split_once('>').unwrap();
    std::iter::once(address).chain(params.split(';')).map(|part| part.trim().to_owned()).collect()
}

/// The recorded client, and ours, which knows its address only.
const CLIENT_NAME: &str = "client.network.com";
const CLIENT_ADDRESS: &str = "198.51.100.7";

/// The two ends, as the digest has them.
const CLIENT: u64 = 0;
const SERVER: u64 = 1;

/// The clock by which the recorded tokens were made. The Date headers say another, 10 h 40 min later,
/// which a client must object to; they are set right before it hears them.
const CLOCK: Duration = Duration::from_secs(1_705_526_400);
