//! The screens: each is one page with its keys, typing, events, selection, view and hints.

pub(crate) mod accounts;
pub(crate) mod consent;
pub(crate) mod estate;
pub(crate) mod help;
mod hits;
mod outcome;
pub(crate) mod palette;
pub(crate) mod password;
pub(crate) mod phone;
pub(crate) mod save;
pub(crate) mod settings;
pub(crate) mod tasks;
pub(crate) mod trace;
pub(crate) mod wizard;

pub(crate) use hits::{Hits, Target};
pub(crate) use outcome::Outcome;

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::keys::{Action, Chord, Keymap, Screen};
use crate::messages::Notification;
use crate::msg::Msg;
use crate::theme::Theme;
use crate::widget::Filter;

/// One screen. Only what a screen has beyond keys, view and hints is written out.
pub(crate) trait Page {
    /// The keys of this screen; they come before those of the whole phone.
    fn keys(&self) -> &'static [(Chord, Action)];

    /// Draws it, at whatever size there is.
    fn draw(&self, scene: &Scene<'_>, area: Rect, buf: &mut Buffer);

    /// What the line below the screen offers.
    fn hints(&self) -> Hints;

    /// Does what a key or a command asked for; `rows` are those of a page.
    fn act(&mut self, action: Action, rows: usize) -> Outcome;

    /// True for actions that it carries out while another screen is shown.
    fn carries_out(&self, _action: Action) -> bool {
        false
    }

    /// Takes a key before the key table is asked; `None` leaves it to the table.
    fn handle_key(&mut self, _chord: Chord) -> Option<Outcome> {
        None
    }

    /// The field that is being typed into; pasted text goes there.
    fn field(&mut self) -> Option<&mut Filter> {
        None
    }

    /// Takes what it keeps of a message; what a person is to read of it comes back.
    fn handle(&mut self, _msg: &Msg, _now: Duration) -> Option<Notification> {
        None
    }

    /// Puts the cursor on a row; true if it stood there already, which is as good as Enter.
    fn select(&mut self, _row: usize) -> bool {
        false
    }

    /// Closes what is open on it; false if nothing is, which leads to the view before.
    fn back(&mut self) -> bool {
        false
    }
}

/// What the hint line says.
pub(crate) enum Hints {
    /// The keys of these actions, as many as fit.
    Keys(&'static [Action]),
    /// What Enter and Esc do while something is typed.
    Typing(&'static str),
}

/// Every page. A new screen is a file, a field here with its two arms, and a row in the table of tabs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pages {
    pub(crate) phone: phone::State,
    pub(crate) accounts: accounts::State,
    pub(crate) trace: trace::State,
    pub(crate) tasks: tasks::State,
    pub(crate) settings: settings::State,
    pub(crate) help: help::State,
}

impl Pages {
    /// The page behind a tab.
    pub(crate) fn page(&self, screen: Screen) -> &dyn Page {
        match screen {
            Screen::Phone => &self.phone,
            Screen::Accounts => &self.accounts,
            Screen::Trace => &self.trace,
            Screen::Tasks => &self.tasks,
            Screen::Settings => &self.settings,
            Screen::Help => &self.help,
        }
    }

    /// The same, to be changed.
    pub(crate) fn page_mut(&mut self, screen: Screen) -> &mut dyn Page {
        match screen {
            Screen::Phone => &mut self.phone,
            Screen::Accounts => &mut self.accounts,
            Screen::Trace => &mut self.trace,
            Screen::Tasks => &mut self.tasks,
            Screen::Settings => &mut self.settings,
            Screen::Help => &mut self.help,
        }
    }
}

/// The keys of the whole phone and those of every page, without any key file.
pub(crate) fn default_keymap() -> Keymap {
    let pages = Pages::default();
    Keymap::new(Screen::ALL.map(|screen| (screen, pages.page(screen).keys())))
}

/// What views may see: the pages, the theme, the keys, the time.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) theme: &'a Theme,
    /// Where views say what a click means.
    pub(crate) hits: &'a Hits,
    pub(crate) keys: &'a Keymap,
    /// Since the phone started.
    pub(crate) now: Duration,
    pub(crate) pages: &'a Pages,
}

/// The hint of a field that filters.
pub(crate) const FILTER_HINT: &str = " Enter keeps, Esc clears, !word excludes";
