//! The bindings of a home server: who can be reached where, until when (RFC 3261 10.3, MS-SIPREGE, RFC 5626).

mod binding;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use homing_core::ids::FlowId;
use homing_core::time::{Deadline, Moment, Now, Why};
use homing_wire::{Contact, Message};

use super::config::RegistrarConfig;
use super::endpoint::{Endpoint, instance};
use super::timer_map::TimerMap;
pub(super) use binding::path;
pub use binding::{Binding, Registrant, Route};
use binding::{BindingChange, Lifetime};

/// Bindings of one server.
pub struct Bindings {
    config: RegistrarConfig,
    users: BTreeMap<Arc<str>, Vec<Binding>>,
    /// Where the bindings of a flow are found when it goes.
    by_flow: BTreeMap<FlowId, BTreeSet<Arc<str>>>,
    lapses: TimerMap<Arc<str>>,
}

/// What a REGISTER brought about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterOutcome {
    /// Seconds granted; 0 after a removal or a question.
    pub granted: u32,
    /// `added`, `refreshed` or `fixed`.
    pub action: &'static str,
    /// Bindings that had to go for this one.
    pub pushed_out: Vec<Binding>,
}

impl Bindings {
    /// Without bindings.
    pub fn new(config: RegistrarConfig) -> Self {
        Self { config, users: BTreeMap::new(), by_flow: BTreeMap::new(), lapses: TimerMap::new() }
    }

    /// The bindings of `user` (address of record without scheme, lower case), oldest first.
    pub fn of(&self, user: &str) -> &[Binding] {
        self.users.get(user).map_or(&[], Vec::as_slice)
    }

    /// All bindings, ordered by user.
    pub fn iter(&self) -> impl Iterator<Item = &Binding> {
        self.users.values().flatten()
    }

    /// True if a binding is reached by `flow`.
    pub fn holds(&self, flow: FlowId) -> bool {
        let users = self.by_flow.get(&flow).into_iter().flatten();
        users.flat_map(|user| self.of(user)).any(|binding| binding.route.flow == flow)
    }

    /// How many users have a binding here.
    pub fn users(&self) -> usize {
        self.users.len()
    }

    /// Does what a REGISTER asks for, all of it or nothing.
    ///
    /// # Errors
    /// The status to refuse it with, 400 or 423, and why; nothing was changed.
    pub fn register(
        &mut self,
        request: &Message,
        registrant: &Registrant<'_>,
        now: Now,
    ) -> Result<RegisterOutcome, (u16, &'static str)> {
        let drafts = self.drafts(request, registrant, now)?;
        let user = &registrant.endpoint.user;
        drafts.iter().try_for_each(|draft| draft.in_order(self.of(user)))?;
        let user = self.known(user).unwrap_or_else(|| user.as_str().into());
        let held = self.users.entry(Arc::clone(&user)).or_default();
        let (mut granted, mut action) = (0, "refreshed");
        for draft in drafts {
            granted = granted.max(draft.expires());
            if let Some(done) = draft.apply(held) {
                action = done;
            }
        }
        let mut pushed_out = Vec::new();
        while held.len() > self.config.endpoints {
            pushed_out.push(held.remove(0));
        }
        self.index(&user);
        Ok(RegisterOutcome { granted, action, pushed_out })
    }

    /// Takes the bindings of one endpoint away. True if there were any.
    pub fn remove(&mut self, endpoint: &Endpoint) -> bool {
        let Some(user) = self.known(&endpoint.user) else { return false };
        let Some(held) = self.users.get_mut(&user) else { return false };
        let before = held.len();
        held.retain(|binding| binding.endpoint != *endpoint);
        let changed = held.len() < before;
        self.index(&user);
        changed
    }

    /// Takes every binding of a user away and gives them back.
    pub fn remove_user(&mut self, user: &str) -> Vec<Binding> {
        let Some((user, gone)) = self.users.remove_entry(user) else { return Vec::new() };
        self.lapses.cancel(&user);
        gone
    }

    /// A flow is gone; bindings that were reached by it and no other way go too.
    pub fn flow_gone(&mut self, flow: FlowId) -> Vec<Endpoint> {
        let mut gone = Vec::new();
        for user in self.by_flow.remove(&flow).unwrap_or_default() {
            if let Some(held) = self.users.get_mut(&user) {
                held.retain(|binding| {
                    let stays = binding.route.flow != flow || binding.route.behind_server();
                    if !stays {
                        gone.push(binding.endpoint.clone());
                    }
                    stays
                });
            }
            self.index(&user);
        }
        gone
    }

    /// Takes away what has lapsed and says whose it was.
    pub fn handle_deadline(&mut self, now: Now) -> Vec<Endpoint> {
        let mut gone = Vec::new();
        while let Some(user) = self.lapses.due(now) {
            if let Some(held) = self.users.get_mut(&user) {
                held.retain(|binding| {
                    let lapsed = now.reached(binding.expires);
                    if lapsed {
                        gone.push(binding.endpoint.clone());
                    }
                    !lapsed
                });
            }
            self.index(&user);
        }
        gone
    }

    /// When the next binding lapses.
    pub fn deadline(&self) -> Option<Deadline> {
        self.lapses.next().map(|at| Deadline::new(at, Why::Expiry))
    }

    /// Brings the tables beside the bindings of one user up to date.
    fn index(&mut self, user: &Arc<str>) {
        let held = self.users.get(user).map_or(&[][..], Vec::as_slice);
        for binding in held {
            self.by_flow.entry(binding.route.flow).or_default().insert(Arc::clone(user));
        }
        match held.iter().map(|binding| binding.expires).min() {
            Some(at) => self.lapses.set(Arc::clone(user), at),
            None => {
                self.lapses.cancel(user);
                self.users.remove(user);
            }
        }
    }

    /// The name of a user with bindings: one text, held by all indexes.
    fn known(&self, user: &str) -> Option<Arc<str>> {
        self.users.get_key_value(user).map(|(known, _)| Arc::clone(known))
    }

    fn drafts(
        &self,
        request: &Message,
        registrant: &Registrant<'_>,
        now: Now,
    ) -> Result<Vec<BindingChange>, (u16, &'static str)> {
        let contacts: Vec<Contact<'_>> = request
            .all::<Contact<'_>>()
            .collect::<Result<_, _>>()
            .map_err(|_| (400, "a Contact cannot be read"))?;
        // A value beyond 32 bits counts as the default (RFC 3261 10.2.1.1).
        let header = request.expires().unwrap_or(None);
        if contacts.iter().any(|contact| matches!(contact, Contact::Star)) {
            let alone = contacts.len() == 1 && header == Some(0);
            return if alone {
                self.all_off(request, registrant)
            } else {
                Err((400, "Contact * with company"))
            };
        }
        let addresses = contacts.iter().filter_map(|contact| Some((contact.addr()?, contact.expires())));
        addresses
            .map(|(addr, own)| {
                let wanted = own.or(header).unwrap_or(self.config.default_expires);
                let expires = match wanted {
                    0 => 0,
                    short if short < self.config.min_expires => return Err((423, "Interval Too Brief")),
                    long => long.min(self.config.max_expires),
                };
                BindingChange::read(request, addr, registrant, Lifetime { expires, now })
                    .ok_or((400, "a Contact that leads nowhere"))
            })
            .collect()
    }

    /// `Contact: *` with `Expires: 0`.
    fn all_off(
        &self,
        request: &Message,
        registrant: &Registrant<'_>,
    ) -> Result<Vec<BindingChange>, (u16, &'static str)> {
        let held = self.of(&registrant.endpoint.user);
        held.iter().map(|binding| BindingChange::removal(request, binding).ok_or((400, "no CSeq"))).collect()
    }
}

/// The `reg-id` of the first Contact, which only RFC 5626 clients with an instance have.
pub(super) fn reg_id(request: &Message) -> Option<u32> {
    instance(request)?;
    let contact = request.get::<Contact<'_>>().ok().flatten()?;
    contact.addr()?.param("reg-id").flatten()?.parse().ok()
}

/// Rounded up, so that a binding with a moment left has a second.
pub(super) fn seconds_left(until: Moment, now: Now) -> u32 {
    let left = until.since(now.since_start);
    let rounded = left + Duration::from_millis(999);
    u32::try_from(rounded.as_secs()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
