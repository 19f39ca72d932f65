//! The redirect server (RFC 3261 8.3): the signed 301 that leads a client to its home server, and the refusal of
//! one that belongs nowhere.

use homing_core::auth::contact_binding::{Target, tag};
use homing_core::server::ServerName;
use homing_core::time::Now;
use homing_core::transport::Transport;
use homing_wire::{Message, Name};

use super::{Routed, Service, Step};
use crate::journal::{Decision, Verdict};
use crate::node::authenticator::Principal;
use crate::node::config::NodeConfig;
use crate::node::context::{Context, ServerRequest};
use crate::node::reply::Reply;
use crate::node::routing::{RouteDecision, entrance};

/// Carries out the decisions to redirect and to refuse.
pub(crate) struct RedirectServer;

/// One server that a redirect names.
pub(crate) struct RedirectContact {
    /// Without angle brackets.
    pub(crate) uri: String,
    /// In thousandths.
    pub(crate) q: Option<u16>,
}

impl Service for RedirectServer {
    fn handle_request(&mut self, cx: &mut Context, step: Step, now: Now) -> Step {
        let Step::Routed(routed) = step else { return step };
        let Routed { request, principal: Some(principal), decision, why } = &*routed else {
            return Step::Routed(routed);
        };
        let (flow, user) = (Some(request.flow), principal.endpoint.user.clone());
        match decision {
            RouteDecision::Redirect { home, transport } => {
                let said = Decision::new(Verdict::Redirected, why.clone()).about(&user);
                cx.note(flow, said.towards(home), now);
                let contacts = contacts(&cx.config, &request.request, home, *transport);
                redirect(cx, request, principal, &contacts, now);
            }
            RouteDecision::Refuse { status } => {
                let said = Decision::new(Verdict::Refused, format!("{status}: {why}"));
                cx.note(flow, said.about(&user), now);
                let mut reply = Reply::new(*status);
                if *status == 503 {
                    reply = reply.header(Name::RetryAfter, cx.retry_after(DIRECTORY_PAUSE, now));
                }
                let id = if *status == 404 { 1003 } else { 1000 };
                let reply = reply.diagnostics(id, why, &cx.config.identity.fqdn);
                cx.respond(request, reply, &principal.response_auth, now);
            }
            RouteDecision::Accept
            | RouteDecision::Proxy { .. }
            | RouteDecision::PassOn { .. }
            | RouteDecision::AlongPath { .. } => {
                return Step::Routed(routed);
            }
        }
        Step::Done
    }
}

/// Sends the client to its home server (patent step 516) and lets its binding here go.
fn redirect(
    cx: &mut Context,
    request: &ServerRequest,
    principal: &Principal,
    contacts: &[RedirectContact],
    now: Now,
) {
    let reply = redirection(&cx.config, 301, contacts);
    cx.unbind(request.flow, principal, now);
    cx.respond(request, reply, &principal.response_auth, now);
}

/// The home server, and the backup for a client that can try one after the other.
fn contacts(
    config: &NodeConfig,
    request: &Message,
    home: &ServerName,
    transport: Transport,
) -> Vec<RedirectContact> {
    let first = uri(home, transport);
    let wanted = request.has_token(Name::Supported, "ms-cluster-failover");
    match config.routing.backup.as_deref().filter(|backup| wanted && *backup != home.host) {
        Some(backup) => {
            let (backup, transport) = entrance(config, transport, backup);
            let second = RedirectContact { uri: uri(&backup, transport), q: Some(300) };
            vec![RedirectContact { uri: first, q: Some(700) }, second]
        }
        None => vec![RedirectContact { uri: first, q: None }],
    }
}

/// A 3xx with these Contacts; its To tag is bound to them.
pub(crate) fn redirection(config: &NodeConfig, status: u16, contacts: &[RedirectContact]) -> Reply {
    let mut reply = Reply::new(status);
    for contact in contacts {
        reply = match contact.q {
            Some(q) => reply.header(Name::Contact, format_args!("<{}>;q=0.{q:03}", contact.uri)),
            None => reply.header(Name::Contact, format_args!("<{}>", contact.uri)),
        };
    }
    if config.routing.contact_binding {
        let targets = contacts.iter().map(|contact| Target { uri: &contact.uri, q: contact.q });
        reply = reply.tag(tag(targets));
    }
    reply
}

/// With port and transport: what every client understands.
pub(crate) fn uri(server: &ServerName, transport: Transport) -> String {
    format!("sip:{server};transport={}", transport.uri_token())
}

/// Seconds.
const DIRECTORY_PAUSE: u32 = 10;
