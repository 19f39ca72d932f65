//! What reaches the model and what it asks of the world.

use std::path::PathBuf;

use homing::{AccountId, Decision, Password};

use crate::keys::Chord;
use crate::screen::{accounts, consent, password, settings, stage, tasks, trace, wizard};
use crate::text::ScreenText;

/// One thing that happened; handled together with the time.
#[derive(Clone, Debug)]
pub(crate) enum Msg {
    /// A key was pressed.
    Key(Chord),
    /// Text was pasted.
    Pasted(String),
    /// The terminal has another size.
    Resized { columns: u16, rows: u16 },
    /// Time passed.
    Tick,
    /// An account came, changed or went.
    Account(accounts::Msg),
    /// Messages were traced.
    Traced(Vec<trace::Entry>),
    /// A task began or ended.
    Task(tasks::Msg),
    /// The estate on the stage changed.
    Stage(stage::Msg),
    /// A redirect passed every rule and waits for consent.
    Asked(consent::Request),
    /// A verified server wants a password.
    PasswordWanted(password::Request),
    /// The wizard's discovery or probe got on.
    Wizard(wizard::Report),
    /// A setting was written, or could not be.
    Setting(settings::Msg),
    /// The system or the terminal wants the program to end.
    Ended,
}

/// What the model asks of the world; results come back as messages.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    /// Sign in, or refresh what is signed in.
    SignIn(AccountId),
    SignOut(AccountId),
    Options(AccountId),
    /// Answer a redirect that waits for consent.
    Consent {
        id: u64,
        decision: Decision,
    },
    /// Answer a server that wants a password; none cancels the login.
    Password {
        id: u64,
        password: Option<Password>,
        keep: bool,
    },
    /// A key of the stage was pressed.
    Stage(char),
    /// Write a setting.
    SaveSetting {
        path: String,
        value: toml::Value,
    },
    /// Write the trace to a file.
    SaveTrace(TraceFile),
    /// Put a report into the terminal's clipboard.
    Copy(ScreenText),
    CancelTask(u64),
    Wizard(wizard::Request),
    /// Draw from nothing.
    Redraw,
    Suspend,
    /// Sign out everywhere, then end.
    Leave,
}

/// A trace on its way into a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TraceFile {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}
