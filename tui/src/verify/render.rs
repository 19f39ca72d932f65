//! The report in words for a person: a line per finding, then the first difference, why, and what to do next.

use std::fmt;

use homing::offline::ntlm::Side;
use homing::offline::ntlm::flags::Requirement;
use homing::offline::security_association::Version;

use super::check::element_name;
use super::report::{Cause, Difference, Finding, Note, Obstacle, Proof, Report, Spot, Totals};
use super::source::{Kind, Place, Remark};
use crate::text::{ScreenText, count, screen_text};

/// The report, line by line.
pub(crate) fn lines(report: &Report) -> Vec<ScreenText> {
    let mut lines = Vec::new();
    let mut link = None;
    for (judged, number) in report.judged.iter().zip(1..) {
        if judged.findings.is_empty() {
            continue;
        }
        if link != Some(judged.link) {
            link = Some(judged.link);
            lines.push(screen_text!("{}", link_name(report, judged.link)));
        }
        for finding in &judged.findings {
            let (word, place) = (word(finding), judged.place);
            let place = place.to_string();
            lines.push(screen_text!("  {word:<7} #{number:<4} {place:<11} {:<18} {finding}", judged.title));
        }
    }
    lines.extend(report.remarks.iter().map(|of| screen_text!("  note    {}", remark(report, of))));
    conclude(report, &mut lines);
    lines
}

/// What it comes down to.
fn conclude(report: &Report, lines: &mut Vec<ScreenText>) {
    let Totals { hold, differ, open } = report.totals();
    let messages = report.judged.len();
    lines.push(screen_text!(
        "{}: {} hold, {differ} differ, {open} could not be checked",
        count(messages, "message", "messages"),
        count(hold, "proof", "proofs")
    ));
    if let Some((number, difference)) = report.first_difference() {
        let place = report.judged.get(number - 1).map_or(Place::Line(0), |judged| judged.place);
        lines.push(screen_text!("first difference: message #{number} ({place}), {}", difference.spot));
        if let Some(expected) = &difference.expected {
            lines.push(screen_text!("  expected: {}", quoted(expected)));
        }
        if let Some(found) = &difference.found {
            lines.push(screen_text!("  found:    {}", quoted(found)));
        }
        lines.push(screen_text!("  why:      {}", difference.cause));
        lines.push(screen_text!("  next:     {}", next_step(&difference.cause)));
    } else if let Some(obstacle) = first_obstacle(report) {
        lines.push(screen_text!("not everything could be checked: {obstacle}"));
        lines.push(screen_text!("  next:     {}", obstacle_next_step(obstacle)));
    } else if hold == 0 {
        lines.push(ScreenText::of("nothing in this recording is signed or proved by a password"));
        lines.push(ScreenText::of("  next:     record from before the log-on"));
    } else {
        lines.push(ScreenText::of("everything that is signed or proved holds"));
    }
}

pub(super) fn first_obstacle(report: &Report) -> Option<&Obstacle> {
    report.judged.iter().flat_map(|judged| &judged.findings).find_map(|finding| match finding {
        Finding::Open(obstacle) => Some(obstacle),
        _ => None,
    })
}

pub(super) fn link_name(report: &Report, link: usize) -> &str {
    report.links.get(link).map_or("", |link| link.name.as_str())
}

/// A remark in words.
pub(super) fn remark(report: &Report, remark: &Remark) -> String {
    match remark {
        Remark::Encrypted { connections } => {
            format!("{connections} connections are TLS and were passed over")
        }
        Remark::CutOff { packets } => format!("the capture ends in the middle of packet {}", packets + 1),
        Remark::Gap { place, link } => {
            format!("bytes are missing before {place} on {}", link_name(report, *link))
        }
        Remark::Snapped { packets } => {
            format!(
                "{packets} packets were recorded shorter than they were; record with a larger snap length"
            )
        }
        Remark::Uncut { place, link, why } => {
            format!("{place} on {} cannot be cut into messages: {why}", link_name(report, *link))
        }
        Remark::NoMessage { place, why } => format!("{place} begins like a message and is none: {why}"),
        Remark::TooMany { messages } => format!("only the first {messages} messages were looked at"),
    }
}

/// How the kind of file is called.
pub(super) fn kind_word(report: &Report) -> &'static str {
    match report.kind {
        Kind::Capture => "capture",
        Kind::Trace => "trace",
        Kind::Log => "log",
    }
}

/// One word, never colour alone.
pub(super) fn word(finding: &Finding) -> &'static str {
    match finding {
        Finding::Holds(_) => "ok",
        Finding::Differs(_) => "DIFFERS",
        Finding::Open(_) => "open",
        Finding::Note(_) => "note",
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::Holds(proof) => proof.fmt(f),
            Finding::Differs(difference) => difference.fmt(f),
            Finding::Open(obstacle) => obstacle.fmt(f),
            Finding::Note(note) => note.fmt(f),
        }
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Proof::Token { user, domain, mic } => {
                let separator = if domain.is_empty() { "" } else { "\\" };
                let mic = if *mic { ", message check right" } else { "" };
                write!(f, "NTLM token proves the password of {domain}{separator}{user}{mic}")
            }
            Proof::Signature { side, number, version } => {
                write!(
                    f,
                    "signature {number} of the {} (version {})",
                    side_word(*side),
                    version_number(*version)
                )
            }
            Proof::Digest { user } => write!(f, "Digest response proves the password of {user}"),
            Proof::DigestServer => f.write_str("the server proves that it knows the password"),
            Proof::Contacts => f.write_str("To tag is bound to these Contacts"),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.spot)?;
        if let Some(expected) = &self.expected {
            write!(f, ": expected {}", quoted(expected))?;
        }
        if let Some(found) = &self.found {
            let joint = if self.expected.is_some() { ", found" } else { ":" };
            write!(f, "{joint} {}", quoted(found))?;
        }
        write!(f, "; {}", self.cause)
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Spot::Token => f.write_str("NTLM token"),
            Spot::NtProof => f.write_str("NTProof of the token"),
            Spot::ProofInput => f.write_str("nonces, time or attributes under the NTProof"),
            Spot::ServerChallenge => f.write_str("server challenge under the NTProof"),
            Spot::Domain => f.write_str("domain of the token"),
            Spot::Attribute(id) => write!(f, "attribute {id} ({}) of the token", attribute_word(*id)),
            Spot::SessionKey => f.write_str("session key of the token"),
            Spot::Mic => f.write_str("message check (MIC) of the token"),
            Spot::Buffer(element, side) => f.write_str(element_name(*element, *side)),
            Spot::BufferVersion => f.write_str("form of the signature buffer"),
            Spot::SignatureVersion => f.write_str("version in the signature (bytes 0 to 3)"),
            Spot::Checksum => f.write_str("checksum in the signature (bytes 4 to 11)"),
            Spot::SequenceNumber => f.write_str("sequence number in the signature (bytes 12 to 15)"),
            Spot::Signature(side) => write!(f, "signature of the {}", side_word(*side)),
            Spot::Parameter(name) => f.write_str(name),
            Spot::Contacts => f.write_str("Contacts of the redirect"),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::WrongPassword { server_accepted: true } => {
                f.write_str("wrong password: the server accepted the log-on, so the client used another one")
            }
            Cause::WrongPassword { server_accepted: false } => {
                f.write_str("wrong password, here or at the client")
            }
            Cause::Altered => f.write_str("changed after it was signed"),
            Cause::SignatureAltered { first, bytes } => {
                write!(f, "changed on the way: {bytes} of 16 bytes differ, the first is byte {first}")
            }
            Cause::Unexplained { suspects } if suspects.is_empty() => {
                f.write_str("no single change explains it; the signature itself may be another")
            }
            Cause::Unexplained { suspects } => {
                write!(
                    f,
                    "no small change explains it: either the signature itself or one of {} is another",
                    suspects.join(", ")
                )
            }
            Cause::OtherVersion => f.write_str("signed over the buffer of another protocol version"),
            Cause::OtherChallenge { number } => {
                write!(f, "the token answers the challenge of message #{number}")
            }
            Cause::WrongDirection => f.write_str("signed with the key of the other direction"),
            Cause::OtherAssociation { opaque } => write!(f, "signed with the keys of association {opaque}"),
            Cause::Replayed { number: Some(number) } => write!(f, "used before, in message #{number}"),
            Cause::Replayed { number: None } => f.write_str("used before"),
            Cause::BelowWindow => f.write_str("256 or more behind the newest"),
            Cause::Missing => f.write_str("missing"),
            Cause::Malformed => f.write_str("cannot be read"),
            Cause::Conflicting => f.write_str("a parameter appears twice with different values"),
            Cause::TooWeak => f.write_str("not NTLMv2"),
        }
    }
}

fn next_step(cause: &Cause) -> &'static str {
    match cause {
        Cause::WrongPassword { .. } => "give the password of the account as it was at that time",
        Cause::Altered | Cause::SignatureAltered { .. } => {
            "compare both ends of the path: something between them rewrites messages, or the file was edited"
        }
        Cause::Unexplained { .. } => {
            "record the same message at the sender and compare the elements named here"
        }
        Cause::OtherVersion => "make both ends use the version of the challenge",
        Cause::OtherChallenge { .. } => {
            "the client mixes up challenges: let it answer the newest one of its opaque"
        }
        Cause::WrongDirection => "check which side's key the sender derives for its signatures",
        Cause::OtherAssociation { .. } => "check how the sender picks the association for this server",
        Cause::Replayed { .. } => "look for a relay that sends messages twice, or for a replay",
        Cause::BelowWindow => "look for what held this message up so long",
        Cause::Missing => "a client discards this message: make the server sign every final response",
        Cause::Malformed | Cause::Conflicting => {
            "look at the raw header: its sender or a relay wrote it wrongly"
        }
        Cause::TooWeak => "make the client answer with NTLMv2",
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Obstacle::Masked => f.write_str("its token, signature or digest is masked in this file"),
            Obstacle::NoLogOn { opaque } if opaque.is_empty() => {
                f.write_str("its log-on is not in this file")
            }
            Obstacle::NoLogOn { opaque } => {
                write!(f, "the log-on of association {opaque} is not in this file")
            }
            Obstacle::NoChallenge { opaque } => {
                write!(f, "the challenge of association {opaque} is not in this file")
            }
            Obstacle::AfterToken { number } => {
                write!(f, "the keys are unknown, because message #{number} does not fit")
            }
            Obstacle::Scheme(scheme) => write!(f, "the keys of {scheme} do not follow from a password"),
            Obstacle::HashedUser => f.write_str("the user name is hashed and is not the one in From"),
            Obstacle::NoBuffer(header) => {
                write!(f, "{header} is missing or malformed, so nothing is covered")
            }
        }
    }
}

fn obstacle_next_step(obstacle: &Obstacle) -> &'static str {
    match obstacle {
        Obstacle::Masked => {
            "a saved trace never holds secrets, only what a To tag binds can be checked in it: verify a packet \
             capture or an unredacted message log"
        }
        Obstacle::NoLogOn { .. } | Obstacle::NoChallenge { .. } => "record from before the log-on",
        Obstacle::AfterToken { .. } => "see the difference in the message named there",
        Obstacle::Scheme(_) => "only NTLM and Digest can be verified from a password",
        Obstacle::HashedUser => "record a log-on without hashed user names",
        Obstacle::NoBuffer(_) => "look at the raw message",
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::Weak(lacking) => {
                write!(f, "the server's offer is weak: it lacks {}", requirement_word(*lacking))
            }
            Note::NamedOtherwise { parameter, expected, found } => {
                write!(f, "{parameter} is {} here and {} in the challenge", quoted(found), quoted(expected))
            }
            Note::NilDomain => f.write_str("the proof fits with an empty domain only"),
            Note::LmResponse => f.write_str("the LM response does not fit; servers ignore it"),
            Note::OwnTime => f.write_str("the client did not take over the server's time"),
            Note::RefusedAlthoughRight { status } => {
                write!(f, "the server refused this with {status} although the password is right")
            }
            Note::CopyOf { number } => write!(f, "retransmission of message #{number}"),
            Note::SeenElsewhere { number } => {
                write!(f, "same signature as message #{number} on another connection: relayed, or replayed")
            }
            Note::UnsignedRequest => {
                f.write_str("unsigned request within a log-on; the server challenged it")
            }
            Note::OtherUri { expected, found } => {
                write!(f, "the digest covers {}, the request goes to {}", quoted(found), quoted(expected))
            }
            Note::UnknownNonce => f.write_str("the nonce is of no challenge in this file"),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Packet(number) => write!(f, "packet {number}"),
            Place::Line(number) => write!(f, "line {number}"),
            Place::Entry(number) => write!(f, "entry {number}"),
        }
    }
}

fn quoted(value: &str) -> String {
    if value.is_empty() { "nothing".to_owned() } else { format!("“{value}”") }
}

fn side_word(side: Side) -> &'static str {
    match side {
        Side::Client => "client",
        Side::Server => "server",
    }
}

fn version_number(version: Version) -> u32 {
    version.number().unwrap_or(2)
}

fn attribute_word(id: u16) -> &'static str {
    match id {
        1 => "server name",
        2 => "domain name",
        3 => "server host",
        4 => "DNS domain",
        5 => "forest",
        7 => "time",
        _ => "unnamed",
    }
}

fn requirement_word(lacking: Requirement) -> &'static str {
    match lacking {
        Requirement::Unicode => "Unicode",
        Requirement::Sign => "signing",
        Requirement::Datagram => "the connectionless form",
        Requirement::Ntlm => "NTLM itself",
        Requirement::ExtendedSessionSecurity => "extended session security",
        Requirement::TargetInfo => "the server's names",
        Requirement::StrongKeys => "128-bit keys",
        Requirement::KeyExchange => "key exchange",
    }
}
