//! What the phone knows: one value, changed only by `update`, drawn only by `view`.

use std::time::Duration;

use crate::keys::Keymap;
use crate::look::Look;
use crate::place::Place;
use crate::screen::{
    Hits, Scene, accounts, consent, help, palette, password, save, settings, stage, tasks, trace, wizard,
};
use crate::words::News;

/// The whole phone.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) accounts: accounts::State,
    pub(crate) trace: trace::State,
    pub(crate) tasks: tasks::State,
    pub(crate) settings: settings::State,
    pub(crate) help: help::State,
    /// An estate inside this program that can be played with.
    pub(crate) stage: Option<stage::State>,
    /// What lies above the screen; the last one has the keys.
    pub(crate) overlays: Vec<Overlay>,
    pub(crate) place: Place,
    pub(crate) toast: Option<Toast>,
    pub(crate) look: Look,
    pub(crate) keys: Keymap,
    pub(crate) clock: Clock,
}

/// Something drawn above the screen, which takes the keys until it is closed.
#[derive(Clone, Debug)]
pub(crate) enum Overlay {
    /// Find and run a command.
    Palette(palette::State),
    /// Add an account.
    Wizard(Box<wizard::State>),
    /// A redirect waits for a yes or no.
    Consent(consent::Request),
    /// A verified server wants a password.
    Password(password::State),
    /// The form in which a trace is saved.
    Save(save::State),
    /// Signing out; the program ends when it is done.
    Leaving,
}

impl Overlay {
    /// True for the question for a password with this number.
    pub(crate) fn asks_password(&self, question: u64) -> bool {
        matches!(self, Overlay::Password(state) if state.request.id == question)
    }
}

/// A sentence that stays in sight for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Toast {
    pub(crate) news: News,
    /// When it goes, on the phone's own clock.
    pub(crate) until: Duration,
}

/// The instant of the message being handled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clock {
    /// Since the phone started; never runs backwards.
    pub(crate) since_start: Duration,
    /// Since 1970-01-01 UTC.
    pub(crate) wall: Duration,
}

impl Model {
    /// A phone without accounts.
    pub(crate) fn new(look: Look, keys: Keymap, settings: settings::State) -> Self {
        Self {
            accounts: accounts::State::default(),
            trace: trace::State::default(),
            tasks: tasks::State::default(),
            settings,
            help: help::State::default(),
            stage: None,
            overlays: Vec::new(),
            place: Place::default(),
            toast: None,
            look,
            keys,
            clock: Clock::default(),
        }
    }

    /// What views may see, and where they say what a click means.
    pub(crate) fn scene<'a>(&'a self, hits: &'a Hits) -> Scene<'a> {
        Scene {
            look: &self.look,
            hits,
            keys: &self.keys,
            now: self.clock.since_start,
            accounts: &self.accounts,
            trace: &self.trace,
            tasks: &self.tasks,
            settings: &self.settings,
            help: &self.help,
            stage: self.stage.as_ref(),
        }
    }

    /// When something on the screen reads differently without any message.
    pub(crate) fn next_change(&self) -> Option<Duration> {
        let toast = self.toast.as_ref().map(|toast| toast.until);
        let spinner = self
            .tasks
            .is_busy()
            .then(|| self.clock.since_start + if self.look.reduced_motion { SLOW } else { FRAME });
        [toast, self.accounts.next_change(self.clock.since_start), spinner].into_iter().flatten().min()
    }
}

const FRAME: Duration = Duration::from_millis(120);
const SLOW: Duration = Duration::from_secs(1);
