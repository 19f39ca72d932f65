//! The screen that is shown, and the ones before it.

use crate::keys::Screen;

/// The views that were shown, and the one that is.
#[derive(Clone, Debug)]
pub(crate) struct Navigation {
    views: Vec<Screen>,
    at: usize,
    last: Screen,
}

impl Navigation {
    /// The screen that is shown.
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

    /// Goes to the screen before; once more leads back.
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

impl Default for Navigation {
    fn default() -> Self {
        Self { views: vec![Screen::Accounts], at: 0, last: Screen::Trace }
    }
}

/// Views that `[` and `]` walk through.
const HISTORY: usize = 32;
