//! Dialling, sending, arriving, hanging up.

use homing_core::connect::FlowEvent;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use homing_core::connect::ConnectError;
use homing_core::identity::Expected;
use homing_core::ids::FlowId;
use homing_core::outbox::Input;
use homing_core::transport::Transport;
use homing_wire::{Frame, Framer, Limits};

use super::World;
use super::chance::{Chance, DIALS, LINKS};
use super::link::{End, HostId, Life, Link, Passing};
use super::queue::Happening;
use crate::digest::{Fact, Fate};
use crate::numbers::of_transport;

impl World {
    /// A phone opens a connection.
    pub(super) fn dial(
        &mut self,
        phone: usize,
        flow: FlowId,
        (address, transport): (SocketAddr, Transport),
        identity: &Expected,
    ) {
        let host = HostId::Phone(phone);
        let name = self.phones[phone].name.clone();
        self.ladder.note(self.now(), &name, format!("dials {address} by {transport} for {identity}"));
        let (number, words) = (host.number(), address.to_string());
        let told = (&[of_transport(transport)][..], words.as_str());
        self.tell_digest(|digest, at| digest.fact(at, number, Fact::Dial, told));
        let chance = self.chance.of(DIALS).of(number).of_octets(words.as_bytes()).of_instant(self.now());
        let one_way = self.network.conditions.travel(chance);
        let Some(server) = self.listening_at(address, transport) else {
            let why = ConnectError::ConnectionRefused;
            self.later(one_way * 2, Happening::Refused { host, flow, why });
            return;
        };
        if self.servers[server].deaf {
            return;
        }
        if transport == Transport::Tls
            && let Err(why) = self.servers[server].proves(identity)
        {
            self.later(one_way * 4, Happening::Refused { host, flow, why });
            return;
        }
        let round_trips = match transport {
            Transport::Udp => 0,
            Transport::Tcp => 1,
            _ => 2,
        };
        let link = self.lay(host, flow, HostId::Server(server), transport);
        self.later(one_way * 2 * round_trips, Happening::Opened { link });
    }

    /// Lays a link whose handshake is under way; the accepting end's flow is named by the world.
    pub(super) fn lay(&mut self, from: HostId, flow: FlowId, to: HostId, transport: Transport) -> usize {
        let accepted = FlowId(ACCEPTED + self.network.links.len() as u64);
        let end = |host, flow, answers| End {
            host,
            flow,
            framer: if answers {
                Framer::answering(Limits::default())
            } else {
                Framer::new(Limits::default())
            },
            busy_until: Duration::ZERO,
            sent: (Duration::ZERO, 0),
        };
        self.network.links.push(Link {
            ends: [end(from, flow, false), end(to, accepted, true)],
            transport,
            born: self.clock.now,
            life: Life::Opening,
            leaving: false,
        });
        let link = self.network.links.len() - 1;
        if let HostId::Phone(phone) = from {
            self.phones[phone].flows.insert(flow, link);
        }
        link
    }

    pub(super) fn opened(&mut self, link: usize) {
        if self.network.links[link].life != Life::Opening {
            return;
        }
        let [opener, accepter] = [0, 1].map(|end| {
            let end = &self.network.links[link].ends[end];
            (end.host, end.flow)
        });
        let transport = self.network.links[link].transport;
        let HostId::Server(server) = accepter.0 else { return };
        if !self.servers[server].is_up() {
            self.network.links[link].life = Life::Closed;
            self.refused(opener.0, opener.1, ConnectError::ConnectionRefused);
            return;
        }
        self.network.links[link].life = Life::Open;
        let there = self.servers[server].listens_on(transport);
        match opener.0 {
            HostId::Phone(phone) => {
                let place = &mut self.phones[phone].place;
                place.port = place.port.checked_add(1).unwrap_or(40_000);
                let here = SocketAddr::new(place.ip, place.port);
                self.accept(link, there, here, None);
                let proof = (transport == Transport::Tls).then(|| self.servers[server].proof());
                self.tell(
                    phone,
                    Input::Flow(FlowEvent::Connected { flow: opener.1, local: here, peer: there, proof }),
                );
            }
            HostId::Server(_) => self.join_servers(link),
        }
    }

    pub(super) fn refused(&mut self, host: HostId, flow: FlowId, why: ConnectError) {
        match host {
            HostId::Phone(phone) => self.tell(phone, Input::Flow(FlowEvent::ConnectFailed { flow, why })),
            HostId::Server(server) => self.server_connect_failed(server, flow, why),
        }
    }

    /// Octets leave a host.
    pub(super) fn send(&mut self, host: HostId, flow: FlowId, bytes: Bytes) {
        let Some((link, end)) = self.link_of(host, flow) else {
            let name = self.name_of(host);
            self.ladder.note(self.now(), &name, "sends on a link that is gone");
            return;
        };
        let other = 1 - end;
        let to = self.network.links[link].ends[other].host;
        let numbers = (host.number(), to.number());
        let (from, to) = (self.name_of(host), self.name_of(to));
        let delivered = match &mut self.network.tamper {
            Some(middle) => middle(&Passing { from: &from, to: &to, bytes: &bytes }),
            None => None,
        };
        let fate = match &delivered {
            None => Fate::Sent,
            Some(instead) if instead.is_empty() => Fate::Swallowed,
            Some(_) => Fate::Altered,
        };
        self.tell_digest(|digest, at| digest.sent(at, numbers, fate, &bytes));
        match delivered {
            None => self.ladder.sent(self.clock.now, (&from, &to), &bytes, ""),
            Some(instead) => {
                let fate = if instead.is_empty() { "  (swallowed)" } else { "  (altered)" };
                self.ladder.sent(self.clock.now, (&from, &to), &bytes, fate);
                for bytes in instead {
                    self.carry(link, other, &bytes);
                }
                return;
            }
        }
        self.carry(link, other, &bytes);
    }

    fn carry(&mut self, link: usize, end: usize, bytes: &Bytes) {
        let datagrams = self.network.links[link].transport == Transport::Udp;
        if datagrams && end == 1 && self.network.links[link].life == Life::Silent {
            self.greet_again(link);
        }
        if self.network.links[link].life != Life::Open {
            return;
        }
        let (now, conditions) = (self.clock.now, self.network.conditions);
        let chance = self.chance_of(link, end);
        if datagrams {
            let arrivals = conditions.datagram(now, chance);
            let (to, copies) = (self.network.links[link].ends[end].host.number(), [arrivals.len() as u64]);
            self.tell_digest(|digest, at| digest.fact(at, to, Fact::Copies, (&copies, "")));
            for at in arrivals {
                self.clock.queue.add(at, Happening::Arrived { link, end, bytes: bytes.clone() });
            }
            return;
        }
        let busy = self.network.links[link].ends[end].busy_until;
        for (at, piece) in conditions.stream(bytes, busy, now, chance) {
            self.network.links[link].ends[end].busy_until = at;
            self.clock.queue.add(at, Happening::Arrived { link, end, bytes: piece });
        }
    }

    /// What is drawn for one message: by hosts, link, direction and instant, and by its number at that instant.
    fn chance_of(&mut self, link: usize, end: usize) -> Chance {
        let now = self.clock.now;
        let link = &mut self.network.links[link];
        let (last, before) = link.ends[end].sent;
        let nth = if last == now { before + 1 } else { 0 };
        link.ends[end].sent = (now, nth);
        let [one, other] = [end, 1 - end].map(|end| link.ends[end].host.number());
        self.chance.of(LINKS).of(one).of(other).of_instant(link.born).of_instant(now).of(nth)
    }

    /// A datagram after the other end forgot the association, or a NAT did: to the server it is a new one.
    fn greet_again(&mut self, link: usize) {
        let ends = &self.network.links[link].ends;
        let (HostId::Phone(phone), HostId::Server(server)) = (ends[0].host, ends[1].host) else { return };
        if !self.servers[server].is_up() {
            return;
        }
        self.network.renamed += 1;
        self.network.links[link].ends[1].flow = FlowId(RENAMED + self.network.renamed);
        self.network.links[link].life = Life::Open;
        let place = &mut self.phones[phone].place;
        place.port = place.port.checked_add(1).unwrap_or(40_000);
        let here = SocketAddr::new(place.ip, place.port);
        let there = self.servers[server].listens_on(Transport::Udp);
        self.accept(link, there, here, None);
    }

    pub(super) fn arrived(&mut self, link: usize, end: usize, bytes: &Bytes) {
        if self.network.links[link].life != Life::Open {
            return;
        }
        if self.network.links[link].transport == Transport::Udp {
            self.deliver(link, end, Frame::from_datagram(bytes.clone()));
            return;
        }
        self.network.links[link].ends[end].framer.push(bytes);
        while self.network.links[link].life == Life::Open {
            match self.network.links[link].ends[end].framer.next() {
                Ok(Some(frame)) => self.deliver(link, end, frame),
                Ok(None) => break,
                Err(fault) => {
                    self.unreadable(link, end, &fault.to_string());
                    break;
                }
            }
        }
    }

    /// A stream that cannot be cut into messages any more: the server may still answer, then it is over.
    fn unreadable(&mut self, link: usize, end: usize, fault: &str) {
        let (host, flow) = {
            let end = &self.network.links[link].ends[end];
            (end.host, end.flow)
        };
        let refusal = self.network.links[link].ends[end].framer.refused();
        let name = self.name_of(host);
        self.ladder.note(self.now(), &name, format!("cannot frame what arrives: {fault}"));
        match host {
            HostId::Server(server) => self.server_cannot_read(server, flow, refusal),
            HostId::Phone(_) => self.sever(link),
        }
    }

    fn deliver(&mut self, link: usize, end: usize, frame: Frame) {
        let (host, flow) = {
            let end = &self.network.links[link].ends[end];
            (end.host, end.flow)
        };
        match host {
            HostId::Phone(phone) => self.tell(phone, Input::Flow(FlowEvent::Received { flow, frame })),
            HostId::Server(server) => self.server_received(server, flow, frame),
        }
    }

    /// A host closes its end; the other notices after what is still on its way.
    pub(super) fn hang_up(&mut self, host: HostId, flow: FlowId) {
        let Some((link, end)) = self.link_of(host, flow) else { return };
        let other = 1 - end;
        let at = self.network.links[link].ends[other].busy_until.max(self.now());
        let travel = self.network.conditions.delay;
        match self.network.links[link].life {
            Life::Open => {
                self.network.links[link].leaving = true;
                self.later_at(at + travel, Happening::HungUp { link, end: other });
            }
            Life::Opening | Life::Silent => self.network.links[link].life = Life::Closed,
            Life::Closed => {}
        }
    }

    pub(super) fn hung_up(&mut self, link: usize, end: usize) {
        if self.network.links[link].life == Life::Closed {
            return;
        }
        self.network.links[link].life = Life::Closed;
        self.notice_closed(link, end);
    }

    /// A host breaks its end off; what is under way is lost.
    pub(super) fn cut(&mut self, host: HostId, flow: FlowId) {
        let Some((link, end)) = self.link_of(host, flow) else { return };
        if self.network.links[link].life == Life::Open {
            self.network.links[link].life = Life::Closed;
            self.notice_closed(link, 1 - end);
        }
    }

    /// Both ends lose the link at once.
    pub fn sever(&mut self, link: usize) {
        if self.network.links[link].life == Life::Open {
            self.network.links[link].life = Life::Closed;
            self.notice_closed(link, 0);
            self.notice_closed(link, 1);
        }
    }

    fn notice_closed(&mut self, link: usize, end: usize) {
        let (host, flow) = {
            let end = &self.network.links[link].ends[end];
            (end.host, end.flow)
        };
        let why = ConnectError::Closed;
        match host {
            HostId::Phone(phone) => self.tell(phone, Input::Flow(FlowEvent::Closed { flow, why })),
            HostId::Server(server) => self.server_flow_closed(server, flow, why),
        }
    }

    /// A host is gone: its peers notice a reset.
    pub(super) fn cut_host(&mut self, host: HostId) {
        for link in 0..self.network.links.len() {
            let ends = &self.network.links[link].ends;
            let Some(end) = ends.iter().position(|end| end.host == host) else { continue };
            let datagrams = self.network.links[link].transport == Transport::Udp;
            match self.network.links[link].life {
                Life::Open if datagrams => self.network.links[link].life = Life::Silent,
                Life::Open => {
                    self.network.links[link].leaving = true;
                    self.later(Duration::from_millis(1), Happening::HungUp { link, end: 1 - end });
                }
                Life::Opening => {}
                Life::Silent if datagrams => {}
                Life::Silent | Life::Closed => self.network.links[link].life = Life::Closed,
            }
        }
    }

    /// From now on nothing arrives on the open links of a phone, without an error.
    pub fn silence(&mut self, phone: usize) {
        for link in &mut self.network.links {
            if link.life == Life::Open && link.ends.iter().any(|end| end.host == HostId::Phone(phone)) {
                link.life = Life::Silent;
            }
        }
        let name = self.phones[phone].name.clone();
        self.ladder.note(self.now(), &name, "its links fall silent");
    }

    /// The open links between a phone and a server.
    pub fn links_between(&self, phone: usize, server: usize) -> Vec<usize> {
        let joins = |link: &Link| {
            let hosts = [link.ends[0].host, link.ends[1].host];
            link.life == Life::Open
                && !link.leaving
                && hosts.contains(&HostId::Phone(phone))
                && hosts.contains(&HostId::Server(server))
        };
        (0..self.network.links.len()).filter(|link| joins(&self.network.links[*link])).collect()
    }

    /// The server at the other end of a phone's flow, and whether the link is TLS.
    pub(super) fn peer_of(&self, phone: usize, flow: FlowId) -> Option<(usize, bool)> {
        let link = &self.network.links[*self.phones[phone].flows.get(&flow)?];
        match link.ends[1].host {
            HostId::Server(server) => Some((server, link.transport == Transport::Tls)),
            HostId::Phone(_) => None,
        }
    }

    pub(super) fn later(&mut self, pause: Duration, what: Happening<World>) {
        self.clock.queue.add(self.clock.now + pause, what);
    }

    fn later_at(&mut self, at: Duration, what: Happening<World>) {
        self.clock.queue.add(at, what);
    }

    pub(super) fn name_of(&self, host: HostId) -> String {
        match host {
            HostId::Phone(phone) => self.phones[phone].name.clone(),
            HostId::Server(server) => self.servers[server].short.clone(),
        }
    }

    fn link_of(&self, host: HostId, flow: FlowId) -> Option<(usize, usize)> {
        let link = match host {
            HostId::Phone(phone) => *self.phones[phone].flows.get(&flow)?,
            HostId::Server(server) => self.servers[server].link_of(flow)?,
        };
        let end = self.network.links[link].end_of(host, flow)?;
        Some((link, end))
    }
}

/// Flows named by the world, apart from those a host names itself.
const ACCEPTED: u64 = 1 << 40;
/// Associations that a server met again under another name.
const RENAMED: u64 = 1 << 41;
