//! The events of one call that a reader has not taken yet: bounded, what is over counted.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use homing_core::call_event::CallEvent;

use super::state::CallState;
use crate::event::channel::Queue;

/// Events of a call that a reader did not take in time, and that are gone for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallLagged {
    /// How many, all older than those that follow.
    pub missed: u64,
    /// The call's state after the last of them.
    pub state: CallState,
}

/// An event as all its readers share it, and the call's state once it had happened.
pub(crate) struct ToldOfCall {
    pub(crate) event: CallEvent,
    pub(crate) state: CallState,
}

/// What one reader has not taken.
#[derive(Default)]
pub(crate) struct CallBacklog {
    lagged: Option<CallLagged>,
    kept: VecDeque<Arc<ToldOfCall>>,
}

/// `3 events missed; now answered`
impl fmt::Display for CallLagged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { missed, state } = self;
        write!(f, "{missed} {} missed; now {state}", if *missed == 1 { "event" } else { "events" })
    }
}

impl Queue for CallBacklog {
    type Sent = ToldOfCall;
    type Taken = Result<Arc<ToldOfCall>, CallLagged>;

    fn push(&mut self, told: Arc<ToldOfCall>) {
        self.kept.push_back(told);
        if self.kept.len() > KEPT
            && let Some(oldest) = self.kept.pop_front()
        {
            let missed = self.lagged.map_or(0, |lagged| lagged.missed) + 1;
            self.lagged = Some(CallLagged { missed, state: oldest.state });
        }
    }

    fn pop(&mut self) -> Option<Self::Taken> {
        match self.lagged.take() {
            Some(lagged) => Some(Err(lagged)),
            None => self.kept.pop_front().map(Ok),
        }
    }
}

/// Events that are kept for one reader.
const KEPT: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_reader_gets_what_it_missed_as_one_and_then_the_newest_256() {
        let mut backlog = CallBacklog::default();
        for number in 0..300_u16 {
            let state = if number < 20 { CallState::Calling } else { CallState::Answered };
            let event = CallEvent::InfoAnswered { status: number };
            backlog.push(Arc::new(ToldOfCall { event, state }));
        }
        let lagged = backlog.pop().unwrap().err().unwrap();
        assert_eq!((lagged.missed, lagged.state), (44, CallState::Answered));
        assert_eq!(lagged.to_string(), "44 events missed; now answered");
        let kept: Vec<_> = std::iter::from_fn(|| backlog.pop()).collect();
        assert_eq!(kept.len(), KEPT);
        let first = &kept[0].as_ref().ok().unwrap().event;
        assert_eq!(*first, CallEvent::InfoAnswered { status: 44 });
    }
}
