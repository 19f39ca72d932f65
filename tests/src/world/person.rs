//! Somebody at a phone: what they do with a call that comes in, and what the phone told them of calls.

use std::time::Duration;

use homing_core::call_event::{CallEnd, CallEvent, CallNotice};
use homing_core::ids::CallId;

/// Somebody at a phone.
#[derive(Default)]
pub struct Person {
    /// What becomes of a call that comes in.
    pub habit: Habit,
    /// What the phone told of calls, with the time.
    pub told: Vec<(Duration, CallNotice)>,
    /// Descriptions so far.
    described: u64,
}

/// What a person does with a call that comes in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Habit {
    /// Nothing.
    #[default]
    Ignores,
    /// It rings, and is answered after this.
    Answers(Duration),
    /// It rings, and is refused with this status.
    Rejects(Duration, u16),
}

impl Person {
    /// The end of a call, if it was told.
    pub fn end(&self, call: CallId) -> Option<&CallEnd> {
        self.told.iter().find_map(|(_, notice)| match &notice.what {
            CallEvent::Ended(end) if notice.call == call => Some(&**end),
            _ => None,
        })
    }

    /// True if the call was told to be answered.
    pub fn is_answered(&self, call: CallId) -> bool {
        self.heard(call, |what| matches!(what, CallEvent::Answered { .. })) > 0
    }

    /// How many events of the call fit.
    pub fn heard(&self, call: CallId, fits: impl Fn(&CallEvent) -> bool) -> usize {
        self.told.iter().filter(|(_, notice)| notice.call == call && fits(&notice.what)).count()
    }

    /// Calls that were told, in the order of their first event.
    pub fn calls(&self) -> Vec<CallId> {
        let mut calls: Vec<CallId> = Vec::new();
        for (_, notice) in &self.told {
            if !calls.contains(&notice.call) {
                calls.push(notice.call);
            }
        }
        calls
    }

    /// The version of the next description of a session.
    pub fn next_version(&mut self) -> u64 {
        self.described += 1;
        self.described
    }

    /// The call that came in last.
    pub fn came_in(&self) -> Option<CallId> {
        self.told
            .iter()
            .rev()
            .find_map(|(_, notice)| matches!(notice.what, CallEvent::Incoming(_)).then_some(notice.call))
    }
}
