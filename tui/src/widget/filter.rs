//! A line a person types into, and the filter made of it.

use tui_input::{Input, InputRequest};

use crate::keys::{Chord, Held, Key};
use crate::text::ScreenText;

/// A filter: empty shows everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    input: Input,
    /// Keys go into it.
    pub(crate) typing: bool,
}

impl Filter {
    /// A field with text in it, ready to be typed into.
    pub(crate) fn typing(text: &str) -> Self {
        Self { input: Input::new(text.to_owned()), typing: true }
    }

    /// What is typed.
    pub(crate) fn value(&self) -> &str {
        self.input.value()
    }

    /// What is typed, to be shown.
    pub(crate) fn shown(&self) -> ScreenText {
        ScreenText::of(self.input.value())
    }

    /// True if `text` is to be shown; `!word` shows what does not have the word.
    pub(crate) fn admits(&self, text: &ScreenText) -> bool {
        let wanted = self.input.value().trim().to_lowercase();
        match wanted.strip_prefix('!') {
            Some("") => true,
            Some(unwanted) => !text.matches(unwanted),
            None => wanted.is_empty() || text.matches(&wanted),
        }
    }

    /// Takes a key; false if it is none for typing.
    pub(crate) fn handle(&mut self, chord: Chord) -> bool {
        let request = match (chord.held, chord.key) {
            (Held::Nothing, Key::Char(c)) if !c.is_control() => InputRequest::InsertChar(c),
            (Held::Nothing, Key::Backspace) => InputRequest::DeletePrevChar,
            (Held::Nothing, Key::Delete) => InputRequest::DeleteNextChar,
            (Held::Nothing, Key::Left) => InputRequest::GoToPrevChar,
            (Held::Nothing, Key::Right) => InputRequest::GoToNextChar,
            (Held::Nothing, Key::Home) | (Held::Ctrl, Key::Char('a')) => InputRequest::GoToStart,
            (Held::Nothing, Key::End) | (Held::Ctrl, Key::Char('e')) => InputRequest::GoToEnd,
            (Held::Ctrl, Key::Char('w')) => InputRequest::DeletePrevWord,
            (Held::Ctrl, Key::Char('u')) => InputRequest::DeleteLine,
            _ => return false,
        };
        self.input.handle(request);
        true
    }

    /// Takes a key of a filter that is typed into: Enter keeps it, Esc clears it. False if it is not typed into.
    pub(crate) fn edit(&mut self, chord: Chord) -> bool {
        if !self.typing {
            return false;
        }
        match chord.key {
            Key::Enter => self.typing = false,
            Key::Esc => self.clear(),
            _ => {
                self.handle(chord);
            }
        }
        true
    }

    /// Takes pasted text, its line ends and other controls left out.
    pub(crate) fn paste(&mut self, text: &str) {
        for c in text.chars().filter(|c| !c.is_control()).take(PASTE) {
            self.input.handle(InputRequest::InsertChar(c));
        }
    }

    /// Empties it.
    pub(crate) fn clear(&mut self) {
        self.input.reset();
        self.typing = false;
    }
}

/// Characters taken from one paste.
const PASTE: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_keeps_what_has_the_word_and_an_inverse_one_the_rest() {
        let mut filter = Filter::typing("");
        for c in "Reg".chars() {
            assert!(filter.handle(Chord::char(c)));
        }
        assert!(filter.admits(&ScreenText::of("REGISTER sip:x")));
        assert!(!filter.admits(&ScreenText::of("OPTIONS")));
        let inverse = Filter::typing("!reg");
        assert!(!inverse.admits(&ScreenText::of("REGISTER")) && inverse.admits(&ScreenText::of("OPTIONS")));
    }
}
