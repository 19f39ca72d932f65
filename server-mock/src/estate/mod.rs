//! A whole estate in one value: servers, name server, certificates, users; the face for testers.

mod builder;
mod error;
mod handle;
mod thread;
mod user;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::thread::JoinHandle;

use homing_core::time::Wall;
use tokio::sync::oneshot;

pub use crate::directory::UnknownUser;
pub use crate::node::config::{
    BehindProxy, Dialect, ExtendedProtection, Mode, NoAssociation, OnMove, Schemes,
};
pub use crate::role::Role;
pub use crate::shell::ca::Certificate;
pub use builder::EstateBuilder;
pub use error::EstateError;
pub use handle::{HeldBinding, NodeHandle};
pub use homing_core::transport::Transport;
pub use user::User;

use crate::directory::{Assignment, Change, DirectoryError, DirectoryHandle, Key};
use crate::journal::{Decision, Entry, Journal, Verdict, What};
use crate::shell::Clock;
use crate::shell::dns::{DnsFault, SharedZone};

/// A running estate. Dropping it stops everything and waits until it has stopped.
pub struct Estate {
    domain: String,
    dns: SocketAddr,
    zone: SharedZone,
    ca_pem: String,
    nodes: BTreeMap<String, NodeHandle>,
    journal: Journal,
    directory: DirectoryHandle,
    clock: Clock,
    service: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Estate {
    /// An estate to be described.
    pub fn builder() -> EstateBuilder {
        EstateBuilder::default()
    }

    /// The SIP domain.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Where its name server answers, by UDP and TCP.
    pub fn dns_address(&self) -> SocketAddr {
        self.dns
    }

    /// The certificate a client must trust, PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The server with this short name.
    ///
    /// # Panics
    /// If there is none; see [`find_node`](Self::find_node).
    #[expect(clippy::panic, reason = "a test that names a server it did not build is wrong itself")]
    #[track_caller]
    pub fn node(&self, name: &str) -> NodeHandle {
        match self.nodes.get(name) {
            Some(node) => node.clone(),
            None => panic!("no server `{name}`; there are {:?}", self.nodes.keys().collect::<Vec<_>>()),
        }
    }

    /// The server with this short name, if there is one.
    pub fn find_node(&self, name: &str) -> Option<NodeHandle> {
        self.nodes.get(name).cloned()
    }

    /// All servers, ordered by name.
    pub fn nodes(&self) -> impl Iterator<Item = &NodeHandle> {
        self.nodes.values()
    }

    /// The journal of all servers.
    pub fn journal(&self) -> Journal {
        self.journal.clone()
    }

    /// Where `user` (`alice`, `alice@network.com` or `sip:alice@network.com`) is registered.
    pub fn bindings(&self, user: &str) -> Vec<HeldBinding> {
        let address = self.address(user);
        let all = self.nodes.values().flat_map(NodeHandle::bindings);
        all.filter(|binding| binding.user == address).collect()
    }

    /// Assigns `user` to the home server with the short name `home`. A refresh of its clients meets a 301;
    /// to those that come by themselves for a second the server that holds their bindings does what
    /// [`OnMove`] says. See [`recall`](Self::recall) for telling them at once.
    ///
    /// # Errors
    /// [`EstateError::NoSuchNode`], or the directory's.
    pub async fn move_user(&self, user: &str, home: &str, why: &str) -> Result<Assignment, EstateError> {
        let fqdn = self.nodes.get(home).map(|node| node.fqdn().to_owned());
        let fqdn = fqdn.ok_or_else(|| EstateError::NoSuchNode(home.to_owned()))?;
        let address = self.address(user);
        let key = Key::new(&address, &self.service);
        let change = Change::new(key, &fqdn, "operator", why, self.now());
        let made = self.directory.assign(change).await.map_err(EstateError::Directory)?;
        let decision = Decision::new(Verdict::Estate, format!("assigned (version {}): {why}", made.version));
        self.journal.record(Entry {
            seq: 0,
            at: self.clock.now().since_start.0,
            node: "directory".into(),
            peer: None,
            what: What::Decided(decision.about(&address).towards(&fqdn)),
        });
        Ok(made)
    }

    /// Tells the clients of `user` to sign in anew, from discovery (`deactivated`). Only clients that
    /// understand it are told (decision 4).
    pub fn recall(&self, user: &str) {
        let address = self.address(user);
        for node in self.nodes.values() {
            node.deregister(&address, crate::node::Deregistration::Deactivated);
        }
    }

    /// Every assignment there is.
    ///
    /// # Errors
    /// The directory's.
    pub async fn assignments(&self) -> Result<Vec<(Key, Assignment)>, DirectoryError> {
        self.directory.list().await
    }

    /// All versions of a user's assignment, oldest first.
    ///
    /// # Errors
    /// The directory's.
    pub async fn history(&self, user: &str) -> Result<Vec<Assignment>, DirectoryError> {
        self.directory.history(Key::new(&self.address(user), &self.service)).await
    }

    /// Makes the name server fail, or answer again.
    pub fn dns_fault(&self, fault: DnsFault) {
        self.zone.change(|zone| zone.fault = fault);
    }

    /// The zone the name server answers from, to be changed.
    pub fn zone(&self) -> &SharedZone {
        &self.zone
    }

    fn address(&self, user: &str) -> String {
        let bare = user.strip_prefix("sip:").unwrap_or(user).to_ascii_lowercase();
        if bare.contains('@') { bare } else { format!("{bare}@{}", self.domain) }
    }

    fn now(&self) -> Wall {
        self.clock.now().wall
    }
}

impl Drop for Estate {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic over there has been reported there.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests;
