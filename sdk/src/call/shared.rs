//! What the driver and the handles of one call share: its newest state, who waits for it, its events.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Waker;

use homing_core::call_event::{CallEnd, CallEvent, Caller, EndReason, EndedBy};
use homing_core::description::Description;
use homing_core::ids::{AccountId, CallId};
use homing_core::journey::Journey;
use tokio::sync::Notify;

use super::backlog::{CallBacklog, ToldOfCall};
use super::sound::CallSound;
use super::state::{CallState, Holds};
use crate::event::channel::{Channel, Inbox};

/// How a call was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// Which of the forks of the INVITE answered, from 0 in the order in which they were heard of; 0 for a call that
    /// came in.
    pub fork: u8,
    /// What the peer said of the session until then, as it came.
    pub description: Option<Description>,
}

/// One call, as its handles see it.
pub(crate) struct CallShared {
    id: OnceLock<CallId>,
    account: AccountId,
    remote: String,
    caller: Option<Box<Caller>>,
    journey: OnceLock<Journey>,
    /// None where the application describes the session.
    sound: OnceLock<CallSound>,
    newest: Mutex<Newest>,
    changed: Notify,
    events: Channel<CallBacklog>,
    /// The queue of the first reader: what happened before it came waits for it.
    first: Mutex<Option<Arc<Inbox<CallBacklog>>>>,
}

/// The driver's end of a call. Dropping it ends the call for its handles.
pub(crate) struct CallSender(Arc<CallShared>);

struct Newest {
    state: CallState,
    holds: Holds,
    is_connected: bool,
    /// What each fork described last; once it is answered, the one that answered.
    described: Vec<(u8, Description)>,
    answer: Option<u8>,
    end: Option<CallEnd>,
}

impl CallShared {
    /// A call that is about to be placed.
    pub(crate) fn outgoing(account: AccountId, remote: String) -> Arc<Self> {
        Self::new(account, remote, CallState::Calling, None)
    }

    /// A call that came in.
    pub(crate) fn incoming(account: AccountId, caller: Box<Caller>) -> Arc<Self> {
        Self::new(account, caller.identity().to_owned(), CallState::Ringing, Some(caller))
    }

    fn new(account: AccountId, remote: String, state: CallState, caller: Option<Box<Caller>>) -> Arc<Self> {
        let offer = caller.as_ref().and_then(|caller| caller.offer.clone());
        let newest = Newest {
            state,
            holds: Holds::default(),
            is_connected: true,
            described: offer.map(|offer| (0, offer)).into_iter().collect(),
            answer: None,
            end: None,
        };
        let events = Channel::default();
        let first = events.join();
        Arc::new(Self {
            id: OnceLock::new(),
            account,
            remote,
            caller,
            journey: OnceLock::new(),
            sound: OnceLock::new(),
            newest: Mutex::new(newest),
            changed: Notify::new(),
            events,
            first: Mutex::new(Some(first)),
        })
    }

    /// Its number; none until the agent has taken it.
    pub(crate) fn id(&self) -> Option<CallId> {
        self.id.get().copied()
    }

    pub(crate) fn account(&self) -> AccountId {
        self.account
    }

    pub(crate) fn remote(&self) -> &str {
        &self.remote
    }

    pub(crate) fn caller(&self) -> Option<&Caller> {
        self.caller.as_deref()
    }

    /// The journey of the login over whose home server it goes.
    pub(crate) fn journey(&self) -> &Journey {
        static NOWHERE: Journey = Journey { hops: Vec::new(), followed: 0, limit: 0 };
        self.journey.get().unwrap_or(&NOWHERE)
    }

    /// The sound that this crate makes of the call.
    pub(crate) fn sound(&self) -> Option<&CallSound> {
        self.sound.get()
    }

    /// From now on this crate describes the session and makes its sound.
    pub(crate) fn set_sound(&self, sound: CallSound) {
        // It is set once.
        let _ = self.sound.set(sound);
    }

    pub(crate) fn state(&self) -> CallState {
        self.newest().state
    }

    pub(crate) fn holds(&self) -> Holds {
        self.newest().holds
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.newest().is_connected
    }

    /// What the peer said last: the fork that answered, else the one that was heard of last.
    pub(crate) fn peer_description(&self) -> Option<Description> {
        self.newest().described.last().map(|(_, description)| description.clone())
    }

    /// Waits for the answer. Cancel-safe.
    ///
    /// # Errors
    /// The end of a call without an answer.
    pub(crate) async fn answered(&self) -> Result<Answer, CallEnd> {
        let answered = |newest: &Newest| match (newest.answer, &newest.end) {
            (Some(fork), None) => {
                let description = newest.described.last().map(|(_, description)| description.clone());
                Some(Ok(Answer { fork, description }))
            }
            (_, Some(end)) => Some(Err(end.clone())),
            (None, None) => None,
        };
        self.wait(answered).await
    }

    /// Waits for the end. Cancel-safe.
    pub(crate) async fn ended(&self) -> CallEnd {
        self.wait(|newest| newest.end.clone()).await
    }

    async fn wait<T>(&self, found: impl Fn(&Newest) -> Option<T>) -> T {
        loop {
            // What changes from here on wakes this wait, also before it begins.
            let changed = self.changed.notified();
            if let Some(found) = found(&self.newest()) {
                return found;
            }
            changed.await;
        }
    }

    pub(super) fn channel(&self) -> &Channel<CallBacklog> {
        &self.events
    }

    /// The queue that holds all events since the call began, for the first who asks.
    pub(super) fn first_inbox(&self) -> Option<Arc<Inbox<CallBacklog>>> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn newest(&self) -> MutexGuard<'_, Newest> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CallSender {
    /// The agent took the call under this number; the account came to its home server by this journey.
    pub(crate) fn new(call: Arc<CallShared>, id: CallId, journey: Option<Journey>) -> Self {
        // It is taken once.
        let _ = call.id.set(id);
        if let Some(journey) = journey {
            let _ = call.journey.set(journey);
        }
        Self(call)
    }

    /// The sound that this crate makes of the call.
    pub(crate) fn sound(&self) -> Option<&CallSound> {
        self.0.sound()
    }

    /// What its handles see.
    pub(crate) fn call(&self) -> &CallShared {
        &self.0
    }

    pub(crate) fn is_answered(&self) -> bool {
        self.0.state() == CallState::Answered
    }

    /// Takes over what happened, and tells it to the readers; their wakers are for the caller to wake.
    pub(crate) fn tell(&self, event: CallEvent, wakers: &mut Vec<Waker>) {
        let state = {
            let mut newest = self.0.newest();
            newest.record(&event);
            newest.state
        };
        let is_end = state == CallState::Ended;
        self.0.events.send(&Arc::new(ToldOfCall { event, state }), wakers);
        self.0.changed.notify_waiters();
        if is_end {
            self.0.events.close();
        }
    }
}

impl Drop for CallSender {
    fn drop(&mut self) {
        if self.0.state() != CallState::Ended {
            let end =
                CallEnd { by: EndedBy::Us, why: EndReason::ShutDown, status: None, words: String::new() };
            let mut wakers = Vec::new();
            self.tell(CallEvent::Ended(Box::new(end)), &mut wakers);
            wakers.into_iter().for_each(Waker::wake);
        }
    }
}

impl Newest {
    fn record(&mut self, event: &CallEvent) {
        match event {
            CallEvent::Progress { status: 180, .. } if self.state == CallState::Calling => {
                self.state = CallState::Ringing;
            }
            CallEvent::Described { fork, description, .. } => {
                self.described.retain(|(one, _)| one != fork);
                self.described.push((*fork, description.clone()));
            }
            CallEvent::Answered { fork } => {
                self.state = CallState::Answered;
                self.answer = Some(*fork);
                self.described.retain(|(one, _)| one == fork);
            }
            CallEvent::PeerHolds(holds) => self.holds.peer = *holds,
            CallEvent::Held(holds) => self.holds.us = *holds,
            CallEvent::ConnectionLost => self.is_connected = false,
            CallEvent::ConnectionBack => self.is_connected = true,
            CallEvent::Ended(end) => {
                self.state = CallState::Ended;
                self.end = Some(CallEnd::clone(end));
            }
            _ => {}
        }
    }
}
