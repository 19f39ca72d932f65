//! One key as a person presses, writes and reads it.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// A key with its modifiers; Shift is part of the character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Chord {
    pub(crate) key: Key,
    pub(crate) held: Held,
}

/// The key itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Key {
    Char(char),
    F(u8),
    Enter,
    Esc,
    Tab,
    BackTab,
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Home,
    End,
    Backspace,
    Delete,
}

/// The modifier that is held, if any; no binding needs two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Held {
    Nothing,
    Ctrl,
    Alt,
}

impl Chord {
    /// A key without modifiers.
    pub(crate) const fn plain(key: Key) -> Self {
        Self { key, held: Held::Nothing }
    }

    /// A character key.
    pub(crate) const fn char(c: char) -> Self {
        Self::plain(Key::Char(c))
    }

    /// A character with Ctrl.
    pub(crate) const fn ctrl(c: char) -> Self {
        Self { key: Key::Char(c), held: Held::Ctrl }
    }

    /// A character with Alt.
    pub(crate) const fn alt(c: char) -> Self {
        Self { key: Key::Char(c), held: Held::Alt }
    }

    /// What the terminal reports; none for releases and keys without a name here.
    pub(crate) fn from_event(event: KeyEvent) -> Option<Self> {
        if event.kind == KeyEventKind::Release {
            return None;
        }
        let held = if event.modifiers.contains(KeyModifiers::CONTROL) {
            Held::Ctrl
        } else if event.modifiers.contains(KeyModifiers::ALT) {
            Held::Alt
        } else {
            Held::Nothing
        };
        let key = match event.code {
            KeyCode::Char(c) if held == Held::Ctrl => Key::Char(c.to_ascii_lowercase()),
            KeyCode::Char(c) => Key::Char(c),
            KeyCode::F(n) => Key::F(n),
            other => NAMES.iter().find(|(_, _, code)| *code == other).map(|(key, _, _)| *key)?,
        };
        Some(Self { key, held })
    }

    /// Reads `q`, `Ctrl-P`, `Alt-x`, `F12`, `Enter`, `Space`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (held, name) = if let Some(rest) = text.strip_prefix("Ctrl-") {
            (Held::Ctrl, rest)
        } else if let Some(rest) = text.strip_prefix("Alt-") {
            (Held::Alt, rest)
        } else {
            (Held::Nothing, text)
        };
        let mut chars = name.chars();
        let key = match (chars.next(), chars.next()) {
            (Some(c), None) if held == Held::Ctrl => Key::Char(c.to_ascii_lowercase()),
            (Some(c), None) => Key::Char(c),
            (Some('F'), Some(_)) => Key::F(name[1..].parse().ok().filter(|n| (1..=24).contains(n))?),
            _ if name == "Space" => Key::Char(' '),
            _ => NAMES.iter().find(|(_, word, _)| *word == name).map(|(key, _, _)| *key)?,
        };
        Some(Self { key, held })
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.held {
            Held::Nothing => {}
            Held::Ctrl => f.write_str("Ctrl-")?,
            Held::Alt => f.write_str("Alt-")?,
        }
        match self.key {
            Key::Char(' ') => f.write_str("Space"),
            Key::Char(c) if self.held == Held::Ctrl => write!(f, "{}", c.to_ascii_uppercase()),
            Key::Char(c) => write!(f, "{c}"),
            Key::F(n) => write!(f, "F{n}"),
            other => {
                f.write_str(NAMES.iter().find(|(key, _, _)| *key == other).map_or("", |(_, name, _)| name))
            }
        }
    }
}

const NAMES: &[(Key, &str, KeyCode)] = &[
    (Key::Enter, "Enter", KeyCode::Enter),
    (Key::Esc, "Esc", KeyCode::Esc),
    (Key::Tab, "Tab", KeyCode::Tab),
    (Key::BackTab, "Shift-Tab", KeyCode::BackTab),
    (Key::Up, "Up", KeyCode::Up),
    (Key::Down, "Down", KeyCode::Down),
    (Key::Left, "Left", KeyCode::Left),
    (Key::Right, "Right", KeyCode::Right),
    (Key::PageUp, "PgUp", KeyCode::PageUp),
    (Key::PageDown, "PgDn", KeyCode::PageDown),
    (Key::Home, "Home", KeyCode::Home),
    (Key::End, "End", KeyCode::End),
    (Key::Backspace, "Backspace", KeyCode::Backspace),
    (Key::Delete, "Delete", KeyCode::Delete),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chord_reads_back_as_it_prints() {
        let names =
            ["q", "Q", "?", ":", "Ctrl-P", "Alt-x", "F12", "Enter", "Space", "Shift-Tab", "PgUp", "F1"];
        for text in names {
            assert_eq!(Chord::parse(text).map(|c| c.to_string()).as_deref(), Some(text));
        }
        for bad in ["", "Ctrl-", "F0", "F99", "Hyper-x", "qq"] {
            assert_eq!(Chord::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_release_is_no_key() {
        let mut event = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
        assert_eq!(Chord::from_event(event), Some(Chord::char('q')));
        event.kind = KeyEventKind::Release;
        assert_eq!(Chord::from_event(event), None);
    }
}
