//! Calls that come in: a stream of them, and one that rings until the application has decided.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;

use homing_core::call_event::{CallEnd, Caller};
use homing_core::error::Misuse;
use homing_core::ids::{AccountId, CallId};

use super::describer::{Describer, SessionDescriber};
use super::events::CallEvents;
use super::handle::{Call, HeldCall};
use super::incoming_queue::ReaderId;
use super::shared::CallShared;
use super::state::CallState;
use crate::command::{CallCommand, Command, Handle, Reply};
use crate::error::Error;
use crate::sound::Audio;
use crate::state_watch::StateWatch;

/// The calls that come in for one account, none left out: a call that cannot wait here is refused and counted
/// ([`Counter::CallNotTaken`](crate::Counter::CallNotTaken)).
///
/// At most 64 wait; one more gets 486. An account has one such stream: a second takes over from the first, which ends.
/// Without one, callers hear 480. It keeps its user agent alive; dropped, it refuses those that wait with 480.
pub struct IncomingCalls {
    account: StateWatch,
    reader: ReaderId,
    handle: Handle,
}

/// A call that came in, and that rings until it is answered, refused, or given up by its caller. It exists once; dropped,
/// it is refused with 480.
///
/// Nobody hears it ring before [`ring`](IncomingCall::ring).
#[must_use = "dropping it refuses the call"]
pub struct IncomingCall {
    id: CallId,
    call: Arc<CallShared>,
    handle: Handle,
    /// It was answered, refused or redirected.
    is_decided: bool,
}

/// How a call that came in is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reject {
    /// 480: not there now; a server may try another device, or take a message.
    #[default]
    Unavailable,
    /// 486: busy here.
    Busy,
    /// 603: the person declines, for all devices.
    Declined,
    /// Another final status, from 400 to 699.
    Status(u16),
}

impl IncomingCalls {
    pub(crate) fn new(account: StateWatch, handle: Handle) -> Self {
        let reader = account.incoming().join();
        Self { account, reader, handle }
    }

    /// The next call, also one that its caller gave up while it waited ([`IncomingCall::state`] tells). None once the
    /// account was removed, the user agent has ended, or another stream took over. Cancel-safe: no call is lost by
    /// dropping the future.
    pub async fn next(&mut self) -> Option<IncomingCall> {
        let call = poll_fn(|cx| self.account.incoming().poll(self.reader, cx)).await?;
        IncomingCall::new(call, self.handle.clone())
    }
}

impl IncomingCall {
    fn new(call: Arc<CallShared>, handle: Handle) -> Option<Self> {
        Some(Self { id: call.id()?, call, handle, is_decided: false })
    }

    /// The name under which questions for descriptions speak of it.
    pub fn id(&self) -> CallId {
        self.id
    }

    /// The account that is called.
    pub fn account(&self) -> AccountId {
        self.call.account()
    }

    /// Who calls, what the INVITE offers and which header fields it has. All texts are the peer's.
    pub fn caller(&self) -> &Caller {
        self.call.caller().expect("a call that came in has a caller")
    }

    /// [`CallState::Ringing`], or [`CallState::Ended`] once the caller gave up.
    pub fn state(&self) -> CallState {
        self.call.state()
    }

    /// A reader of its events, as [`Call::events`]; it goes on after the answer.
    pub fn events(&self) -> CallEvents {
        CallEvents::new(Arc::clone(&self.call))
    }

    /// Waits for its end, such as the caller's giving up. Cancel-safe.
    pub async fn ended(&self) -> CallEnd {
        self.call.ended().await
    }

    /// Who describes the session of this call; the user agent's describer unless said.
    pub fn describer(&self, describer: impl SessionDescriber) {
        let (call, describer) = (self.id, Describer::new(describer));
        // A user agent that has ended describes nothing.
        let _ = self.handle.tell(Command::Call(CallCommand::Describer { call, describer }));
    }

    /// This side's ends of its sound, as [`CallBuilder::audio`](super::CallBuilder::audio); to be said before it is
    /// answered, or rings early.
    pub fn audio(&self, audio: Audio) {
        // A user agent that has ended carries no sound.
        let _ = self.handle.tell(Command::Call(CallCommand::Audio { call: self.id, audio }));
    }

    /// Tells the caller that it rings (180), and again each minute.
    ///
    /// # Errors
    /// [`Error::CallEnded`] if the caller gave up; [`Error::Misuse`] if its connection is lost.
    pub async fn ring(&self) -> Result<(), Error> {
        self.alert(false).await
    }

    /// Tells the caller what the session is before the answer (183), so that it hears what is sent: an announcement, say.
    ///
    /// # Errors
    /// As for [`ring`](IncomingCall::ring); [`Error::Misuse`] also if the INVITE has no offer and the caller takes no
    /// reliable provisional responses.
    pub async fn ring_early(&self) -> Result<(), Error> {
        self.alert(true).await
    }

    /// Answers, and waits until the caller has confirmed it. If the future is dropped the call is hung up.
    ///
    /// # Errors
    /// [`Error::CallEnded`]: the caller gave up, never confirmed, or the session cannot be described.
    pub async fn answer(mut self) -> Result<Call, Error> {
        let id = self.id;
        let call = self.decide().into_call(id);
        let answered = self.ask(|reply| CallCommand::Answer { call: id, reply }).await;
        self.or_ended(answered).await?;
        call.answered().await?;
        Ok(call)
    }

    /// Refuses it. One that its caller gave up meanwhile is as good as refused.
    ///
    /// # Errors
    /// [`Error::Misuse`] for a status outside 400 to 699; the caller hears 480 then.
    pub async fn reject(self, how: Reject) -> Result<(), Error> {
        let (call, status) = (self.id, how.status());
        let rejected = self.ask(|reply| CallCommand::Reject { call, status, reply }).await;
        self.refused(rejected)
    }

    /// Sends the caller to another address (302), a SIP URI.
    ///
    /// # Errors
    /// [`Error::Misuse`] for what is no SIP URI; the caller hears 480 then.
    pub async fn redirect(self, to: impl Into<String>) -> Result<(), Error> {
        let (call, to) = (self.id, to.into());
        let redirected = self.ask(|reply| CallCommand::Redirect { call, to, reply }).await;
        self.refused(redirected)
    }

    fn refused(mut self, outcome: Result<(), Error>) -> Result<(), Error> {
        match outcome {
            Ok(()) | Err(Error::ShutDown | Error::Misuse(Misuse::UnknownCall)) => {
                self.is_decided = true;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    async fn alert(&self, early: bool) -> Result<(), Error> {
        let rung = self.ask(|reply| CallCommand::Ring { call: self.id, early, reply }).await;
        self.or_ended(rung).await
    }

    /// From here on dropping what this gives ends the call.
    fn decide(&mut self) -> HeldCall {
        self.is_decided = true;
        HeldCall::new(Arc::clone(&self.call), self.handle.clone())
    }

    async fn or_ended<T>(&self, outcome: Result<T, Error>) -> Result<T, Error> {
        match outcome {
            Err(Error::ShutDown | Error::Misuse(Misuse::UnknownCall)) => {
                Err(Error::ended(self.call.ended().await))
            }
            outcome => outcome,
        }
    }

    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> CallCommand) -> Result<T, Error> {
        self.handle.ask(|reply| Command::Call(command(reply))).await
    }
}

impl Reject {
    fn status(self) -> u16 {
        match self {
            Reject::Unavailable => 480,
            Reject::Busy => 486,
            Reject::Declined => 603,
            Reject::Status(status) => status,
        }
    }
}

impl Drop for IncomingCalls {
    fn drop(&mut self) {
        for call in self.account.incoming().leave(self.reader) {
            // A user agent that has ended has ended its calls.
            let _ = self.handle.tell(Command::Call(CallCommand::Abandon(call)));
        }
    }
}

impl Drop for IncomingCall {
    fn drop(&mut self) {
        if !self.is_decided {
            // A user agent that has ended has ended its calls.
            let _ = self.handle.tell(Command::Call(CallCommand::Abandon(Arc::clone(&self.call))));
        }
    }
}

impl fmt::Debug for IncomingCalls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IncomingCalls")
    }
}

impl fmt::Debug for IncomingCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IncomingCall({}, {}, {})", self.id.0, self.call.remote(), self.state())
    }
}
