//! The signed 301 that leads a client to its home server, and every way to get it wrong on purpose.

use bytes::Bytes;
use homing_core::auth::contact_binding::{Target, tag};
use homing_core::auth::ntlm::session::{SessionKeys, Side};
use homing_core::auth::security_association::{
    Association, AssociationName, SigningKeys, Stamp, Style, buffer,
};
use homing_core::ids::FlowId;
use homing_core::server::ServerName;
use homing_core::time::Now;
use homing_core::transport::Transport;
use homing_wire::{AuthValue, Builder, Contact, Message, Name};

use super::gate::{Passport, Seal, SessionId};
use super::reply::Reply;
use super::signpost::{Way, entrance};
use super::{Case, Node};
use crate::journal::{Decision, Verdict};
use crate::mischief::Mischief;

/// One Contact of a redirect.
struct Place {
    uri: String,
    q: Option<u16>,
}

impl Node {
    /// Sends the client to its home server (patent step 516) and lets its binding here go.
    pub(super) fn redirect(
        &mut self,
        case: &Case,
        passport: &Passport,
        (home, transport): (ServerName, Transport),
        now: Now,
    ) {
        let places = self.places(&case.request, &home, transport);
        let reply = self.redirection(301, &places);
        self.let_go(case.flow, passport, now);
        self.answer(case, reply, &passport.seal, now);
    }

    /// The home server, and the backup for a client that can try one after the other.
    fn places(&self, request: &Message, home: &ServerName, transport: Transport) -> Vec<Place> {
        let first = uri(home, transport);
        let wanted = request.has_token(Name::Supported, "ms-cluster-failover");
        match self.config.signpost.backup.as_deref().filter(|backup| wanted && *backup != home.host) {
            Some(backup) => {
                let (backup, transport) = entrance(&self.config, transport, backup);
                let second = Place { uri: uri(&backup, transport), q: Some(300) };
                vec![Place { uri: first, q: Some(700) }, second]
            }
            None => vec![Place { uri: first, q: None }],
        }
    }

    /// A 3xx with these Contacts; its To tag is bound to them.
    fn redirection(&self, status: u16, places: &[Place]) -> Reply {
        let mut reply = Reply::new(status);
        for place in places {
            reply = match place.q {
                Some(q) => reply.header(Name::Contact, format_args!("<{}>;q=0.{q:03}", place.uri)),
                None => reply.header(Name::Contact, format_args!("<{}>", place.uri)),
            };
        }
        if self.config.signpost.contact_binding {
            let targets = places.iter().map(|place| Target { uri: &place.uri, q: place.q });
            reply = reply.tag(tag(targets));
        }
        reply
    }

    /// Another server is the home of an endpoint now: what was bound here is void.
    pub(super) fn let_go(&mut self, flow: FlowId, passport: &Passport, now: Now) {
        if self.machines.registrar.remove(&passport.endpoint) {
            let said = Decision::new(Verdict::Unregistered, "another server is its home now");
            self.note(Some(flow), said.about(&passport.endpoint), now);
        }
    }

    /// Plays a fault in place of what the signpost says.
    pub(super) fn play(
        &mut self,
        case: &Case,
        passport: &Passport,
        (mischief, way): (Mischief, Way),
        now: Now,
    ) {
        let flow = case.flow;
        let transport = self.flows.transport(flow).unwrap_or(Transport::Tls);
        match mischief {
            Mischief::Status503 { retry_after } => {
                let mut reply = Reply::new(503);
                if let Some(seconds) = retry_after {
                    reply = reply.header(Name::RetryAfter, seconds);
                }
                return self.answer(case, reply, &passport.seal, now);
            }
            Mischief::Status500 => return self.answer(case, Reply::new(500), &passport.seal, now),
            _ => {}
        }
        let home = match way {
            Way::Redirect { home, transport } => uri(&home, transport),
            Way::Accept | Way::Proxy { .. } | Way::Refuse { .. } => self.neighbour(transport),
        };
        let good = |uri: String| vec![Place { uri, q: None }];
        let own = || uri(&self.own_name(transport), transport);
        let domain = &self.config.identity.domain;
        let places = match &mischief {
            Mischief::ToItself => good(own()),
            Mischief::Loop(_) | Mischief::Chain(_) => good(self.neighbour(transport)),
            Mischief::RedirectTo { host, port } => good(uri(&ServerName::new(host, *port), transport)),
            Mischief::TlsToTcp => good(home.replace(";transport=tls", ";transport=tcp")),
            Mischief::OtherDomain => good("sip:hs1.other-domain.example:5061;transport=tls".to_owned()),
            Mischief::IpLiteral => good("sip:127.0.0.1:5061;transport=tls".to_owned()),
            Mischief::Maddr => good(format!("{home};maddr=127.0.0.1")),
            Mischief::NoContact => Vec::new(),
            Mischief::TwoContactsFirstDead => vec![
                Place {
                    uri: format!("sip:dead.{domain}:1;transport={}", transport.uri_token()),
                    q: Some(900),
                },
                Place { uri: home, q: Some(100) },
            ],
            _ => good(home),
        };
        self.let_go(flow, passport, now);
        let status = if mischief == Mischief::Status302 { 302 } else { 301 };
        let reply = self.redirection(status, &places);
        let bytes = self.wrongly_sealed(case, &reply, (passport, &mischief), now);
        self.conclude(case, (bytes, status), &passport.seal, now);
    }

    /// The answer under a seal that is right, or wrong in one way.
    fn wrongly_sealed(
        &mut self,
        case: &Case,
        reply: &Reply,
        (passport, mischief): (&Passport, &Mischief),
        now: Now,
    ) -> Bytes {
        let (request, flow) = (&case.request, case.flow);
        let unsealed = self.unsealed(request, flow, reply, now);
        let Seal::Association(id) = passport.seal else { return unsealed.into() };
        let sealed = match mischief {
            Mischief::Unsigned301 => unsealed,
            Mischief::BadSignature301 => {
                return spoil(self.sealed(unsealed, request, &passport.seal).bytes());
            }
            Mischief::OtherServersSignature => self.signed_by_a_stranger(unsealed, request, id, now),
            Mischief::Replayed301 => self.signed_with_old_counter((unsealed, flow), request, id, now),
            Mischief::StatusChanged => {
                let other = with_status(&unsealed, 302, "Moved Temporarily");
                let sealed = self.sealed(other, request, &passport.seal);
                with_status(&sealed, 301, "Moved Permanently")
            }
            Mischief::ContactChanged => {
                let sealed = self.sealed(unsealed, request, &passport.seal);
                let other = format!("<{}>", self.another_than(&sealed, flow));
                Builder::from_message(&sealed).replace(Name::Contact, other).message()
            }
            _ => self.sealed(unsealed, request, &passport.seal),
        };
        sealed.into()
    }

    /// A signature that is good under the association of another server.
    fn signed_by_a_stranger(
        &mut self,
        unsealed: Message,
        request: &Message,
        id: SessionId,
        now: Now,
    ) -> Message {
        let Some(session) = self.machines.gate.sessions().find(id) else { return unsealed };
        let name = AssociationName {
            targetname: format!("other.{}", self.config.identity.domain).into(),
            ..session.association.name().clone()
        };
        let key = self.draws.forged_key();
        let keys = SigningKeys::from(SessionKeys::derive(&key, super::gate::acceptor::OFFER));
        let opaque = format!("{:08X}", self.draws.opaque());
        let mut stranger = Association::new(name, &opaque, Style::Registrar, keys, now);
        match stranger.server_signature(&unsealed, self.draws.salt()) {
            Ok(value) => self.with_signature(unsealed, &value.to_string(), request, id),
            Err(_) => unsealed,
        }
    }

    /// A good signature with the counter 1. Where nothing was signed yet a signed 100 uses it up first.
    fn signed_with_old_counter(
        &mut self,
        (unsealed, flow): (Message, FlowId),
        request: &Message,
        id: SessionId,
        now: Now,
    ) -> Message {
        let trying = self.unsealed(request, flow, &Reply::new(100), now);
        let trying = self.sealed(trying, request, &Seal::Association(id));
        self.send(flow, trying.into(), now);
        let Some(session) = self.machines.gate.sessions().find(id) else { return unsealed };
        let name = session.association.name();
        let salt = format!("{:08X}", self.draws.salt());
        let stamp = Stamp {
            scheme: name.mechanism.scheme(),
            salt: &salt,
            number: "1",
            realm: &name.realm,
            targetname: &name.targetname,
        };
        let Ok(covered) = buffer(&unsealed, &stamp, name.version) else { return unsealed };
        let mac = session.keys.sign(Side::Server, &covered);
        let mac: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        let value = AuthValue::new("NTLM")
            .quoted("rspauth", &mac)
            .quoted("srand", &salt)
            .quoted("snum", "1")
            .quoted("opaque", session.association.opaque())
            .quoted("qop", "auth")
            .quoted("targetname", &name.targetname)
            .quoted("realm", &name.realm)
            .to_string();
        self.with_signature(unsealed, &value, request, id)
    }

    /// The next server after this one in the estate's order.
    fn neighbour(&self, transport: Transport) -> String {
        self.server_after(1, transport)
    }

    /// The next server that a redirect does not name.
    fn another_than(&self, redirect: &Message, flow: FlowId) -> String {
        let transport = self.flows.transport(flow).unwrap_or(Transport::Tls);
        let named: Vec<_> = redirect.all::<Contact<'_>>().filter_map(Result::ok).collect();
        let is_named =
            |uri: &String| named.iter().filter_map(Contact::addr).any(|addr| addr.uri_str() == uri.as_str());
        let mut others = (1..=self.config.peers.len()).map(|steps| self.server_after(steps, transport));
        others.find(|uri| !is_named(uri)).unwrap_or_else(|| self.neighbour(transport))
    }

    fn server_after(&self, steps: usize, transport: Transport) -> String {
        let peers = &self.config.peers;
        let own = peers.iter().position(|peer| peer.fqdn == self.config.identity.fqdn).unwrap_or(0);
        let Some(peer) = peers.get((own + steps) % peers.len().max(1)) else {
            return uri(&self.own_name(transport), transport);
        };
        let port = peer.port(transport).unwrap_or(transport.default_port());
        uri(&ServerName::new(&peer.fqdn, port), transport)
    }
}

/// In angle brackets, with port and transport: what every client understands.
fn uri(server: &ServerName, transport: Transport) -> String {
    format!("sip:{server};transport={}", transport.uri_token())
}

/// The message with one digit of its signature changed.
fn spoil(sealed: &Bytes) -> Bytes {
    let text = String::from_utf8_lossy(sealed);
    let Some(at) = text.find("rspauth=\"").map(|at| at + "rspauth=\"".len() + 12) else {
        return sealed.clone();
    };
    let old = text.as_bytes().get(at).copied().unwrap_or(b'0');
    let new = if old == b'0' { '1' } else { '0' };
    let signature = text.get(at - 12..at + 20).unwrap_or_default();
    let spoilt: String =
        signature.char_indices().map(|(index, c)| if index == 12 { new } else { c }).collect();
    text.replace(signature, &spoilt).into_bytes().into()
}

/// The answer under another status line.
fn with_status(answer: &Message, status: u16, reason: &str) -> Message {
    let headers = answer.headers();
    let other = headers.fold(Builder::response(status, reason), |other, line| {
        other.header(line.name, String::from_utf8_lossy(line.value))
    });
    other.message()
}
