//! Settings: every setting with its value, where that comes from, and what it means; edited in place.

mod view;

pub(crate) use view::draw;

use crate::config::{Config, Kind, SETTINGS, Setting};
use crate::effect::Effect;
use crate::keys::{Action, Chord, Key};
use crate::text::{ScreenText, screen_text};
use crate::widget::Filter;
use crate::words::{News, Trouble, Weight};

/// The settings and the one that is edited.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) config: Config,
    pub(crate) selected: usize,
    /// The text being typed for the selected setting.
    pub(crate) edit: Option<Filter>,
}

/// What became of a change.
#[derive(Clone, Debug)]
pub(crate) enum Msg {
    Saved { path: String, value: toml::Value },
    Failed(Trouble),
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

    /// Takes what became of a change.
    pub(crate) fn handle(&mut self, msg: Msg) -> News {
        match msg {
            Msg::Failed(trouble) => News::from(&trouble),
            Msg::Saved { path, value } => {
                let restart = SETTINGS.iter().any(|setting| setting.path == path && setting.needs_restart());
                self.config.take(&path, value);
                let note = if restart { "; holds from the next start" } else { "" };
                News::plain(Weight::Notice, screen_text!("{path} is saved{note}"))
            }
        }
    }

    /// Takes a key while a value is typed.
    pub(crate) fn handle_typing(&mut self, chord: Chord) -> Result<Vec<Effect>, News> {
        let Some(edit) = &mut self.edit else { return Ok(Vec::new()) };
        match chord.key {
            Key::Esc => self.edit = None,
            Key::Enter => {
                let text = edit.value().trim().to_owned();
                let setting = self.current();
                let Some(value) = setting.parse(&text) else {
                    let why = screen_text!("{} takes {}", setting.path, setting.values());
                    return Err(News::plain(Weight::Warning, why));
                };
                self.edit = None;
                return Ok(vec![save(setting, value)]);
            }
            _ => {
                edit.handle(chord);
            }
        }
        Ok(Vec::new())
    }

    /// Puts the cursor on a setting; true if it stood there already. What was typed elsewhere is dropped.
    pub(crate) fn select(&mut self, row: usize) -> bool {
        let again = self.selected == row && self.edit.is_none();
        self.selected = row.min(SETTINGS.len() - 1);
        self.edit = None;
        again
    }

    /// Does what a key asked for.
    pub(crate) fn act(&mut self, action: Action) -> Result<Vec<Effect>, News> {
        match action {
            Action::Up => self.selected = self.selected.saturating_sub(1),
            Action::Down => self.selected = (self.selected + 1).min(SETTINGS.len() - 1),
            Action::Top => self.selected = 0,
            Action::Bottom => self.selected = SETTINGS.len() - 1,
            Action::Open => return Ok(self.change()),
            _ => {}
        }
        Ok(Vec::new())
    }

    /// Flips, steps on or starts typing, as the kind wants.
    fn change(&mut self) -> Vec<Effect> {
        let setting = self.current();
        let value = self.config.value(setting).0;
        match setting.kind {
            Kind::Bool => {
                let now = value.and_then(|value| value.as_bool()).unwrap_or_default();
                vec![save(setting, toml::Value::Boolean(!now))]
            }
            Kind::Choice(words) => {
                let now = value.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default();
                let at = words.iter().position(|word| *word == now).unwrap_or(0);
                vec![save(setting, toml::Value::String(words[(at + 1) % words.len()].to_owned()))]
            }
            Kind::Integer { .. } | Kind::Text | Kind::Texts => {
                let text = match value {
                    Some(toml::Value::String(text)) => text,
                    Some(other) => other.to_string(),
                    None => String::new(),
                };
                self.edit = Some(Filter::typing(&text));
                Vec::new()
            }
        }
    }
}

fn save(setting: &Setting, value: toml::Value) -> Effect {
    Effect::SaveSetting { path: setting.path.to_owned(), value }
}
