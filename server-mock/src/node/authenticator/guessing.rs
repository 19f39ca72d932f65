//! Pauses for those who guess passwords: by user and source, by source, and by user for all strangers together.
//!
//! In a pause no credentials are looked at, alike for users there are and users there are not, so that it tells nothing
//! about either. Whom a pause concerns is said by what is claimed, never by what is true.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use homing_core::time::{Moment, Now};

use crate::node::endpoint::Endpoint;
use crate::node::rate_limit::MinuteCounts;
use crate::node::timer_map::TimerMap;

/// Whom an answer to a challenge comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The network of a client's own address.
    Network(IpAddr),
    /// A client behind a configured server, which brings many.
    Behind(Endpoint),
}

/// A user as claimed, `user@domain` in lower case, and where the claim comes from.
type Pair = (String, Source);

/// The wrong answers that were given.
#[derive(Debug)]
pub(super) struct Guessing {
    /// A minute, from one source or for one user.
    cap: u32,
    pairs: BTreeMap<Pair, Wrong>,
    /// When a pair is forgotten.
    forgotten: TimerMap<Pair>,
    sources: MinuteCounts<Source>,
    users: MinuteCounts<String>,
    /// Where each user has signed in from: no stranger's guesses keep them out. Bounded by the accounts there are.
    known: BTreeMap<String, VecDeque<Source>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Wrong {
    count: u32,
    pause_ends: Moment,
}

impl Guessing {
    pub(super) fn new(cap: u32) -> Self {
        Self {
            cap,
            pairs: BTreeMap::new(),
            forgotten: TimerMap::new(),
            sources: MinuteCounts::new(MOST),
            users: MinuteCounts::new(MOST),
            known: BTreeMap::new(),
        }
    }

    /// How long nothing is looked at that `source` shows for `user`; none where it is looked at now.
    pub(super) fn pause(&self, user: &str, source: &Source, now: Now) -> Option<Duration> {
        let pair = self.pairs.get(&(user.to_owned(), source.clone()));
        let pair = pair.map(|wrong| wrong.pause_ends.since(now.since_start)).filter(|left| !left.is_zero());
        // Behind one address stand many: who signed in from there is not kept out by what others do there.
        if self.knows(user, source) {
            return pair;
        }
        pair.max(self.sources.left(source, self.cap, now)).max(self.users.left(user, self.cap, now))
    }

    /// Books a wrong answer to a challenge that was given to `source`.
    pub(super) fn wrong(&mut self, user: &str, source: &Source, now: Now) {
        self.handle_deadline(now);
        self.sources.book(source.clone(), now);
        if !self.knows(user, source) {
            self.users.book(user.to_owned(), now);
        }
        let pair = (user.to_owned(), source.clone());
        if self.pairs.len() >= MOST && !self.pairs.contains_key(&pair) {
            let oldest = self.forgotten.first().map(|(_, oldest)| oldest.clone());
            oldest.into_iter().for_each(|oldest| self.forget(&oldest));
        }
        let wrong = self.pairs.entry(pair.clone()).or_default();
        wrong.count = wrong.count.saturating_add(1);
        if let Some(doublings) = wrong.count.checked_sub(FREE) {
            let pause = FIRST_PAUSE.saturating_mul(2u32.saturating_pow(doublings)).min(LONGEST_PAUSE);
            wrong.pause_ends = now.after(pause);
        }
        self.forgotten.set(pair, now.after(MEMORY));
    }

    /// Books that `user` signed in from `source`.
    pub(super) fn right(&mut self, user: &str, source: &Source) {
        self.forget(&(user.to_owned(), source.clone()));
        if !self.knows(user, source) {
            let known = self.known.entry(user.to_owned()).or_default();
            if known.len() >= KNOWN_SOURCES {
                known.pop_front();
            }
            known.push_back(source.clone());
        }
    }

    /// Forgets who has given no wrong answer for long.
    pub(super) fn handle_deadline(&mut self, now: Now) {
        while let Some(pair) = self.forgotten.due(now) {
            self.pairs.remove(&pair);
        }
    }

    fn forget(&mut self, pair: &Pair) {
        self.pairs.remove(pair);
        self.forgotten.cancel(pair);
    }

    fn knows(&self, user: &str, source: &Source) -> bool {
        self.known.get(user).is_some_and(|known| known.contains(source))
    }
}

/// Wrong answers up to which there is no pause; the last of them begins the first.
const FREE: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How long a wrong answer is remembered.
const MEMORY: Duration = Duration::from_secs(600);
/// Pairs, sources and users that are remembered at once.
const MOST: usize = 100_000;
/// Sources that are remembered of one user.
const KNOWN_SOURCES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Now {
        Now::new(Duration::from_secs(seconds), Duration::ZERO)
    }

    fn host(last: u8) -> Source {
        Source::Network(IpAddr::from([192, 0, 2, last]))
    }

    fn seconds(guessing: &Guessing, user: &str, source: &Source, now: u64) -> u64 {
        guessing.pause(user, source, at(now)).unwrap_or_default().as_secs()
    }

    #[test]
    fn after_three_wrong_answers_each_doubles_the_pause_up_to_a_minute() {
        let mut guessing = Guessing::new(1_000);
        let mut pauses = Vec::new();
        for round in 0..11 {
            guessing.wrong("alice@network.com", &host(1), at(round * 100));
            pauses.push(seconds(&guessing, "alice@network.com", &host(1), round * 100));
        }
        assert_eq!(pauses, [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(seconds(&guessing, "alice@network.com", &host(2), 1_000), 0, "another source");
        assert_eq!(seconds(&guessing, "bob@network.com", &host(1), 1_000), 0, "another user");
        guessing.right("alice@network.com", &host(1));
        assert_eq!(seconds(&guessing, "alice@network.com", &host(1), 1_000), 0);
        guessing.wrong("alice@network.com", &host(1), at(1_000));
        guessing.handle_deadline(at(1_600));
        assert!(guessing.pairs.is_empty() && guessing.forgotten.len() == 0);
    }

    #[test]
    fn one_source_guesses_thirty_times_a_minute_whatever_the_users() {
        let mut guessing = Guessing::new(30);
        for n in 0..30 {
            assert_eq!(seconds(&guessing, "next@network.com", &host(1), 0), 0, "{n}");
            guessing.wrong(&format!("user{n}@network.com"), &host(1), at(0));
        }
        assert_eq!(seconds(&guessing, "next@network.com", &host(1), 10), 50);
        assert_eq!(seconds(&guessing, "next@network.com", &host(2), 10), 0);
        assert_eq!(seconds(&guessing, "next@network.com", &host(1), 60), 0);
    }

    #[test]
    fn strangers_together_guess_thirty_times_a_minute_and_keep_no_known_source_out() {
        let mut guessing = Guessing::new(30);
        guessing.right("alice@network.com", &host(200));
        (0..30).for_each(|n| guessing.wrong("alice@network.com", &host(n), at(0)));
        assert_eq!(seconds(&guessing, "alice@network.com", &host(100), 15), 45, "a stranger");
        assert_eq!(seconds(&guessing, "alice@network.com", &host(200), 15), 0, "her own telephone");
        assert_eq!(seconds(&guessing, "bob@network.com", &host(100), 15), 0);
        // What she mistypes at a place she knows is no stranger's guess.
        let mut guessing = Guessing::new(30);
        guessing.right("alice@network.com", &host(200));
        (0..30).for_each(|_| guessing.wrong("alice@network.com", &host(200), at(0)));
        assert_eq!(seconds(&guessing, "alice@network.com", &host(100), 15), 0);
    }

    #[test]
    fn a_neighbour_behind_the_same_address_keeps_nobody_out_who_signed_in_from_there() {
        let mut guessing = Guessing::new(30);
        guessing.right("alice@network.com", &host(1));
        (0..30).for_each(|n| guessing.wrong(&format!("user{n}@network.com"), &host(1), at(0)));
        assert_eq!(seconds(&guessing, "alice@network.com", &host(1), 10), 0);
        assert_eq!(seconds(&guessing, "bob@network.com", &host(1), 10), 50);
    }

    #[test]
    fn where_no_more_can_be_counted_strangers_wait() {
        let mut guessing = Guessing::new(30);
        guessing.right("alice@network.com", &host(1));
        for n in 0..=u32::try_from(MOST).unwrap() {
            let source = Source::Network(IpAddr::from((0x0a00_0000 + n / 20).to_be_bytes()));
            guessing.wrong(&format!("user{n}@network.com"), &source, at(0));
        }
        assert_eq!(seconds(&guessing, "alice@network.com", &host(2), 10), 50, "a stranger is not counted");
        assert_eq!(seconds(&guessing, "alice@network.com", &host(1), 10), 0);
        assert_eq!(seconds(&guessing, "alice@network.com", &host(2), 60), 0);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut guessing = Guessing::new(30);
        for n in 0..u32::try_from(MOST).unwrap() + 5 {
            let source = Source::Network(IpAddr::from((0x0a00_0000 + n).to_be_bytes()));
            guessing.wrong("alice@network.com", &source, at(0));
        }
        assert_eq!((guessing.pairs.len(), guessing.forgotten.len()), (MOST, MOST));
        (0..40).for_each(|n| guessing.right("alice@network.com", &host(n)));
        assert_eq!(guessing.known["alice@network.com"].len(), KNOWN_SOURCES);
    }
}
