//! What the phone knows: one value, changed only by `update`, drawn only by `view`.

use std::time::Duration;

use crate::keys::Keymap;
use crate::messages::Notification;
use crate::navigation::Navigation;
use crate::screen::{Hits, Pages, Scene, consent, palette, password, save, settings, wizard};
use crate::theme::Theme;

/// The whole phone.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) pages: Pages,
    /// What lies above the screen; the last one has the keys.
    pub(crate) overlays: Vec<Overlay>,
    pub(crate) navigation: Navigation,
    pub(crate) window: Window,
    pub(crate) toast: Option<Toast>,
    pub(crate) theme: Theme,
    pub(crate) keys: Keymap,
    pub(crate) clock: Clock,
}

/// The size of the terminal's window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) columns: u16,
    pub(crate) rows: u16,
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

    /// Pasted text goes into the field that is typed into, if there is one.
    pub(crate) fn paste(&mut self, text: &str) {
        match self {
            Overlay::Password(state) => state.paste(text),
            Overlay::Palette(state) => state.input.paste(text),
            Overlay::Wizard(state) => {
                if let Some(field) = state.field() {
                    field.paste(text);
                }
            }
            Overlay::Consent(_) | Overlay::Save(_) | Overlay::Leaving => {}
        }
    }
}

/// A sentence that is shown for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Toast {
    pub(crate) notification: Notification,
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
    pub(crate) fn new(theme: Theme, keys: Keymap, settings: settings::State) -> Self {
        Self {
            pages: Pages { settings, ..Pages::default() },
            overlays: Vec::new(),
            navigation: Navigation::default(),
            window: Window { columns: 80, rows: 24 },
            toast: None,
            theme,
            keys,
            clock: Clock::default(),
        }
    }

    /// What views may see, and where they say what a click means.
    pub(crate) fn scene<'a>(&'a self, hits: &'a Hits) -> Scene<'a> {
        Scene { theme: &self.theme, hits, keys: &self.keys, now: self.clock.since_start, pages: &self.pages }
    }

    /// When something on the screen reads differently without any message.
    pub(crate) fn next_change(&self) -> Option<Duration> {
        let toast = self.toast.as_ref().map(|toast| toast.until);
        let spinner = self
            .pages
            .tasks
            .is_busy()
            .then(|| self.clock.since_start + if self.theme.reduced_motion { SLOW } else { FRAME });
        let now = self.clock.since_start;
        let pages = [self.pages.phone.next_change(now), self.pages.accounts.next_change(now)];
        [toast, spinner].into_iter().chain(pages).flatten().min()
    }
}

const FRAME: Duration = Duration::from_millis(120);
const SLOW: Duration = Duration::from_secs(1);
