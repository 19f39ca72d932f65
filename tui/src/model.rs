//! What the phone knows: one value, changed only by `update`, drawn only by `view`.

use std::time::Duration;

use crate::keys::{Keymap, Mode};
use crate::look::Look;
use crate::screen::{
    Scene, accounts, consent, help, palette, password, settings, stage, tasks, trace, wizard,
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
    /// Signing out; the program ends when it is done.
    Leaving,
}

/// The screens there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Screen {
    Accounts,
    Trace,
    Tasks,
    Settings,
    Help,
}

/// Where the person is, was, and how large the window is.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    views: Vec<Screen>,
    at: usize,
    last: Screen,
    pub(crate) columns: u16,
    pub(crate) rows: u16,
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

    /// What views may see.
    pub(crate) fn scene(&self) -> Scene<'_> {
        Scene {
            look: &self.look,
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

impl Screen {
    /// Every screen in the order of its number.
    pub(crate) const ALL: [Screen; 5] =
        [Screen::Accounts, Screen::Trace, Screen::Tasks, Screen::Settings, Screen::Help];

    /// Number key and name.
    pub(crate) fn label(self) -> (&'static str, &'static str) {
        match self {
            Screen::Accounts => ("2", "Accounts"),
            Screen::Trace => ("6", "Trace"),
            Screen::Tasks => ("8", "Tasks"),
            Screen::Settings => ("9", "Settings"),
            Screen::Help => ("0", "Help"),
        }
    }

    /// Which keys hold.
    pub(crate) fn mode(self) -> Mode {
        match self {
            Screen::Accounts => Mode::Accounts,
            Screen::Trace => Mode::Trace,
            Screen::Tasks => Mode::Tasks,
            Screen::Settings => Mode::Settings,
            Screen::Help => Mode::Help,
        }
    }
}

impl Place {
    /// The screen in sight.
    pub(crate) fn screen(&self) -> Screen {
        self.views[self.at]
    }

    /// Goes to a screen; what lay ahead in the history is dropped.
    pub(crate) fn go(&mut self, screen: Screen) {
        if screen == self.screen() {
            return;
        }
        self.last = self.screen();
        self.views.truncate(self.at + 1);
        self.views.push(screen);
        if self.views.len() > HISTORY {
            self.views.remove(0);
        }
        self.at = self.views.len() - 1;
    }

    /// One step back in the history; false at its beginning.
    pub(crate) fn back(&mut self) -> bool {
        self.step(self.at.checked_sub(1))
    }

    /// One step forward in the history; false at its end.
    pub(crate) fn forward(&mut self) -> bool {
        self.step(Some(self.at + 1))
    }

    /// To and fro between this screen and the one before.
    pub(crate) fn swap(&mut self) {
        self.go(self.last);
    }

    fn step(&mut self, to: Option<usize>) -> bool {
        match to.filter(|&to| to < self.views.len()) {
            Some(to) => {
                self.last = self.screen();
                self.at = to;
                true
            }
            None => false,
        }
    }
}

impl Default for Place {
    fn default() -> Self {
        Self { views: vec![Screen::Accounts], at: 0, last: Screen::Trace, columns: 80, rows: 24 }
    }
}

/// Views that `[` and `]` walk through.
const HISTORY: usize = 32;
const FRAME: Duration = Duration::from_millis(120);
const SLOW: Duration = Duration::from_secs(1);
