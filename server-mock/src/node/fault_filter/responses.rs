//! The filter after the services: it changes responses before they are signed. It holds the rules of all filters.

use std::borrow::Cow;
use std::collections::BTreeMap;

use homing_core::ids::FlowId;
use homing_core::time::{Deadline, Moment, Now, Why};
use homing_wire::{Builder, Message, Name};

use crate::fault::{Fault, Rule, Rules, Stage};
use crate::node::reply::Reply;

/// The faults of one server, and what they hold back.
#[derive(Default)]
pub(crate) struct Faults {
    rules: Rules,
    delayed: BTreeMap<(Moment, u64), Delayed>,
    played: Option<&'static str>,
}

/// A request that a fault holds back.
pub(crate) struct Delayed {
    pub(crate) flow: FlowId,
    pub(crate) request: Message,
}

impl Faults {
    /// Plays a fault from now on; rules are asked in the order they were added.
    pub(crate) fn inject(&mut self, rule: Rule) {
        self.rules.add(rule);
    }

    /// Plays no more faults; what is held back stays so until its time.
    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    /// The fault to play now at `stage` to `request`; uses up one of its times.
    pub(super) fn take(&mut self, stage: Stage, request: &Message) -> Option<Fault> {
        self.rules.take(stage, request)
    }

    /// Holds a request back until `at`; `id` orders those of one moment.
    pub(super) fn delay(&mut self, at: Moment, id: u64, delayed: Delayed) {
        self.delayed.insert((at, id), delayed);
    }

    /// A request that was held back long enough.
    pub(crate) fn due(&mut self, now: Now) -> Option<Delayed> {
        let entry = self.delayed.first_entry().filter(|entry| now.reached(entry.key().0))?;
        Some(entry.remove())
    }

    /// When the next request is let go.
    pub(crate) fn deadline(&self) -> Option<Deadline> {
        self.delayed.keys().next().map(|(at, _)| Deadline::new(*at, Why::RequestDelay))
    }

    /// The 200 to `request`, perhaps a wrong one.
    pub(crate) fn change_ok(&mut self, request: &Message, reply: Reply) -> Reply {
        if self.rules.take_if(Stage::Answer, request, &Fault::NoExpires).is_some() {
            self.played = Some("a 200 without an expiry");
            return reply.map(without_expiry);
        }
        if self.rules.take_if(Stage::Answer, request, &Fault::BindingLost).is_some() {
            self.played = Some("a 200 that says the binding was lost");
            return reply.map(as_if_added);
        }
        reply
    }

    /// A response with this status to `request`, perhaps with the CSeq of another request.
    pub(crate) fn change_answer(&mut self, request: &Message, answer: Message, status: u16) -> Message {
        let ends_login = status == 200 || (300..400).contains(&status);
        if ends_login && self.rules.take_if(Stage::Answer, request, &Fault::WrongCSeq).is_some() {
            self.played = Some("an answer with another CSeq");
            return other_cseq(answer);
        }
        answer
    }

    /// What was played since the last call.
    pub(crate) fn played(&mut self) -> Option<&'static str> {
        self.played.take()
    }
}

fn without_expiry<'v>(name: Name<'static>, value: &'v str) -> Option<Cow<'v, str>> {
    match name {
        Name::Expires => None,
        Name::Contact => {
            let behind = value.find('>').unwrap_or(0);
            let Some(at) = value[behind..].find(";expires=").map(|at| at + behind) else {
                return Some(value.into());
            };
            let end = value[at + 1..].find(';').map_or(value.len(), |end| end + at + 1);
            Some(format!("{}{}", &value[..at], &value[end..]).into())
        }
        _ => Some(value.into()),
    }
}

fn as_if_added<'v>(name: Name<'static>, value: &'v str) -> Option<Cow<'v, str>> {
    Some(if name == Name::PresenceState { "register-action=\"added\"".into() } else { value.into() })
}

/// The message with the number of its CSeq raised by one.
fn other_cseq(message: Message) -> Message {
    let Ok(cseq) = message.cseq() else { return message };
    let other = format!("{} {}", cseq.seq.wrapping_add(1), cseq.method.as_str());
    Builder::from_message(&message).replace(Name::CSeq, other).message()
}
