//! The registration notifier (MS-SIPREGE): ends registrations with a NOTIFY, on command, for a newer device, or
//! because an assignment changed.

use std::collections::BTreeSet;
use std::time::Duration;

use homing_core::auth::signed::{NoAssociation, Signed};
use homing_core::time::{Deadline, Now, Why};
use homing_core::transaction::FlowRef;
use homing_core::transport::Transport;
use homing_wire::{Builder, Message, Method, Name};

use super::{LookUp, Pending, Service, Step};
use crate::directory::Lookup;
use crate::journal::{Decision, Verdict};
use crate::node::authenticator::ResponseAuth;
use crate::node::bindings::Binding;
use crate::node::config::{BETWEEN_SERVERS, OnMove};
use crate::node::context::{Context, Owner};
use crate::node::io::{Deregistration, NodeCommand};
use crate::node::signing::OUR_AGENT;
use crate::node::timer_map::TimerMap;

/// Voids the bindings of users who were assigned elsewhere within one lease, so that no user has two homes.
#[derive(Default)]
pub(crate) struct RegistrationNotifier {
    /// Users who belong to another server now, and until when their bindings here are good.
    reassigned: TimerMap<String>,
}

impl Service for RegistrationNotifier {
    fn handle_request(&mut self, _: &mut Context, step: Step, _: Now) -> Step {
        step
    }

    fn handle_command(&mut self, cx: &mut Context, command: &NodeCommand, now: Now) -> Step {
        match command {
            NodeCommand::Deregister { user, event } => deregister(cx, user, event, now),
            NodeCommand::SetAccounts(_) => bar(cx, now),
            // Of interest only while the user has bindings here.
            NodeCommand::AssignmentChanged { user, service }
                if cx.config.registrar.on_move == OnMove::Recall
                    && *service == cx.config.routing.service
                    && !cx.bindings.of(user).is_empty() =>
            {
                return Step::LookUp(LookUp { user: user.clone(), pending: Pending::Assignment });
            }
            _ => {}
        }
        Step::Done
    }

    /// A directory that cannot be asked changes nothing.
    fn handle_lookup(&mut self, cx: &mut Context, asked: LookUp, found: &Lookup, now: Now) -> Step {
        let LookUp { user, .. } = asked;
        match found {
            Lookup::Home { home, .. } if *home == cx.config.identity.fqdn => self.reassigned.cancel(&user),
            Lookup::Home { .. } | Lookup::Unknown => self.reassigned.set(user, now.after(REFRESH_GRACE)),
            Lookup::Unavailable => {}
        }
        Step::Done
    }

    fn handle_deadline(&mut self, cx: &mut Context, now: Now) {
        while let Some(user) = self.reassigned.due(now) {
            void(cx, &user, now);
        }
    }

    fn deadline(&self) -> Option<Deadline> {
        self.reassigned.next().map(|at| Deadline::new(at, Why::Expiry))
    }
}

/// The lease is over: what is bound here is void, and a client that understands it is told.
///
/// Only a client of this server's own that could not verify the recall, or would stay offline after it, is kept:
/// its next refresh comes here and is redirected, and until then no other server holds it. One behind another
/// server is redirected there, so that it must not be kept.
fn void(cx: &mut Context, user: &str, now: Now) {
    for binding in cx.bindings.of(user).to_vec() {
        let (flow, about) = (Some(binding.route.flow), &binding.endpoint);
        let told = understands_recall(cx, &binding);
        if !told && !binding.route.behind_server() {
            let why = "kept until its next refresh: its user belongs to another server, but this client \
                       does not understand being told";
            cx.note(flow, Decision::new(Verdict::Notified, why).about(about), now);
            continue;
        }
        cx.bindings.remove(&binding.endpoint);
        let why = "void: its user belongs to another server";
        cx.note(flow, Decision::new(Verdict::Unregistered, why).about(about), now);
        if told {
            notify(cx, &binding, &Deregistration::Deactivated, now);
        }
    }
}

/// True for a client of ours that can verify who recalls it: it accepts signed requests only. Behind another server
/// it is that one which signs.
pub(crate) fn understands_recall(cx: &Context, binding: &Binding) -> bool {
    let signed = cx.sessions.of_endpoint(&binding.endpoint).is_some();
    binding.agent.starts_with(OUR_AGENT) && (signed || binding.route.behind_server())
}

/// Ends what is held by those who may not sign in any more. Where no password is asked for, no account is needed.
fn bar(cx: &mut Context, now: Now) {
    let schemes = cx.config.authentication.schemes;
    if !schemes.ntlm() && !schemes.digest() {
        return;
    }
    let bound = cx.bindings.iter().map(|binding| &binding.endpoint.user);
    let held: BTreeSet<&String> = bound.chain(cx.sessions.users()).collect();
    let barred = held.into_iter().filter(|user| !cx.config.accounts.may_sign_in(user));
    let barred: Vec<String> = barred.cloned().collect();
    for user in barred {
        let why = "this user may not sign in any more";
        cx.note(None, Decision::new(Verdict::Unregistered, why).about(&user), now);
        deregister(cx, &user, &Deregistration::Rejected, now);
        cx.sessions.end_user(&user);
    }
}

/// Ends the registrations of a user and tells each device why.
fn deregister(cx: &mut Context, user: &str, event: &Deregistration, now: Now) {
    for binding in cx.bindings.remove_user(&user.to_ascii_lowercase()) {
        // Some clients go offline for good on these two; the next refresh moves them instead.
        let moves = matches!(event, Deregistration::Deactivated | Deregistration::PreferredRegistrar(_));
        if moves && !binding.agent.starts_with(OUR_AGENT) {
            not_told(cx, &binding, "this client would stay offline", now);
            continue;
        }
        notify(cx, &binding, event, now);
    }
}

/// Tells a device that a newer one of its user took its place.
pub(super) fn push_out(cx: &mut Context, gone: &Binding, now: Now) {
    if gone.epid.is_empty() {
        return not_told(cx, gone, "this client knows no registration-notify", now);
    }
    notify(cx, gone, &Deregistration::Unregistered, now);
}

fn notify(cx: &mut Context, binding: &Binding, event: &Deregistration, now: Now) {
    let flow = binding.route.flow;
    let Some(transport) = cx.flows.transport(flow) else {
        return not_told(cx, binding, "its connection is gone", now);
    };
    let message = notification(cx, binding, event, transport);
    let request = match cx.sessions.of_endpoint(&binding.endpoint) {
        Some(id) => match cx.sign(message.clone(), &message, &ResponseAuth::Association(id)) {
            Ok(signed) => Signed::by_server(signed),
            Err(not_signed) => {
                cx.drop_association(not_signed);
                return not_told(cx, binding, "its association cannot sign", now);
            }
        },
        // Where another server owns the association, it signs on the way.
        None => Signed::without(message, NoAssociation::MutualTls),
    };
    let sent = cx.transactions.request(&request, FlowRef::new(flow, transport), Owner::Notifier, now);
    match sent {
        Ok(_) => {
            let said = Decision::new(Verdict::Notified, event.word()).about(&binding.endpoint);
            cx.note(Some(flow), said, now);
        }
        Err(_) => not_told(cx, binding, "its connection is gone", now),
    }
}

fn notification(
    cx: &mut Context,
    binding: &Binding,
    event: &Deregistration,
    transport: Transport,
) -> Message {
    let own = cx.own_name(transport);
    let branch = cx.transactions.branch();
    let (user, epid) = (&binding.endpoint.user, &binding.epid);
    let device = if epid.is_empty() { String::new() } else { format!(";epid={epid}") };
    let mut builder = Builder::request(Method::Notify, &binding.contact)
        .header(Name::Via, format_args!("SIP/2.0/{} {own};branch={branch}", transport.via_token()))
        .header(Name::MaxForwards, 70);
    for hop in &binding.route.path {
        builder = builder.header(Name::Route, hop);
    }
    let (tag, call) = (cx.random.tag(), cx.random.call_id());
    builder = builder
        .header(Name::From, format_args!("<sip:{user}>;tag={tag}"))
        .header(Name::To, format_args!("<sip:{user}>{device}"))
        .header(Name::CallId, format_args!("{call}@{}", cx.config.identity.fqdn))
        .header(Name::CSeq, "1 NOTIFY")
        .header(Name::Event, "registration-notify")
        .header(Name::SubscriptionState, "terminated;expires=0");
    if let Some((id, why)) = event.diagnosis() {
        builder = builder.header(Name::MsDiagnosticsPublic, format_args!("{id};reason=\"{why}\""));
    }
    if let Deregistration::PreferredRegistrar(server) = event {
        let there = format!("<sip:{server};transport={}>", BETWEEN_SERVERS.uri_token());
        builder = builder.header(Name::PPreferredRegistrar, there);
    }
    let body = format!("deregistered;event={}", event.word());
    builder.body("text/registration-event", body.as_bytes()).message()
}

fn not_told(cx: &mut Context, binding: &Binding, why: &str, now: Now) {
    let said = Decision::new(Verdict::Notified, format!("not told: {why}"));
    cx.note(Some(binding.route.flow), said.about(&binding.endpoint), now);
}

/// How long a client has to come by itself, by a refresh that meets the 301. Together with what the
/// directory's watch may take it stays below the lease of two seconds.
const REFRESH_GRACE: Duration = Duration::from_secs(1);
