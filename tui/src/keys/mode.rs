//! Where a key binding is in force.

use crate::keys::Screen;

/// Where a binding is in force; a screen's own bindings come before the general ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Mode {
    Everywhere,
    On(Screen),
}

impl Mode {
    /// The name of its table in the key file, and its heading in the help.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Mode::Everywhere => "everywhere",
            Mode::On(screen) => screen.tab().word,
        }
    }

    /// Every mode, the general one first.
    pub(crate) fn all() -> impl Iterator<Item = Mode> {
        std::iter::once(Mode::Everywhere).chain(Screen::ALL.map(Mode::On))
    }
}
