//! Goes through a conversation in order and judges every message by what the ones before it established.

mod book;
mod digest;
mod signature;
mod suspect;
mod token;

use std::collections::BTreeMap;

use homing::Password;
use homing::offline::ntlm::Side;
use homing::offline::{Contact, Message, contact_binding};

use super::conversation::{Conversation, Role};
use super::report::{Cause, Difference, Finding, Judged, Note, Proof, Report, Spot};
use super::source::{Kind, Recorded, Recording, Repeats};
use book::Book;
use digest::Nonces;
pub(super) use signature::element_name;
use suspect::Search;

/// Judges every message of a recording.
pub(super) fn judge(recording: Recording, password: &Password) -> Report {
    let judged = {
        let conversation = Conversation::new(&recording);
        let mut check = Check {
            conversation: &conversation,
            recording: &recording,
            password,
            book: Book::default(),
            nonces: Nonces::default(),
            search: Search::new(&recording),
            copies: BTreeMap::new(),
        };
        let findings: Vec<_> = (0..recording.messages.len()).map(|at| check.message(at)).collect();
        recording
            .messages
            .iter()
            .zip(findings)
            .map(|(recorded, findings)| judged(recorded, findings))
            .collect()
    };
    Report { kind: recording.kind, links: recording.links, judged, remarks: recording.remarks }
}

/// The state of one pass.
struct Check<'c, 'r> {
    conversation: &'c Conversation<'r>,
    recording: &'r Recording,
    password: &'c Password,
    book: Book<'r>,
    nonces: Nonces<'r>,
    search: Search<'r>,
    /// The first message with these bytes on a link.
    copies: BTreeMap<(usize, &'r [u8]), usize>,
}

impl<'r> Check<'_, 'r> {
    fn message(&mut self, at: usize) -> Vec<Finding> {
        if let Some(original) = self.copy_of(at) {
            return vec![Note::CopyOf { number: original + 1 }.into()];
        }
        let mut findings = Vec::new();
        let conversation = self.conversation;
        for part in &conversation.parts[at] {
            match part.role {
                Role::Offer | Role::Opening => {}
                Role::Challenge => self.challenge(at, &part.auth, &mut findings),
                Role::Answer => self.token(at, &part.auth, &mut findings),
                Role::ClientSignature => self.signature(at, &part.auth, Side::Client, &mut findings),
                Role::ServerSignature => self.signature(at, &part.auth, Side::Server, &mut findings),
                Role::DigestChallenge => self.digest_challenge(at, &part.auth),
                Role::DigestAnswer => self.digest_answer(at, &part.auth, &mut findings),
                Role::DigestInfo => self.digest_info(at, &part.auth, &mut findings),
            }
        }
        self.unsigned(at, &mut findings);
        contacts(&self.recorded(at).message, &mut findings);
        findings
    }

    fn recorded(&self, at: usize) -> &'r Recorded {
        &self.recording.messages[at]
    }

    /// The message that this one repeats byte by byte, where the network may do that.
    fn copy_of(&mut self, at: usize) -> Option<usize> {
        let recorded = self.recorded(at);
        let retransmission = match self.recording.links.get(recorded.link)?.repeats {
            Repeats::AreRetransmissions => true,
            Repeats::AreReplays => false,
            Repeats::AsViaTells => {
                recorded.message.via().is_ok_and(|via| via.transport.eq_ignore_ascii_case("UDP"))
            }
        };
        if !retransmission {
            return None;
        }
        let first = *self.copies.entry((recorded.link, &recorded.message.bytes()[..])).or_insert(at);
        (first != at).then_some(first)
    }

    /// Finds messages that ought to be signed and are not (MS-SIPAE 3.2.5.2).
    fn unsigned(&self, at: usize, findings: &mut Vec<Finding>) {
        let message = &self.recorded(at).message;
        if self.conversation.has(at, Role::ServerSignature) {
            return;
        }
        let Some(status) = message.status() else {
            let answer = self.conversation.answer_to(at);
            let challenged = answer.is_some_and(|answer| {
                self.conversation.has(answer, Role::Offer) || self.conversation.has(answer, Role::Challenge)
            });
            // A REGISTER without credentials begins a log-on anew.
            let register = message.method().is_some_and(|method| method.as_str() == "REGISTER");
            let bare = self.conversation.parts[at].is_empty();
            if bare && !register && challenged && self.book.knows_link(self.recorded(at).link) {
                findings.push(Note::UnsignedRequest.into());
            }
            return;
        };
        let Some(request) = self.conversation.request_of(at) else { return };
        if status < 200 || matches!(status, 401 | 407) || !self.book.is_proved(request) {
            return;
        }
        // A log-on that fails for other reasons may be answered before there is an association.
        if status < 400 || !self.conversation.has(request, Role::Answer) {
            findings.push(Difference::new(Spot::Signature(Side::Server), Cause::Missing).into());
        }
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

/// True for a value that our trace has hidden.
fn is_masked(value: &str) -> bool {
    value.contains('•')
}

/// True if secrets of this recording are hidden.
fn hides(kind: Kind, value: &str) -> bool {
    is_masked(value) || (kind == Kind::Trace && value.contains('\u{fffd}'))
}
