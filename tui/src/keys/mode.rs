//! Where a key binding holds.

/// Where a binding holds; a mode's own bindings come before the general ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Mode {
    Everywhere,
    Accounts,
    Trace,
    Tasks,
    Settings,
    Help,
}

impl Mode {
    /// The word of help and key file.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Mode::Everywhere => "everywhere",
            Mode::Accounts => "accounts",
            Mode::Trace => "trace",
            Mode::Tasks => "tasks",
            Mode::Settings => "settings",
            Mode::Help => "help",
        }
    }

    /// Every mode.
    pub(crate) const ALL: [Mode; 6] =
        [Mode::Everywhere, Mode::Accounts, Mode::Trace, Mode::Tasks, Mode::Settings, Mode::Help];
}
