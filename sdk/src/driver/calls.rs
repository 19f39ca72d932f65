//! The calls of the driver: each with its handles' end, what is asked of it in turn, and what happens to it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::task::Waker;

use homing_core::agent::Agent;
use homing_core::call_event::{CallEvent, CallNotice, EndReason};
use homing_core::call_request::InfoBody;
use homing_core::counter::{Counter, Counters};
use homing_core::error::Misuse;
use homing_core::ids::CallId;
use homing_core::time::Now;

use super::questions::Questions;
use super::registry::Registry;
use crate::call::{CallSender, CallShared, Describer, NotTaken, SoundOfCalls, Verdict};
use crate::command::{CallCommand, NewCall, Reply};
use crate::error::Error;
use crate::sound::Audio;

/// The calls that are not over.
#[derive(Default)]
pub(super) struct Calls {
    calls: BTreeMap<CallId, Entry>,
    /// Of readers that were told something since the last [`wake`](Calls::wake).
    wakers: Vec<Waker>,
    counters: Counters,
}

/// What the calls are worked on with.
pub(super) struct CallContext<'a> {
    pub(super) agent: &'a mut Agent,
    pub(super) registry: &'a Registry,
    pub(super) questions: &'a mut Questions,
    pub(super) sound: &'a SoundOfCalls,
    pub(super) now: Now,
}

/// One call. Changes and INFOs leave one after the other, each once the one before it is answered: what the agent tells
/// of them carries no name.
struct Entry {
    sender: CallSender,
    /// The first is under way.
    changes: VecDeque<Change>,
    /// The first is under way.
    infos: VecDeque<Info>,
    is_held: bool,
}

struct Change {
    hold: bool,
    reply: Reply<()>,
}

struct Info {
    /// None once it was sent.
    body: Option<InfoBody>,
    reply: Reply<u16>,
}

/// What an event is for those who wait for outcomes.
enum News {
    Changed(Result<(), Error>),
    Informed(u16),
    Over,
    Other,
}

impl Calls {
    /// Carries out a command of a handle.
    pub(super) fn execute(&mut self, command: CallCommand, cx: &mut CallContext<'_>) {
        let now = cx.now;
        match command {
            CallCommand::Place { new, reply } => answer(reply, self.place(*new, cx)),
            CallCommand::Ring { call, early, reply } => answer(reply, cx.agent.ring(call, early, now)),
            CallCommand::Answer { call, reply } => answer(reply, cx.agent.answer(call, now)),
            CallCommand::Reject { call, status, reply } => answer(reply, cx.agent.reject(call, status, now)),
            CallCommand::Redirect { call, to, reply } => answer(reply, cx.agent.redirect(call, &to, now)),
            CallCommand::HangUp { call, reply } => answer(reply, cx.agent.hang_up(call, now)),
            CallCommand::Change { call, hold, reply } => self.change(call, Change { hold, reply }, cx),
            CallCommand::Info { call, body, reply } => {
                self.inform(call, Info { body: Some(body), reply }, cx);
            }
            CallCommand::Audio { call, audio } => self.set_audio(call, audio, cx),
            CallCommand::Describer { call, describer } => {
                if self.calls.contains_key(&call) {
                    cx.questions.describe_by(call, describer);
                }
            }
            CallCommand::Abandon(call) => abandon(&call, cx),
        }
    }

    /// Takes over what happened to a call, and tells it.
    pub(super) fn handle(&mut self, notice: CallNotice, cx: &mut CallContext<'_>) {
        let CallNotice { account, call, what } = notice;
        let what = match what {
            CallEvent::Incoming(caller) => {
                return self.receive(call, CallShared::incoming(account, caller), cx);
            }
            what => what,
        };
        let Some(entry) = self.calls.get_mut(&call) else { return };
        trace(call, &what);
        if let CallEvent::Held(hold) = what {
            entry.is_held = hold;
        }
        let verdict = entry.sender.sound().map_or(Verdict::GoesOn, |sound| sound.handle(&what));
        let news = News::of(&what);
        // Who is told an outcome finds the call in the state that goes with it.
        entry.sender.tell(what, &mut self.wakers);
        match news {
            News::Changed(outcome) => entry.changed(outcome, call, cx),
            News::Informed(status) => entry.informed(status, call, cx),
            News::Over => {
                cx.questions.forget_call(call);
                // Those who wait for something of it look at its end once their replies are gone.
                self.calls.remove(&call);
            }
            News::Other => {}
        }
        if let Verdict::IsUnusable(why) = verdict {
            tracing::warn!(call = call.0, code = why.code(), "call ended: the two agree on no sound");
            cx.agent.end_call(call, EndReason::NotAcceptable, cx.now);
        }
    }

    /// A description is about to be asked for.
    pub(super) fn prepare(&self, call: CallId, cx: &mut CallContext<'_>) {
        if let Some(sound) = self.calls.get(&call).and_then(|entry| entry.sender.sound()) {
            sound.set_path(cx.agent.call_path(call));
        }
    }

    /// Hangs up what an account has of calls, or all accounts.
    pub(super) fn end_all(&self, why: &EndReason, cx: &mut CallContext<'_>) {
        for account in cx.registry.ids() {
            cx.agent.end_calls(account, why, cx.now);
        }
    }

    /// Wakes the readers that were told something, each once however much it was.
    pub(super) fn wake(&mut self) {
        self.wakers.drain(..).for_each(Waker::wake);
    }

    /// What was refused because no application took it.
    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }

    fn place(&mut self, new: NewCall, cx: &mut CallContext<'_>) -> Result<CallId, Misuse> {
        let NewCall { call, request, describer, audio } = new;
        let id = cx.agent.place_call(call.account(), request, cx.now)?;
        // Its questions and events are still to be drained.
        match (audio, describer) {
            (None, Some(describer)) => cx.questions.describe_by(id, describer),
            (None, None) if cx.questions.has_describer() => {}
            (audio, _) => {
                let sound = cx.sound.of_call(audio.unwrap_or(Audio::Silence), true);
                sound.set_path(cx.agent.call_path(id));
                sound.open();
                cx.questions.describe_by(id, Describer::new(sound.clone()));
                call.set_sound(sound);
            }
        }
        self.add(id, call, cx);
        Ok(id)
    }

    fn receive(&mut self, id: CallId, call: Arc<CallShared>, cx: &mut CallContext<'_>) {
        let queue = cx.registry.incoming(call.account());
        if !cx.questions.has_describer() {
            make_sound(id, &call, Audio::Silence, cx);
        }
        self.add(id, call.clone(), cx);
        let status = match queue.map(|queue| queue.push(call, &mut self.wakers)) {
            Some(Ok(())) => return tracing::info!(call = id.0, "call came in"),
            Some(Err(NotTaken::Full)) => 486,
            Some(Err(NotTaken::NoReader)) | None => 480,
        };
        self.counters.count(Counter::CallNotTaken);
        tracing::warn!(call = id.0, status, "call refused: the application does not take it");
        // One that cannot be refused now rings until its time is over.
        let _ = cx.agent.reject(id, status, cx.now);
    }

    fn add(&mut self, id: CallId, call: Arc<CallShared>, cx: &CallContext<'_>) {
        let registered = cx.registry.registration(call.account());
        let journey = registered.map(|registered| registered.journey.clone());
        let sender = CallSender::new(call, id, journey);
        let entry = Entry { sender, changes: VecDeque::new(), infos: VecDeque::new(), is_held: false };
        self.calls.insert(id, entry);
    }

    fn set_audio(&mut self, id: CallId, audio: Audio, cx: &mut CallContext<'_>) {
        let Some(entry) = self.calls.get(&id) else { return };
        match entry.sender.sound() {
            Some(sound) => {
                sound.set_audio(audio);
                cx.questions.describe_by(id, Describer::new(sound.clone()));
            }
            None => make_sound(id, entry.sender.call(), audio, cx),
        }
    }

    fn change(&mut self, call: CallId, change: Change, cx: &mut CallContext<'_>) {
        match self.calls.get_mut(&call) {
            Some(entry) if entry.changes.len() >= MOST_WAITING => answer(change.reply, Err(Misuse::Limit)),
            Some(entry) => {
                entry.changes.push_back(change);
                if entry.changes.len() == 1 {
                    entry.begin_change(call, cx);
                }
            }
            None => answer(change.reply, Err(Misuse::UnknownCall)),
        }
    }

    fn inform(&mut self, call: CallId, info: Info, cx: &mut CallContext<'_>) {
        match self.calls.get_mut(&call) {
            Some(entry) if entry.infos.len() >= MOST_WAITING => answer(info.reply, Err(Misuse::Limit)),
            Some(entry) => {
                entry.infos.push_back(info);
                if entry.infos.len() == 1 {
                    entry.begin_info(call, cx);
                }
            }
            None => answer(info.reply, Err(Misuse::UnknownCall)),
        }
    }
}

impl News {
    fn of(what: &CallEvent) -> Self {
        match what {
            CallEvent::Held(_) => News::Changed(Ok(())),
            CallEvent::ChangeRefused { status } => {
                News::Changed(Err(Error::ChangeRefused { status: *status }))
            }
            CallEvent::InfoAnswered { status } => News::Informed(*status),
            CallEvent::Ended(_) => News::Over,
            _ => News::Other,
        }
    }
}

impl Entry {
    /// The change under way has this outcome; the next begins.
    fn changed(&mut self, outcome: Result<(), Error>, call: CallId, cx: &mut CallContext<'_>) {
        if let Some(Change { reply, .. }) = self.changes.pop_front() {
            // The future that waits may have been dropped.
            let _ = reply.send(outcome);
        }
        self.begin_change(call, cx);
    }

    /// Begins the first change that is one and is taken; what is not is answered.
    fn begin_change(&mut self, call: CallId, cx: &mut CallContext<'_>) {
        while let Some(Change { hold, .. }) = self.changes.front() {
            let begun = match (*hold, self.is_held) {
                (true, false) => cx.agent.hold(call, cx.now).map(|()| true),
                (false, true) => cx.agent.resume(call, cx.now).map(|()| true),
                (true, true) | (false, false) if self.sender.is_answered() => Ok(false),
                (true, true) | (false, false) => Err(Misuse::WrongState),
            };
            let outcome = match begun {
                Ok(true) => return,
                Ok(false) => Ok(()),
                Err(misuse) => Err(misuse),
            };
            if let Some(Change { reply, .. }) = self.changes.pop_front() {
                answer(reply, outcome);
            }
        }
    }

    /// The INFO under way has this outcome; the next leaves.
    fn informed(&mut self, status: u16, call: CallId, cx: &mut CallContext<'_>) {
        if let Some(Info { reply, .. }) = self.infos.pop_front() {
            answer(reply, Ok(status));
        }
        self.begin_info(call, cx);
    }

    /// Sends the first INFO that is taken; what is not is answered.
    fn begin_info(&mut self, call: CallId, cx: &mut CallContext<'_>) {
        while let Some(body) = self.infos.front_mut().and_then(|info| info.body.take()) {
            let Err(misuse) = cx.agent.info(call, body, cx.now) else { return };
            if let Some(Info { reply, .. }) = self.infos.pop_front() {
                answer(reply, Err(misuse));
            }
        }
    }
}

/// This crate describes the session of a call that came in, and makes its sound.
fn make_sound(id: CallId, call: &CallShared, audio: Audio, cx: &mut CallContext<'_>) {
    let sound = cx.sound.of_call(audio, false);
    cx.questions.describe_by(id, Describer::new(sound.clone()));
    call.set_sound(sound);
}

/// Nobody holds a call any more: one that rings here is refused, another hung up.
fn abandon(call: &CallShared, cx: &mut CallContext<'_>) {
    // One that the agent never took is gone already.
    let Some(id) = call.id() else { return };
    if cx.agent.reject(id, 480, cx.now).is_err() {
        // What is over already needs nothing.
        let _ = cx.agent.hang_up(id, cx.now);
    }
}

fn answer<T>(reply: Reply<T>, outcome: Result<T, Misuse>) {
    // The future that waits may have been dropped.
    let _ = reply.send(outcome.map_err(Into::into));
}

/// Writes the event to `tracing`: stable words, nothing that a peer wrote.
fn trace(call: CallId, what: &CallEvent) {
    let call = call.0;
    match what {
        CallEvent::Progress { status, .. } => tracing::debug!(call, status, "call progress"),
        CallEvent::Answered { .. } => tracing::info!(call, "call answered"),
        CallEvent::ConnectionLost => tracing::warn!(call, "connection of the call lost"),
        CallEvent::ConnectionBack => tracing::info!(call, "connection of the call back"),
        CallEvent::Ended(end) => {
            tracing::info!(call, by = ?end.by, code = end.why.code(), status = end.status, "call ended");
        }
        _ => {}
    }
}

/// Changes, or INFOs, of one call that are under way or wait.
const MOST_WAITING: usize = 17;
