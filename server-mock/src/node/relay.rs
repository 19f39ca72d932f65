//! Passing requests on: to the home server for a client, and back to the client along its Path.
//!
//! Servers speak with each other over mutual TLS. The one that challenged the client owns its
//! association: it takes the client's credentials away, vouches for the user, and signs everything
//! towards the client anew (decision 15).

use hmac::{Hmac, KeyInit, Mac};
use std::time::Duration;

use homing_core::auth::signed::{NoAssociation, Signed};
use homing_core::ids::FlowId;
use homing_core::server::ServerName;
use homing_core::time::Now;
use homing_core::transaction::FlowRef;
use homing_core::transport::Transport;
use homing_wire::{Builder, Message, Method, Name};
use sha2::Sha256;

use super::endpoint::Endpoint;
use super::gate::{Passport, Seal, SessionId};
use super::io::NodeOutput;
use super::reply::{Reply, stamped_via};
use super::{Case, Node, Owner};
use crate::journal::{Decision, Verdict};

/// A request that was passed on and waits for its answer.
pub(super) struct Relaying {
    case: Case,
    back: Back,
}

/// How an answer goes back.
enum Back {
    /// Under this server's seal; a former one is taken off.
    Sealed(Seal),
    /// As it came: what is sealed was sealed by somebody behind us.
    AsItCame,
}

/// The outgoing half of a relay, but for Via and signature.
struct Outgoing {
    builder: Builder,
    flow: FlowId,
    /// The server to be dialled first, where there is no flow to it yet.
    dial: Option<ServerName>,
}

impl Node {
    /// Passes a client's REGISTER on to its home server (patent step 514).
    pub(super) fn relay_up(&mut self, case: Case, passport: Passport, home: ServerName, now: Now) {
        let Some(hops) = hops_left(&case.request) else {
            return self.answer(&case, Reply::new(483), &passport.seal, now);
        };
        let (link, new) = self.flows.link(&home, Transport::Tls);
        let builder = self
            .forwarded(&case, hops)
            .remove(Name::Authorization)
            .remove(Name::ProxyAuthorization)
            .replace(Name::PAssertedIdentity, format_args!("<sip:{}>", passport.endpoint.user));
        let builder = self.with_path(builder, case.flow);
        let outgoing = Outgoing { builder, flow: link, dial: new.then_some(home) };
        self.start_relay(case, Back::Sealed(passport.seal), outgoing, now);
    }

    /// Passes a client's request on with its credentials, for the server there to judge.
    pub(super) fn relay_untouched(&mut self, case: Case, server: ServerName, now: Now) {
        let Some(hops) = hops_left(&case.request) else {
            return self.answer(&case, Reply::new(483), &Seal::None, now);
        };
        let (link, new) = self.flows.link(&server, Transport::Tls);
        // A client that vouches for itself would be believed there: the link is trusted.
        let mut builder = self.forwarded(&case, hops).remove(Name::PAssertedIdentity);
        if case.request.method() == Some(Method::Register) {
            builder = self.with_path(builder, case.flow);
        }
        let outgoing = Outgoing { builder, flow: link, dial: new.then_some(server) };
        self.start_relay(case, Back::AsItCame, outgoing, now);
    }

    /// Adds the way back to the client behind `flow` (RFC 3327).
    fn with_path(&self, builder: Builder, flow: FlowId) -> Builder {
        let (token, own) = (self.token_of_flow(flow), self.own_name(Transport::Tls));
        builder.prepend(Name::Path, format_args!("<sip:{token}@{own};transport=tls;lr>"))
    }

    /// Passes a request of another server on to the client behind `to`.
    pub(super) fn relay_down(&mut self, flow: FlowId, request: Message, to: FlowId, now: Now) {
        let Some(transport) = self.flows.transport(flow) else { return };
        let flow_ref = FlowRef::new(flow, transport);
        let Ok(tx) = self.machines.transactions.accept_request(&request, flow_ref, Owner::Server, now) else {
            return;
        };
        let case = Case { tx, flow, request };
        let reachable = self.flows.find(to).is_some();
        let Some(hops) = hops_left(&case.request).filter(|_| reachable) else {
            let status = if reachable { 483 } else { 430 };
            return self.answer(&case, Reply::new(status), &Seal::None, now);
        };
        let builder = self.forwarded(&case, hops).remove_first(Name::Route);
        self.note(Some(to), Decision::new(Verdict::Proxied, "along its Path"), now);
        self.start_relay(case, Back::AsItCame, Outgoing { builder, flow: to, dial: None }, now);
    }

    /// Sends the outgoing half of a relay; opens the way first where there is none.
    fn start_relay(&mut self, case: Case, back: Back, outgoing: Outgoing, now: Now) {
        let Outgoing { builder, flow: to, dial } = outgoing;
        let transport = self.flows.transport(to).unwrap_or(Transport::Tls);
        let own = self.own_name(transport);
        let branch = self.machines.transactions.branch();
        let via = format!("SIP/2.0/{} {own};branch={branch}", transport.via_token());
        let unsigned = builder.prepend(Name::Via, via).message();
        // Towards a client whose association is ours; other servers prove themselves by TLS.
        let to_client = self.flows.find(to).is_some_and(|flow| flow.trusted.is_none());
        let client = self.client_behind(to, &case.request).filter(|_| to_client);
        let request = match client {
            Some(session) => {
                Signed::by_server(self.sealed(unsigned, &case.request, &Seal::Association(session)))
            }
            None => Signed::without(unsigned, NoAssociation::Relayed),
        };
        let id = self.next_name();
        self.relaying.insert(id, Relaying { case, back });
        if let Some(server) = dial {
            self.outputs.push_back(NodeOutput::Connect { flow: to, server, transport });
        }
        let flow_ref = FlowRef::new(to, transport);
        if self.machines.transactions.request(&request, flow_ref, Owner::Relay(id), now).is_err() {
            self.relay_failed(id, 500, now);
        }
    }

    /// The association of the client a request is for: one connection may serve several devices.
    fn client_behind(&self, flow: FlowId, request: &Message) -> Option<SessionId> {
        let sessions = self.machines.gate.sessions();
        let addressed = request.to().ok().and_then(|to| Endpoint::named_by(&to));
        let named = addressed.and_then(|endpoint| sessions.of_endpoint(&endpoint));
        let here = |id: &SessionId| sessions.find(*id).is_some_and(|session| session.flow == flow);
        named.filter(here).or_else(|| sessions.on_flow(flow))
    }

    /// The answer to a relayed request goes back, sealed for whoever asked.
    pub(super) fn relayed(&mut self, id: u64, response: &Message, now: Now) {
        let Some(Relaying { case, back }) = self.relaying.remove(&id) else { return };
        if matches!(back, Back::AsItCame) && self.counts_refusal(&case, response) {
            return self.refuse_after_too_many(&case, now);
        }
        let status = response.status().unwrap_or(500);
        let mut builder = Builder::from_message(response).remove_first(Name::Via);
        let to_server = self.flows.find(case.flow).is_some_and(|flow| flow.trusted.is_some());
        let registered = status == 200 && case.request.method() == Some(Method::Register);
        if registered && !to_server {
            builder = self.kept_here(case.flow, &case.request, builder, now);
            self.flows.authenticated(case.flow, now);
        }
        let seal = match back {
            Back::AsItCame => Seal::None,
            Back::Sealed(seal) => {
                builder = builder.remove(Name::AuthenticationInfo).remove(Name::ProxyAuthenticationInfo);
                seal
            }
        };
        if let Seal::Association(session) = seal
            && registered
        {
            let granted = response.expires().ok().flatten().unwrap_or(0);
            let until = now.after(Duration::from_secs(u64::from(granted) + GRACE));
            self.machines.gate.sessions_mut().hold(session, until);
        }
        let answer = self.sealed(builder.message(), &case.request, &seal);
        self.conclude(&case, (answer.into(), status), &seal, now);
    }

    /// Nobody answered, or the way there is gone.
    pub(super) fn relay_failed(&mut self, id: u64, status: u16, now: Now) {
        let Some(Relaying { case, back }) = self.relaying.remove(&id) else { return };
        let seal = if let Back::Sealed(seal) = back { seal } else { Seal::None };
        let why = if status == 408 {
            "the next server did not answer"
        } else {
            "the next server cannot be reached"
        };
        self.note(Some(case.flow), Decision::new(Verdict::Refused, format!("{status}: {why}")), now);
        let mut reply = Reply::new(status);
        if status == 503 {
            reply = reply.header(Name::RetryAfter, self.pause(HOME_PAUSE, now));
        }
        let reply = reply.diagnostics(1038, why, &self.config.identity.fqdn);
        self.answer(&case, reply, &seal, now);
    }

    /// Keep-alives are between neighbours: this server agrees on them with its client.
    fn kept_here(&mut self, flow: FlowId, request: &Message, builder: Builder, now: Now) -> Builder {
        let agreed = self.agree_on_keeping(flow, request, Reply::new(200), now);
        agreed.headers().fold(builder, |built, (name, value)| built.replace(name, value))
    }

    /// The request as it goes on: what was learned of its sender, and one hop less.
    fn forwarded(&self, case: &Case, hops: u8) -> Builder {
        let Case { request, flow, .. } = case;
        let mut builder = Builder::from_message(request);
        let keep = Some(self.config.registrar.flow_timer);
        if let Some(via) = self.flows.find(*flow).and_then(|flow| stamped_via(request, flow.peer, keep)) {
            builder = builder.replace_first(Name::Via, via);
        }
        builder.replace(Name::MaxForwards, hops)
    }

    /// A name for a flow that others can hand back but not make up.
    fn token_of_flow(&self, flow: FlowId) -> String {
        let number = format!("{:x}", flow.0);
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.machines.path_key).expect("HMAC takes keys of any length");
        mac.update(number.as_bytes());
        let mac: String = mac.finalize().into_bytes()[..6].iter().map(|byte| format!("{byte:02x}")).collect();
        format!("f{number}-{mac}")
    }

    pub(super) fn flow_of_token(&self, token: &str) -> Option<FlowId> {
        let number = token.strip_prefix('f')?.split('-').next()?;
        let flow = FlowId(u64::from_str_radix(number, 16).ok()?);
        (self.token_of_flow(flow) == token).then_some(flow)
    }
}

/// Max-Forwards for the next hop; none at the end of the way.
fn hops_left(request: &Message) -> Option<u8> {
    request.max_forwards().ok().flatten().unwrap_or(DEFAULT_HOPS + 1).checked_sub(1)
}

const DEFAULT_HOPS: u8 = 70;
/// Seconds an association outlives its registration.
const GRACE: u64 = 30;
/// Seconds.
const HOME_PAUSE: u32 = 5;
