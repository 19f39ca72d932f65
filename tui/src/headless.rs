//! The phone without a terminal: events go in, what a person reads comes out; no network, no clock.

use std::time::Duration;

use homing::{AccountEvent, AccountId, Aor};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::messages::Severity;
use crate::model::{Clock, Model};
use crate::msg::{AccountMsg, Msg};
use crate::screen::{default_keymap, settings};
use crate::theme::{ColorMode, ColorTheme, Theme, ThemeName, Tier};
use crate::update::update;

/// A phone that is shown and not run, for documentation and for proofs of what it says.
///
/// It is the phone's own model and view. What a simulation told its account is replayed here, and the
/// screen is the one a person would have had in front of them.
pub struct HeadlessPhone {
    model: Model,
    columns: u16,
    rows: u16,
}

impl HeadlessPhone {
    /// A phone without accounts in a window of this size, one pane at a time, without colours.
    pub fn new(columns: u16, rows: u16) -> Self {
        let mut theme = Theme::new(ColorTheme { name: ThemeName::Default, mode: ColorMode::Never }, false);
        theme.most = Tier::Narrow;
        let mut model = Model::new(theme, default_keymap(), settings::State::default());
        update(&mut model, Msg::Resized { columns, rows }, Clock::default());
        Self { model, columns, rows }
    }

    /// An account is there.
    pub fn add(&mut self, id: AccountId, aor: Aor) {
        update(&mut self.model, Msg::Account(AccountMsg::Added { id, aor }), Clock::default());
    }

    /// Something happened to it, so long after the phone was started.
    pub fn happened(&mut self, id: AccountId, what: AccountEvent, at: Duration) {
        let now = Clock { since_start: at, wall: at };
        update(&mut self.model, Msg::Account(AccountMsg::Happened { id, what }), now);
    }

    /// What the phone told so far beyond its state word, each as code, sentence and next step.
    pub fn told(&self) -> Vec<String> {
        let lines =
            self.model.pages.tasks.since(0).filter(|line| line.notification.severity > Severity::Detail);
        lines
            .map(|line| {
                let code = line.notification.code.map(|code| format!("{code} ")).unwrap_or_default();
                let hint = &line.notification.hint;
                let hint = if hint.is_empty() { String::new() } else { format!("\nHint: {hint}") };
                format!("{code}{}{hint}", line.notification.text)
            })
            .collect()
    }

    /// The lines of the screen, without blanks at their ends.
    pub fn screen(&self) -> Vec<String> {
        let area = Rect::new(0, 0, self.columns, self.rows);
        let mut buf = Buffer::empty(area);
        crate::view::view(&self.model, area, &mut buf);
        let line = |y| (0..self.columns).map(|x| buf[(x, y)].symbol()).collect::<String>();
        (0..self.rows).map(|y| line(y).trim_end().to_owned()).collect()
    }
}
