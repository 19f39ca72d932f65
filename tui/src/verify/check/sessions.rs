//! What the messages so far established: challenges that wait for answers, and associations with their keys.

use std::collections::{BTreeMap, BTreeSet};

use homing::offline::ntlm::Side;
use homing::offline::ntlm::review::ReviewKeys;
use homing::offline::security_association::{Place, Version, Window};

use crate::verify::report::Obstacle;

/// The nonces that servers gave, and what was done with them.
#[derive(Default)]
pub(super) struct Nonces<'r> {
    /// Realm by nonce.
    pub(super) given: BTreeMap<&'r str, &'r str>,
    /// In which message a nonce and its count were used.
    pub(super) used: BTreeMap<(&'r str, &'r str), usize>,
    /// The first client nonce under a nonce: sessions are bound to it.
    pub(super) first: BTreeMap<&'r str, &'r str>,
    /// Users, with realm, whose password was proved.
    pub(super) proved: BTreeSet<(String, String)>,
}

/// Challenges and associations, by `opaque`.
#[derive(Default)]
pub(super) struct Sessions<'r> {
    pub(super) challenges: Vec<Challenge<'r>>,
    challenges_by_name: BTreeMap<&'r str, Vec<usize>>,
    pub(super) associations: Vec<Association<'r>>,
    by_name: BTreeMap<&'r str, Vec<usize>>,
    /// Requests whose token or signature held.
    proved: Vec<usize>,
    /// Requests whose Digest response held.
    digests: Vec<usize>,
    links: Vec<usize>,
}

/// A token that waits for its answer.
pub(super) struct Challenge<'r> {
    pub(super) at: usize,
    pub(super) link: usize,
    pub(super) realm: &'r str,
    pub(super) targetname: &'r str,
    pub(super) version: Version,
    pub(super) token: Vec<u8>,
}

/// One association: what it is called and what its signatures are judged by.
pub(super) struct Association<'r> {
    pub(super) link: usize,
    pub(super) opaque: &'r str,
    pub(super) realm: &'r str,
    pub(super) targetname: &'r str,
    pub(super) version: Version,
    pub(super) keys: Result<ReviewKeys, Obstacle>,
    windows: [Window; 2],
    /// Where a signature and where a counter of a side was seen first.
    signatures: BTreeMap<(bool, [u8; 16]), (usize, usize)>,
    counters: BTreeMap<(bool, u32), usize>,
}

/// What the history of an association says about a good signature.
pub(super) enum History {
    Fresh,
    /// The very signature, on the same link.
    Replayed(usize),
    /// The very signature, on another link.
    Elsewhere(usize),
    /// Another message had this counter.
    CounterUsed(usize),
    /// Too far behind.
    Below,
}

impl<'r> Sessions<'r> {
    pub(super) fn add_challenge(&mut self, opaque: &'r str, challenge: Challenge<'r>) {
        self.challenges_by_name.entry(opaque).or_default().push(self.challenges.len());
        self.challenges.push(challenge);
    }

    /// The newest challenge of that name, of this link if there is one.
    pub(super) fn challenge(&self, opaque: &str, link: usize) -> Option<&Challenge<'r>> {
        let known = self.challenges_by_name.get(opaque)?;
        let newest = known.iter().rev().take(LOOK_BACK).map(|at| &self.challenges[*at]);
        newest.clone().find(|challenge| challenge.link == link).or_else(|| newest.clone().next())
    }

    pub(super) fn add_association(&mut self, association: Association<'r>) {
        if !self.links.contains(&association.link) && self.links.len() < LINKS {
            self.links.push(association.link);
        }
        self.by_name.entry(association.opaque).or_default().push(self.associations.len());
        self.associations.push(association);
    }

    /// The associations that may have signed, likeliest first: of that name, newest and of this link
    /// first; without a name of this link, those of that target.
    pub(super) fn candidates(&self, opaque: &str, targetname: &str, link: usize) -> Vec<usize> {
        let mut found: Vec<usize> = match self.by_name.get(opaque) {
            Some(known) => known.iter().rev().take(LOOK_BACK).copied().collect(),
            None => {
                let newest = self.associations.iter().enumerate().rev().take(LOOK_BACK);
                newest
                    .filter(|(_, known)| {
                        known.link == link && known.targetname.eq_ignore_ascii_case(targetname)
                    })
                    .map(|(at, _)| at)
                    .collect()
            }
        };
        found.sort_by_key(|at| self.associations[*at].link != link);
        found
    }

    pub(super) fn prove(&mut self, at: usize) {
        if self.proved.last() != Some(&at) {
            self.proved.push(at);
        }
    }

    pub(super) fn is_proved(&self, at: usize) -> bool {
        self.proved.binary_search(&at).is_ok()
    }

    pub(super) fn prove_digest(&mut self, at: usize) {
        self.digests.push(at);
    }

    pub(super) fn is_digest_proved(&self, at: usize) -> bool {
        self.digests.binary_search(&at).is_ok()
    }

    pub(super) fn knows_link(&self, link: usize) -> bool {
        self.links.contains(&link)
    }
}

impl<'r> Association<'r> {
    pub(super) fn new(
        challenge: &Challenge<'r>,
        opaque: &'r str,
        link: usize,
        keys: Result<ReviewKeys, Obstacle>,
    ) -> Self {
        Self {
            link,
            opaque,
            realm: challenge.realm,
            targetname: challenge.targetname,
            version: challenge.version,
            keys,
            windows: Default::default(),
            signatures: BTreeMap::new(),
            counters: BTreeMap::new(),
        }
    }

    /// Notes a good signature and says whether it was seen before.
    pub(super) fn admit(&mut self, side: Side, mac: [u8; 16], number: u32, at: (usize, usize)) -> History {
        let is_client = side == Side::Client;
        let (message, link) = at;
        if let Some(&(first, first_link)) = self.signatures.get(&(is_client, mac)) {
            return if first_link == link { History::Replayed(first) } else { History::Elsewhere(first) };
        }
        self.signatures.insert((is_client, mac), (message, link));
        let used = self.counters.get(&(is_client, number)).copied();
        match self.windows[usize::from(is_client)].admit(number) {
            Place::Fresh => {
                self.counters.insert((is_client, number), message);
                History::Fresh
            }
            Place::Replayed => History::CounterUsed(used.unwrap_or(message)),
            Place::Below => History::Below,
        }
    }
}

/// How many of one name are looked at.
const LOOK_BACK: usize = 32;
const LINKS: usize = 4_096;
