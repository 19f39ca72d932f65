//! The servers of a world at work: they are started, fed, drained, killed and revived.

use homing_core::connect::FlowEvent;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use homing_core::connect::ConnectError;
use homing_core::identity::CertNames;
use homing_core::ids::FlowId;
use homing_core::server::ServerName;
use homing_core::transport::Transport;
use homing_server_mock::directory::{Directory as _, Key, Lookup};
use homing_server_mock::journal::What;
use homing_server_mock::node::Node;
use homing_server_mock::node::config::NodeConfig;
use homing_server_mock::node::io::{LookupId, NodeCommand, NodeInput, NodeOutput};
use homing_wire::{Frame, FrameError, FrameFault};

use super::World;
use super::chance::DIALS;
use super::link::HostId;
use super::queue::Happening;
use super::server::Server;
use crate::digest::Fact;
use crate::numbers::of_transport;

impl World {
    /// Adds a server that is up; returns its place.
    pub fn add_server(&mut self, config: NodeConfig, ip: IpAddr) -> usize {
        let (seed, now) = (self.seed_of(HostId::Server(self.servers.len()), 0), self.instant(Duration::ZERO));
        self.zone.set_address(&config.identity.fqdn, &[ip]);
        self.servers.push(Server::new(config, ip, seed, now));
        self.servers.len() - 1
    }

    /// Gives a server an order.
    pub fn command(&mut self, server: usize, command: NodeCommand) {
        let now = self.instant(self.servers[server].born);
        let short = self.servers[server].short.clone();
        self.ladder.note(self.now(), &short, format!("ordered: {command:?}"));
        if let Some(node) = &mut self.servers[server].node {
            node.handle_command(command, now);
        }
        self.drain_server(server);
    }

    /// The directory's watch tells the servers that know `user` of a change.
    pub(super) fn tell_assignment(&mut self, user: &str) {
        for server in 0..self.servers.len() {
            if self.servers[server].bindings(user) == 0 {
                continue;
            }
            let now = self.instant(self.servers[server].born);
            let Key { user, service } = Key::rtc(user);
            if let Some(node) = &mut self.servers[server].node {
                node.handle_command(NodeCommand::AssignmentChanged { user, service }, now);
            }
            self.drain_server(server);
        }
    }

    /// A server dies: its links are reset, its memory is gone.
    pub fn crash(&mut self, server: usize) {
        let short = self.servers[server].short.clone();
        self.ladder.note(self.now(), &short, "crashes");
        self.cut_host(HostId::Server(server));
        let server = &mut self.servers[server];
        server.node = None;
        server.life += 1;
        server.flows.clear();
    }

    /// The same, for a script that may have killed it before.
    pub fn crash_if_up(&mut self, server: usize) {
        if self.servers[server].is_up() {
            self.crash(server);
        }
    }

    /// A server that died comes back, empty.
    pub fn revive(&mut self, server: usize) {
        if self.servers[server].is_up() {
            return;
        }
        let (seed, born) = (self.seed_of(HostId::Server(server), self.servers[server].life), self.now());
        let short = self.servers[server].short.clone();
        self.ladder.note(born, &short, "is back");
        let server = &mut self.servers[server];
        server.born = born;
        server.node = Some(Node::new(server.config.clone(), &seed));
    }

    /// The server that listens at `address`, if it is up.
    pub(super) fn listening_at(&self, address: SocketAddr, transport: Transport) -> Option<usize> {
        self.servers.iter().position(|server| {
            (server.is_up() || server.deaf) && server.ip == address.ip() && {
                let own = server.config.peer(&server.config.identity.fqdn);
                own.and_then(|peer| peer.port(transport)) == Some(address.port())
            }
        })
    }

    pub(super) fn wake_server(&mut self, server: usize) {
        self.feed(server, NodeInput::DeadlineReached);
    }

    pub(super) fn accept(
        &mut self,
        link: usize,
        local: SocketAddr,
        peer: SocketAddr,
        names: Option<CertNames>,
    ) {
        let end = &self.network.links[link].ends[1];
        let HostId::Server(server) = end.host else { return };
        let (flow, transport) = (end.flow, self.network.links[link].transport);
        self.servers[server].flows.insert(flow, link);
        self.feed(
            server,
            NodeInput::Flow(FlowEvent::Accepted { flow, local, peer, transport, client_names: names }),
        );
    }

    /// A link between two servers is open.
    pub(super) fn join_servers(&mut self, link: usize) {
        let [opener, accepter] = [0, 1].map(|end| self.network.links[link].ends[end].host);
        let (HostId::Server(from), HostId::Server(to)) = (opener, accepter) else { return };
        let transport = self.network.links[link].transport;
        let here = SocketAddr::new(self.servers[from].ip, 50_000);
        let there = self.servers[to].listens_on(transport);
        let names = (transport == Transport::Tls).then(|| self.servers[from].certificate.clone());
        self.accept(link, there, here, names);
        let flow = self.network.links[link].ends[0].flow;
        self.feed(
            from,
            NodeInput::Flow(FlowEvent::Connected { flow, local: here, peer: there, proof: None }),
        );
    }

    pub(super) fn server_connect_failed(&mut self, server: usize, flow: FlowId, why: ConnectError) {
        self.feed(server, NodeInput::Flow(FlowEvent::ConnectFailed { flow, why }));
    }

    pub(super) fn server_received(&mut self, server: usize, flow: FlowId, frame: Frame) {
        self.feed(server, NodeInput::Flow(FlowEvent::Received { flow, frame }));
    }

    pub(super) fn server_cannot_read(&mut self, server: usize, flow: FlowId, refusal: Option<Bytes>) {
        let why = FrameFault { rule: FrameError::NoContentLength, octet: 0 };
        self.feed(server, NodeInput::Flow(FlowEvent::Malformed { flow, why, head: refusal }));
    }

    pub(super) fn server_flow_closed(&mut self, server: usize, flow: FlowId, why: ConnectError) {
        self.servers[server].flows.remove(&flow);
        self.feed(server, NodeInput::Flow(FlowEvent::Closed { flow, why }));
    }

    pub(super) fn looked_up(&mut self, server: usize, life: u32, id: LookupId, key: &Key) {
        if self.servers[server].life != life {
            return;
        }
        let found = self.directory.look_up(key).expect("a directory in memory answers");
        let now = self.instant(self.servers[server].born);
        if let Some(node) = &mut self.servers[server].node {
            node.handle_answer(id, Lookup::from(found), now);
        }
        self.drain_server(server);
    }

    fn feed(&mut self, server: usize, input: NodeInput) {
        let now = self.instant(self.servers[server].born);
        if let Some(node) = &mut self.servers[server].node {
            node.handle_input(input, now);
        }
        self.drain_server(server);
    }

    fn drain_server(&mut self, server: usize) {
        while let Some(output) = self.servers[server].node.as_mut().and_then(Node::poll_output) {
            match output {
                NodeOutput::Send { flow, bytes } => self.send(HostId::Server(server), flow, bytes),
                NodeOutput::Connect { flow, server: target, transport } => {
                    self.dial_server(server, flow, &target, transport);
                }
                // A phone of this world listens where it sends from.
                NodeOutput::SendToPort { flow, bytes, .. } => self.send(HostId::Server(server), flow, bytes),
                // Nothing is heard in this world: a party's call without ports is refused.
                NodeOutput::Hold { .. } | NodeOutput::Sound(_) => {}
                NodeOutput::Close { flow } => self.hang_up(HostId::Server(server), flow),
                NodeOutput::Cut { flow } => self.cut(HostId::Server(server), flow),
                NodeOutput::LookUp { id, user, service } => {
                    let (key, life) = (Key::new(&user, &service), self.servers[server].life);
                    let pause = self.servers[server].directory_delay;
                    let short = self.servers[server].short.clone();
                    self.ladder.note(self.now(), &short, format!("asks the directory about {user}"));
                    self.later(pause, Happening::LookedUp { server, life, id, key });
                }
                NodeOutput::Journal(entry) => {
                    if let What::Decided(decision) = &entry.what {
                        let short = self.servers[server].short.clone();
                        self.ladder.note(self.now(), &short, decision.to_string());
                    }
                }
            }
        }
    }

    fn dial_server(&mut self, from: usize, flow: FlowId, target: &ServerName, transport: Transport) {
        let host = HostId::Server(from);
        let number = host.number();
        let chance =
            self.chance.of(DIALS).of(number).of_octets(target.host.as_bytes()).of_instant(self.now());
        let travel = self.network.conditions.travel(chance);
        let words = (&[of_transport(transport)][..], target.host.as_str());
        self.tell_digest(|digest, at| digest.fact(at, number, Fact::Dial, words));
        let to = self.servers.iter().position(|server| server.config.identity.fqdn == target.host);
        let Some(to) = to.filter(|to| self.servers[*to].is_up()) else {
            let why = ConnectError::ConnectionRefused;
            self.later(travel * 2, Happening::Refused { host, flow, why });
            return;
        };
        let link = self.lay(host, flow, HostId::Server(to), transport);
        self.servers[from].flows.insert(flow, link);
        self.later(travel * 4, Happening::Opened { link });
    }
}
