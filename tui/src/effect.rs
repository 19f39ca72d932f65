//! What the phone asks of the world; results come back as messages.

use homing::{AccountId, Aor, Decision, Password};

use crate::text::ScreenText;

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
    Wizard(Search),
    /// Draw from nothing.
    Redraw,
    Suspend,
    /// Sign out everywhere, then end.
    Leave,
}

/// What the wizard asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Search {
    /// Ask DNS for the servers of the address's domain.
    Discover(Aor),
    /// Make the account, save it and sign in; the server is empty where DNS decides.
    Create { aor: Aor, server: String },
}

/// A trace on its way into a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TraceFile {
    /// Begin of its name.
    pub(crate) name: &'static str,
    pub(crate) text: String,
}
