//! Bindings of users who were assigned elsewhere: void within one lease, so that nobody has two homes.

use std::time::Duration;

use homing_core::time::Now;

use super::config::OnMove;
use super::io::{Deregistration, LookupId, NodeOutput};
use super::registrar::Binding;
use super::respond::OUR_AGENT;
use super::{Node, Pending};
use crate::directory::Lookup;
use crate::journal::{Decision, Verdict};

impl Node {
    /// An assignment changed somewhere. If its user has bindings here, the directory is asked.
    pub(super) fn assignment_changed(&mut self, user: &str, service: String) {
        let concerns = self.config.registrar.on_move == OnMove::Recall
            && service == self.config.signpost.service
            && !self.machines.registrar.bindings(user).is_empty();
        if concerns {
            let id = LookupId(self.next_name());
            self.pending.insert(id, Pending::Moved { user: user.to_owned() });
            self.outputs.push_back(NodeOutput::LookUp { id, user: user.to_owned(), service });
        }
    }

    /// The directory says where a user with bindings here belongs. One that cannot be asked changes nothing.
    pub(super) fn learn_home(&mut self, user: String, found: &Lookup, now: Now) {
        match found {
            Lookup::Home { home, .. } if *home == self.config.identity.fqdn => {
                self.machines.moved.cancel(&user);
            }
            Lookup::Home { .. } | Lookup::Unknown => self.machines.moved.set(user, now.after(GRACE)),
            Lookup::Unavailable => {}
        }
    }

    /// The lease is over: what is bound here is void, and whoever understands it is told.
    ///
    /// Only a client of this server's own that could not believe the recall, or would stay offline after it,
    /// is kept: its next refresh comes here and is led on, and until then nobody else holds it. One behind
    /// another server is led to its new home there, so that it must not be kept.
    pub(super) fn void(&mut self, user: &str, now: Now) {
        let held = self.machines.registrar.bindings(user).to_vec();
        for binding in held {
            let (flow, about) = (Some(binding.place.flow), &binding.endpoint);
            let told = self.understands_recall(&binding);
            if !told && !binding.place.behind_server() {
                let why = "kept until its next refresh: its user belongs to another server, but this client \
                           does not understand being told";
                self.note(flow, Decision::new(Verdict::Notified, why).about(about), now);
                continue;
            }
            self.machines.registrar.remove(&binding.endpoint);
            let why = "void: its user belongs to another server";
            self.note(flow, Decision::new(Verdict::Unregistered, why).about(about), now);
            if told {
                self.notify(&binding, &Deregistration::Deactivated, now);
            }
        }
    }

    /// True for a client of ours that can check who recalls it: it believes signed requests only. Behind
    /// another server it is that one which signs.
    fn understands_recall(&self, binding: &Binding) -> bool {
        let signed = self.machines.gate.sessions().of_endpoint(&binding.endpoint).is_some();
        binding.agent.starts_with(OUR_AGENT) && (signed || binding.place.behind_server())
    }
}

/// How long a client has to come by itself, by a refresh that meets the 301. Together with what the
/// directory's watch may take it stays below the lease of two seconds.
const GRACE: Duration = Duration::from_secs(1);
