//! Leaving the asking to the home server: requests go there with their credentials untouched, and this server
//! only counts how often a client of its own was refused (patent paragraphs 32, 41).

use homing_core::ids::FlowId;
use homing_core::server::ServerName;
use homing_core::time::Now;
use homing_core::transport::Transport;
use homing_wire::{Message, Method, Name};

use super::config::{BehindProxy, Mode};
use super::endpoint::Endpoint;
use super::gate::Seal;
use super::io::{LookupId, NodeOutput};
use super::reply::Reply;
use super::{Case, Node, Pending};
use crate::directory::Lookup;
use crate::journal::{Decision, Verdict};

impl Node {
    /// True for a request that would be proxied, where its home server shall do the asking.
    ///
    /// ACK and CANCEL go from neighbour to neighbour and nobody can be asked by them.
    pub(super) fn leaves_asking_to_others(&self, request: &Message) -> bool {
        let signpost = &self.config.signpost;
        let proxies = match signpost.mode {
            Mode::AlwaysProxy => true,
            Mode::ByVia => request.via_count() > 1,
            Mode::AlwaysRedirect => false,
        };
        signpost.behind_proxy == BehindProxy::Rechallenge
            && proxies
            && !matches!(request.method(), Some(Method::Ack | Method::Cancel))
    }

    /// Asks the directory about somebody who has not proved anything, only to know whom to ask. Between two
    /// REGISTERs requests go to the server that owns the association, wherever its user belongs by now.
    pub(super) fn look_before_asking(&mut self, flow: FlowId, request: Message, now: Now) {
        let Some(endpoint) = Endpoint::of(&request) else { return self.ask(flow, request, now) };
        if request.method() != Some(Method::Register)
            && let Some(owner) = self.owner(&request)
        {
            return self.pass_on_or_ask_here(flow, request, &owner, now);
        }
        let id = LookupId(self.next_name());
        let service = self.config.signpost.service.clone();
        self.pending.insert(id, Pending::Unasked { flow, request });
        self.outputs.push_back(NodeOutput::LookUp { id, user: endpoint.user, service });
    }

    /// Passes a request on untouched if it belongs elsewhere, else asks for credentials here.
    pub(super) fn pass_on_or_ask(&mut self, flow: FlowId, request: Message, found: &Lookup, now: Now) {
        match found {
            Lookup::Home { home, .. } => self.pass_on_or_ask_here(flow, request, home, now),
            Lookup::Unknown | Lookup::Unavailable => self.ask(flow, request, now),
        }
    }

    /// What a home server said to a request it was asked by: a refused log-on counts against the connection
    /// of the client here, since behind this server's flow the home server cannot tell its clients apart.
    /// True once there were too many.
    pub(super) fn counts_refusal(&mut self, case: &Case, response: &Message) -> bool {
        let most = self.config.gate.limits.attempts;
        let Some(client) = self.flows.find_mut(case.flow).filter(|found| found.trusted.is_none()) else {
            return false;
        };
        if !is_refused_log_on(&case.request, response) {
            return false;
        }
        client.attempts = client.attempts.saturating_add(1);
        client.attempts >= most
    }

    fn pass_on_or_ask_here(&mut self, flow: FlowId, request: Message, home: &str, now: Now) {
        if *home == self.config.identity.fqdn {
            return self.ask(flow, request, now);
        }
        let port = self.config.peer(home).and_then(|peer| peer.port(Transport::Tls));
        let server = ServerName::new(home, port.unwrap_or(Transport::Tls.default_port()));
        let said = Decision::new(Verdict::Proxied, "its home server asks for credentials");
        self.note(Some(flow), said.towards(server.to_string()), now);
        let Some(case) = self.accept(flow, request, now) else { return };
        self.relay_untouched(case, server, now);
    }

    /// The server of the estate whose credentials a request shows.
    fn owner(&self, request: &Message) -> Option<String> {
        let mut shown =
            [Name::Authorization, Name::ProxyAuthorization].into_iter().flat_map(|name| request.auth(name));
        let named = shown.find_map(|auth| {
            let name = auth.param("targetname")?;
            self.config.peer(name.strip_prefix("sip/").unwrap_or(name))
        });
        named.map(|peer| peer.fqdn.clone())
    }

    /// The client was refused too often.
    pub(super) fn refuse_after_too_many(&mut self, case: &Case, now: Now) {
        let why = "too many wrong credentials on this connection";
        self.note(Some(case.flow), Decision::new(Verdict::Refused, format!("403: {why}")), now);
        let reply = Reply::new(403).diagnostics(4003, why, &self.config.identity.fqdn);
        self.answer(case, reply, &Seal::None, now);
    }
}

/// True for credentials that were to prove a password, answered as if none had been shown.
fn is_refused_log_on(request: &Message, response: &Message) -> bool {
    let mut shown =
        [Name::Authorization, Name::ProxyAuthorization].into_iter().flat_map(|name| request.auth(name));
    let mut asked =
        [Name::WwwAuthenticate, Name::ProxyAuthenticate].into_iter().flat_map(|name| response.auth(name));
    let goes_on = |name: &str, value: &str| name == "gssapi-data" || (name == "stale" && value == "true");
    matches!(response.status(), Some(401 | 407))
        && shown.any(|auth| {
            auth.param("gssapi-data").is_some_and(|token| !token.is_empty())
                || (auth.is("Digest") && auth.param("response").is_some())
        })
        && !asked.any(|auth| {
            ["gssapi-data", "stale"]
                .iter()
                .any(|name| auth.param(name).is_some_and(|value| goes_on(name, value)))
        })
}
