//! Settings: every setting with its value, where that comes from, and what it means; edited in place.

mod view;

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::config::{Config, Kind, SETTINGS, Setting};
use crate::effect::Effect;
use crate::keys::{Action, Chord, Key};
use crate::messages::{Notification, Severity};
use crate::msg::Msg;
use crate::screen::{Hints, Outcome, Page, Scene};
use crate::text::{ScreenText, screen_text};
use crate::widget::Filter;

/// The settings and the one that is edited.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) config: Config,
    pub(crate) selected: usize,
    /// The text being typed for the selected setting.
    pub(crate) edit: Option<Filter>,
}

impl State {
    /// The settings of a configuration.
    pub(crate) fn new(config: Config) -> Self {
        Self { config, ..Self::default() }
    }

    /// The selected setting.
    pub(crate) fn current(&self) -> &'static Setting {
        &SETTINGS[self.selected.min(SETTINGS.len() - 1)]
    }

    /// The value of a setting as it is shown.
    pub(crate) fn shown(&self, setting: &Setting) -> ScreenText {
        match self.config.value(setting).0 {
            None => ScreenText::of("not set"),
            Some(toml::Value::String(text)) => ScreenText::of(&text),
            Some(other) => ScreenText::from_display(&other),
        }
    }

    /// A setting was written.
    fn take(&mut self, path: &str, value: &toml::Value) -> Notification {
        let restart = SETTINGS.iter().any(|setting| setting.path == path && setting.needs_restart());
        self.config.take(path, value.clone());
        let note = if restart { "; takes effect at the next start" } else { "" };
        Notification::plain(Severity::Info, screen_text!("{path} is saved{note}"))
    }

    /// Saves what is typed, if the setting takes it.
    fn save_typed(&mut self) -> Outcome {
        let setting = self.current();
        let text = self.edit.as_ref().map(|edit| edit.value().trim().to_owned()).unwrap_or_default();
        let Some(value) = setting.parse(&text) else {
            return Outcome::refused(screen_text!("{} takes {}", setting.path, setting.values()));
        };
        self.edit = None;
        save(setting, value).into()
    }

    /// Flips, steps on or starts typing, as the kind wants.
    fn change(&mut self) -> Outcome {
        let setting = self.current();
        let value = self.config.value(setting).0;
        match setting.kind {
            Kind::Bool => {
                let now = value.and_then(|value| value.as_bool()).unwrap_or_default();
                save(setting, toml::Value::Boolean(!now)).into()
            }
            Kind::Choice(words) => {
                let now = value.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default();
                let at = words.iter().position(|word| *word == now).unwrap_or(0);
                save(setting, toml::Value::String(words[(at + 1) % words.len()].to_owned())).into()
            }
            Kind::Integer { .. } | Kind::Text | Kind::Texts | Kind::File => {
                let text = match value {
                    Some(toml::Value::String(text)) => text,
                    Some(other) => other.to_string(),
                    None => String::new(),
                };
                self.edit = Some(Filter::typing(&text));
                Outcome::done()
            }
        }
    }
}

impl Page for State {
    fn keys(&self) -> &'static [(Chord, Action)] {
        &[]
    }

    fn draw(&self, scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
        view::draw(scene, area, buf);
    }

    fn hints(&self) -> Hints {
        if self.edit.is_some() {
            return Hints::Typing(" Enter saves, Esc leaves it as it was");
        }
        Hints::Keys(&[Action::Open, Action::Reload])
    }

    fn act(&mut self, action: Action, _rows: usize) -> Outcome {
        match action {
            Action::Up => self.selected = self.selected.saturating_sub(1),
            Action::Down => self.selected = (self.selected + 1).min(SETTINGS.len() - 1),
            Action::Top => self.selected = 0,
            Action::Bottom => self.selected = SETTINGS.len() - 1,
            Action::Open => return self.change(),
            _ => {}
        }
        Outcome::done()
    }

    fn handle_key(&mut self, chord: Chord) -> Option<Outcome> {
        let edit = self.edit.as_mut()?;
        match chord.key {
            Key::Esc => self.edit = None,
            Key::Enter => return Some(self.save_typed()),
            _ => {
                edit.handle(chord);
            }
        }
        Some(Outcome::done())
    }

    fn field(&mut self) -> Option<&mut Filter> {
        self.edit.as_mut()
    }

    fn handle(&mut self, msg: &Msg, _now: Duration) -> Option<Notification> {
        match msg {
            Msg::Saved { path, value } => Some(self.take(path, value)),
            _ => None,
        }
    }

    /// What was typed for another setting is dropped.
    fn select(&mut self, row: usize) -> bool {
        let again = self.selected == row && self.edit.is_none();
        self.selected = row.min(SETTINGS.len() - 1);
        self.edit = None;
        again
    }
}

fn save(setting: &Setting, value: toml::Value) -> Effect {
    Effect::SaveSetting { path: setting.path.to_owned(), value }
}
