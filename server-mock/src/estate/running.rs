//! A running estate: its servers, journal and directory, and what an operator or a test may do to it.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;

use homing_core::time::Wall;
use tokio::sync::oneshot;

use super::error::EstateError;
use super::handle::{HeldBinding, NodeHandle};
use super::plan::EstatePlan;
use super::thread::{self, Started, assign_named};
use super::user::User;
use crate::directory::{Assignment, Change, DirectoryError, Key};
use crate::expect::{Expectation, Pattern};
use crate::journal::{Decision, Entry, Journal, Verdict, What};
use crate::node::Deregistration;
use crate::node::accounts::Accounts;
use crate::shell::dns::{DnsFault, SharedZone};

/// A running estate. Dropping it stops everything and waits until it has stopped.
pub struct Estate {
    started: Started,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Estate {
    /// Starts a plan on a thread of its own.
    pub(super) async fn run(plan: EstatePlan) -> Result<Self, EstateError> {
        let (told, hear) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("estate".to_owned())
            .spawn(move || thread::run(plan, told, stopped))
            .map_err(EstateError::Thread)?;
        let started = hear.await.map_err(|_| EstateError::Ended)??;
        Ok(Self { started, stop: Some(stop), thread: Some(thread) })
    }

    /// The SIP domain.
    pub fn domain(&self) -> &str {
        &self.started.domain
    }

    /// Where its name server answers, by UDP and TCP.
    pub fn dns_address(&self) -> SocketAddr {
        self.started.dns
    }

    /// The certificate a client must trust, PEM.
    pub fn ca_pem(&self) -> &str {
        &self.started.ca_pem
    }

    /// The server with this short name.
    ///
    /// # Panics
    /// If there is none; see [`find_node`](Self::find_node).
    #[expect(clippy::panic, reason = "a test that names a server it did not build is wrong itself")]
    #[track_caller]
    pub fn node(&self, name: &str) -> NodeHandle {
        match self.started.nodes.get(name) {
            Some(node) => node.clone(),
            None => {
                panic!("no server `{name}`; there are {:?}", self.started.nodes.keys().collect::<Vec<_>>())
            }
        }
    }

    /// The server with this short name, if there is one.
    pub fn find_node(&self, name: &str) -> Option<NodeHandle> {
        self.started.nodes.get(name).cloned()
    }

    /// All servers, ordered by name.
    pub fn nodes(&self) -> impl Iterator<Item = &NodeHandle> {
        self.started.nodes.values()
    }

    /// The journal of all servers.
    pub fn journal(&self) -> Journal {
        self.started.journal.clone()
    }

    /// Expects messages like these from now on: at least one unless it says otherwise. It is judged when it is dropped, or
    /// by [`Expectation::met`] and [`Expectation::verify`].
    pub fn expect(&self, pattern: Pattern) -> Expectation {
        Expectation::new(&self.started.journal, pattern)
    }

    /// Where `user` (`alice`, `alice@network.com` or `sip:alice@network.com`) is registered.
    pub fn bindings(&self, user: &str) -> Vec<HeldBinding> {
        let address = self.address(user);
        let all = self.started.nodes.values().flat_map(NodeHandle::bindings);
        all.filter(|binding| binding.user == address).collect()
    }

    /// Assigns `user` to the home server with the short name `home`. A refresh of its clients meets a 301;
    /// to those that come by themselves for a second the server that holds their bindings does what
    /// [`OnMove`](crate::node::config::OnMove) says. See [`recall`](Self::recall) for telling them at once.
    ///
    /// # Errors
    /// [`EstateError::NoSuchNode`], [`EstateError::NoSuchUser`], [`EstateError::NoHome`], or the directory's.
    pub async fn move_user(&self, user: &str, home: &str, why: &str) -> Result<Assignment, EstateError> {
        let fqdn = self.started.nodes.get(home).map(|node| node.fqdn().to_owned());
        let fqdn = fqdn.ok_or_else(|| EstateError::NoSuchNode(home.to_owned()))?;
        let address = self.address(user);
        let key = Key::new(&address, &self.started.service);
        if !self.has_user(user) && self.started.directory.history(key.clone()).await?.is_empty() {
            return Err(EstateError::NoSuchUser(user.to_owned()));
        }
        let change = Change::new(key, &fqdn, "operator", why, self.now());
        let made = self.started.directory.assign(change).await.map_err(|error| match error {
            DirectoryError::NotAHome(_) => {
                EstateError::NoHome { user: user.to_owned(), home: home.to_owned() }
            }
            other => EstateError::Directory(other),
        })?;
        let decision = Decision::new(Verdict::Estate, format!("assigned (version {}): {why}", made.version));
        self.started.journal.record(Entry {
            seq: 0,
            at: self.started.clock.now().since_start.0,
            node: "directory".into(),
            peer: None,
            what: What::Decided(decision.about(&address).towards(&fqdn)),
        });
        Ok(made)
    }

    /// True if there is such a user, barred or not.
    pub fn has_user(&self, user: &str) -> bool {
        self.accounts().find(&self.address(user)).is_some()
    }

    /// True for a user who is no person, whichever server is its home.
    fn is_party(&self, user: &str) -> bool {
        let address = self.address(user);
        self.nodes().any(|node| node.has_party(&address))
    }

    /// Bars `user` from signing in, or lets them again, until the estate ends or gets [other users](Self::set_users). What
    /// a barred user holds ends at once: registrations, with a NOTIFY that says so, and associations.
    ///
    /// # Errors
    /// [`EstateError::NoSuchUser`], and [`EstateError::IsParty`] for who never signs in.
    pub fn enable_user(&self, user: &str, enabled: bool) -> Result<(), EstateError> {
        if self.is_party(user) {
            return Err(EstateError::IsParty(user.to_owned()));
        }
        let mut changed = Accounts::clone(&self.accounts());
        if !changed.enable(&self.address(user), enabled) {
            return Err(EstateError::NoSuchUser(user.to_owned()));
        }
        self.set_accounts(Arc::new(changed));
        Ok(())
    }

    /// Replaces the users who are persons; parties stay. Who is not among them, or disabled, is barred as by [`enable_user`](Self::enable_user); whom
    /// nobody else assigned meanwhile is assigned to the home that is named here. Gives the addresses of those who stay
    /// elsewhere because somebody did.
    ///
    /// # Errors
    /// [`EstateError::NoHome`], [`EstateError::IsParty`] and the directory's; the users are then as they were.
    pub async fn set_users(&self, users: &[User]) -> Result<Vec<String>, EstateError> {
        let Started { domain, service, ntlm_domain, directory, clock, parties, .. } = &self.started;
        for user in users {
            if self.is_party(&user.name) {
                return Err(EstateError::IsParty(user.name.clone()));
            }
            let Some(home) = &user.home else { continue };
            if !self.find_node(home).is_some_and(|node| node.role().is_home()) {
                return Err(EstateError::NoHome { user: user.name.clone(), home: home.clone() });
            }
        }
        let left = assign_named(directory, users, domain, service, *clock).await?;
        self.set_accounts(thread::accounts(ntlm_domain, domain, &[users, parties].concat()));
        Ok(left)
    }

    /// The addresses of users who may not sign in.
    pub fn barred_users(&self) -> BTreeSet<String> {
        let accounts = self.accounts();
        accounts.iter().filter(|account| !account.enabled).map(|account| account.address.clone()).collect()
    }

    fn accounts(&self) -> Arc<Accounts> {
        Arc::clone(&self.started.accounts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn set_accounts(&self, accounts: Arc<Accounts>) {
        self.started.nodes.values().for_each(|node| node.set_accounts(&accounts));
        *self.started.accounts.lock().unwrap_or_else(PoisonError::into_inner) = accounts;
    }

    /// Tells the clients of `user` to sign in again, from discovery (`deactivated`). Only clients that
    /// understand it are told (decision 4).
    pub fn recall(&self, user: &str) {
        let address = self.address(user);
        for node in self.started.nodes.values() {
            node.deregister(&address, Deregistration::Deactivated);
        }
    }

    /// Every assignment there is.
    ///
    /// # Errors
    /// The directory's.
    pub async fn assignments(&self) -> Result<Vec<(Key, Assignment)>, DirectoryError> {
        self.started.directory.list().await
    }

    /// All versions of a user's assignment, oldest first.
    ///
    /// # Errors
    /// The directory's.
    pub async fn history(&self, user: &str) -> Result<Vec<Assignment>, DirectoryError> {
        self.started.directory.history(Key::new(&self.address(user), &self.started.service)).await
    }

    /// Makes the name server fail, or answer again.
    pub fn dns_fault(&self, fault: DnsFault) {
        self.started.zone.change(|zone| zone.fault = fault);
    }

    /// The zone the name server answers from, to be changed.
    pub fn zone(&self) -> &SharedZone {
        &self.started.zone
    }

    /// The address of record that `user` (`alice`, `alice@network.com` or `sip:alice@network.com`) means, without scheme and
    /// in lower case.
    pub(crate) fn address(&self, user: &str) -> String {
        let bare = user.strip_prefix("sip:").unwrap_or(user).to_ascii_lowercase();
        if bare.contains('@') { bare } else { format!("{bare}@{}", self.started.domain) }
    }

    fn now(&self) -> Wall {
        self.started.clock.now().wall
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
