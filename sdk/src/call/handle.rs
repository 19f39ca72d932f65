//! A call in the application's hand: it lasts as long as somebody holds it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use homing_core::call_event::{CallEnd, Caller};
use homing_core::call_request::InfoBody;
use homing_core::description::Description;
use homing_core::error::Misuse;
use homing_core::ids::{AccountId, CallId};
use homing_core::journey::Journey;

use super::events::CallEvents;
use super::shared::{Answer, CallShared};
use super::sound::SoundTerms;
use super::state::{CallState, Holds};
use crate::command::{CallCommand, Command, Handle};
use crate::error::Error;
use crate::sound::{AudioControl, Playback, SoundEvents};

/// A call: placed, or answered here. Cheap to clone; clones are one and the same.
///
/// Only these handles hold it: when the last one is dropped the call is hung up, as by [`hang_up`](Call::hang_up),
/// unless [`detach`](Call::detach) was called. A handle keeps its user agent alive.
///
/// Every future here is cancel-safe: dropping it changes nothing, what was asked for goes on.
#[must_use = "dropping the last handle hangs up"]
#[derive(Clone)]
pub struct Call {
    id: CallId,
    held: Arc<HeldCall>,
}

/// What all clones hold together. Dropping it hangs up.
pub(crate) struct HeldCall {
    call: Arc<CallShared>,
    handle: Handle,
    is_detached: AtomicBool,
}

impl HeldCall {
    pub(super) fn new(call: Arc<CallShared>, handle: Handle) -> Self {
        Self { call, handle, is_detached: AtomicBool::new(false) }
    }

    /// The call under the number that the agent gave it.
    pub(super) fn into_call(self, id: CallId) -> Call {
        Call { id, held: Arc::new(self) }
    }
}

impl Call {
    /// The name under which questions for descriptions speak of it.
    pub fn id(&self) -> CallId {
        self.id
    }

    /// The account that calls or is called.
    pub fn account(&self) -> AccountId {
        self.call().account()
    }

    /// The other party: the URI that was called, or the one the caller is known by ([`Caller::identity`]).
    pub fn remote(&self) -> &str {
        self.call().remote()
    }

    /// Who calls; none for a call that was placed here.
    pub fn caller(&self) -> Option<&Caller> {
        self.call().caller()
    }

    /// How far it is.
    pub fn state(&self) -> CallState {
        self.call().state()
    }

    /// Which sides have put it on hold.
    pub fn holds(&self) -> Holds {
        self.call().holds()
    }

    /// False while its connection is lost and another is being opened.
    pub fn is_connected(&self) -> bool {
        self.call().is_connected()
    }

    /// What the peer said of the session last, in its INVITE or in an answer, early or late, as it came. What it offers
    /// later goes to the describer, with the question for the answer.
    pub fn peer_description(&self) -> Option<Description> {
        self.call().peer_description()
    }

    /// A reader of its events, with a queue of its own. The first reader gets all since the call began, a later one
    /// what happens from then on.
    pub fn events(&self) -> CallEvents {
        CallEvents::new(Arc::clone(self.call()))
    }

    /// Its sound: to play, record, mute and dial. None where a describer of the application describes the session, before
    /// that is described first (a call placed over a home server has it at once), and after the call.
    pub fn audio(&self) -> Option<AudioControl> {
        self.call().sound()?.control()
    }

    /// What happens in its sound, for the first who asks while there is [`audio`](Call::audio).
    pub fn sound_events(&self) -> Option<SoundEvents> {
        self.call().sound()?.events()
    }

    /// The playback of its [`Audio::File`](crate::sound::Audio::File) or [`Audio::Sine`](crate::sound::Audio::Sine), for
    /// the first who asks.
    pub fn playback(&self) -> Option<Playback> {
        self.call().sound()?.playback()
    }

    /// What both sides agreed on for its sound; none before.
    pub fn sound_terms(&self) -> Option<SoundTerms> {
        self.call().sound()?.terms()
    }

    /// How its account had come to the home server when the call began; empty for an account without registrar.
    pub fn journey(&self) -> &Journey {
        self.call().journey()
    }

    /// Waits until it is answered and both sides know it; at once if it is.
    ///
    /// # Errors
    /// [`Error::CallEnded`] if it ends first.
    pub async fn answered(&self) -> Result<Answer, Error> {
        self.call().answered().await.map_err(Error::ended)
    }

    /// Ends it: by CANCEL, BYE, or nothing if it is over, and tells how it ended. The other side's answer is not
    /// waited for.
    ///
    /// # Errors
    /// [`Error::Misuse`] with [`Misuse::Limit`] if the user agent is overloaded; the call goes on then.
    pub async fn hang_up(&self) -> Result<CallEnd, Error> {
        match self.ask(|reply| CallCommand::HangUp { call: self.id, reply }).await {
            // A user agent that has ended has ended its calls.
            Ok(()) | Err(Error::ShutDown | Error::Misuse(Misuse::UnknownCall)) => Ok(self.ended().await),
            Err(error) => Err(error),
        }
    }

    /// Puts it on hold (RFC 3264 section 8.4) and waits until the peer has agreed; at once if it is. What is asked for
    /// while another change is under way is done after it.
    ///
    /// # Errors
    /// [`Error::ChangeRefused`], [`Error::CallEnded`]; [`Error::Misuse`] if it is not answered yet, or more than 16
    /// changes wait.
    pub async fn hold(&self) -> Result<(), Error> {
        self.change(true).await
    }

    /// Takes it up again.
    ///
    /// # Errors
    /// As for [`hold`](Call::hold).
    pub async fn resume(&self) -> Result<(), Error> {
        self.change(false).await
    }

    /// Sends INFO (RFC 6086) and gives the final status, 408 without an answer. One follows the other: the next leaves
    /// once the one before it is answered.
    ///
    /// # Errors
    /// [`Error::Misuse`]: it is not answered yet, the media type is none, the body is over 64 KiB, or more than 16
    /// wait. [`Error::CallEnded`].
    pub async fn info(&self, body: InfoBody) -> Result<u16, Error> {
        let answered = self.ask(|reply| CallCommand::Info { call: self.id, body, reply }).await;
        self.or_ended(answered).await
    }

    /// Waits for its end and tells whose doing it was, why, and what to do next.
    pub async fn ended(&self) -> CallEnd {
        self.call().ended().await
    }

    /// From now on dropping handles changes nothing: the call goes on until somebody hangs up, its account is removed
    /// or its user agent ends, which it does when none of its handles is left.
    pub fn detach(&self) {
        self.held.is_detached.store(true, Ordering::Relaxed);
    }

    async fn change(&self, hold: bool) -> Result<(), Error> {
        let changed = self.ask(|reply| CallCommand::Change { call: self.id, hold, reply }).await;
        self.or_ended(changed).await
    }

    /// How the call ended, for what came too late.
    async fn or_ended<T>(&self, outcome: Result<T, Error>) -> Result<T, Error> {
        match outcome {
            Err(Error::ShutDown | Error::Misuse(Misuse::UnknownCall)) => {
                Err(Error::ended(self.ended().await))
            }
            outcome => outcome,
        }
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(crate::command::Reply<T>) -> CallCommand,
    ) -> Result<T, Error> {
        self.held.handle.ask(|reply| Command::Call(command(reply))).await
    }

    fn call(&self) -> &Arc<CallShared> {
        &self.held.call
    }
}

impl Drop for HeldCall {
    fn drop(&mut self) {
        if !self.is_detached.load(Ordering::Relaxed) && self.call.state() != CallState::Ended {
            // A user agent that has ended has ended its calls.
            let _ = self.handle.tell(Command::Call(CallCommand::Abandon(Arc::clone(&self.call))));
        }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({}, {}, {})", self.id.0, self.remote(), self.state())
    }
}
