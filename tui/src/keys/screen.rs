//! The screens there are: number key, name and meaning of each, for head line, palette, help and key file.

/// A screen of the phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Screen {
    Phone,
    Accounts,
    Trace,
    Tasks,
    Settings,
    Help,
}

/// How a screen is found.
pub(crate) struct Tab {
    /// The digit that shows it.
    pub(crate) digit: char,
    /// Its name in the head line.
    pub(crate) title: &'static str,
    /// Its name in the palette and in the key file.
    pub(crate) word: &'static str,
    /// What it shows, as a sentence without a full stop.
    pub(crate) meaning: &'static str,
}

impl Screen {
    /// Every screen in the order of the tabs.
    pub(crate) const ALL: [Screen; 6] =
        [Screen::Phone, Screen::Accounts, Screen::Trace, Screen::Tasks, Screen::Settings, Screen::Help];

    /// Digit, names and meaning.
    pub(crate) fn tab(self) -> Tab {
        let (digit, title, word, meaning) = match self {
            Screen::Phone => ('1', "Phone", "phone", "calls: dial, answer, hold, hang up"),
            Screen::Accounts => ('2', "Accounts", "accounts", "accounts and their journeys"),
            Screen::Trace => ('6', "Trace", "trace", "messages as a ladder and in full"),
            Screen::Tasks => ('8', "Tasks", "tasks", "running tasks and the log"),
            Screen::Settings => ('9', "Settings", "settings", "settings with their source"),
            Screen::Help => ('0', "Help", "help", "keys, states and error codes"),
        };
        Tab { digit, title, word, meaning }
    }
}
