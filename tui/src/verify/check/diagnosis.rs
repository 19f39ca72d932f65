//! Finds the one change that makes a wrong signature right, and so the element that was altered.

use std::collections::{BTreeMap, BTreeSet};

use homing::offline::ntlm::Side;
use homing::offline::ntlm::review::ReviewKeys;
use homing::offline::security_association::{Element, Stamp, Version, elements};
use homing::offline::{Contact, Message};

use super::signature_buffer::join;
use crate::verify::source::Recording;

/// A signature that does not hold, and everything that may explain it.
pub(super) struct Case<'a> {
    pub(super) message: &'a Message,
    /// The request, if this is a response.
    pub(super) request: Option<&'a Message>,
    pub(super) link: usize,
    pub(super) side: Side,
    /// The buffer as it ought to be.
    pub(super) elements: &'a [(Element, String)],
    /// The buffer of the other version.
    pub(super) other_form: &'a [(Element, String)],
    /// Realm and targetname of the challenge.
    pub(super) named: [&'a str; 2],
    pub(super) mac: [u8; 16],
    pub(super) keys: &'a ReviewKeys,
    /// The keys of other associations, by their names.
    pub(super) others: Vec<(&'a str, &'a ReviewKeys)>,
}

/// What explains it.
pub(super) enum Explanation<'a> {
    /// This element was another when it was signed.
    Element { element: Element, signed: String },
    /// The other version's buffer was signed.
    OtherForm,
    /// The other direction's key was used.
    WrongDirection,
    /// Another association's keys were used.
    OtherAssociation(&'a str),
    /// The signature begins with a wrong version.
    Version,
    /// The signature ends with a wrong sequence number.
    Sequence,
    /// Few bytes of the signature itself are wrong.
    Mac { first: usize, bytes: usize },
    /// None of this; these elements no other message confirms.
    Unexplained(Vec<Element>),
}

/// The search, with the values that the recording offers and a bound on all its trials.
pub(super) struct Search<'r> {
    recording: &'r Recording,
    pools: BTreeMap<usize, Pool>,
    trials: usize,
}

/// The values that each element has on one link, and in how many messages.
type Pool = BTreeMap<Element, BTreeMap<String, usize>>;

impl<'r> Search<'r> {
    pub(super) fn new(recording: &'r Recording) -> Self {
        Self { recording, pools: BTreeMap::new(), trials: TRIALS }
    }

    pub(super) fn explain<'a>(&mut self, case: &Case<'a>) -> Explanation<'a> {
        let covered = join(case.elements);
        if let Some(explanation) = whole(case, &covered) {
            return explanation;
        }
        let pool = self.pools.entry(case.link).or_insert_with(|| pool(self.recording, case.link));
        let mut left = self.trials.min(TRIALS_EACH);
        let before = left;
        let found = known_values(case, pool, &mut left).or_else(|| damaged_values(case, pool, &mut left));
        self.trials -= before - left;
        match found {
            Some((element, signed)) => Explanation::Element { element, signed },
            None => Explanation::Unexplained(unconfirmed(case, pool)),
        }
    }
}

/// What concerns the signature as a whole.
fn whole<'a>(case: &Case<'a>, covered: &[u8]) -> Option<Explanation<'a>> {
    if let Some(due) = case.keys.sign(case.side, covered) {
        let wrong: Vec<usize> = (0..16).filter(|at| due[*at] != case.mac[*at]).collect();
        match wrong[..] {
            [] => {}
            [.., last] if last < 4 => return Some(Explanation::Version),
            [first, ..] if first >= 12 => return Some(Explanation::Sequence),
            // More wrong bytes than that are another checksum, not a damaged one.
            [first, ..] if wrong.len() <= 4 => return Some(Explanation::Mac { first, bytes: wrong.len() }),
            _ => {}
        }
    }
    if case.keys.verify(case.side, &join(case.other_form), &case.mac) {
        return Some(Explanation::OtherForm);
    }
    if case.keys.verify(case.side.peer(), covered, &case.mac) {
        return Some(Explanation::WrongDirection);
    }
    let other = case.others.iter().find(|(_, keys)| keys.verify(case.side, covered, &case.mac));
    other.map(|(opaque, _)| Explanation::OtherAssociation(opaque))
}

/// Puts values in the place of each element that other messages, or custom, suggest.
fn known_values(case: &Case<'_>, pool: &Pool, left: &mut usize) -> Option<(Element, String)> {
    (0..case.elements.len()).find_map(|at| {
        let (element, value) = &case.elements[at];
        let mut values: BTreeSet<String> = usual(case, *element, value).into_iter().collect();
        values.extend(pool.get(element).into_iter().flat_map(BTreeMap::keys).cloned());
        values.remove(value);
        try_all(case, at, values.into_iter(), left)
    })
}

/// Puts the same value with one character more, less or other in the place of each element; first in
/// those that no other message confirms.
fn damaged_values(case: &Case<'_>, pool: &Pool, left: &mut usize) -> Option<(Element, String)> {
    let suspects = unconfirmed(case, pool);
    let is_suspect = |at: &usize| suspects.contains(&case.elements[*at].0);
    let (first, then): (Vec<usize>, Vec<usize>) = (0..case.elements.len()).partition(is_suspect);
    first.into_iter().chain(then).find_map(|at| {
        let value = &case.elements[at].1;
        if value.len() > LONGEST_DAMAGED || !value.is_ascii() {
            return None;
        }
        let places = 0..=value.len();
        let edits = places.flat_map(|place| {
            let (head, rest) = value.split_at(place);
            let behind = rest.get(1..).unwrap_or_default();
            let less = (!rest.is_empty()).then(|| format!("{head}{behind}"));
            let chars = CHARACTERS.chars();
            let other = chars.clone().filter(|_| !rest.is_empty()).map(move |c| format!("{head}{c}{behind}"));
            let more = chars.map(move |c| format!("{head}{c}{rest}"));
            less.into_iter().chain(other).chain(more)
        });
        try_all(case, at, edits, left)
    })
}

fn try_all(
    case: &Case<'_>,
    at: usize,
    values: impl Iterator<Item = String>,
    left: &mut usize,
) -> Option<(Element, String)> {
    let head = join(&case.elements[..at]);
    let tail = join(&case.elements[at + 1..]);
    let mut buffer = Vec::with_capacity(head.len() + tail.len() + 64);
    for value in values {
        *left = left.checked_sub(1)?;
        buffer.clear();
        buffer.extend_from_slice(&head);
        buffer.push(b'<');
        buffer.extend_from_slice(value.as_bytes());
        buffer.push(b'>');
        buffer.extend_from_slice(&tail);
        if case.keys.verify(case.side, &buffer, &case.mac) {
            return Some((case.elements[at].0, value));
        }
    }
    None
}

/// What an element usually is when it is not what it ought to be.
fn usual(case: &Case<'_>, element: Element, value: &str) -> Vec<String> {
    let mut values = vec![String::new(), value.to_lowercase(), value.to_uppercase()];
    values.push(value.trim_matches('"').to_owned());
    match element {
        Element::Scheme => values.extend(["NTLM", "Kerberos"].map(str::to_owned)),
        Element::Realm => values.push(case.named[0].to_owned()),
        Element::Targetname => values.push(case.named[1].to_owned()),
        Element::Status => values.extend((100..700).map(|status| status.to_string())),
        Element::Number | Element::Sequence => {
            let number = value.parse::<u32>().unwrap_or_default();
            let near = number.saturating_sub(NEAR)..=number.saturating_add(NEAR);
            values.extend(near.chain(0..NEAR).map(|number| number.to_string()));
        }
        Element::Salt => values.push(value.trim_start_matches('0').to_owned()),
        Element::Expires => {
            values.extend(EXPIRIES.iter().map(|seconds| seconds.to_string()));
            for message in [Some(case.message), case.request].into_iter().flatten() {
                let contacts = message.all::<Contact<'_>>().flatten();
                values
                    .extend(contacts.take(32).filter_map(|c| c.expires()).map(|seconds| seconds.to_string()));
            }
        }
        _ => {}
    }
    values
}

/// The elements whose value stands in no other message, nor in the challenge.
fn unconfirmed(case: &Case<'_>, pool: &Pool) -> Vec<Element> {
    let is_confirmed = |element: &Element, value: &String| match element {
        // Every status was tried.
        Element::Scheme | Element::Status => true,
        Element::Realm => value == case.named[0],
        Element::Targetname => value == case.named[1],
        Element::Salt | Element::Number | Element::Expires => false,
        Element::SipIdentity | Element::TelIdentity if value.is_empty() => true,
        _ => pool.get(element).and_then(|values| values.get(value)).is_some_and(|times| *times > 1),
    };
    let all = case.elements.iter().filter(|(element, value)| !is_confirmed(element, value));
    all.map(|(element, _)| *element).collect()
}

fn pool(recording: &Recording, link: usize) -> Pool {
    let stamp = Stamp { scheme: "NTLM", salt: "", number: "", realm: "", targetname: "" };
    let mut pool = Pool::new();
    for recorded in recording.messages.iter().filter(|recorded| recorded.link == link).take(POOL_MESSAGES) {
        let Ok(elements) = elements(&recorded.message, &stamp, Version::V4) else { continue };
        for (element, value) in elements.into_iter().filter(|(element, _)| *element >= Element::CallId) {
            let values = pool.entry(element).or_default();
            if values.len() < POOL_VALUES || values.contains_key(&value) {
                *values.entry(value).or_default() += 1;
            }
        }
    }
    pool
}

/// Trials in all, and for one signature: a trial costs about a microsecond.
const TRIALS: usize = 500_000;
const TRIALS_EACH: usize = 100_000;
const POOL_MESSAGES: usize = 4_096;
const POOL_VALUES: usize = 128;
const LONGEST_DAMAGED: usize = 80;
const NEAR: u32 = 64;
const EXPIRIES: [u32; 12] = [0, 60, 120, 180, 300, 600, 900, 1_800, 3_600, 7_200, 86_400, 2_592_000];
const CHARACTERS: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._@:;= ";
