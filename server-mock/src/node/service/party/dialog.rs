//! A party's side of a call: what its requests and answers say.

use homing_core::ids::FlowId;
use homing_core::server::ServerName;
use homing_core::time::Now;
use homing_core::transaction::FlowRef;
use homing_wire::header::RecordRoute;
use homing_wire::{Builder, Contact, Message, Method, Name, NameAddr};

use crate::node::authenticator::{Principal, SessionId};
use crate::node::config::BETWEEN_SERVERS;
use crate::node::context::{BranchId, Context, Owner};
use crate::node::dialogs::{DialogKey, Tags};
use crate::node::endpoint::Endpoint;
use crate::node::reply::Reply;
use crate::node::route_token::RouteToken;
use crate::node::routing::between_servers;
use crate::node::service::proxy::{Hop, Target, sign_towards, way_to};

/// One side of a call (RFC 3261 12).
pub(super) struct Dialog {
    /// Of the call it belongs to, inside this server.
    pub(super) id: u64,
    /// The party: address of record without scheme.
    pub(super) party: String,
    pub(super) call_id: String,
    pub(super) tag: String,
    /// The other end: its user, the value of its From or To, and where its requests go.
    pub(super) peer: String,
    pub(super) remote: String,
    pub(super) target: String,
    routes: Vec<String>,
    /// The other end's endpoint, where it is a client of this server.
    pub(super) token: Option<RouteToken>,
    pub(super) cseq: u32,
    /// The route by which requests of the other end come to this server.
    record: String,
}

/// A request that went out.
pub(super) struct Sent {
    pub(super) flow: FlowId,
    /// The association that signed it.
    pub(super) session: Option<SessionId>,
}

impl Dialog {
    /// The callee's side of an INVITE that arrived; none where it lacks what a dialog needs.
    pub(super) fn incoming(
        cx: &mut Context,
        party: &str,
        invite: &Message,
        principal: &Principal,
    ) -> Option<Self> {
        let contact = invite.get::<Contact<'_>>().ok()??;
        let endpoint = principal.endpoint.clone();
        let token = RouteToken { endpoint, reg_id: None, peer: party.to_owned() };
        let call_id = invite.call_id().ok()?;
        Some(Self {
            id: cx.next_id(),
            tag: cx.random.tag(),
            record: record(cx, party, &principal.endpoint.user, call_id),
            party: party.to_owned(),
            call_id: call_id.to_owned(),
            peer: principal.endpoint.user.clone(),
            remote: invite.text(Name::From)?.into_owned(),
            target: contact.addr()?.uri_str().to_owned(),
            routes: recorded(invite),
            token: Some(token).filter(|_| principal.is_proved_here()),
            cseq: 0,
        })
    }

    /// The caller's side of an INVITE that is to go to a user.
    pub(super) fn outgoing(cx: &mut Context, party: &str, callee: &str) -> Self {
        let (tag, call_id) = (cx.random.tag(), cx.random.call_id());
        Self {
            id: cx.next_id(),
            record: record(cx, party, callee, &call_id),
            party: party.to_owned(),
            call_id,
            tag,
            peer: callee.to_owned(),
            remote: format!("<sip:{callee}>"),
            target: format!("sip:{callee}"),
            routes: Vec::new(),
            token: None,
            cseq: 0,
        }
    }

    /// Aims at a device of its callee, or at the server behind which that is.
    pub(super) fn towards(&mut self, target: Target) -> Option<ServerName> {
        self.token = target.token;
        if let Some(uri) = target.uri {
            self.target = uri;
        }
        match target.hop {
            Hop::Server(server) => Some(server),
            Hop::Flow(_) => None,
        }
    }

    /// Learns from the answer to its INVITE where the other end is.
    pub(super) fn answered(&mut self, ok: &Message) {
        if let Some(to) = ok.text(Name::To) {
            self.remote = to.into_owned();
        }
        if let Ok(Some(contact)) = ok.get::<Contact<'_>>()
            && let Some(addr) = contact.addr()
        {
            self.target = addr.uri_str().to_owned();
        }
        self.routes = recorded(ok);
        self.routes.reverse();
        self.routes.retain(|route| *route != self.record);
    }

    /// True for a request of the other end of this call.
    pub(super) fn is_of(&self, request: &Message, principal: &Principal) -> bool {
        let tag = request.to().ok().and_then(|to| to.tag().map(str::to_owned));
        request.call_id().is_ok_and(|call_id| call_id == self.call_id)
            && tag.as_deref() == Some(self.tag.as_str())
            && principal.endpoint.user == self.peer
    }

    /// The other end's part in the call, where it is a client of this server.
    pub(super) fn peers_part(&self) -> Option<DialogKey> {
        let endpoint = self.token.as_ref()?.endpoint.clone();
        Some(DialogKey { endpoint, call_id: self.call_id.clone() })
    }

    /// Those of both ends.
    pub(super) fn tags(&self) -> Tags {
        let remote = NameAddr::parse(self.remote.as_bytes());
        let remote = remote.as_ref().and_then(NameAddr::tag).unwrap_or_default();
        Tags::between(&self.tag, remote)
    }

    /// An answer to a request of the other end, with a description of the session where there is one.
    pub(super) fn reply(&self, request: &Message, status: u16, body: Option<&str>) -> Reply {
        let mut reply = Reply::new(status).tag(self.tag.clone());
        let records = request.method() == Some(Method::Invite) && (101..300).contains(&status);
        for route in [&self.record].into_iter().chain(&recorded(request)).filter(|_| records) {
            reply = reply.header(Name::RecordRoute, route);
        }
        if records {
            reply = reply.header(Name::Contact, self.contact()).header(Name::Allow, ALLOW);
        }
        match body {
            Some(body) => reply.made_up(Vec::new(), Some((SDP_TYPE.to_owned(), body.to_owned()))),
            None => reply,
        }
    }

    /// A request to the other end but its Via.
    fn request(&self, method: Method<'_>, number: u32, body: Option<&str>) -> Builder {
        let mut builder = Builder::request(method, &self.target).header(Name::MaxForwards, 70);
        for route in &self.routes {
            builder = builder.header(Name::Route, route);
        }
        let builder = builder
            .header(Name::From, format_args!("<sip:{}>;tag={}", self.party, self.tag))
            .header(Name::To, &self.remote)
            .header(Name::CallId, &self.call_id)
            .header(Name::CSeq, format_args!("{number} {}", method.as_str()))
            .header(Name::Contact, self.contact())
            .header(Name::PAssertedIdentity, format_args!("<sip:{}>", self.party));
        match body {
            Some(body) => builder.body(SDP_TYPE, body.as_bytes()),
            None => builder,
        }
    }

    /// Sends the next request to the other end, by the flow that one has now or through its server; none where there is
    /// no way, or nothing can sign it.
    pub(super) fn send(
        &mut self,
        cx: &mut Context,
        method: Method<'_>,
        body: Option<&str>,
        now: Now,
    ) -> Option<Sent> {
        self.cseq += 1;
        let builder = self.request(method, self.cseq, body);
        self.send_as(cx, builder, None, now)
    }

    /// Acknowledges the 2xx to the INVITE of that number.
    pub(super) fn acknowledge(&self, cx: &mut Context, invite: u32, now: Now) {
        let builder = self.request(Method::Ack, invite, None);
        self.send_as(cx, builder, None, now);
    }

    /// An INVITE as it would be, to find out where it goes.
    pub(super) fn probe(&self) -> Message {
        self.request(Method::Invite, 1, None).message()
    }

    /// Sends an INVITE that begins a call, to the first device of a user or the user's server.
    pub(super) fn invite(
        &mut self,
        cx: &mut Context,
        by: Option<ServerName>,
        offers: bool,
        now: Now,
    ) -> Option<Sent> {
        self.cseq = 1;
        let builder = self
            .request(Method::Invite, 1, offers.then_some(NULL_SINK))
            .header(Name::RecordRoute, &self.record);
        self.send_as(cx, builder, by, now)
    }

    fn send_as(
        &self,
        cx: &mut Context,
        mut builder: Builder,
        by: Option<ServerName>,
        now: Now,
    ) -> Option<Sent> {
        let (flow, dial) = match &self.token {
            Some(token) => {
                let (flow, path) = way_to(cx, token, &self.call_id)?;
                for hop in path.iter().rev() {
                    builder = builder.prepend(Name::Route, hop);
                }
                (flow, None)
            }
            None => {
                let server = by.or_else(|| self.next_server(cx))?;
                let (link, new) = cx.flows.link(&server, BETWEEN_SERVERS);
                (link, new.then_some(server))
            }
        };
        let transport = cx.flows.transport(flow).unwrap_or(BETWEEN_SERVERS);
        let (own, branch) = (cx.own_name(transport), cx.transactions.branch());
        let via = format!("SIP/2.0/{} {own};branch={branch}", transport.via_token());
        let message = builder.prepend(Name::Via, via).message();
        let endpoint = self.token.as_ref().map(|token| &token.endpoint);
        let proved = sign_towards(cx, flow, message.clone(), &message, endpoint)?;
        if let Some(server) = dial {
            cx.connect(flow, server, transport);
        }
        let session = proved.session;
        if message.method() == Some(Method::Ack) {
            cx.send(flow, proved.request.into_message().into(), now);
        } else {
            let owner =
                Owner::Branch(BranchId { context: self.id, number: usize::try_from(self.cseq).ok()? });
            cx.transactions.request(&proved.request, FlowRef::new(flow, transport), owner, now).ok()?;
        }
        Some(Sent { flow, session })
    }

    /// The server of the estate that the first recorded route names.
    fn next_server(&self, cx: &Context) -> Option<ServerName> {
        let first = NameAddr::parse(self.routes.first()?.as_bytes())?;
        let host = first.uri().ok()?.host().to_string();
        let peer = cx.config.peer(host.trim_end_matches('.'))?;
        Some(between_servers(&cx.config, &peer.fqdn))
    }

    fn contact(&self) -> String {
        format!("<sip:{}>", self.party)
    }
}

/// A route to a party of this server, for one call and its other end.
fn record(cx: &Context, party: &str, peer: &str, call_id: &str) -> String {
    let endpoint = Endpoint { user: party.to_owned(), device: String::new() };
    let token = cx.route_tokens.token(&RouteToken { endpoint, reg_id: None, peer: peer.to_owned() }, call_id);
    let (own, transport) = (cx.own_name(BETWEEN_SERVERS), BETWEEN_SERVERS.uri_token());
    format!("<sip:{token}@{own};transport={transport};lr>")
}

fn recorded(message: &Message) -> Vec<String> {
    let values = message.all::<RecordRoute<'_>>().flatten();
    values.take(MOST_HOPS).map(|route| format!("<{}>", route.uri_str())).collect()
}

/// A null sink that speaks G.711: what it is sent goes to the discard port.
pub(super) const NULL_SINK: &str = "v=0\r\no=party 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
                   m=audio 9 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
                   a=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n";
const SDP_TYPE: &str = "application/sdp";
const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, MESSAGE";
/// Recorded routes that a party keeps.
const MOST_HOPS: usize = 20;
