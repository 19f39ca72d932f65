//! Which call a request inside a dialog belongs to, and which call rings for an INVITE.

use crate::ids::{CallId, KeyedMap, Rng};

/// Call-ID and our tag: one call's dialogs, all forks of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct DialogName {
    call_id: Box<str>,
    tag: Box<str>,
}

/// The calls of an agent by the dialogs they have.
///
/// A ring stands under the caller's tag as well: a CANCEL that comes after the flow of its INVITE was lost finds it,
/// when no transaction is left.
pub(crate) struct Dialogs {
    inside: KeyedMap<DialogName, CallId>,
    ringing: KeyedMap<DialogName, CallId>,
}

/// Under what a call is found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) dialog: Option<DialogName>,
    pub(crate) ring: Option<DialogName>,
}

impl DialogName {
    pub(crate) fn new(call_id: &str, tag: &str) -> Self {
        Self { call_id: call_id.into(), tag: tag.into() }
    }
}

impl Dialogs {
    /// An empty table, hashed by a secret of the seed.
    pub(crate) fn new(rng: &mut Rng) -> Self {
        Self { inside: KeyedMap::new(rng), ringing: KeyedMap::new(rng) }
    }

    /// The call with a dialog of that name.
    pub(crate) fn find(&self, name: &DialogName) -> Option<CallId> {
        self.inside.find(name).copied()
    }

    /// The call that rings for an INVITE with this Call-ID and From tag.
    pub(crate) fn find_ring(&self, name: &DialogName) -> Option<CallId> {
        self.ringing.find(name).copied()
    }

    /// Brings what a call is found under up to date. A name that is another call's stays that one's.
    pub(crate) fn list(&mut self, call: CallId, listed: &mut Listed, now: Listed) {
        if *listed == now {
            return;
        }
        swap(&mut self.inside, call, listed.dialog.as_ref(), now.dialog.as_ref());
        swap(&mut self.ringing, call, listed.ring.as_ref(), now.ring.as_ref());
        *listed = now;
    }

    /// Names in the table.
    pub(crate) fn len(&self) -> usize {
        self.inside.len() + self.ringing.len()
    }
}

fn swap(
    map: &mut KeyedMap<DialogName, CallId>,
    call: CallId,
    before: Option<&DialogName>,
    after: Option<&DialogName>,
) {
    if let Some(before) = before.filter(|before| map.find(*before) == Some(&call)) {
        map.remove(before);
    }
    if let Some(after) = after.filter(|after| map.find(*after).is_none()) {
        map.insert(after.clone(), call);
    }
}
