//! Goes through a conversation in order and judges every message by what the ones before it established.

mod diagnosis;
mod digest;
mod sessions;
mod signature;
mod signature_buffer;
mod state;
mod token;

use std::collections::BTreeMap;

use homing::Password;
use homing::offline::ntlm::Side;
use homing::offline::{Contact, Message, contact_binding};

use super::conversation::{Conversation, Role};
use super::report::{Cause, Difference, Finding, Judged, Note, Proof, Report, Spot};
use super::source::{Recorded, Recording, Repeats};
use diagnosis::Search;
use sessions::{Nonces, Sessions};
pub(super) use signature_buffer::element_name;
use state::Check;

/// Judges every message of a recording.
pub(super) fn judge(recording: Recording, password: &Password) -> Report {
    let judged = {
        let conversation = Conversation::new(&recording);
        let mut check = Check {
            conversation: &conversation,
            recording: &recording,
            password,
            sessions: Sessions::default(),
            nonces: Nonces::default(),
            search: Search::new(&recording),
            copies: BTreeMap::new(),
        };
        let findings: Vec<_> = (0..recording.messages.len()).map(|at| message(&mut check, at)).collect();
        recording
            .messages
            .iter()
            .zip(findings)
            .map(|(recorded, findings)| judged(recorded, findings))
            .collect()
    };
    Report { kind: recording.kind, links: recording.links, judged, remarks: recording.remarks }
}

fn message(check: &mut Check<'_, '_>, at: usize) -> Vec<Finding> {
    if let Some(original) = copy_of(check, at) {
        return vec![Note::CopyOf { number: original + 1 }.into()];
    }
    let mut findings = Vec::new();
    let conversation = check.conversation;
    for part in &conversation.parts[at] {
        match part.role {
            Role::Offer | Role::Opening => {}
            Role::Challenge => token::challenge(check, at, &part.auth, &mut findings),
            Role::Answer => token::answer(check, at, &part.auth, &mut findings),
            Role::ClientSignature => signature::judge(check, at, &part.auth, Side::Client, &mut findings),
            Role::ServerSignature => signature::judge(check, at, &part.auth, Side::Server, &mut findings),
            Role::DigestChallenge => digest::challenge(check, &part.auth),
            Role::DigestAnswer => digest::answer(check, at, &part.auth, &mut findings),
            Role::DigestInfo => digest::info(check, at, &part.auth, &mut findings),
        }
    }
    unsigned(check, at, &mut findings);
    contacts(&check.recorded(at).message, &mut findings);
    findings
}

/// The message that this one repeats byte by byte, where the network may do that.
fn copy_of(check: &mut Check<'_, '_>, at: usize) -> Option<usize> {
    let recorded = check.recorded(at);
    let retransmission = match check.recording.links.get(recorded.link)?.repeats {
        Repeats::AreRetransmissions => true,
        Repeats::AreReplays => false,
        Repeats::AsViaTells => {
            recorded.message.via().is_ok_and(|via| via.transport.eq_ignore_ascii_case("UDP"))
        }
    };
    if !retransmission {
        return None;
    }
    let first = *check.copies.entry((recorded.link, &recorded.message.bytes()[..])).or_insert(at);
    (first != at).then_some(first)
}

/// Finds messages that ought to be signed and are not (MS-SIPAE 3.2.5.2).
fn unsigned(check: &Check<'_, '_>, at: usize, findings: &mut Vec<Finding>) {
    let message = &check.recorded(at).message;
    if check.conversation.has(at, Role::ServerSignature) {
        return;
    }
    let Some(status) = message.status() else {
        let answer = check.conversation.answer_to(at);
        let challenged = answer.is_some_and(|answer| {
            check.conversation.has(answer, Role::Offer) || check.conversation.has(answer, Role::Challenge)
        });
        // A REGISTER without credentials begins another log-on.
        let register = message.method().is_some_and(|method| method.as_str() == "REGISTER");
        let bare = check.conversation.parts[at].is_empty();
        if bare && !register && challenged && check.sessions.knows_link(check.recorded(at).link) {
            findings.push(Note::UnsignedRequest.into());
        }
        return;
    };
    let Some(request) = check.conversation.request_of(at) else { return };
    if status < 200 || matches!(status, 401 | 407) || !check.sessions.is_proved(request) {
        return;
    }
    // A log-on that fails for other reasons may be answered before there is an association.
    if status < 400 || !check.conversation.has(request, Role::Answer) {
        findings.push(Difference::new(Spot::Signature(Side::Server), Cause::Missing).into());
    }
}

/// A redirect whose To tag is bound to its Contacts must have exactly these.
fn contacts(message: &Message, findings: &mut Vec<Finding>) {
    if !message.status().is_some_and(|status| (300..400).contains(&status)) {
        return;
    }
    let Some(tag) = message.to().ok().and_then(|to| to.tag()) else { return };
    let contacts: Vec<Contact<'_>> = message.all::<Contact<'_>>().filter_map(Result::ok).collect();
    let targets = contacts.iter().filter_map(|contact| {
        Some(contact_binding::Target { uri: contact.addr()?.uri_str(), q: contact.q() })
    });
    match contact_binding::judge(tag, targets) {
        contact_binding::TagVerdict::Unbound => {}
        contact_binding::TagVerdict::Bound => findings.push(Finding::Holds(Proof::Contacts)),
        contact_binding::TagVerdict::Altered => {
            findings.push(Difference::new(Spot::Contacts, Cause::Altered).into());
        }
    }
}

fn judged(recorded: &Recorded, findings: Vec<Finding>) -> Judged {
    let message = &recorded.message;
    let cseq = message.cseq().map(|cseq| format!("{} {}", cseq.method.as_str(), cseq.seq));
    let cseq = cseq.unwrap_or_else(|_| "(no CSeq)".to_owned());
    let title = match message.status() {
        Some(status) => format!("{status} {cseq}"),
        None => cseq,
    };
    Judged {
        place: recorded.place,
        link: recorded.link,
        sender: recorded.sender.clone(),
        at: recorded.at,
        title,
        findings,
    }
}
