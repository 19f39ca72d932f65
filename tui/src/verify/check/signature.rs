//! Judges message signatures: the buffer computed anew, the MAC, the counters.

use homing::offline::ntlm::Side;
use homing::offline::security_association::{BufferError, Element, Stamp, Version, elements};
use homing::offline::{Auth, Message};

use super::book::History;
use super::suspect::{Case, Explanation};
use super::{Check, hides};
use crate::verify::report::{Cause, Difference, Finding, Note, Obstacle, Proof, Spot};

/// A signature as it stands in its header.
pub(super) struct Stamped<'a> {
    stamp: Stamp<'a>,
    pub(super) number: &'a str,
    pub(super) mac: [u8; 16],
}

impl<'a> Stamped<'a> {
    /// Reads the parameters of a signature; `None` if one is missing or no signature.
    pub(super) fn read(auth: &Auth<'a>, side: Side, scheme: &'a str) -> Option<Self> {
        let [salt, number, mac] = parameters(side);
        let number = auth.param(number)?;
        Some(Self {
            stamp: Stamp {
                scheme,
                salt: auth.param(salt)?,
                number,
                realm: auth.param("realm")?,
                targetname: auth.param("targetname")?,
            },
            number,
            mac: unhex(auth.param(mac)?)?,
        })
    }

    /// The elements of the buffer it covers.
    pub(super) fn elements(
        &self,
        message: &Message,
        version: Version,
    ) -> Result<Vec<(Element, String)>, BufferError> {
        elements(message, &self.stamp, version)
    }
}

impl<'r> Check<'_, 'r> {
    pub(super) fn signature(&mut self, at: usize, auth: &Auth<'r>, side: Side, findings: &mut Vec<Finding>) {
        let (Ok(finding) | Err(finding)) = self.judge_signature(at, auth, side, findings);
        findings.push(finding);
    }

    fn judge_signature(
        &mut self,
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
        if auth.param(mac).is_some_and(|mac| hides(self.recording.kind, mac)) {
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
        let recorded = self.recorded(at);
        let opaque = auth.param("opaque").unwrap_or_default();
        let candidates = self.book.candidates(opaque, stamped.stamp.targetname, recorded.link);
        let Some(first) = candidates.first().copied() else {
            return Err(Obstacle::NoLogOn { opaque: opaque.to_owned() }.into());
        };
        let version = self.book.associations[first].version;
        let covered = match stamped.elements(&recorded.message, version) {
            Ok(elements) => join(&elements),
            Err(BufferError(header)) => return Err(Obstacle::NoBuffer(header.as_str()).into()),
        };
        let good = candidates.iter().copied().find(|candidate| {
            let keys = self.book.associations[*candidate].keys.as_ref();
            keys.is_ok_and(|keys| keys.verify(side, &covered, &stamped.mac))
        });
        match good {
            Some(association) => Ok(self.good_signature(at, (association, side), &stamped, findings)),
            None => match &self.book.associations[first].keys {
                Err(obstacle) => Err(obstacle.clone().into()),
                Ok(_) => Err(self.bad_signature(at, (first, side), &stamped).into()),
            },
        }
    }

    fn good_signature(
        &mut self,
        at: usize,
        (association, side): (usize, Side),
        stamped: &Stamped<'r>,
        findings: &mut Vec<Finding>,
    ) -> Finding {
        let link = self.recorded(at).link;
        let number_spot = Spot::Buffer(Element::Number, side);
        let Ok(number) = stamped.number.parse::<u32>() else {
            return Difference::new(number_spot, Cause::Malformed).into();
        };
        let association = &mut self.book.associations[association];
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
                self.book.prove(at);
                Finding::Holds(Proof::Signature { side, number, version })
            }
        }
    }

    /// Looks for the one element that differs.
    fn bad_signature(
        &mut self,
        at: usize,
        (association, side): (usize, Side),
        stamped: &Stamped<'r>,
    ) -> Difference {
        let association = &self.book.associations[association];
        let Ok(keys) = &association.keys else {
            return Difference::new(Spot::Signature(side), Cause::Malformed);
        };
        let message = &self.recorded(at).message;
        let forms = |version| stamped.elements(message, version).unwrap_or_default();
        let other = if association.version == Version::V2 { Version::V4 } else { Version::V2 };
        let elements = forms(association.version);
        let found_of = |wanted| {
            elements.iter().find(|(element, _)| *element == wanted).map_or("", |(_, value)| value.as_str())
        };
        let others = self.book.associations.iter().rev().take(OTHER_ASSOCIATIONS);
        let others = others.filter(|other| other.opaque != association.opaque);
        let request = self.conversation.request_of(at).map(|request| &self.recorded(request).message);
        let case = Case {
            message,
            request,
            link: self.recorded(at).link,
            side,
            elements: &elements,
            other_form: &forms(other),
            named: [association.realm, association.targetname],
            mac: stamped.mac,
            keys,
            others: others.filter_map(|other| Some((other.opaque, other.keys.as_ref().ok()?))).collect(),
        };
        match self.search.explain(&case) {
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
            Explanation::Version => Difference::new(Spot::SignatureVersion, Cause::Altered)
                .with("01000000", hex(&stamped.mac[..4])),
            Explanation::Sequence => Difference::new(Spot::SequenceNumber, Cause::Altered)
                .with("64000000", hex(&stamped.mac[12..])),
            Explanation::Mac { first, bytes } => {
                Difference::new(Spot::Checksum, Cause::SignatureAltered { first, bytes })
            }
            Explanation::Unexplained(suspects) => {
                let suspects = suspects.into_iter().map(|element| element_name(element, side)).collect();
                Difference::new(Spot::Signature(side), Cause::Unexplained { suspects })
            }
        }
    }
}

/// The bytes of a buffer.
pub(super) fn join(elements: &[(Element, String)]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(384);
    for (_, value) in elements {
        bytes.push(b'<');
        bytes.extend_from_slice(value.as_bytes());
        bytes.push(b'>');
    }
    bytes
}

/// What an element is called, depending on who signed.
pub(in crate::verify) fn element_name(element: Element, side: Side) -> &'static str {
    match (element, side) {
        (Element::Scheme, _) => "scheme",
        (Element::Salt, Side::Client) => "crand",
        (Element::Salt, Side::Server) => "srand",
        (Element::Number, Side::Client) => "cnum",
        (Element::Number, Side::Server) => "snum",
        (Element::Realm, _) => "realm",
        (Element::Targetname, _) => "targetname",
        (Element::CallId, _) => "Call-ID",
        (Element::Sequence, _) => "CSeq number",
        (Element::Method, _) => "CSeq method",
        (Element::FromUri, _) => "From URI",
        (Element::FromTag, _) => "From tag",
        (Element::ToUri, _) => "To URI",
        (Element::ToTag, _) => "To tag",
        (Element::SipIdentity, _) => "SIP identity",
        (Element::TelIdentity, _) => "tel identity",
        (Element::Expires, _) => "Expires",
        (Element::Status, _) => "status code",
    }
}

fn form_word(version: Version) -> &'static str {
    match version {
        Version::V2 => "version 2 buffer",
        Version::V3 | Version::V4 => "version 3/4 buffer",
    }
}

/// Salt, counter and signature.
fn parameters(side: Side) -> [&'static str; 3] {
    match side {
        Side::Client => ["crand", "cnum", "response"],
        Side::Server => ["srand", "snum", "rspauth"],
    }
}

/// Sixteen bytes in hexadecimal digits of either case.
fn unhex(text: &str) -> Option<[u8; 16]> {
    let digits = text.as_bytes();
    let mut bytes = [0; 16];
    if digits.len() != 32 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        *byte = digit(0)? << 4 | digit(1)?;
    }
    Some(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How many other associations are tried.
const OTHER_ASSOCIATIONS: usize = 64;
