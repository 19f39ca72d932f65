//! Requests of the server's own: the NOTIFY that ends a registration (MS-SIPREGE).

use homing_core::auth::signed::{NoAssociation, Signed};
use homing_core::ids::FlowId;
use homing_core::time::Now;
use homing_core::transaction::FlowRef;
use homing_wire::{Builder, Method, Name};

use super::endpoint::Endpoint;
use super::gate::Seal;
use super::io::Deregistration;
use super::registrar::{Binding, Place};
use super::respond::OUR_AGENT;
use super::{Node, Owner};
use crate::journal::{Decision, Verdict};

/// To whom a NOTIFY goes, and how.
struct Addressee<'a> {
    endpoint: &'a Endpoint,
    uri: &'a str,
    epid: &'a str,
    path: &'a [String],
    flow: FlowId,
}

impl Node {
    /// Ends the registrations of a user and tells each device why.
    pub(super) fn deregister(&mut self, user: &str, event: &Deregistration, now: Now) {
        for binding in self.machines.registrar.remove_user(&user.to_ascii_lowercase()) {
            // Some clients go offline for good on these two; the next refresh moves them instead.
            let moves = matches!(event, Deregistration::Deactivated | Deregistration::PreferredRegistrar(_));
            if moves && !binding.agent.starts_with(OUR_AGENT) {
                let said = Decision::new(Verdict::Notified, "not told: this client would stay offline");
                self.note(Some(binding.place.flow), said.about(&binding.endpoint), now);
                continue;
            }
            self.notify(&binding, event, now);
        }
    }

    /// Tells a device that a newer one of its user took its place.
    pub(super) fn push_out(&mut self, gone: &Binding, now: Now) {
        if gone.epid.is_empty() {
            let said = Decision::new(Verdict::Notified, "not told: this client knows no registration-notify");
            return self.note(Some(gone.place.flow), said.about(gone.endpoint.to_string()), now);
        }
        self.notify(gone, &Deregistration::Unregistered, now);
    }

    pub(super) fn notify(&mut self, binding: &Binding, event: &Deregistration, now: Now) {
        let Place { flow, path } = &binding.place;
        let (uri, epid) = (&binding.contact, &binding.epid);
        let to = Addressee { endpoint: &binding.endpoint, uri, epid, path, flow: *flow };
        self.send_notify(&to, event, now);
    }

    fn send_notify(&mut self, to: &Addressee<'_>, event: &Deregistration, now: Now) {
        let Addressee { endpoint, uri, epid, path, flow } = *to;
        let Some(transport) = self.flows.transport(flow) else {
            let said = Decision::new(Verdict::Notified, "not told: its connection is gone");
            return self.note(None, said.about(endpoint.to_string()), now);
        };
        let own = self.own_name(transport);
        let branch = self.machines.transactions.branch();
        let user = &endpoint.user;
        let device = if epid.is_empty() { String::new() } else { format!(";epid={epid}") };
        let mut builder = Builder::request(Method::Notify, uri)
            .header(Name::Via, format_args!("SIP/2.0/{} {own};branch={branch}", transport.via_token()))
            .header(Name::MaxForwards, 70);
        for hop in path {
            builder = builder.header(Name::Route, hop);
        }
        let (tag, call) = (self.draws.tag(), self.draws.call_id());
        builder = builder
            .header(Name::From, format_args!("<sip:{user}>;tag={tag}"))
            .header(Name::To, format_args!("<sip:{user}>{device}"))
            .header(Name::CallId, format_args!("{call}@{}", self.config.identity.fqdn))
            .header(Name::CSeq, "1 NOTIFY")
            .header(Name::Event, "registration-notify")
            .header(Name::SubscriptionState, "terminated;expires=0");
        if let Some((id, why)) = event.diagnosis() {
            builder = builder.header(Name::MsDiagnosticsPublic, format_args!("{id};reason=\"{why}\""));
        }
        if let Deregistration::PreferredRegistrar(server) = event {
            let there = format!("<sip:{server};transport=tls>");
            builder = builder.header(Name::PPreferredRegistrar, there);
        }
        let body = format!("deregistered;event={}", event.word());
        let unsigned = builder.body("text/registration-event", body.as_bytes()).message();
        // Where another server owns the association, it signs on the way.
        let seal = match self.machines.gate.sessions().of_endpoint(endpoint) {
            Some(id) => Seal::Association(id),
            None => Seal::None,
        };
        let sealed = self.sealed(unsigned.clone(), &unsigned, &seal);
        let request = match seal {
            Seal::Association(_) => Signed::by_server(sealed),
            _ => Signed::without(sealed, NoAssociation::MutualTls),
        };
        let flow_ref = FlowRef::new(flow, transport);
        let sent = self.machines.transactions.request(&request, flow_ref, Owner::Notify, now);
        let why = if sent.is_ok() { event.word() } else { "not told: its connection is gone" };
        self.note(Some(flow), Decision::new(Verdict::Notified, why).about(endpoint), now);
    }
}

impl Deregistration {
    /// The `event` of the body.
    pub fn word(&self) -> &'static str {
        match self {
            Deregistration::Unregistered => "unregistered",
            Deregistration::Rejected => "rejected",
            Deregistration::Deactivated => "deactivated",
            Deregistration::PreferredRegistrar(_) => "preferred-registrar-change",
        }
    }

    fn diagnosis(&self) -> Option<(u32, &'static str)> {
        match self {
            Deregistration::Unregistered => Some((4140, "Another endpoint signed in")),
            Deregistration::Rejected => Some((4141, "User disabled")),
            Deregistration::Deactivated => Some((4142, "User moved")),
            Deregistration::PreferredRegistrar(_) => None,
        }
    }
}
