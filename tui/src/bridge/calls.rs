//! Calls of the phone: what a person orders is asked of the agent, and what becomes of it is told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use homing::call::{Call, CallEvent, CallEvents, Caller, DoNotDisturb, IncomingCall, Reject};
use homing::sound::{Audio, AudioControl, Devices, SoundError};
use homing::{Account, AccountId, Error};
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::AbortHandle;
use tokio::time::interval;

use crate::effect::CallOrder;
use crate::messages::{Notification, Problem};
use crate::msg::{CallMsg, Msg};
use crate::screen::phone::{Began, Measured};
use crate::text::ScreenText;

/// The calls that the phone holds. Cheap to clone; clones are one and the same.
#[derive(Clone)]
pub(super) struct Calls {
    held: Arc<Mutex<Held>>,
    told: UnboundedSender<Msg>,
}

#[derive(Default)]
struct Held {
    last: u64,
    calls: BTreeMap<u64, Hold>,
}

/// What is held of one call.
enum Hold {
    /// It is being placed.
    Placing {
        /// A person gave it up meanwhile.
        given_up: bool,
    },
    Rings(IncomingCall),
    /// A person answered it; ending the task ends the call.
    Answering(AbortHandle),
    Placed(Call),
}

impl Calls {
    pub(super) fn new(told: UnboundedSender<Msg>) -> Self {
        Self { held: Arc::default(), told }
    }

    /// Takes the calls that come in for an account from now on, and lets them ring.
    pub(super) fn listen(&self, account: &Account) {
        let (mut incoming, calls) = (account.incoming(), self.clone());
        tokio::spawn(async move {
            while let Some(call) = incoming.next().await {
                calls.take_in(call).await;
            }
        });
    }

    /// Does what a person wants of a call; one that begins speaks and sounds by these devices.
    pub(super) fn perform(
        &self,
        order: CallOrder,
        accounts: &BTreeMap<AccountId, Account>,
        devices: Devices,
    ) {
        match order {
            CallOrder::Place { account, to } => {
                if let Some(account) = accounts.get(&account) {
                    self.place(account, to, devices);
                }
            }
            CallOrder::Answer(key) => self.answer(key, devices),
            CallOrder::HangUp(key) => self.hang_up(key),
            CallOrder::Hold { key, on } => self.hold(key, on),
            CallOrder::Mute { key, on } => self.with_sound(key, move |audio| async move { audio.mute(on) }),
            CallOrder::Digit { key, digit } => {
                self.with_sound(key, move |audio| async move { audio.dtmf(&digit.to_string()).await });
            }
            CallOrder::Disturb { account, on } => {
                if let Some(account) = accounts.get(&account) {
                    self.disturb(account.clone(), on);
                }
            }
        }
    }

    fn place(&self, account: &Account, to: String, devices: Devices) {
        let key = self.next_key();
        let (name, party) = (ScreenText::default(), ScreenText::of(&to));
        let began = Began { key, account: account.id(), party, name, vouched: false, incoming: false };
        self.tell(CallMsg::Began(began));
        self.held().calls.insert(key, Hold::Placing { given_up: false });
        let (calls, builder) = (self.clone(), account.call(to).audio(ends(devices)));
        tokio::spawn(async move {
            match builder.place().await {
                Ok(call) => calls.placed(key, call),
                Err(error) => {
                    calls.held().calls.remove(&key);
                    calls.tell(CallMsg::NotPlaced { key, problem: Problem::from(&error) });
                }
            }
        });
    }

    fn placed(&self, key: u64, call: Call) {
        self.follow(key, call.events());
        let shown = call.clone();
        let before = self.held().calls.insert(key, Hold::Placed(call));
        self.listen_in(key, &shown);
        if matches!(before, Some(Hold::Placing { given_up: true })) {
            self.hang_up(key);
        }
    }

    /// Lets a call ring there and here.
    async fn take_in(&self, call: IncomingCall) {
        // A caller who gave up meanwhile is told by the call's events.
        let _ = call.ring().await;
        let key = self.next_key();
        let Caller { display, asserted, .. } = call.caller();
        let began = Began {
            key,
            account: call.account(),
            party: ScreenText::of(call.caller().identity()),
            name: ScreenText::of(display),
            vouched: asserted.is_some(),
            incoming: true,
        };
        self.tell(CallMsg::Began(began));
        let events = call.events();
        self.held().calls.insert(key, Hold::Rings(call));
        self.follow(key, events);
    }

    fn answer(&self, key: u64, devices: Devices) {
        let mut held = self.held();
        let call = match held.calls.remove(&key) {
            Some(Hold::Rings(call)) => call,
            Some(other) => {
                held.calls.insert(key, other);
                return;
            }
            None => return,
        };
        call.audio(ends(devices));
        let calls = self.clone();
        let answering = tokio::spawn(async move {
            match call.answer().await {
                Ok(call) => {
                    calls.held().calls.insert(key, Hold::Placed(call.clone()));
                    calls.listen_in(key, &call);
                }
                Err(error) => {
                    calls.held().calls.remove(&key);
                    calls.complain(&error);
                }
            }
        });
        held.calls.insert(key, Hold::Answering(answering.abort_handle()));
    }

    fn hang_up(&self, key: u64) {
        let mut held = self.held();
        match held.calls.remove(&key) {
            Some(Hold::Placing { .. }) => {
                held.calls.insert(key, Hold::Placing { given_up: true });
            }
            // What is dropped under way is hung up.
            Some(Hold::Answering(task)) => task.abort(),
            Some(Hold::Rings(call)) => self.run(async move { call.reject(Reject::Declined).await }),
            Some(Hold::Placed(call)) => self.run(async move { call.hang_up().await.map(drop) }),
            None => {}
        }
    }

    fn hold(&self, key: u64, on: bool) {
        if let Some(Hold::Placed(call)) = self.held().calls.get(&key) {
            let call = call.clone();
            self.run(async move {
                match if on { call.hold().await } else { call.resume().await } {
                    // That is told by the call's events.
                    Err(Error::ChangeRefused { .. }) => Ok(()),
                    changed => changed,
                }
            });
        }
    }

    /// Does something with the sound of a call; what goes wrong is told.
    fn with_sound<F>(&self, key: u64, act: impl FnOnce(AudioControl) -> F)
    where
        F: Future<Output = Result<(), SoundError>> + Send + 'static,
    {
        let audio = match self.held().calls.get(&key) {
            Some(Hold::Placed(call)) => call.audio(),
            _ => None,
        };
        let Some(work) = audio.map(act) else { return };
        let calls = self.clone();
        tokio::spawn(async move {
            if let Err(error) = work.await {
                calls.notify(&Problem::new(error.code(), &error, error.hint()));
            }
        });
    }

    /// Tells each second how a call sounds, and what happens in its sound, until it is over.
    fn listen_in(&self, key: u64, call: &Call) {
        let calls = self.clone();
        if let Some(mut events) = call.sound_events() {
            tokio::spawn(async move {
                while let Some(what) = events.next().await {
                    calls.tell(CallMsg::Sounded { key, what });
                }
            });
        }
        let calls = self.clone();
        tokio::spawn(async move {
            let mut seconds = interval(Duration::from_secs(1));
            while calls.measure(key) {
                seconds.tick().await;
            }
        });
    }

    /// False once the call is over.
    fn measure(&self, key: u64) -> bool {
        let held = self.held();
        let Some(Hold::Placed(call)) = held.calls.get(&key) else { return false };
        if let Some(audio) = call.audio() {
            let measured = Box::new(Measured { terms: call.sound_terms(), stats: audio.stats() });
            self.tell(CallMsg::Measured { key, measured });
        }
        true
    }

    fn disturb(&self, account: Account, on: bool) {
        let calls = self.clone();
        self.run(async move {
            let rule = if on { DoNotDisturb::Off } else { DoNotDisturb::Unavailable };
            account.do_not_disturb(rule).await?;
            calls.tell(CallMsg::Disturb { account: account.id(), on });
            Ok(())
        });
    }

    /// Does what takes time; what goes wrong is told.
    fn run(&self, work: impl Future<Output = Result<(), Error>> + Send + 'static) {
        let calls = self.clone();
        tokio::spawn(async move {
            if let Err(error) = work.await {
                calls.complain(&error);
            }
        });
    }

    /// Tells the events of a call until its end; then nothing holds it any more.
    fn follow(&self, key: u64, mut events: CallEvents) {
        let calls = self.clone();
        tokio::spawn(async move {
            while let Some(event) = events.next().await {
                // What was missed is older than what follows, and the end is never missed.
                let Ok(what) = event else { continue };
                let is_over = matches!(what, CallEvent::Ended(_));
                calls.tell(CallMsg::Happened { key, what });
                if is_over {
                    calls.held().calls.remove(&key);
                }
            }
        });
    }

    fn next_key(&self) -> u64 {
        let mut held = self.held();
        held.last += 1;
        held.last
    }

    fn complain(&self, error: &Error) {
        if error.call_end().is_none() {
            self.notify(&Problem::from(error));
        }
    }

    fn notify(&self, problem: &Problem) {
        // The phone may have ended.
        let _ = self.told.send(Msg::Notify(Notification::from(problem)));
    }

    fn tell(&self, msg: CallMsg) {
        // The phone may have ended.
        let _ = self.told.send(Msg::Call(msg));
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The person's ends of a call's sound. A device or a server that is not there is silence, and told in the call.
fn ends(devices: Devices) -> Audio {
    if cfg!(target_os = "linux") { Audio::Devices(devices) } else { Audio::Silence }
}
