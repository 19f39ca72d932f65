//! What the phone asks of the world; results come back as messages.

use homing::redirect::Decision;
use homing::{AccountId, Aor, Password};

use crate::config::{AccountEntry, Config};
use crate::text::ScreenText;
use crate::trace::TraceFormat;

/// What the model asks of the world; results come back as messages.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    /// Sign in, or refresh what is signed in.
    SignIn(AccountId),
    SignOut(AccountId),
    Options(AccountId),
    /// Do something with a call.
    Call(CallOrder),
    /// Answer a redirect that waits for consent.
    Consent {
        id: u64,
        decision: Decision,
        /// Redirects to the same servers are followed without a question from now on.
        always: bool,
    },
    /// Answer a server that wants a password; none cancels the login.
    Password {
        id: u64,
        password: Option<Password>,
        keep: bool,
    },
    /// A key of the demo's estate was pressed.
    EstateKey(char),
    /// Write a setting.
    SaveSetting {
        path: String,
        value: toml::Value,
    },
    /// Write these entries of the trace into a file of this form.
    SaveTrace {
        form: TraceFormat,
        entries: Vec<u64>,
    },
    /// Sign in beside the registration, to see whether the password is right.
    TestCredentials(AccountId),
    /// Read the configuration again; what the environment and the command line said stays.
    Reload(Box<Config>),
    /// An account that was changed in the file is out of the way and comes back as it is written now.
    Admit(Box<AccountEntry>),
    /// Say a sentence beside the screen, for screen readers.
    Announce(ScreenText),
    /// Ring the terminal's bell.
    Bell,
    /// Have the desktop say it, too: somebody calls.
    Attention(ScreenText),
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

/// What a person wants of a call; it is known by the phone's own number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CallOrder {
    Place {
        account: AccountId,
        to: String,
    },
    Answer(u64),
    /// Hang up, give up or decline.
    HangUp(u64),
    Hold {
        key: u64,
        on: bool,
    },
    /// The other side hears silence, or the person again.
    Mute {
        key: u64,
        on: bool,
    },
    /// Send a digit.
    Digit {
        key: u64,
        digit: char,
    },
    Disturb {
        account: AccountId,
        on: bool,
    },
}

/// What the wizard asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Search {
    /// Ask DNS for the servers of the address's domain.
    Discover(Aor),
    /// Make the account of an address as it was typed and sign in; the server is empty where DNS decides. It is saved
    /// once it has signed in, or at once where it is to be kept anyway.
    Create { address: String, server: String, keep: bool },
    /// Save an account that has not signed in.
    Keep(AccountId),
    /// Forget an account that has not signed in.
    Discard(AccountId),
}
