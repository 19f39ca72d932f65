//! Requests that pass through one server to another: figure 6 by hand, with two servers and a link.

use homing_core::connect::ConnectError;
use homing_core::connect::FlowEvent;
use homing_core::counter::Counter;
use homing_core::ids::FlowId;
use homing_core::transport::Transport;
use homing_wire::{Message, Name};

use super::super::NodeOutput;
use super::super::config::{Dialect, Mode, NodeConfig};
use super::super::io::{Deregistration, NodeCommand, NodeInput};
use super::bench::{Bench, Golden, at, auth_param};
use crate::journal::Verdict;

pub(super) const FIRST: &str = "homeserver102.network.com";
pub(super) const HOME: &str = "homeserver104.network.com";
pub(super) const HOMES: &[(&str, &str)] = &[("user@network.com", HOME)];

/// The first server, the home server, and the link between them once there is one.
pub(super) struct Figure {
    pub(super) first: Bench,
    pub(super) home: Bench,
    client: FlowId,
    link: Option<FlowId>,
}

/// The client's flow: accepted flows have names beyond those a node gives to the ones it dials.
const CLIENT: u64 = 0x1000;
/// The flow of the link as the home server names it.
pub(super) const BACK: FlowId = FlowId(900);

impl Figure {
    pub(super) fn new(golden: &Golden, mode: Mode) -> Self {
        Self::with(golden, |config| config.routing.mode = mode, |_| ())
    }

    pub(super) fn with(
        golden: &Golden,
        first: impl FnOnce(&mut NodeConfig),
        home: impl FnOnce(&mut NodeConfig),
    ) -> Self {
        let mut first = Bench::new(golden.node(FIRST, first), HOMES);
        let client = first.open(CLIENT, Transport::Tls);
        Self { first, home: Bench::new(golden.node(HOME, home), HOMES), client, link: None }
    }

    /// A message of the client; gives what the client hears after all has been carried to and fro.
    pub(super) fn say(&mut self, text: &str) -> Vec<Message> {
        let sent = self.first.say(self.client, text, at(0));
        self.carry(sent)
    }

    pub(super) fn carry(&mut self, sent: Vec<(FlowId, bytes::Bytes)>) -> Vec<Message> {
        let (mut heard, mut queue) = (Vec::new(), sent);
        loop {
            for output in std::mem::take(&mut self.first.others) {
                let NodeOutput::Connect { flow, server, transport } = output else { panic!("{output:?}") };
                assert_eq!(
                    (server.to_string().as_str(), transport),
                    ("homeserver104.network.com:5061", Transport::Tls)
                );
                self.link = Some(flow);
                self.home.open_as(BACK.0, Transport::Tls, Some(FIRST), at(0));
                let (local, peer) = ("127.0.0.1:1".parse().unwrap(), "127.0.0.1:5061".parse().unwrap());
                queue.extend(
                    self.first.input(
                        NodeInput::Flow(FlowEvent::Connected { flow, local, peer, proof: None }),
                        at(0),
                    ),
                );
            }
            if queue.is_empty() {
                return heard;
            }
            for (flow, bytes) in std::mem::take(&mut queue) {
                let text = String::from_utf8(bytes.to_vec()).unwrap();
                if flow == self.client {
                    heard.push(Message::parse(text).unwrap());
                } else if flow == BACK {
                    queue.extend(self.first.say(self.link.unwrap(), &text, at(0)));
                } else {
                    queue.extend(self.home.say(BACK, &text, at(0)));
                }
            }
        }
    }

    pub(super) fn ladders(&self) -> String {
        format!("{}\n{}", self.first.ladder(), self.home.ladder())
    }
}

/// The recording's steps at the first server, with as many Vias as wanted.
fn through(golden: &Golden, step: usize, vias: usize) -> String {
    let lower = "Via: SIP/2.0/TCP 10.1.1.1;branch=z9hG4bKlower\r\n".repeat(vias - 1);
    golden.text(step).replace("Max-Forwards", &format!("{lower}Max-Forwards"))
}

#[test]
fn a_login_is_proxied_and_every_answer_signed_by_the_first_server() {
    for golden in Golden::all() {
        let mut figure = Figure::new(&golden, Mode::AlwaysProxy);
        for step in [0, 2] {
            assert_eq!(figure.say(&golden.text(step)).len(), 1);
        }
        let welcome = figure.say(&golden.text(4)).remove(0);
        assert_eq!(welcome.status(), Some(200), "{}", figure.ladders());
        assert_eq!(welcome.via_count(), 1);
        assert_eq!(auth_param(&welcome, Name::AuthenticationInfo, "targetname").as_deref(), Some(FIRST));
        assert_eq!(auth_param(&welcome, Name::AuthenticationInfo, "snum").as_deref(), Some("1"));
        let binding = &figure.home.node.bindings("user@network.com")[0];
        assert!(binding.route.behind_server() && figure.first.node.bindings("user@network.com").is_empty());
        if golden.dialect != Dialect::Sip2 {
            assert!(welcome.text(Name::MsKeepAlive).is_some(), "the first server agrees on keep-alives");
        }
        let passed_on = figure
            .home
            .journal
            .iter()
            .filter_map(|entry| entry.text())
            .find(|text| text.starts_with("REGISTER"))
            .unwrap();
        assert!(passed_on.contains("P-Asserted-Identity: <sip:user@network.com>\r\n"), "{passed_on}");
        assert!(
            passed_on.contains("Max-Forwards: 69") && !passed_on.contains("Authorization"),
            "{passed_on}"
        );
    }
}

#[test]
fn para_51_52_the_via_count_decides_and_lists_and_compact_forms_count() {
    let golden = Golden::read("sipae_v4", Dialect::Sipae4);
    let forms = [
        (through(&golden, 4, 1), 301),
        (through(&golden, 4, 2), 200),
        (golden.text(4).replace("Via: ", "v: SIP/2.0/TLS client.network.com;branch=z9hG4bKy, "), 200),
        (golden.text(4).replace("Max-Forwards", "v: SIP/2.0/TCP p.example\r\nMax-Forwards"), 200),
    ];
    for (token, status) in forms {
        let mut figure = Figure::new(&golden, Mode::ByVia);
        figure.say(&golden.text(2));
        let answer = figure.say(&token);
        assert_eq!(answer[0].status(), Some(status), "{token}\n{}", figure.ladders());
    }
}

#[test]
fn a_notify_of_the_home_server_reaches_the_client_along_its_path_and_signed() {
    let golden = Golden::read("sipae_v4", Dialect::Sipae4);
    let mut figure = Figure::new(&golden, Mode::AlwaysProxy);
    for step in [0, 2, 4] {
        figure.say(&golden.text(step));
    }
    let event = Deregistration::Rejected;
    let sent = figure.home.command(NodeCommand::Deregister { user: "user@network.com".into(), event }, at(1));
    let notify = figure.carry(sent).remove(0);
    assert_eq!(notify.body(), b"deregistered;event=rejected");
    assert_eq!(notify.text(Name::Route), None);
    assert_eq!(auth_param(&notify, Name::AuthenticationInfo, "snum").as_deref(), Some("2"));
    let mut ok = format!(
        "SIP/2.0 200 OK\r\nTo: {};tag=x\r\nCSeq: 1 NOTIFY\r\nContent-Length: 0\r\n",
        notify.text(Name::To).unwrap()
    );
    for name in [Name::Via, Name::From, Name::CallId] {
        for line in notify.lines(name) {
            ok.push_str(&format!("{}: {}\r\n", name.as_str(), String::from_utf8_lossy(line)));
        }
    }
    let ok = ok + "\r\n";
    assert!(figure.say(&ok).is_empty());
    assert_eq!(figure.first.node.transactions(), 2, "what its client did not sign is not believed");
    assert_eq!(figure.first.node.counters().of(Counter::Unsigned), 1);
    let id = figure.first.node.cx.sessions.on_flow(figure.client).unwrap();
    let signed = super::renewal::signed(&figure.first, id, &ok, 2);
    assert!(figure.say(&signed).is_empty());
    assert_eq!(
        (figure.first.node.transactions(), figure.home.node.transactions()),
        (0, 0),
        "{}",
        figure.ladders()
    );
}

#[test]
fn nobody_is_trusted_who_shows_no_certificate_of_a_server() {
    let golden = Golden::read("sipae_v4", Dialect::Sipae4);
    for dns in [None, Some("client.network.com"), Some("network.com")] {
        let mut home = Bench::new(golden.node(HOME, |_| ()), HOMES);
        let flow = home.open_as(1, Transport::Tls, dns, at(0));
        let forged = golden
            .text(6)
            .replace("Max-Forwards", "P-Asserted-Identity: <sip:user@network.com>\r\nMax-Forwards");
        assert_eq!(home.ask(flow, &forged, at(0)).status(), Some(401), "{dns:?}");
    }
    let mut home = Bench::new(golden.node(HOME, |_| ()), HOMES);
    let flow = home.open_as(1, Transport::Tls, Some("HomeServer102.network.com"), at(0));
    let vouched =
        golden.text(6).replace("Max-Forwards", "P-Asserted-Identity: <sip:user@network.com>\r\nMax-Forwards");
    assert_eq!(home.ask(flow, &vouched, at(0)).status(), Some(200));
}

#[test]
fn a_home_server_that_cannot_be_reached_is_a_signed_503() {
    let golden = Golden::read("sipae_v4", Dialect::Sipae4);
    let mut first = Bench::new(golden.node(FIRST, |config| config.routing.mode = Mode::AlwaysProxy), HOMES);
    let flow = first.open(CLIENT, Transport::Tls);
    first.ask(flow, &golden.text(2), at(0));
    assert!(first.say(flow, &golden.text(4), at(0)).is_empty());
    let Some(NodeOutput::Connect { flow: link, .. }) = first.others.pop() else {
        panic!("no connection wanted")
    };
    let sent = first.input(
        NodeInput::Flow(FlowEvent::ConnectFailed { flow: link, why: ConnectError::ConnectionRefused }),
        at(1),
    );
    let answer = Message::parse(sent[0].1.clone()).unwrap();
    assert_eq!((answer.status(), answer.text(Name::RetryAfter).as_deref()), (Some(503), Some("5")));
    assert!(auth_param(&answer, Name::AuthenticationInfo, "rspauth").is_some());
    assert!(first.reason(Verdict::Refused).contains("cannot be reached"));
    assert_eq!(first.node.transactions(), 0);
}

#[test]
fn a_token_of_the_path_cannot_be_made_up() {
    let golden = Golden::read("sipae_v4", Dialect::Sipae4);
    let mut figure = Figure::new(&golden, Mode::AlwaysProxy);
    for step in [0, 2, 4] {
        figure.say(&golden.text(step));
    }
    let path = &figure.home.node.bindings("user@network.com")[0].route.path[0];
    assert!(path.contains("<sip:f1000-"), "{path}");
    let forged = path.replace("f1000-", "f1001-");
    let text = format!(
        "MESSAGE sip:user@client.network.com SIP/2.0\r\nVia: SIP/2.0/TLS h;branch=z9hG4bKz\r\nRoute: {forged}\r\n\
         From: <sip:x@network.com>;tag=1\r\nTo: <sip:user@network.com>\r\nCall-ID: z\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n"
    );
    let link = figure.link.unwrap();
    let answer = figure.first.say(link, &text, at(2));
    assert!(answer.iter().all(|(flow, _)| *flow == link), "nothing reaches a client");
}
