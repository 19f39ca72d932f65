//! Keys that hands bring along from other programs, laid over the defaults by one word in the key file.

use crate::keys::{Action, Chord, Mode};

/// Where, which key, what for.
pub(super) type Row = (Mode, Chord, Action);

/// The preset of this name.
pub(super) fn preset(name: &str) -> Option<&'static [Row]> {
    match name {
        "default" => Some(&[]),
        "vim" => Some(VIM),
        "emacs" => Some(EMACS),
        _ => None,
    }
}

const VIM: &[Row] = &[
    (Mode::Everywhere, Chord::ctrl('d'), Action::PageDown),
    (Mode::Everywhere, Chord::ctrl('u'), Action::PageUp),
    (Mode::Everywhere, Chord::ctrl('f'), Action::PageDown),
    (Mode::Everywhere, Chord::ctrl('b'), Action::PageUp),
    (Mode::Everywhere, Chord::char('h'), Action::Back),
    (Mode::Everywhere, Chord::char('l'), Action::Open),
    (Mode::Everywhere, Chord::ctrl('o'), Action::HistoryBack),
];

const EMACS: &[Row] = &[
    (Mode::Everywhere, Chord::ctrl('n'), Action::Down),
    (Mode::Everywhere, Chord::ctrl('p'), Action::Up),
    (Mode::Everywhere, Chord::ctrl('v'), Action::PageDown),
    (Mode::Everywhere, Chord::alt('v'), Action::PageUp),
    (Mode::Everywhere, Chord::alt('<'), Action::Top),
    (Mode::Everywhere, Chord::alt('>'), Action::Bottom),
    (Mode::Everywhere, Chord::ctrl('s'), Action::Filter),
    (Mode::Everywhere, Chord::ctrl('g'), Action::Back),
    (Mode::Everywhere, Chord::alt('x'), Action::Palette),
];
