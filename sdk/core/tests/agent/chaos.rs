//! Hostile and broken worlds by the seed: nothing panics, nothing is left behind, nobody is led away.

use homing_core::connect::FlowEvent;
use std::time::Duration;

use bytes::Bytes;
use homing_core::auth::security_association::{Style, Version};
use homing_core::command::Command;
use homing_core::config::{Consent, SignaturePlaces, UnsignedRule};
use homing_core::connect::ConnectError;
use homing_core::dns::{DnsQuestion, DnsRecords, RecordKind, Srv};
use homing_core::ids::{FlowId, Rng, Seed};
use homing_core::outbox::{Answer, Decision, Input};
use homing_core::state::AccountState;
use homing_wire::Frame;

use super::world::server::{Fault, Gate, Then};
use super::world::{World, answer};

const SERVERS: [&str; 4] = ["hs102.network.com", "hs104.network.com", "hs105.network.com", "evil.test"];

fn seeds() -> u64 {
    std::env::var("HOMING_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(300)
}

#[test]
fn nothing_breaks_the_agent() {
    for seed in 0..seeds() {
        let first = run(seed);
        if seed % 50 == 0 {
            assert_eq!(first, run(seed), "seed {seed}: the same seed gives the same ladder");
        }
    }
}

/// One life in a broken world; gives back what the agent sent, for comparison.
fn run(seed: u64) -> Vec<Bytes> {
    let guard = Named(seed);
    let mut rng = Rng::new(&Seed::from_number(seed));
    let mut world = world(&mut rng);
    let mut mangler = Rng::new(&rng.fork());
    let one_in = 2 + rng.below(40);
    world.rules.mangle = Some(Box::new(move |bytes| mangled(&mut mangler, bytes, one_in)));
    for _ in 0..60 {
        step(&mut world, &mut rng);
    }
    honest(&mut world);
    world.pass(Duration::from_secs(4_000));
    let now = world.now();
    let _ = world.agent.handle_command(Command::Register(world.account), now);
    world.settle();
    world.pass(Duration::from_secs(7_200));
    assert!(world.state().is_reachable(), "seed {seed}: an honest world is joined, not {:?}", world.state());
    let home = world.registered().home.host.clone();
    assert_ne!(home, "evil.test", "seed {seed}: nobody is led out of the domain");
    assert_eq!(world.at("evil.test").dials, 0, "seed {seed}");
    world.command(Command::Unregister);
    world.pass(Duration::from_secs(40));
    assert_eq!(world.state(), AccountState::LoggedOff);
    let left = (world.agent.flows(), world.agent.transactions(), world.agent.questions());
    assert_eq!(left, (0, 0, 0), "seed {seed}: nothing is left");
    assert_eq!(world.agent.deadline(), None, "seed {seed}");
    std::mem::forget(guard);
    world.sent.into_iter().map(|(_, message)| message.bytes().clone()).collect()
}

/// Names the seed if the test dies before it is forgotten.
struct Named(u64);

impl Drop for Named {
    #[expect(clippy::print_stderr, reason = "a seed that fails is named")]
    fn drop(&mut self) {
        eprintln!("the seed is {}", self.0);
    }
}

fn world(rng: &mut Rng) -> World {
    let unsigned = rng.below(2) == 0;
    let ask = rng.below(3) == 0;
    let patent = rng.below(2) == 0;
    let mut world = World::new(|config| {
        config.auth.allow_md5 = true;
        config.redirect.also_302 = unsigned;
        if unsigned {
            config.redirect.unsigned = UnsignedRule::FollowOverTls;
        }
        if ask {
            config.redirect.consent = Consent::Ask;
        }
        if patent {
            config.auth.signature_places = SignaturePlaces::PatentToo;
        }
    });
    world.srv(&[(10, "hs102.network.com"), (10, "hs104.network.com"), (20, "hs105.network.com")]);
    for name in SERVERS {
        world.server(name);
        arm(&mut world, name, rng);
    }
    let calm = rng.below(2) == 0;
    if calm {
        world.at("hs104.network.com").then = Then::Accept { expires: 900 };
        world.at("hs104.network.com").gate = Gate::Ntlm;
        world.at("hs102.network.com").gate = Gate::Ntlm;
    }
    world.at("hs102.network.com").redirect_to("<sip:hs104.network.com:5061;transport=tls>");
    world
}

/// Gives a server a mood, a good one as often as not.
fn arm(world: &mut World, name: &str, rng: &mut Rng) {
    let target = SERVERS[usize::try_from(rng.below(4)).unwrap()];
    let server = world.at(name);
    if rng.below(5) < 3 {
        server.gate = if rng.below(4) == 0 { Gate::Digest("SHA-256") } else { Gate::Ntlm };
        server.then = Then::Accept { expires: 60 + u32::try_from(rng.below(8_000)).unwrap() };
        (server.unreachable, server.silent) = (None, false);
        server.amnesia = rng.below(4) == 0;
        return;
    }
    server.gate = match rng.below(6) {
        0 => Gate::Open,
        1 => Gate::Digest(if rng.below(2) == 0 { "MD5" } else { "SHA-256" }),
        2 => Gate::NtlmRefusing,
        _ => Gate::Ntlm,
    };
    server.then = match rng.below(6) {
        0 | 1 => Then::Accept { expires: u32::try_from(rng.below(8_000)).unwrap() },
        2 | 3 => Then::Redirect {
            status: if rng.below(4) == 0 { 302 } else { 301 },
            contacts: vec![
                format!("<sip:{target}:5061;transport=tls>;q=0.7"),
                "<sip:hs105.network.com;transport=tls>;q=0.2".into(),
            ],
            bound: rng.below(2) == 0,
        },
        _ => Then::Status {
            status: [403, 404, 408, 423, 480, 500, 503, 600][usize::try_from(rng.below(8)).unwrap()],
            reason: "No",
            headers: vec![("Retry-After", rng.below(1_000).to_string()), ("Min-Expires", "900".into())],
        },
    };
    server.version = [Version::V2, Version::V3, Version::V4][usize::try_from(rng.below(3)).unwrap()];
    server.style = if rng.below(2) == 0 { Style::Registrar } else { Style::Proxy };
    server.unreachable = match rng.below(8) {
        0 => Some(ConnectError::Timeout),
        1 => Some(ConnectError::ConnectionRefused),
        _ => None,
    };
    server.silent = rng.below(10) == 0;
    server.amnesia = rng.below(5) == 0;
    if rng.below(3) == 0 {
        server.spoil(match rng.below(4) {
            0 => Fault::Unsigned,
            1 => Fault::WrongSignature,
            2 => Fault::OtherAssociation,
            _ => Fault::ForgedFirst(|text| text.replace("200 OK", "403 No").replace("301", "302")),
        });
    }
}

/// One thing that happens.
fn step(world: &mut World, rng: &mut Rng) {
    let now = world.now();
    let account = world.account;
    let name = SERVERS[usize::try_from(rng.below(4)).unwrap()];
    match rng.below(16) {
        0..=2 => {
            let _ = world.agent.handle_command(Command::Register(account), now);
        }
        3 | 15 => {
            let _ = world.agent.handle_command(Command::Refresh(account), now);
        }
        4 => {
            let _ = world.agent.options(account, None, now);
        }
        5 if rng.below(4) == 0 => {
            let _ = world.agent.handle_command(Command::Unregister(account), now);
        }
        6 | 7 => arm(world, name, rng),
        8 => {
            let flow = world.flows.keys().next().copied();
            if let Some(flow) = flow {
                world.flows.remove(&flow);
                world
                    .agent
                    .handle_input(Input::Flow(FlowEvent::Closed { flow, why: ConnectError::Closed }), now);
            }
        }
        9 => {
            world.wall += Duration::from_secs(rng.below(50_000));
            let now = world.now();
            world.agent.handle_input(Input::ClockJumped, now);
        }
        10 => {
            let online = rng.below(3) > 0;
            world.agent.handle_input(Input::NetworkChanged { online }, now);
        }
        11 => {
            let flow = world.flows.keys().next().copied().unwrap_or(FlowId(rng.below(9)));
            let noise: [u8; 64] = rng.bytes();
            let frame = Frame::from_datagram(Bytes::copy_from_slice(&noise));
            world.agent.handle_input(Input::Flow(FlowEvent::Received { flow, frame }), now);
        }
        12 => notify(world, name, rng),
        13 => {
            world.rules.hold_credentials = !world.rules.hold_credentials;
            for (id, _) in std::mem::take(&mut world.held) {
                let given = (rng.below(3) > 0).then(super::world::credentials);
                world.agent.handle_answer(id, Answer::Credentials(given), now);
                let twice = Answer::Redirect(Decision::Follow);
                world.agent.handle_answer(id, twice, now);
            }
        }
        14 => odd_dns(world, rng),
        _ => {}
    }
    world.settle();
    let span = [0, 100, 2_000, 40_000, 900_000][usize::try_from(rng.below(5)).unwrap()];
    world.pass(Duration::from_millis(rng.below(span + 1)));
}

fn notify(world: &mut World, name: &str, rng: &mut Rng) {
    let event = ["unregistered", "rejected", "deactivated", "preferred-registrar-change", "?"];
    let event = event[usize::try_from(rng.below(5)).unwrap()];
    let registrar = format!("<sip:{};transport=tls>", SERVERS[usize::try_from(rng.below(4)).unwrap()]);
    let headers = [("Event", "registration-notify"), ("P-Preferred-Registrar", registrar.as_str())];
    let (wall, body) = (world.wall, format!("deregistered;event={event}"));
    let Some((address, server)) = world.servers.iter_mut().find(|(_, server)| server.name == name) else {
        return;
    };
    let Some(flow) = world.flows.iter().find(|(_, at)| *at == address).map(|(flow, _)| *flow) else { return };
    let request = server.request("NOTIFY sip:user@198.51.100.7", &headers, &body, wall);
    for bytes in mangled(rng, request, 3) {
        let now = world.now();
        world
            .agent
            .handle_input(Input::Flow(FlowEvent::Received { flow, frame: Frame::Message(bytes) }), now);
    }
}

fn odd_dns(world: &mut World, rng: &mut Rng) {
    let question = DnsQuestion { name: "_sipinternaltls._tcp.network.com".into(), kind: RecordKind::Srv };
    let target = ["", ".", "hs104.network.com", "evil.test", "\u{0}"][usize::try_from(rng.below(4)).unwrap()];
    let record = Srv { priority: 5, weight: u16::MAX, port: 0, target: target.into() };
    if rng.below(4) > 0 {
        return world.srv(&[(10, "hs102.network.com"), (10, "hs104.network.com"), (20, "hs105.network.com")]);
    }
    let records = match rng.below(3) {
        0 => DnsRecords::Srv(vec![record; 50]),
        1 => DnsRecords::Addresses(Vec::new()),
        _ => DnsRecords::Srv(Vec::new()),
    };
    world.dns.insert(question, answer(records));
}

/// Loses, doubles, swaps, cuts and garbles.
fn mangled(rng: &mut Rng, bytes: Bytes, one_in: u64) -> Vec<Bytes> {
    if rng.below(one_in) > 0 {
        return vec![bytes];
    }
    let length = u64::try_from(bytes.len()).unwrap();
    let at = usize::try_from(rng.below(length)).unwrap();
    let mut broken = bytes.to_vec();
    match rng.below(6) {
        0 => return Vec::new(),
        1 => return vec![bytes.clone(), bytes],
        2 => broken.truncate(at),
        3 => broken[at] = u8::try_from(rng.below(256)).unwrap(),
        4 => {
            let line = bytes[at..].iter().position(|b| *b == b'\n').map_or(bytes.len(), |n| at + n + 1);
            broken.drain(at..line);
        }
        _ => {
            let copy: Vec<u8> = broken[at..].to_vec();
            broken.splice(at..at, copy);
        }
    }
    vec![Bytes::from(broken)]
}

/// The world becomes what it should be.
fn honest(world: &mut World) {
    world.rules.mangle = None;
    world.rules.hold_credentials = false;
    world.srv(&[(10, "hs102.network.com")]);
    for name in SERVERS {
        let server = world.at(name);
        server.gate = Gate::Ntlm;
        server.then = Then::Accept { expires: 7_200 };
        server.faults.clear();
        (server.unreachable, server.silent, server.amnesia) = (None, false, false);
    }
    world.at("hs102.network.com").redirect_to("<sip:hs104.network.com:5061;transport=tls>");
    let now = world.now();
    for (id, _) in std::mem::take(&mut world.held) {
        let given = Some(super::world::credentials());
        world.agent.handle_answer(id, Answer::Credentials(given), now);
    }
    world.agent.handle_input(Input::NetworkChanged { online: true }, now);
    world.settle();
}
