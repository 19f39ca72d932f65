//! The dialogs that pass through a server, one entry for each endpoint of its own in each: how long its association
//! is needed, and by which flow it spoke last.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use homing_core::ids::FlowId;
use homing_core::time::{Deadline, Moment, Now, Why};

use super::endpoint::Endpoint;
use super::timer_map::TimerMap;

/// One endpoint's part in one call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DialogKey {
    /// A client of this server.
    pub(super) endpoint: Endpoint,
    /// The same in every request of the call.
    pub(super) call_id: String,
}

/// What is remembered of a dialog.
#[derive(Clone, Copy, Debug)]
struct Dialog {
    /// The flow its endpoint used last.
    flow: FlowId,
    /// How long it may be silent.
    silence: Duration,
    /// True from the 2xx on.
    confirmed: bool,
}

/// How many dialogs are remembered.
#[derive(Clone, Copy, Debug)]
pub(super) struct DialogLimits {
    /// One more displaces the one of the same endpoint that would end first.
    pub(super) of_endpoint: usize,
    /// One more displaces the one of all that would end first.
    pub(super) count: usize,
}

/// All dialogs of a node. A dialog ends with its BYE, with a 481 or 408 inside it, with its session (RFC 4028), or after
/// [`SILENCE`] without a request.
pub(super) struct Dialogs {
    held: BTreeMap<DialogKey, Dialog>,
    ends: TimerMap<DialogKey>,
    limits: DialogLimits,
    evicted: u64,
}

impl Dialogs {
    /// None yet.
    pub(super) fn new(limits: DialogLimits) -> Self {
        Self { held: BTreeMap::new(), ends: TimerMap::new(), limits, evicted: 0 }
    }

    /// A call of an endpoint begins; until it is answered it is remembered for four minutes from each response on.
    pub(super) fn begin(&mut self, key: &DialogKey, flow: FlowId, now: Now) {
        let early = Dialog { flow, silence: EARLY, confirmed: false };
        let held = self.held.entry(key.clone()).or_insert(early);
        if !held.confirmed {
            // Of several devices under one name it is that of the one that spoke last: the one that answers.
            held.flow = flow;
        }
        let dialog = *held;
        self.ends.set(key.clone(), now.after(dialog.silence));
        self.make_room(key);
    }

    /// A call was answered, or its session refreshed, with a session interval in seconds where one was agreed.
    pub(super) fn confirm(&mut self, key: &DialogKey, interval: Option<u32>, now: Now) {
        let Some(dialog) = self.held.get_mut(key) else { return };
        dialog.confirmed = true;
        dialog.silence = interval.map_or(SILENCE, |seconds| Duration::from_secs(u64::from(seconds)) + GRACE);
        self.ends.set(key.clone(), now.after(dialog.silence));
    }

    /// A request inside the dialog passed; where its endpoint sent it, by `flow`.
    pub(super) fn touch(&mut self, key: &DialogKey, flow: Option<FlowId>, now: Now) {
        let Some(dialog) = self.held.get_mut(key) else { return };
        dialog.flow = flow.unwrap_or(dialog.flow);
        self.ends.set(key.clone(), now.after(dialog.silence));
    }

    /// The dialog is over. True if it was remembered and answered.
    pub(super) fn end(&mut self, key: &DialogKey) -> bool {
        self.ends.cancel(key);
        self.held.remove(key).is_some_and(|dialog| dialog.confirmed)
    }

    /// True for a dialog that was answered and is not over.
    pub(super) fn is_confirmed(&self, key: &DialogKey) -> bool {
        self.held.get(key).is_some_and(|dialog| dialog.confirmed)
    }

    /// By which flow the endpoint spoke last.
    pub(super) fn flow_of(&self, key: &DialogKey) -> Option<FlowId> {
        self.held.get(key).map(|dialog| dialog.flow)
    }

    /// When the last dialog of an endpoint ends if nothing more passes; none without dialogs.
    pub(super) fn last_end(&self, endpoint: &Endpoint) -> Option<Moment> {
        self.of(endpoint).filter_map(|(key, _)| self.ends.at(key)).max()
    }

    /// How many calls there are that were answered: one with both ends here counts once.
    pub(super) fn answered(&self) -> usize {
        let answered = self.held.iter().filter(|(_, dialog)| dialog.confirmed);
        answered.map(|(key, _)| key.call_id.as_str()).collect::<BTreeSet<_>>().len()
    }

    /// How many are remembered, early ones too.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert_eq!(self.held.len(), self.ends.len());
        self.held.len()
    }

    /// How many were forgotten for others since the last call.
    pub(super) fn take_evicted(&mut self) -> u64 {
        std::mem::take(&mut self.evicted)
    }

    /// Takes out one whose time is over, and says whether it was answered.
    pub(super) fn due(&mut self, now: Now) -> Option<(DialogKey, bool)> {
        let key = self.ends.due(now)?;
        let dialog = self.held.remove(&key)?;
        Some((key, dialog.confirmed))
    }

    /// When the next one lapses.
    pub(super) fn deadline(&self) -> Option<Deadline> {
        self.ends.next().map(|at| Deadline::new(at, Why::Expiry))
    }

    fn of(&self, endpoint: &Endpoint) -> impl Iterator<Item = (&DialogKey, &Dialog)> {
        let first = DialogKey { endpoint: endpoint.clone(), call_id: String::new() };
        self.held.range(first..).take_while(move |(key, _)| key.endpoint == *endpoint)
    }

    /// Over a limit the one goes that would end first: of the same endpoint, else of all.
    fn make_room(&mut self, fresh: &DialogKey) {
        let own = self.of(&fresh.endpoint).map(|(key, _)| key).filter(|key| *key != fresh);
        let first_of_own = own.min_by_key(|key| self.ends.at(key)).cloned();
        let gone = if self.of(&fresh.endpoint).count() > self.limits.of_endpoint {
            first_of_own
        } else if self.held.len() > self.limits.count {
            self.ends.first().map(|(_, key)| key.clone())
        } else {
            None
        };
        if let Some(gone) = gone {
            self.end(&gone);
            self.evicted += 1;
        }
    }
}

/// Longest silence of an answered call without a session interval: as long as an association lives.
pub(super) const SILENCE: Duration = Duration::from_secs(8 * 3600);
/// Longest silence of a call that rings: more than timer C.
const EARLY: Duration = Duration::from_secs(240);
/// Beyond a session interval, for the BYE that ends it.
const GRACE: Duration = Duration::from_secs(32);

#[cfg(test)]
mod tests {
    use super::*;

    fn key(device: &str, call_id: &str) -> DialogKey {
        let endpoint = Endpoint { user: "bob@network.com".into(), device: device.into() };
        DialogKey { endpoint, call_id: call_id.into() }
    }

    fn at(seconds: u64) -> Now {
        Now::new(Duration::from_secs(seconds), Duration::ZERO)
    }

    #[test]
    fn an_endpoint_displaces_only_dialogs_of_its_own() {
        let mut dialogs = Dialogs::new(DialogLimits { of_endpoint: 2, count: 100 });
        dialogs.begin(&key("other", "o"), FlowId(1), at(0));
        for n in 0..4 {
            dialogs.begin(&key("own", &format!("c{n}")), FlowId(2), at(n + 1));
        }
        assert_eq!((dialogs.len(), dialogs.take_evicted()), (3, 2));
        assert!(dialogs.flow_of(&key("other", "o")).is_some());
        assert!(dialogs.flow_of(&key("own", "c3")).is_some(), "the newest stays");
        assert!(dialogs.flow_of(&key("own", "c0")).is_none(), "the one that would end first goes");
    }

    #[test]
    fn all_together_are_bounded_too() {
        let mut dialogs = Dialogs::new(DialogLimits { of_endpoint: 10, count: 2 });
        for n in 0..4 {
            dialogs.begin(&key(&n.to_string(), "c"), FlowId(1), at(n));
        }
        assert_eq!((dialogs.len(), dialogs.take_evicted()), (2, 2));
    }

    #[test]
    fn a_dialog_lasts_as_its_session_does_or_until_it_was_silent_for_too_long() {
        let mut dialogs = Dialogs::new(DialogLimits { of_endpoint: 10, count: 10 });
        let (timed, silent) = (key("timed", "c"), key("silent", "c"));
        for key in [&timed, &silent] {
            dialogs.begin(key, FlowId(1), at(0));
        }
        dialogs.confirm(&timed, Some(90), at(10));
        dialogs.confirm(&silent, None, at(10));
        assert!(dialogs.due(at(10 + 90 + 31)).is_none());
        dialogs.touch(&timed, Some(FlowId(7)), at(50));
        assert_eq!(dialogs.flow_of(&timed), Some(FlowId(7)));
        assert!(dialogs.due(at(50 + 90 + 31)).is_none());
        assert_eq!(dialogs.due(at(50 + 90 + 32)), Some((timed, true)));
        assert!(dialogs.due(at(10 + 8 * 3600 - 1)).is_none());
        assert_eq!(dialogs.due(at(10 + 8 * 3600)), Some((silent, true)));
        assert_eq!(dialogs.len(), 0);
    }
}
