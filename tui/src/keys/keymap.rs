//! The key table: defaults, and what a person's key file changes.

use thiserror::Error;

use crate::keys::preset::preset;
use crate::keys::{Action, Chord, Key, Mode, Screen};

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
    #[error("`{0}` is not a preset (default, vim, emacs)")]
    Preset(String),
    /// No such mode.
    #[error("`{0}` is not a mode ({modes})", modes = mode_words())]
    Mode(String),
    /// No such action.
    #[error("`{0}` is not an action; the palette lists them all")]
    Action(String),
    /// No such key.
    #[error("`{0}` is not a key (write q, Q, Ctrl-P, Alt-x, F5, Enter, Space)")]
    Key(String),
}

impl Keymap {
    /// The keys of the whole phone, a digit for each screen, and the screens' own keys.
    pub(crate) fn new(pages: impl IntoIterator<Item = (Screen, &'static [(Chord, Action)])>) -> Self {
        let general = |(chord, action)| Binding { mode: Mode::Everywhere, chord, action };
        let digit = |screen: Screen| (Chord::char(screen.tab().digit), Action::Show(screen));
        let mut bindings: Vec<Binding> = GENERAL.iter().copied().map(general).collect();
        bindings.extend(Screen::ALL.map(digit).map(general));
        for (screen, keys) in pages {
            let own = |&(chord, action)| Binding { mode: Mode::On(screen), chord, action };
            bindings.extend(keys.iter().map(own));
        }
        Self { bindings }
    }

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
            let mode = Mode::all().find(|mode| mode.word() == word);
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

fn mode_words() -> String {
    Mode::all().map(Mode::word).collect::<Vec<_>>().join(", ")
}

const GENERAL: &[(Chord, Action)] = &[
    (Chord::char('?'), Action::Show(Screen::Help)),
    (Chord::plain(Key::F(1)), Action::Show(Screen::Help)),
    (Chord::char(':'), Action::Palette),
    (Chord::ctrl('p'), Action::Palette),
    (Chord::char('/'), Action::Filter),
    (Chord::plain(Key::Esc), Action::Back),
    (Chord::char('q'), Action::Quit),
    (Chord::ctrl('c'), Action::Quit),
    (Chord::plain(Key::Tab), Action::NextPane),
    (Chord::plain(Key::BackTab), Action::PreviousPane),
    (Chord::char('['), Action::HistoryBack),
    (Chord::char(']'), Action::HistoryForward),
    (Chord::char('-'), Action::LastView),
    (Chord::ctrl('l'), Action::Redraw),
    (Chord::plain(Key::F(5)), Action::Answer),
    (Chord::plain(Key::F(6)), Action::HangUp),
    (Chord::plain(Key::F(12)), Action::CopyDiagnostics),
    (Chord::ctrl('z'), Action::Suspend),
    (Chord::ctrl('r'), Action::Reload),
    (Chord::plain(Key::Up), Action::Up),
    (Chord::char('k'), Action::Up),
    (Chord::plain(Key::Down), Action::Down),
    (Chord::char('j'), Action::Down),
    (Chord::plain(Key::PageUp), Action::PageUp),
    (Chord::plain(Key::PageDown), Action::PageDown),
    (Chord::plain(Key::Home), Action::Top),
    (Chord::char('g'), Action::Top),
    (Chord::plain(Key::End), Action::Bottom),
    (Chord::char('G'), Action::Bottom),
    (Chord::plain(Key::Enter), Action::Open),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::default_keymap;

    #[test]
    fn the_mode_comes_before_the_general() {
        let keys = default_keymap();
        assert_eq!(keys.action(Mode::On(Screen::Accounts), Chord::char('w')), Some(Action::WhoAmI));
        assert_eq!(keys.action(Mode::On(Screen::Trace), Chord::char('w')), Some(Action::RelativeTimes));
        assert_eq!(keys.action(Mode::On(Screen::Trace), Chord::char('q')), Some(Action::Quit));
        assert_eq!(keys.action(Mode::On(Screen::Help), Chord::char('w')), None);
    }

    #[test]
    fn no_key_means_two_things_in_one_mode() {
        let bindings = default_keymap().bindings;
        for (i, a) in bindings.iter().enumerate() {
            let twice = bindings[..i].iter().any(|b| (a.mode, a.chord) == (b.mode, b.chord));
            assert!(!twice, "{} in {:?}", a.chord, a.mode);
        }
    }

    #[test]
    fn a_key_file_replaces_keys_and_names_its_faults() {
        let text =
            "[everywhere]\nquit = \"Ctrl-Q\"\nflee = \"f\"\n[nowhere]\n[trace]\nmark = [\"m\", \"??\"]\n";
        let (keys, faults) = default_keymap().with_file(text);
        assert_eq!(keys.action(Mode::On(Screen::Help), Chord::char('q')), None);
        assert_eq!(keys.action(Mode::On(Screen::Help), Chord::ctrl('q')), Some(Action::Quit));
        assert_eq!(keys.action(Mode::On(Screen::Trace), Chord::char('m')), Some(Action::Mark));
        assert_eq!(faults.len(), 3, "{faults:?}");
    }

    #[test]
    fn a_preset_adds_its_keys_and_the_file_still_has_the_last_word() {
        let (keys, faults) =
            default_keymap().with_file("preset = \"emacs\"\n[everywhere]\nquit = \"Ctrl-Q\"\n");
        assert!(faults.is_empty(), "{faults:?}");
        assert_eq!(keys.action(Mode::On(Screen::Help), Chord::ctrl('n')), Some(Action::Down));
        assert_eq!(keys.action(Mode::On(Screen::Help), Chord::ctrl('q')), Some(Action::Quit));
        let (keys, _) = default_keymap().with_file("preset = \"vim\"");
        assert_eq!(keys.action(Mode::On(Screen::Trace), Chord::ctrl('d')), Some(Action::PageDown));
        let (_, faults) = default_keymap().with_file("preset = \"nano\"");
        assert!(faults[0].to_string().contains("nano"), "{faults:?}");
    }
}
