//! Everything a person can ask for, with the name and the sentence that palette, help and key file use.

use crate::keys::Screen;

/// One intent; where it makes no sense the phone says why instead of doing nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Action {
    /// Shows a screen; help is left again by the key that showed it.
    Show(Screen),
    Palette,
    Filter,
    Back,
    Quit,
    NextPane,
    PreviousPane,
    HistoryBack,
    HistoryForward,
    LastView,
    Redraw,
    CopyDiagnostics,
    Suspend,
    Up,
    Down,
    PageUp,
    PageDown,
    Top,
    Bottom,
    Open,
    SignIn,
    SignOut,
    Options,
    Journey,
    WhoAmI,
    AddAccount,
    Dial,
    Answer,
    HangUp,
    Hold,
    Mute,
    Digits,
    DoNotDisturb,
    NextLine,
    AllDialogs,
    RawPreview,
    RelativeTimes,
    Mark,
    Pause,
    Follow,
    SaveTrace,
    CancelTask,
    LogLevel,
    Reload,
    TestCredentials,
    ColourMode,
    Compress,
    Statistics,
}

impl Action {
    /// Every action, in the order of the palette.
    pub(crate) fn all() -> impl Iterator<Item = Action> {
        Self::OF_CALLS
            .into_iter()
            .chain(Self::OF_ACCOUNTS)
            .chain(Screen::ALL.map(Action::Show))
            .chain(Self::OTHERS)
    }

    /// What is done with calls stands first in the palette: it is in a hurry.
    const OF_CALLS: [Action; 8] = [
        Action::Dial,
        Action::Answer,
        Action::HangUp,
        Action::Hold,
        Action::Mute,
        Action::Digits,
        Action::DoNotDisturb,
        Action::NextLine,
    ];

    /// What is done with accounts stands before the screens in the palette.
    const OF_ACCOUNTS: [Action; 8] = [
        Action::SignIn,
        Action::SignOut,
        Action::Options,
        Action::Journey,
        Action::WhoAmI,
        Action::TestCredentials,
        Action::AddAccount,
        Action::Reload,
    ];

    /// The rest of the palette.
    const OTHERS: [Action; 31] = [
        Action::Palette,
        Action::Filter,
        Action::Back,
        Action::Quit,
        Action::NextPane,
        Action::PreviousPane,
        Action::HistoryBack,
        Action::HistoryForward,
        Action::LastView,
        Action::Redraw,
        Action::CopyDiagnostics,
        Action::Suspend,
        Action::Up,
        Action::Down,
        Action::PageUp,
        Action::PageDown,
        Action::Top,
        Action::Bottom,
        Action::Open,
        Action::AllDialogs,
        Action::RawPreview,
        Action::RelativeTimes,
        Action::ColourMode,
        Action::Compress,
        Action::Statistics,
        Action::Mark,
        Action::Pause,
        Action::Follow,
        Action::SaveTrace,
        Action::CancelTask,
        Action::LogLevel,
    ];

    /// The name typed in the palette and written in the key file.
    pub(crate) fn name(self) -> &'static str {
        self.words().0
    }

    /// What it does, as a sentence without a full stop.
    pub(crate) fn meaning(self) -> &'static str {
        self.words().1
    }

    /// The action of this name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::all().find(|action| action.name() == name)
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Action::SignIn => ("sign-in", "sign in, or refresh the registration now"),
            Action::SignOut => ("sign-out", "sign out and stay signed out"),
            Action::Options => ("options", "ask the home server whether it answers"),
            Action::Journey => ("journey", "show the journey over the whole screen"),
            Action::WhoAmI => ("who-am-i", "say in one sentence who is signed in where"),
            Action::AddAccount => ("add-account", "add an account"),
            Action::Dial => ("dial", "call somebody"),
            Action::Answer => ("answer", "answer the call that rings; others are held"),
            Action::HangUp => ("hang-up", "hang up, give up or decline"),
            Action::Hold => ("hold", "hold the call, or take it up again"),
            Action::Mute => ("mute", "let the other side hear silence, or you again"),
            Action::Digits => ("digits", "send digits to the other side until Esc"),
            Action::DoNotDisturb => ("do-not-disturb", "refuse calls, or let them ring again"),
            Action::NextLine => ("next-line", "call from another account"),
            Action::Show(screen) => (screen.tab().word, screen.tab().meaning),
            Action::Palette => ("palette", "find and run any command"),
            Action::Filter => ("filter", "show only lines with a word"),
            Action::Back => ("back", "close, cancel, go up"),
            Action::Quit => ("quit", "sign out everywhere and leave"),
            Action::NextPane => ("next-pane", "next pane"),
            Action::PreviousPane => ("previous-pane", "previous pane"),
            Action::HistoryBack => ("view-back", "previous view"),
            Action::HistoryForward => ("view-forward", "next view"),
            Action::LastView => ("last-view", "switch between the last two views"),
            Action::Redraw => ("redraw", "draw everything again"),
            Action::CopyDiagnostics => ("copy-diagnostics", "copy a report without secrets"),
            Action::Suspend => ("suspend", "suspend; `fg` in the shell resumes"),
            Action::Up => ("up", "up"),
            Action::Down => ("down", "down"),
            Action::PageUp => ("page-up", "a page up"),
            Action::PageDown => ("page-down", "a page down"),
            Action::Top => ("top", "to the beginning"),
            Action::Bottom => ("bottom", "to the end"),
            Action::Open => ("open", "open what is selected"),
            Action::AllDialogs => ("all-dialogs", "one dialog, or everything in one ladder"),
            Action::RawPreview => ("raw-preview", "show the message next to the ladder"),
            Action::RelativeTimes => ("relative-times", "times since the line before, or since the start"),
            Action::Mark => ("mark", "mark a message; two marked messages are compared"),
            Action::Pause => ("pause", "freeze the view while the trace goes on"),
            Action::Follow => ("follow", "keep the newest line visible"),
            Action::SaveTrace => ("save-trace", "save the trace, secrets left out"),
            Action::CancelTask => ("cancel-task", "cancel the selected task"),
            Action::LogLevel => ("log-level", "show all of the log, or warnings only"),
            Action::Reload => ("reload", "read the configuration and the keys again"),
            Action::TestCredentials => ("test-credentials", "check the password with a second login"),
            Action::ColourMode => ("colour-mode", "colour by message, by dialog or by request"),
            Action::Compress => ("compress", "one column for each host, or for each port of it"),
            Action::Statistics => ("statistics", "count the messages by kind and by server"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_action_has_a_name_of_its_own() {
        let names: BTreeSet<_> = Action::all().map(|action| action.name()).collect();
        let kinds: BTreeSet<_> = Action::all().collect();
        assert_eq!((names.len(), kinds.len()), (Action::all().count(), Action::all().count()));
        assert!(Action::all().all(|action| Action::parse(action.name()) == Some(action)));
    }
}
