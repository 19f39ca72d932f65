//! The phone as still pictures: events go in, what a person reads comes out; no terminal, no network, no clock.

use std::time::Duration;

use homing::{AccountEvent, AccountId, Aor};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::keys::Keymap;
use crate::look::{ColorMode, Look, Theme, ThemeName, Tier};
use crate::model::{Clock, Model};
use crate::msg::Msg;
use crate::screen::{accounts, settings};
use crate::update::update;
use crate::words::Weight;

/// A phone that is shown and not run, for documentation and for proofs of what it says.
///
/// It is the phone's own model and view. What a simulation told its account is replayed here, and the
/// screen is the one a person would have had in front of them.
pub struct Still {
    model: Model,
    columns: u16,
    rows: u16,
}

impl Still {
    /// A phone without accounts in a window of this size, one pane at a time, without colours.
    pub fn new(columns: u16, rows: u16) -> Self {
        let mut look = Look::new(Theme { name: ThemeName::Default, mode: ColorMode::Never }, false);
        look.most = Tier::Narrow;
        let mut model = Model::new(look, Keymap::default(), settings::State::default());
        update(&mut model, Msg::Resized { columns, rows }, Clock::default());
        Self { model, columns, rows }
    }

    /// An account is there.
    pub fn add(&mut self, id: AccountId, aor: Aor) {
        update(&mut self.model, Msg::Account(accounts::Msg::Added { id, aor }), Clock::default());
    }

    /// Something happened to it, so long after the phone was started.
    pub fn happened(&mut self, id: AccountId, what: AccountEvent, at: Duration) {
        let now = Clock { since_start: at, wall: at };
        update(&mut self.model, Msg::Account(accounts::Msg::Happened { id, what }), now);
    }

    /// What the phone told so far beyond its state word, each as code, sentence and next step.
    pub fn told(&self) -> Vec<String> {
        let lines = self.model.tasks.since(0).filter(|line| line.news.weight > Weight::Detail);
        lines
            .map(|line| {
                let code = line.news.code.map(|code| format!("{code} ")).unwrap_or_default();
                let hint = &line.news.hint;
                let hint = if hint.is_empty() { String::new() } else { format!("\nHint: {hint}") };
                format!("{code}{}{hint}", line.news.text)
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
