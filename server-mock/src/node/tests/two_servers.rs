//! Two home servers with a link between them, and clients with associations whose messages a test writes.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use homing_core::auth::ntlm::session::Side;
use homing_core::auth::ntlm::{Binding, ClientRandom, NtlmIdentity, authenticate};
use homing_core::auth::security_association::{Association, SigningKeys};
use homing_core::connect::{ConnectError, FlowEvent};
use homing_core::counter::Counter;
use homing_core::ids::{FlowId, Rng, Seed};
use homing_core::secret::Password;
use homing_core::time::Now;
use homing_core::transport::Transport;
use homing_wire::header::RecordRoute;
use homing_wire::{Builder, Contact, Frame, Message, Method, Name, reason_phrase};

use super::super::accounts::Accounts;
use super::super::config::{Dialect, NodeConfig, Schemes};
use super::super::endpoint::Endpoint;
use super::super::io::{NodeCommand, NodeInput};
use super::super::{Node, NodeOutput};
use super::bench::{Bench, WALL, auth_param, peers};
use super::renewal::signed;
use crate::role::Role;

pub(super) const SERVERS: [&str; 2] = ["hs102.network.com", "hs104.network.com"];

/// A client, by its place in the list.
pub(super) type Who = usize;

struct Client {
    /// The server it is connected to.
    server: usize,
    /// The server its association is with.
    owner: usize,
    flow: FlowId,
    user: String,
    epid: String,
    /// Counter of the last message it signed.
    counter: u32,
    inbox: Vec<Message>,
}

/// Both servers with all clients.
pub(super) struct TwoServers {
    pub(super) servers: Vec<Bench>,
    clients: Vec<Client>,
    /// The other end of each flow between servers.
    links: BTreeMap<(usize, FlowId), (usize, FlowId)>,
    by_flow: BTreeMap<(usize, FlowId), Who>,
    now: Duration,
    flows: u64,
    requests: u32,
}

/// One side of a call: what its requests say.
#[derive(Clone)]
pub(super) struct Dialog {
    pub(super) who: Who,
    pub(super) target: String,
    pub(super) routes: Vec<String>,
    pub(super) local: String,
    pub(super) remote: String,
    pub(super) call_id: String,
    cseq: u32,
}

impl TwoServers {
    /// `home` of each user is 0 or 1.
    pub(super) fn new(homes: &[(&str, usize)], change: impl Fn(&mut NodeConfig)) -> Self {
        let mut accounts = Accounts::new();
        accounts.add_domain("NETWORKCO", "network.com");
        for (user, _) in homes {
            accounts.add(user, "network.com", Password::new("Secret-Pass1"));
        }
        let accounts = std::sync::Arc::new(accounts);
        let assigned: Vec<(String, &str)> =
            homes.iter().map(|(user, home)| (format!("{user}@network.com"), SERVERS[*home])).collect();
        let assigned: Vec<(&str, &str)> =
            assigned.iter().map(|(user, home)| (user.as_str(), *home)).collect();
        let servers = ["hs102", "hs104"].into_iter().zip(1..).map(|(name, seed)| {
            let mut config = NodeConfig::new(name, "network.com", Role::Home);
            config.authentication.dialect = Dialect::Sipae4;
            config.authentication.timestamp = false;
            config.authentication.names.netbios_domain = "NETWORKCO".to_owned();
            config.accounts = std::sync::Arc::clone(&accounts);
            config.peers = peers(&SERVERS);
            change(&mut config);
            Bench::new(Node::new(config, &Seed::from_number(seed)), &assigned)
        });
        Self {
            servers: servers.collect(),
            clients: Vec::new(),
            links: BTreeMap::new(),
            by_flow: BTreeMap::new(),
            now: Duration::ZERO,
            flows: 1000,
            requests: 0,
        }
    }

    pub(super) fn now(&self) -> Now {
        Now::new(self.now, Duration::from_secs(WALL) + self.now)
    }

    /// A client with a connection to a server, and nothing else.
    pub(super) fn client(&mut self, user: &str, epid: &str, server: usize) -> Who {
        self.clients.push(Client {
            server,
            owner: server,
            flow: FlowId(0),
            user: user.to_owned(),
            epid: epid.to_owned(),
            counter: 0,
            inbox: Vec::new(),
        });
        let who = self.clients.len() - 1;
        self.connect(who, Transport::Tls);
        who
    }

    /// A client of one server that is connected to the other, and registered through it.
    pub(super) fn sign_in_behind(&mut self, user: &str, epid: &str, server: usize, owner: usize) -> Who {
        let who = self.client(user, epid, server);
        self.clients[who].owner = owner;
        assert_eq!(self.register(who, "").status(), Some(200), "{}", self.ladders());
        who
    }

    /// A new connection of a client.
    pub(super) fn connect(&mut self, who: Who, transport: Transport) {
        self.flows += 1;
        let server = self.clients[who].server;
        let now = self.now();
        self.clients[who].flow = if transport == Transport::Tls {
            self.servers[server].open_as(self.flows, transport, None, now)
        } else {
            let peer = format!("127.0.0.1:{}", 30_000 + self.flows);
            self.servers[server].open_from(self.flows, transport, &peer, now)
        };
        self.by_flow.insert((server, self.clients[who].flow), who);
    }

    /// Its connection is gone.
    pub(super) fn disconnect(&mut self, who: Who) {
        let Client { server, flow, .. } = self.clients[who];
        self.by_flow.remove(&(server, flow));
        let event = NodeInput::Flow(FlowEvent::Closed { flow, why: ConnectError::Closed });
        let now = self.now();
        let sent = self.servers[server].input(event, now);
        self.carry(server, sent);
    }

    /// A command to one server.
    pub(super) fn command(&mut self, server: usize, command: NodeCommand) {
        let now = self.now();
        let sent = self.servers[server].command(command, now);
        self.carry(server, sent);
    }

    /// The world tells a server something.
    pub(super) fn tell(&mut self, server: usize, input: NodeInput) {
        let now = self.now();
        let sent = self.servers[server].input(input, now);
        self.carry(server, sent);
    }

    /// The directory of a server that was slow gives its answers.
    pub(super) fn answer_late(&mut self, server: usize) {
        let now = self.now();
        let sent = self.servers[server].answer_late(now);
        self.carry(server, sent);
    }

    /// Every connection between the servers is gone.
    pub(super) fn cut_links(&mut self) {
        let now = self.now();
        for (server, flow) in std::mem::take(&mut self.links).into_keys() {
            let event = NodeInput::Flow(FlowEvent::Closed { flow, why: ConnectError::Closed });
            let sent = self.servers[server].input(event, now);
            self.carry(server, sent);
        }
    }

    /// A client signs in with an association of its own; `more` are parameters of its Contact.
    pub(super) fn sign_in(&mut self, user: &str, epid: &str, server: usize) -> Who {
        let who = self.client(user, epid, server);
        assert_eq!(self.register(who, "").status(), Some(200), "{}", self.ladders());
        who
    }

    /// A client signs in on the connection of another, which hears what comes by it afterwards.
    pub(super) fn sign_in_beside(&mut self, user: &str, epid: &str, other: Who) -> Who {
        let Client { server, flow, .. } = self.clients[other];
        let who = self.client(user, epid, server);
        self.clients[who].flow = flow;
        self.by_flow.insert((server, flow), who);
        assert_eq!(self.register(who, "").status(), Some(200), "{}", self.ladders());
        self.by_flow.insert((server, flow), other);
        who
    }

    /// Signs in, or in again on another connection.
    pub(super) fn register(&mut self, who: Who, more: &str) -> Message {
        let contact = format!("{}{more}", self.contact(who));
        let number = self.next();
        let text = move |auth: &str, cseq: u32, this: &Self| {
            let Client { user, epid, .. } = &this.clients[who];
            format!(
                "REGISTER sip:network.com SIP/2.0\r\nVia: SIP/2.0/TLS c;branch=z9hG4bKr{number}x{cseq}\r\n\
                 Max-Forwards: 70\r\nFrom: <sip:{user}@network.com>;tag=f;epid={epid}\r\nTo: <sip:{user}@network.com>\r\n\
                 Call-ID: r{number}\r\nCSeq: {cseq} REGISTER\r\nContact: {contact}\r\nExpires: 7200\r\n{auth}Content-Length: 0\r\n\r\n"
            )
        };
        self.handshake(who, text)
    }

    /// An NTLM handshake by any request; gives the answer to its last step.
    pub(super) fn handshake(&mut self, who: Who, text: impl Fn(&str, u32, &Self) -> String) -> Message {
        self.handshake_open(who, text);
        let mut heard = self.heard(who);
        assert_eq!(heard.len(), 1, "{}", self.ladders());
        heard.remove(0)
    }

    /// A handshake whose last request is passed on.
    pub(super) fn handshake_open(&mut self, who: Who, text: impl Fn(&str, u32, &Self) -> String) {
        let server = SERVERS[self.clients[who].owner];
        let realm = "SIP Communications Service";
        let head = format!("NTLM qop=\"auth\", realm=\"{realm}\", targetname=\"{server}\", version=4");
        let empty = text(&format!("Authorization: {head}, gssapi-data=\"\"\r\n"), 1, self);
        let challenge = self.ask(who, &empty);
        let param = |name| auth_param(&challenge, Name::WwwAuthenticate, name).expect("a challenge");
        let token = STANDARD.decode(param("gssapi-data")).unwrap();
        let (user, password) = (self.clients[who].user.clone(), Password::new("Secret-Pass1"));
        let identity =
            NtlmIdentity { user: &user, domain: "NETWORKCO", workstation: "", password: &password };
        let rng = ClientRandom { client_challenge: [1; 8], exported_session_key: [2; 16] };
        let filetime = self.now().wall.filetime();
        let (token, _) = authenticate(&token, &identity, &Binding::default(), &rng, filetime).unwrap();
        let proof =
            format!("{head}, opaque=\"{}\", gssapi-data=\"{}\"", param("opaque"), STANDARD.encode(token));
        self.clients[who].counter = 0;
        let last = text(&format!("Authorization: {proof}\r\n"), 2, self);
        self.say_plain(who, &last);
    }

    pub(super) fn contact(&self, who: Who) -> String {
        let Client { user, flow, .. } = &self.clients[who];
        format!("<sip:{user}@192.0.2.{who}:{};transport=tls>", flow.0)
    }

    pub(super) fn endpoint(&self, who: Who) -> Endpoint {
        let Client { user, epid, .. } = &self.clients[who];
        Endpoint { user: format!("{user}@network.com"), device: epid.clone() }
    }

    /// The next number of a request.
    pub(super) fn next(&mut self) -> u32 {
        self.requests += 1;
        self.requests
    }

    /// An INVITE of a client to a user, not signed yet.
    pub(super) fn invite(&mut self, who: Who, callee: &str) -> String {
        self.request(who, "INVITE", callee)
    }

    /// A request outside a dialog, not signed yet.
    pub(super) fn request(&mut self, who: Who, method: &str, callee: &str) -> String {
        let number = self.next();
        let contact = self.contact(who);
        let Client { user, epid, .. } = &self.clients[who];
        format!(
            "{method} sip:{callee}@network.com SIP/2.0\r\nVia: SIP/2.0/TLS c{who};branch=z9hG4bKi{number}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{user}@network.com>;tag=a{number};epid={epid}\r\n\
             To: <sip:{callee}@network.com>\r\nCall-ID: call{number}\r\nCSeq: 1 {method}\r\nContact: {contact}\r\n\
             Content-Length: 0\r\n\r\n"
        )
    }

    /// The CANCEL of an INVITE as it was written.
    pub(super) fn cancel_of(invite: &str) -> String {
        let invite = Message::parse(invite.to_owned()).unwrap();
        let cseq = invite.cseq().unwrap().seq;
        let builder = Builder::request(Method::Cancel, invite.request_uri().unwrap())
            .copy_from(&invite, Name::Via)
            .copy_from(&invite, Name::Route)
            .header(Name::MaxForwards, 70)
            .copy_from(&invite, Name::From)
            .copy_from(&invite, Name::To)
            .copy_from(&invite, Name::CallId)
            .header(Name::CSeq, format!("{cseq} CANCEL"));
        text(&builder.message())
    }

    /// The text with the client's signature.
    pub(super) fn sign(&mut self, who: Who, text: &str) -> String {
        let endpoint = self.endpoint(who);
        let client = &mut self.clients[who];
        client.counter += 1;
        let bench = &self.servers[client.owner];
        let id = bench.node.cx.sessions.of_endpoint(&endpoint).expect("it has an association");
        signed(bench, id, text, client.counter)
    }

    /// Signs and sends.
    pub(super) fn say(&mut self, who: Who, text: &str) {
        let text = self.sign(who, text);
        self.say_plain(who, &text);
    }

    /// Sends as it is.
    pub(super) fn say_plain(&mut self, who: Who, text: &str) {
        let Client { server, flow, .. } = self.clients[who];
        let now = self.now();
        let sent = self.servers[server].say(flow, text, now);
        self.carry(server, sent);
    }

    /// Sends as it is, and gives the only answer.
    pub(super) fn ask(&mut self, who: Who, text: &str) -> Message {
        self.clients[who].inbox.clear();
        self.say_plain(who, text);
        let mut heard = self.heard(who);
        assert_eq!(heard.len(), 1, "one answer to\n{text}\n{}", self.ladders());
        heard.remove(0)
    }

    /// Answers a request with a signature; `more` are further header lines.
    pub(super) fn answer(&mut self, who: Who, request: &Message, status: u16, more: &str) -> String {
        let contact = self.contact(who);
        let mut builder = Builder::reply_to(request, status, reason_phrase(status))
            .to_tag(&format!("t{who}"))
            .copy_from(request, Name::RecordRoute);
        if status < 300 {
            builder = builder.header(Name::Contact, contact);
        }
        let text = text(&builder.message()).replace("Content-Length", &format!("{more}Content-Length"));
        let text = self.sign(who, &text);
        self.say_plain(who, &text);
        text
    }

    /// An answer to a request, signed, with one octet changed half of the times.
    pub(super) fn reply_mangled(&mut self, who: Who, request: &Message, rng: &mut Rng) -> String {
        let statuses = [180, 200, 486, 603, 302, 401];
        let status = statuses[usize::try_from(rng.below(6)).unwrap()];
        let reply = Builder::reply_to(request, status, "X").to_tag("m").copy_from(request, Name::RecordRoute);
        let mut bytes = self.sign(who, &text(&reply.message())).into_bytes();
        if rng.below(2) == 0 {
            let at = usize::try_from(rng.below(bytes.len() as u64)).unwrap();
            bytes[at] = u8::try_from(rng.below(128)).unwrap();
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// What a client heard since the last question, 100 left out. Each must be signed for it.
    pub(super) fn heard(&mut self, who: Who) -> Vec<Message> {
        let heard = std::mem::take(&mut self.clients[who].inbox);
        heard.into_iter().filter(|message| message.status() != Some(100)).collect()
    }

    /// The only message a client heard, which its association signed.
    pub(super) fn hears(&mut self, who: Who) -> Message {
        let mut heard = self.heard(who);
        assert_eq!(heard.len(), 1, "{who} heard {heard:?}\n{}", self.ladders());
        let message = heard.remove(0);
        assert!(self.is_signed_for(who, &message), "not signed for {who}: {message:?}\n{}", self.ladders());
        message
    }

    /// The statuses a client heard.
    pub(super) fn statuses(&mut self, who: Who) -> Vec<u16> {
        self.heard(who).iter().filter_map(Message::status).collect()
    }

    /// True for a message that the client's own association signed.
    pub(super) fn is_signed_for(&self, who: Who, message: &Message) -> bool {
        let sessions = &self.servers[self.clients[who].owner].node.cx.sessions;
        let found = sessions.of_endpoint(&self.endpoint(who)).and_then(|id| sessions.find(id));
        let Some(session) = found else { return false };
        let theirs = &session.association;
        let keys = SigningKeys::from(session.keys.clone());
        let mut own =
            Association::new(theirs.name().clone(), theirs.opaque(), theirs.style(), keys, self.now());
        own.verify(message, Side::Server, false).is_good()
    }

    /// Lets time pass.
    pub(super) fn wait(&mut self, seconds: u64) {
        let until = self.now + Duration::from_secs(seconds);
        loop {
            let next = (0..self.servers.len())
                .filter_map(|server| Some((self.servers[server].node.deadline()?.at, server)))
                .min()
                .filter(|(at, _)| at.0 <= until);
            let Some((at, server)) = next else { break };
            self.now = self.now.max(at.0);
            let now = self.now();
            let sent = self.servers[server].input(NodeInput::DeadlineReached, now);
            self.carry(server, sent);
        }
        self.now = until;
    }

    /// Carries what a server sent, and all that follows.
    fn carry(&mut self, server: usize, sent: Vec<(FlowId, Bytes)>) {
        let mut queue: Vec<(usize, FlowId, Bytes)> = Vec::new();
        queue.extend(sent.into_iter().map(|(flow, bytes)| (server, flow, bytes)));
        loop {
            for (from, flow, bytes) in self.dial() {
                queue.push((from, flow, bytes));
            }
            if queue.is_empty() {
                return;
            }
            let (from, flow, bytes) = queue.remove(0);
            if let Some((to, back)) = self.links.get(&(from, flow)).copied() {
                let now = self.now();
                let frame = Frame::Message(bytes);
                let received = NodeInput::Flow(FlowEvent::Received { flow: back, frame });
                let sent = self.servers[to].input(received, now);
                queue.extend(sent.into_iter().map(|(flow, bytes)| (to, flow, bytes)));
            } else if let Some(who) = self.by_flow.get(&(from, flow)) {
                self.clients[*who].inbox.push(Message::parse(bytes).unwrap());
            }
        }
    }

    /// Opens the links that servers asked for.
    fn dial(&mut self) -> Vec<(usize, FlowId, Bytes)> {
        let mut sent = Vec::new();
        for (from, name) in SERVERS.iter().enumerate() {
            for output in std::mem::take(&mut self.servers[from].others) {
                let NodeOutput::Connect { flow, server, .. } = output else { continue };
                let to = SERVERS.iter().position(|name| *name == server.host).expect("a server");
                self.flows += 1;
                let now = self.now();
                let back = self.servers[to].open_as(self.flows, Transport::Tls, Some(name), now);
                self.links.insert((from, flow), (to, back));
                self.links.insert((to, back), (from, flow));
                let (local, peer) = ("127.0.0.1:1".parse().unwrap(), "127.0.0.1:5061".parse().unwrap());
                let connected = FlowEvent::Connected { flow, local, peer, proof: None };
                let out = self.servers[from].input(NodeInput::Flow(connected), now);
                sent.extend(out.into_iter().map(|(flow, bytes)| (from, flow, bytes)));
            }
        }
        sent
    }

    pub(super) fn count(&self, server: usize, counter: Counter) -> u64 {
        self.servers[server].node.counters().of(counter)
    }

    pub(super) fn ladders(&self) -> String {
        self.servers.iter().map(Bench::ladder).collect::<Vec<_>>().join("\n")
    }

    /// At rest nothing is left of any call: 8 hours and more after the last.
    pub(super) fn assert_at_rest(&mut self) {
        self.wait(300);
        for server in &self.servers {
            assert_eq!(server.node.transactions(), 0, "{}", self.ladders());
            assert_eq!(server.node.in_hand_inside(), 0, "{}", self.ladders());
        }
    }

    /// A call that is answered and acknowledged: the caller's side and the callee's.
    pub(super) fn call(&mut self, caller: Who, callee: Who) -> [Dialog; 2] {
        let user = self.clients[callee].user.clone();
        let invite = self.invite(caller, &user);
        self.say(caller, &invite);
        let ringing = self.hears(callee);
        self.answer(callee, &ringing, 200, "");
        let ok = self.hears(caller);
        assert_eq!(ok.status(), Some(200), "{}", self.ladders());
        let mut sides = [Dialog::of_caller(caller, &ok), Dialog::of_callee(self, callee, &ringing)];
        let ack = sides[0].ack();
        self.say(caller, &ack);
        let ack = self.hears(callee);
        assert_eq!(ack.method(), Some(Method::Ack), "{}", self.ladders());
        sides
    }

    /// A request inside a dialog is answered with 200; gives what the other end received.
    pub(super) fn exchange(&mut self, by: &mut Dialog, with: Who, method: &str) -> Message {
        let text = by.request(method);
        self.say(by.who, &text);
        let received = self.hears(with);
        self.answer(with, &received, 200, "");
        let answered = self.hears(by.who);
        assert_eq!(answered.status(), Some(200), "{}", self.ladders());
        received
    }
}

impl Dialog {
    /// The caller's side, by the 2xx it heard.
    pub(super) fn of_caller(who: Who, ok: &Message) -> Self {
        let mut routes = recorded(ok);
        routes.reverse();
        Self::new(who, ok, routes, [Name::From, Name::To])
    }

    /// The callee's side, by the INVITE it heard, its own tag and its epid.
    pub(super) fn of_callee(estate: &TwoServers, who: Who, invite: &Message) -> Self {
        let mut dialog = Self::new(who, invite, recorded(invite), [Name::To, Name::From]);
        dialog.local += &format!(";tag=t{who};epid={}", estate.clients[who].epid);
        dialog
    }

    fn new(who: Who, message: &Message, routes: Vec<String>, [local, remote]: [Name<'static>; 2]) -> Self {
        let contact = message.get::<Contact<'_>>().unwrap().expect("a Contact");
        Self {
            who,
            target: contact.addr().unwrap().uri_str().to_owned(),
            routes,
            local: message.text(local).unwrap().into_owned(),
            remote: message.text(remote).unwrap().into_owned(),
            call_id: message.call_id().unwrap().to_owned(),
            cseq: 1,
        }
    }

    /// The next request, not signed.
    pub(super) fn request(&mut self, method: &str) -> String {
        self.cseq += 1;
        self.numbered(method, self.cseq)
    }

    /// The ACK for the 2xx of the last INVITE.
    pub(super) fn ack(&mut self) -> String {
        self.numbered("ACK", self.cseq)
    }

    fn numbered(&self, method: &str, cseq: u32) -> String {
        let routes: String = self.routes.iter().map(|route| format!("Route: {route}\r\n")).collect();
        let Self { who, target, local, remote, call_id, .. } = self;
        format!(
            "{method} {target} SIP/2.0\r\nVia: SIP/2.0/TLS d{who};branch=z9hG4bKd{who}{method}{cseq}{call_id}\r\n\
             Max-Forwards: 70\r\n{routes}From: {local}\r\nTo: {remote}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} {method}\r\n\
             Contact: <sip:x@192.0.2.{who}:9>\r\nContent-Length: 0\r\n\r\n"
        )
    }
}

fn recorded(message: &Message) -> Vec<String> {
    message.all::<RecordRoute<'_>>().flatten().map(|route| format!("<{}>", route.uri_str())).collect()
}

pub(super) fn text(message: &Message) -> String {
    String::from_utf8(message.bytes().to_vec()).unwrap()
}

/// Servers that ask for no password.
pub(super) fn open(config: &mut NodeConfig) {
    config.authentication.schemes = Schemes::None;
}
