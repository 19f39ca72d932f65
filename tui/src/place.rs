//! Where the person is and was: the screens, and the way through them.

use crate::keys::Mode;

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
