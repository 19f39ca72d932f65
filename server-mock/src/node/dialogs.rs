//! The dialogs that pass through a server, one entry for each endpoint of its own in each: how long its association
//! is needed, and by which flow it spoke last.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use homing_core::ids::FlowId;
use homing_core::time::{Deadline, Moment, Now, Why};
use homing_wire::Message;
use sha2::{Digest, Sha256};

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

/// The tags of both ends, whoever speaks: what tells the dialogs of one Call-ID apart (RFC 3261 12). Forks have the same
/// Call-ID, and a stranger may use that of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tags([u8; 8]);

/// What is remembered of a part.
#[derive(Clone, Debug)]
struct Part {
    /// The flow its endpoint used last.
    flow: FlowId,
    /// Its dialogs that were answered, each with how long it may be silent.
    answered: Vec<(Tags, Duration)>,
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
    held: BTreeMap<DialogKey, Part>,
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
        let held = self.held.entry(key.clone()).or_insert(Part { flow, answered: Vec::new() });
        if held.answered.is_empty() {
            // Of several devices under one name it is that of the one that spoke last: the one that answers.
            held.flow = flow;
        }
        self.ends.set(key.clone(), now.after(held.silence()));
        self.make_room(key);
    }

    /// A dialog was answered, or its session refreshed, with a session interval in seconds where one was agreed.
    pub(super) fn confirm(&mut self, key: &DialogKey, tags: Tags, interval: Option<u32>, now: Now) {
        let Some(part) = self.held.get_mut(key) else { return };
        let silence = interval.map_or(SILENCE, |seconds| Duration::from_secs(u64::from(seconds)) + GRACE);
        part.answered.retain(|(known, _)| *known != tags);
        // A call with more ends is remembered by those it has.
        if part.answered.len() < MOST_ANSWERED {
            part.answered.push((tags, silence));
        }
        self.ends.set(key.clone(), now.after(part.silence()));
    }

    /// A request inside a dialog passed; where its endpoint sent it, by `flow`.
    pub(super) fn touch(&mut self, key: &DialogKey, flow: Option<FlowId>, now: Now) {
        let Some(part) = self.held.get_mut(key) else { return };
        part.flow = flow.unwrap_or(part.flow);
        self.ends.set(key.clone(), now.after(part.silence()));
    }

    /// A dialog is over. True if it was the last one that was answered.
    pub(super) fn end(&mut self, key: &DialogKey, tags: Tags) -> bool {
        let Some(part) = self.held.get_mut(key) else { return false };
        let before = part.answered.len();
        part.answered.retain(|(known, _)| *known != tags);
        let was_the_last = before > 0 && part.answered.is_empty();
        if was_the_last {
            self.forget(key);
        }
        was_the_last
    }

    /// A call ended before it was answered.
    pub(super) fn end_early(&mut self, key: &DialogKey) {
        if !self.is_confirmed(key) {
            self.forget(key);
        }
    }

    fn forget(&mut self, key: &DialogKey) {
        self.ends.cancel(key);
        self.held.remove(key);
    }

    /// True for a call that was answered and is not over.
    pub(super) fn is_confirmed(&self, key: &DialogKey) -> bool {
        self.held.get(key).is_some_and(|part| !part.answered.is_empty())
    }

    /// By which flow the endpoint spoke last.
    pub(super) fn flow_of(&self, key: &DialogKey) -> Option<FlowId> {
        self.held.get(key).map(|part| part.flow)
    }

    /// When the last dialog of an endpoint ends if nothing more passes; none without dialogs.
    pub(super) fn last_end(&self, endpoint: &Endpoint) -> Option<Moment> {
        self.of(endpoint).filter_map(|(key, _)| self.ends.at(key)).max()
    }

    /// How many calls there are that were answered: one with both ends here counts once.
    pub(super) fn answered(&self) -> usize {
        let answered = self.held.iter().filter(|(_, part)| !part.answered.is_empty());
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
        let part = self.held.remove(&key)?;
        Some((key, !part.answered.is_empty()))
    }

    /// When the next one lapses.
    pub(super) fn deadline(&self) -> Option<Deadline> {
        self.ends.next().map(|at| Deadline::new(at, Why::Expiry))
    }

    fn of(&self, endpoint: &Endpoint) -> impl Iterator<Item = (&DialogKey, &Part)> {
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
            self.forget(&gone);
            self.evicted += 1;
        }
    }
}

impl Tags {
    /// Those of a request inside a dialog, or of a response that made one. A missing tag is empty (RFC 2543).
    pub(super) fn of(message: &Message) -> Self {
        let from = message.from().ok().and_then(|from| from.tag().map(str::to_owned)).unwrap_or_default();
        let to = message.to().ok().and_then(|to| to.tag().map(str::to_owned)).unwrap_or_default();
        Self::between(&from, &to)
    }

    /// Those of a dialog between these two.
    pub(super) fn between(one: &str, other: &str) -> Self {
        let hash = Sha256::new()
            .chain_update(one.min(other))
            .chain_update("\0")
            .chain_update(one.max(other))
            .finalize();
        let mut tags = [0; 8];
        tags.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        Self(tags)
    }
}

impl Part {
    fn silence(&self) -> Duration {
        self.answered.iter().map(|(_, silence)| *silence).max().unwrap_or(EARLY)
    }
}

/// Answered dialogs of one part: forks, and calls that share its Call-ID.
const MOST_ANSWERED: usize = 16;
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
        dialogs.confirm(&timed, Tags::between("a", "b"), Some(90), at(10));
        dialogs.confirm(&silent, Tags::between("a", "b"), None, at(10));
        assert!(dialogs.due(at(10 + 90 + 31)).is_none());
        dialogs.touch(&timed, Some(FlowId(7)), at(50));
        assert_eq!(dialogs.flow_of(&timed), Some(FlowId(7)));
        assert!(dialogs.due(at(50 + 90 + 31)).is_none());
        assert_eq!(dialogs.due(at(50 + 90 + 32)), Some((timed, true)));
        assert!(dialogs.due(at(10 + 8 * 3600 - 1)).is_none());
        assert_eq!(dialogs.due(at(10 + 8 * 3600)), Some((silent, true)));
        assert_eq!(dialogs.len(), 0);
    }

    #[test]
    fn a_part_lasts_as_long_as_one_of_its_dialogs_does() {
        let mut dialogs = Dialogs::new(DialogLimits { of_endpoint: 10, count: 10 });
        let own = key("own", "c");
        dialogs.begin(&own, FlowId(1), at(0));
        let (first, fork) = (Tags::between("caller", "one"), Tags::between("caller", "two"));
        dialogs.confirm(&own, first, None, at(1));
        dialogs.confirm(&own, fork, Some(90), at(1));
        assert!(!dialogs.end(&own, Tags::between("stranger", "one")), "that is no dialog of it");
        dialogs.end_early(&own);
        assert!(dialogs.due(at(1 + 90 + 32)).is_none(), "the longest of them counts");
        assert!(!dialogs.end(&own, fork));
        assert!(dialogs.is_confirmed(&own));
        assert!(dialogs.end(&own, Tags::between("one", "caller")), "whoever of both says it");
        assert_eq!(dialogs.len(), 0);
    }

    #[test]
    fn the_dialogs_of_one_part_are_bounded() {
        let mut dialogs = Dialogs::new(DialogLimits { of_endpoint: 10, count: 10 });
        let own = key("own", "c");
        dialogs.begin(&own, FlowId(1), at(0));
        for n in 0..MOST_ANSWERED + 5 {
            dialogs.confirm(&own, Tags::between("caller", &n.to_string()), None, at(1));
        }
        assert_eq!(dialogs.held[&own].answered.len(), MOST_ANSWERED);
    }
}
