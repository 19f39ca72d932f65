//! The key table: defaults, and what a person's key file changes.

use thiserror::Error;

use crate::keys::preset::{Row, preset};
use crate::keys::{Action, Chord, Key, Mode};

/// One line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Binding {
    pub(crate) mode: Mode,
    pub(crate) chord: Chord,
    pub(crate) action: Action,
}

/// All bindings in force.
#[derive(Clone, Debug)]
pub(crate) struct Keymap {
    bindings: Vec<Binding>,
}

/// What is wrong with a line of a key file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum KeymapFault {
    /// It is not TOML of the shape `[mode] action = "key"`.
    #[error("the key file is not readable as TOML tables")]
    Shape,
    /// No such preset.
    #[error("`{0}` is no preset (default, vim, emacs)")]
    Preset(String),
    /// No such mode.
    #[error("`{0}` is no mode (everywhere, accounts, trace, tasks, settings, help)")]
    Mode(String),
    /// No such action.
    #[error("`{0}` is no action; the palette lists them all")]
    Action(String),
    /// No such key.
    #[error("`{0}` is no key (write q, Q, Ctrl-P, Alt-x, F5, Enter, Space)")]
    Key(String),
}

impl Keymap {
    /// What `chord` means in `mode`.
    pub(crate) fn action(&self, mode: Mode, chord: Chord) -> Option<Action> {
        let found = |wanted: Mode| {
            self.bindings.iter().find(|b| b.mode == wanted && b.chord == chord).map(|b| b.action)
        };
        found(mode).or_else(|| found(Mode::Everywhere))
    }

    /// The bindings of one mode, in the order of the table.
    pub(crate) fn of_mode(&self, mode: Mode) -> impl Iterator<Item = &Binding> {
        self.bindings.iter().filter(move |b| b.mode == mode)
    }

    /// The first key of an action in a mode, for hints; of any mode where this one has none.
    pub(crate) fn chord(&self, mode: Mode, action: Action) -> Option<Chord> {
        let of = |wanted: Mode| self.bindings.iter().find(|b| b.mode == wanted && b.action == action);
        let any = || self.bindings.iter().find(|b| b.action == action);
        of(mode).or_else(|| of(Mode::Everywhere)).or_else(any).map(|b| b.chord)
    }

    /// Reads a key file: `preset = "vim"` or `"emacs"`, which adds keys; `[mode]` tables of `action = "key"` or lists of keys. An action that is
    /// named loses its default keys in that mode; a key that is taken is taken over.
    pub(crate) fn with_file(mut self, text: &str) -> (Self, Vec<KeymapFault>) {
        let Ok(file) = text.parse::<toml::Table>() else { return (self, vec![KeymapFault::Shape]) };
        let mut faults = Vec::new();
        if let Some(name) = file.get("preset") {
            match name.as_str().and_then(preset) {
                Some(bindings) => bindings.iter().for_each(|&(mode, chord, action)| {
                    self.bind(Binding { mode, chord, action });
                }),
                None => faults.push(KeymapFault::Preset(name.to_string())),
            }
        }
        for (word, table) in file.iter().filter(|(word, _)| *word != "preset") {
            let mode = Mode::ALL.into_iter().find(|mode| mode.word() == word);
            match (mode, table.as_table()) {
                (Some(mode), Some(table)) => self.take_table(mode, table, &mut faults),
                (None, _) => faults.push(KeymapFault::Mode(word.clone())),
                (_, None) => faults.push(KeymapFault::Shape),
            }
        }
        (self, faults)
    }

    /// Adds a binding; a key that is taken is taken over.
    fn bind(&mut self, binding: Binding) {
        self.bindings.retain(|b| !(b.mode == binding.mode && b.chord == binding.chord));
        self.bindings.push(binding);
    }

    fn take_table(&mut self, mode: Mode, table: &toml::Table, faults: &mut Vec<KeymapFault>) {
        for (name, keys) in table {
            let Some(action) = Action::parse(name) else {
                faults.push(KeymapFault::Action(name.clone()));
                continue;
            };
            self.bindings.retain(|b| !(b.mode == mode && b.action == action));
            let one = keys.as_str().into_iter();
            let many = keys.as_array().into_iter().flatten().filter_map(toml::Value::as_str);
            for text in one.chain(many) {
                match Chord::parse(text) {
                    Some(chord) => self.bind(Binding { mode, chord, action }),
                    None => faults.push(KeymapFault::Key(text.to_owned())),
                }
            }
        }
    }
}

impl Default for Keymap {
    fn default() -> Self {
        let bindings =
            DEFAULTS.iter().map(|&(mode, chord, action)| Binding { mode, chord, action }).collect();
        Self { bindings }
    }
}

const DEFAULTS: &[Row] = &[
    (Mode::Everywhere, Chord::char('?'), Action::Help),
    (Mode::Everywhere, Chord::char('0'), Action::Help),
    (Mode::Everywhere, Chord::plain(Key::F(1)), Action::Help),
    (Mode::Everywhere, Chord::char(':'), Action::Palette),
    (Mode::Everywhere, Chord::ctrl('p'), Action::Palette),
    (Mode::Everywhere, Chord::char('/'), Action::Filter),
    (Mode::Everywhere, Chord::plain(Key::Esc), Action::Back),
    (Mode::Everywhere, Chord::char('q'), Action::Quit),
    (Mode::Everywhere, Chord::ctrl('c'), Action::Quit),
    (Mode::Everywhere, Chord::char('2'), Action::ShowAccounts),
    (Mode::Everywhere, Chord::char('6'), Action::ShowTrace),
    (Mode::Everywhere, Chord::char('8'), Action::ShowTasks),
    (Mode::Everywhere, Chord::char('9'), Action::ShowSettings),
    (Mode::Everywhere, Chord::plain(Key::Tab), Action::NextPane),
    (Mode::Everywhere, Chord::plain(Key::BackTab), Action::PreviousPane),
    (Mode::Everywhere, Chord::char('['), Action::HistoryBack),
    (Mode::Everywhere, Chord::char(']'), Action::HistoryForward),
    (Mode::Everywhere, Chord::char('-'), Action::LastView),
    (Mode::Everywhere, Chord::ctrl('l'), Action::Redraw),
    (Mode::Everywhere, Chord::plain(Key::F(12)), Action::CopyDiagnostics),
    (Mode::Everywhere, Chord::ctrl('z'), Action::Suspend),
    (Mode::Everywhere, Chord::ctrl('r'), Action::Reload),
    (Mode::Everywhere, Chord::plain(Key::Up), Action::Up),
    (Mode::Everywhere, Chord::char('k'), Action::Up),
    (Mode::Everywhere, Chord::plain(Key::Down), Action::Down),
    (Mode::Everywhere, Chord::char('j'), Action::Down),
    (Mode::Everywhere, Chord::plain(Key::PageUp), Action::PageUp),
    (Mode::Everywhere, Chord::plain(Key::PageDown), Action::PageDown),
    (Mode::Everywhere, Chord::plain(Key::Home), Action::Top),
    (Mode::Everywhere, Chord::char('g'), Action::Top),
    (Mode::Everywhere, Chord::plain(Key::End), Action::Bottom),
    (Mode::Everywhere, Chord::char('G'), Action::Bottom),
    (Mode::Everywhere, Chord::plain(Key::Enter), Action::Open),
    (Mode::Accounts, Chord::char('R'), Action::SignIn),
    (Mode::Accounts, Chord::char('U'), Action::SignOut),
    (Mode::Accounts, Chord::char('O'), Action::Options),
    (Mode::Accounts, Chord::char('J'), Action::Journey),
    (Mode::Accounts, Chord::char('w'), Action::WhoAmI),
    (Mode::Accounts, Chord::char('+'), Action::AddAccount),
    (Mode::Accounts, Chord::char('E'), Action::TestCredentials),
    (Mode::Trace, Chord::char('x'), Action::AllDialogs),
    (Mode::Trace, Chord::char('r'), Action::RawPreview),
    (Mode::Trace, Chord::char('w'), Action::RelativeTimes),
    (Mode::Trace, Chord::char('c'), Action::ColourMode),
    (Mode::Trace, Chord::char('s'), Action::Compress),
    (Mode::Trace, Chord::char('i'), Action::Statistics),
    (Mode::Trace, Chord::char(' '), Action::Mark),
    (Mode::Trace, Chord::char('p'), Action::Pause),
    (Mode::Trace, Chord::char('A'), Action::Follow),
    (Mode::Trace, Chord::plain(Key::F(2)), Action::SaveTrace),
    (Mode::Tasks, Chord::char('X'), Action::CancelTask),
    (Mode::Tasks, Chord::char('v'), Action::LogLevel),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mode_comes_before_the_general() {
        let keys = Keymap::default();
        assert_eq!(keys.action(Mode::Accounts, Chord::char('w')), Some(Action::WhoAmI));
        assert_eq!(keys.action(Mode::Trace, Chord::char('w')), Some(Action::RelativeTimes));
        assert_eq!(keys.action(Mode::Trace, Chord::char('q')), Some(Action::Quit));
        assert_eq!(keys.action(Mode::Help, Chord::char('w')), None);
    }

    #[test]
    fn no_key_means_two_things_in_one_mode() {
        for (i, a) in DEFAULTS.iter().enumerate() {
            assert!(!DEFAULTS[..i].iter().any(|b| (a.0, a.1) == (b.0, b.1)), "{} in {:?}", a.1, a.0);
        }
    }

    #[test]
    fn a_key_file_replaces_keys_and_names_its_faults() {
        let text =
            "[everywhere]\nquit = \"Ctrl-Q\"\nflee = \"f\"\n[nowhere]\n[trace]\nmark = [\"m\", \"??\"]\n";
        let (keys, faults) = Keymap::default().with_file(text);
        assert_eq!(keys.action(Mode::Help, Chord::char('q')), None);
        assert_eq!(keys.action(Mode::Help, Chord::ctrl('q')), Some(Action::Quit));
        assert_eq!(keys.action(Mode::Trace, Chord::char('m')), Some(Action::Mark));
        assert_eq!(faults.len(), 3, "{faults:?}");
    }

    #[test]
    fn a_preset_adds_its_keys_and_the_file_still_has_the_last_word() {
        let (keys, faults) =
            Keymap::default().with_file("preset = \"emacs\"\n[everywhere]\nquit = \"Ctrl-Q\"\n");
        assert!(faults.is_empty(), "{faults:?}");
        assert_eq!(keys.action(Mode::Help, Chord::ctrl('n')), Some(Action::Down));
        assert_eq!(keys.action(Mode::Help, Chord::ctrl('q')), Some(Action::Quit));
        let (keys, _) = Keymap::default().with_file("preset = \"vim\"");
        assert_eq!(keys.action(Mode::Trace, Chord::ctrl('d')), Some(Action::PageDown));
        let (_, faults) = Keymap::default().with_file("preset = \"nano\"");
        assert!(faults[0].to_string().contains("nano"), "{faults:?}");
    }
}
