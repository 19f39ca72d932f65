//! What reaches the model.

use crate::config::{AccountEntry, Config};
use crate::keys::{Chord, Keymap};
use crate::screen::{accounts, consent, password, settings, stage, tasks, trace, wizard};
use crate::text::ScreenText;
use crate::words::Trouble;

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
    /// Nobody waits for an answer to this question for a password any more.
    PasswordWithdrawn(u64),
    /// The wizard's discovery or probe got on.
    Wizard(wizard::Report),
    /// A setting was written, or could not be.
    Setting(settings::Msg),
    /// The configuration was read again.
    Reloaded(Box<Reloaded>),
    /// It could not be read; what was read before holds.
    NotReloaded(Trouble),
    /// An account that was changed in the file is out of the way.
    Vacant(Box<AccountEntry>),
    /// Somebody wants the configuration read again.
    ReloadWanted,
    /// A click on a cell.
    Clicked { column: u16, row: u16 },
    /// A notch of the wheel.
    Scrolled { up: bool },
    /// The system or the terminal wants the program to end.
    Ended,
}

/// A configuration that was read again.
#[derive(Clone, Debug)]
pub(crate) struct Reloaded {
    pub(crate) config: Config,
    pub(crate) keys: Keymap,
    /// What is odd about the files.
    pub(crate) remarks: Vec<ScreenText>,
    /// What became of the accounts.
    pub(crate) told: ScreenText,
}
