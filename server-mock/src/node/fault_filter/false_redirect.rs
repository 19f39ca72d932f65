//! Every way to get a redirect wrong on purpose.

use bytes::Bytes;
use homing_core::auth::ntlm::session::{SessionKeys, Side};
use homing_core::auth::security_association::{
    Association, AssociationName, SigningKeys, Stamp, Style, buffer,
};
use homing_core::ids::FlowId;
use homing_core::server::ServerName;
use homing_core::time::Now;
use homing_core::transport::Transport;
use homing_wire::{AuthValue, Builder, Contact, Message, Name};

use crate::fault::Fault;
use crate::node::authenticator::acceptor::OFFER;
use crate::node::authenticator::{Principal, ResponseAuth, SessionId};
use crate::node::config::BETWEEN_SERVERS;
use crate::node::context::{Context, Final, ServerRequest};
use crate::node::reply::Reply;
use crate::node::routing::RouteDecision;
use crate::node::service::redirect_server::{RedirectContact, redirection, uri};
use crate::node::signing::NotSigned;

/// The request that is redirected wrongly.
#[derive(Clone, Copy)]
pub(super) struct Subject<'s> {
    pub(super) request: &'s ServerRequest,
    pub(super) principal: &'s Principal,
    /// Where it would have been handled.
    pub(super) decision: &'s RouteDecision,
}

/// Sends a redirect that is wrong in the way of `fault`.
pub(super) fn send(cx: &mut Context, subject: Subject<'_>, fault: &Fault, now: Now) {
    let Subject { request, principal, decision } = subject;
    let transport = cx.flows.transport(request.flow).unwrap_or(BETWEEN_SERVERS);
    let contacts = contacts(cx, decision, fault, transport);
    cx.unbind(request.flow, principal, now);
    let status = if *fault == Fault::Status302 { 302 } else { 301 };
    let reply = redirection(&cx.config, status, &contacts);
    match signed_wrongly(cx, subject, reply, fault, now) {
        Ok(bytes) => cx.conclude(request, Final { bytes, status }, &principal.response_auth, now),
        Err(not_signed) => cx.give_up(request, not_signed, now),
    }
}

fn contacts(
    cx: &Context,
    decision: &RouteDecision,
    fault: &Fault,
    transport: Transport,
) -> Vec<RedirectContact> {
    let home = match decision {
        RouteDecision::Redirect { home, transport } => uri(home, *transport),
        _ => server_after(cx, 1, transport),
    };
    let good = |uri: String| vec![RedirectContact { uri, q: None }];
    let domain = &cx.config.identity.domain;
    match fault {
        Fault::ToItself => good(uri(&cx.own_name(transport), transport)),
        Fault::Loop(_) | Fault::Chain(_) => good(server_after(cx, 1, transport)),
        Fault::RedirectTo { host, port } => good(uri(&ServerName::new(host, *port), transport)),
        Fault::TlsToTcp => good(home.replace(";transport=tls", ";transport=tcp")),
        Fault::OtherDomain => good("sip:hs1.other-domain.example:5061;transport=tls".to_owned()),
        Fault::IpLiteral => good("sip:127.0.0.1:5061;transport=tls".to_owned()),
        Fault::Maddr => good(format!("{home};maddr=127.0.0.1")),
        Fault::NoContact => Vec::new(),
        Fault::TwoContactsFirstDead => {
            let dead = format!("sip:dead.{domain}:1;transport={}", transport.uri_token());
            vec![RedirectContact { uri: dead, q: Some(900) }, RedirectContact { uri: home, q: Some(100) }]
        }
        _ => good(home),
    }
}

/// The answer under a signature that is right, or wrong in one way.
fn signed_wrongly(
    cx: &mut Context,
    subject: Subject<'_>,
    reply: Reply,
    fault: &Fault,
    now: Now,
) -> Result<Bytes, NotSigned> {
    let (request, flow) = (&subject.request.request, subject.request.flow);
    let auth = &subject.principal.response_auth;
    let unsigned = cx.unsigned(request, flow, reply, now);
    let ResponseAuth::Association(id) = *auth else { return Ok(unsigned.into()) };
    let signed = match fault {
        Fault::Unsigned301 => unsigned,
        Fault::BadSignature301 => return Ok(spoil(cx.sign(unsigned, request, auth)?.bytes())),
        Fault::OtherServersSignature => signed_by_another_server(cx, unsigned, request, id, now),
        Fault::Replayed301 => {
            let trying = cx.unsigned(request, flow, Reply::new(100), now);
            let trying = cx.sign(trying, request, auth)?;
            // It uses up the counter that the redirect is then signed with.
            cx.send(flow, trying.into(), now);
            signed_with_old_counter(cx, unsigned, request, id)
        }
        Fault::StatusChanged => {
            let other = with_status(&unsigned, 302, "Moved Temporarily");
            with_status(&cx.sign(other, request, auth)?, 301, "Moved Permanently")
        }
        Fault::ContactChanged => {
            let signed = cx.sign(unsigned, request, auth)?;
            let other = format!("<{}>", another_than(cx, &signed, flow));
            Builder::from_message(&signed).replace(Name::Contact, other).message()
        }
        _ => cx.sign(unsigned, request, auth)?,
    };
    Ok(signed.into())
}

/// A signature that is good under the association of another server.
fn signed_by_another_server(
    cx: &mut Context,
    unsigned: Message,
    request: &Message,
    id: SessionId,
    now: Now,
) -> Message {
    let Some(session) = cx.sessions.find(id) else { return unsigned };
    let name = AssociationName {
        targetname: format!("other.{}", cx.config.identity.domain).into(),
        ..session.association.name().clone()
    };
    let key = cx.random.forged_key();
    let keys = SigningKeys::from(SessionKeys::derive(&key, OFFER));
    let opaque = format!("{:08X}", cx.random.opaque());
    let mut other = Association::new(name, &opaque, Style::Registrar, keys, now);
    match other.server_signature(&unsigned, cx.random.salt()) {
        Ok(value) => cx.signer().with_signature(unsigned, &value.to_string(), request, id),
        Err(_) => unsigned,
    }
}

/// A good signature with the counter 1.
fn signed_with_old_counter(cx: &mut Context, unsigned: Message, request: &Message, id: SessionId) -> Message {
    let Some(session) = cx.sessions.find(id) else { return unsigned };
    let name = session.association.name();
    let salt = format!("{:08X}", cx.random.salt());
    let stamp = Stamp {
        scheme: name.mechanism.scheme(),
        salt: &salt,
        number: "1",
        realm: &name.realm,
        targetname: &name.targetname,
    };
    let Ok(covered) = buffer(&unsigned, &stamp, name.version) else { return unsigned };
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
    cx.signer().with_signature(unsigned, &value, request, id)
}

/// The next server that a redirect does not name.
fn another_than(cx: &Context, redirect: &Message, flow: FlowId) -> String {
    let transport = cx.flows.transport(flow).unwrap_or(BETWEEN_SERVERS);
    let named: Vec<_> = redirect.all::<Contact<'_>>().filter_map(Result::ok).collect();
    let is_named =
        |uri: &String| named.iter().filter_map(Contact::addr).any(|addr| addr.uri_str() == uri.as_str());
    let mut others = (1..=cx.config.peers.len()).map(|steps| server_after(cx, steps, transport));
    others.find(|uri| !is_named(uri)).unwrap_or_else(|| server_after(cx, 1, transport))
}

/// The server so many steps after this one in the estate's order.
fn server_after(cx: &Context, steps: usize, transport: Transport) -> String {
    let peers = &cx.config.peers;
    let own = peers.iter().position(|peer| peer.fqdn == cx.config.identity.fqdn).unwrap_or(0);
    let Some(peer) = peers.get((own + steps) % peers.len().max(1)) else {
        return uri(&cx.own_name(transport), transport);
    };
    let port = peer.port(transport).unwrap_or(transport.default_port());
    uri(&ServerName::new(&peer.fqdn, port), transport)
}

/// The message with one digit of its signature changed.
fn spoil(signed: &Bytes) -> Bytes {
    let text = String::from_utf8_lossy(signed);
    let Some(at) = text.find("rspauth=\"").map(|at| at + "rspauth=\"".len() + 12) else {
        return signed.clone();
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
