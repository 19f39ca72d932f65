//! Judges message signatures: the recomputed buffer, the MAC, the counters.

use homing::offline::Auth;
use homing::offline::ntlm::Side;
use homing::offline::security_association::{BufferError, Element, Version};

use super::diagnosis::{Case, Explanation};
use super::sessions::History;
use super::signature_buffer::{Stamped, element_name, join, parameters};
use super::state::{Check, hides};
use crate::verify::report::{Cause, Difference, Finding, Note, Obstacle, Proof, Spot};

/// An association that may have made a signature, and whose signature it would be.
#[derive(Clone, Copy)]
struct Candidate {
    association: usize,
    side: Side,
}

/// Judges the signature in one header.
pub(super) fn judge<'r>(
    check: &mut Check<'_, 'r>,
    at: usize,
    auth: &Auth<'r>,
    side: Side,
    findings: &mut Vec<Finding>,
) {
    let (Ok(finding) | Err(finding)) = judge_signature(check, at, auth, side, findings);
    findings.push(finding);
}

fn judge_signature<'r>(
    check: &mut Check<'_, 'r>,
    at: usize,
    auth: &Auth<'r>,
    side: Side,
    findings: &mut Vec<Finding>,
) -> Result<Finding, Finding> {
    let spot = Spot::Signature(side);
    if auth.conflicting() {
        return Err(Difference::new(spot, Cause::Conflicting).into());
    }
    let mac = parameters(side)[2];
    if auth.param(mac).is_some_and(|mac| hides(check.recording.kind, mac)) {
        return Err(Obstacle::Masked.into());
    }
    if !auth.is("NTLM") {
        return Err(Obstacle::Scheme(auth.scheme.to_owned()).into());
    }
    let names = parameters(side).into_iter().chain(["realm", "targetname"]);
    if let Some(missing) = names.into_iter().find(|name| auth.param(name).is_none()) {
        return Err(Difference::new(Spot::Parameter(missing), Cause::Missing).into());
    }
    let Some(stamped) = Stamped::read(auth, side, "NTLM") else {
        return Err(Difference::new(Spot::Parameter(mac), Cause::Malformed).into());
    };
    let recorded = check.recorded(at);
    let opaque = auth.param("opaque").unwrap_or_default();
    let candidates = check.sessions.candidates(opaque, stamped.stamp.targetname, recorded.link);
    let Some(first) = candidates.first().copied() else {
        return Err(Obstacle::NoLogOn { opaque: opaque.to_owned() }.into());
    };
    let version = check.sessions.associations[first].version;
    let covered = match stamped.elements(&recorded.message, version) {
        Ok(elements) => join(&elements),
        Err(BufferError(header)) => return Err(Obstacle::NoBuffer(header.as_str()).into()),
    };
    let good = candidates.iter().copied().find(|candidate| {
        let keys = check.sessions.associations[*candidate].keys.as_ref();
        keys.is_ok_and(|keys| keys.verify(side, &covered, &stamped.mac))
    });
    match good {
        Some(association) => {
            Ok(good_signature(check, at, Candidate { association, side }, &stamped, findings))
        }
        None => match &check.sessions.associations[first].keys {
            Err(obstacle) => Err(obstacle.clone().into()),
            Ok(_) => Err(bad_signature(check, at, Candidate { association: first, side }, &stamped).into()),
        },
    }
}

fn good_signature<'r>(
    check: &mut Check<'_, 'r>,
    at: usize,
    candidate: Candidate,
    stamped: &Stamped<'r>,
    findings: &mut Vec<Finding>,
) -> Finding {
    let Candidate { association, side } = candidate;
    let link = check.recorded(at).link;
    let number_spot = Spot::Buffer(Element::Number, side);
    let Ok(number) = stamped.number.parse::<u32>() else {
        return Difference::new(number_spot, Cause::Malformed).into();
    };
    let association = &mut check.sessions.associations[association];
    for (parameter, expected, found) in [
        ("targetname", association.targetname, stamped.stamp.targetname),
        ("realm", association.realm, stamped.stamp.realm),
    ] {
        if !expected.eq_ignore_ascii_case(found) {
            let (expected, found) = (expected.to_owned(), found.to_owned());
            findings.push(Note::NamedOtherwise { parameter, expected, found }.into());
        }
    }
    let version = association.version;
    let cause = match association.admit(side, stamped.mac, number, (at, link)) {
        History::Fresh => None,
        History::Elsewhere(first) => {
            findings.push(Note::SeenElsewhere { number: first + 1 }.into());
            None
        }
        History::Replayed(first) | History::CounterUsed(first) => {
            Some(Cause::Replayed { number: Some(first + 1) })
        }
        History::Below => Some(Cause::BelowWindow),
    };
    match cause {
        Some(cause) => {
            Difference { found: Some(stamped.number.to_owned()), ..Difference::new(number_spot, cause) }
                .into()
        }
        None => {
            check.sessions.prove(at);
            Finding::Holds(Proof::Signature { side, number, version })
        }
    }
}

/// Looks for the one element that differs.
fn bad_signature<'r>(
    check: &mut Check<'_, 'r>,
    at: usize,
    candidate: Candidate,
    stamped: &Stamped<'r>,
) -> Difference {
    let Candidate { association, side } = candidate;
    let association = &check.sessions.associations[association];
    let Ok(keys) = &association.keys else {
        return Difference::new(Spot::Signature(side), Cause::Malformed);
    };
    let message = &check.recorded(at).message;
    let forms = |version| stamped.elements(message, version).unwrap_or_default();
    let other = if association.version == Version::V2 { Version::V4 } else { Version::V2 };
    let elements = forms(association.version);
    let found_of = |wanted| {
        elements.iter().find(|(element, _)| *element == wanted).map_or("", |(_, value)| value.as_str())
    };
    let others = check.sessions.associations.iter().rev().take(OTHER_ASSOCIATIONS);
    let others = others.filter(|other| other.opaque != association.opaque);
    let request = check.conversation.request_of(at).map(|request| &check.recorded(request).message);
    let case = Case {
        message,
        request,
        link: check.recorded(at).link,
        side,
        elements: &elements,
        other_form: &forms(other),
        named: [association.realm, association.targetname],
        mac: stamped.mac,
        keys,
        others: others.filter_map(|other| Some((other.opaque, other.keys.as_ref().ok()?))).collect(),
    };
    match check.search.explain(&case) {
        Explanation::Element { element, signed } => {
            Difference::new(Spot::Buffer(element, side), Cause::Altered).with(signed, found_of(element))
        }
        Explanation::OtherForm => Difference::new(Spot::BufferVersion, Cause::OtherVersion)
            .with(form_word(association.version), form_word(other)),
        Explanation::WrongDirection => Difference::new(Spot::Signature(side), Cause::WrongDirection),
        Explanation::OtherAssociation(opaque) => {
            let cause = Cause::OtherAssociation { opaque: opaque.to_owned() };
            Difference::new(Spot::Signature(side), cause)
        }
        Explanation::Version => {
            Difference::new(Spot::SignatureVersion, Cause::Altered).with("01000000", hex(&stamped.mac[..4]))
        }
        Explanation::Sequence => {
            Difference::new(Spot::SequenceNumber, Cause::Altered).with("64000000", hex(&stamped.mac[12..]))
        }
        Explanation::Mac { first, bytes } => {
            Difference::new(Spot::Checksum, Cause::SignatureAltered { first, bytes })
        }
        Explanation::Unexplained(suspects) => {
            let suspects = suspects.into_iter().map(|element| element_name(element, side)).collect();
            Difference::new(Spot::Signature(side), Cause::Unexplained { suspects })
        }
    }
}

fn form_word(version: Version) -> &'static str {
    match version {
        Version::V2 => "version 2 buffer",
        Version::V3 | Version::V4 => "version 3/4 buffer",
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How many other associations are tried.
const OTHER_ASSOCIATIONS: usize = 64;
