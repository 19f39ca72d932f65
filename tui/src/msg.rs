//! What reaches the model.

use homing::call::CallEvent;
use homing::sound::SoundEvent;
use homing::{AccountEvent, AccountId, AccountState, Aor};

use crate::config::{AccountEntry, Config};
use crate::keys::{Chord, Keymap};
use crate::messages::{Notification, Problem};
use crate::screen::phone::{Began, Measured};
use crate::screen::trace::Entry;
use crate::screen::{consent, password, wizard};
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
    /// Something is to be told to the person.
    Notify(Notification),
    /// An account came, changed or went.
    Account(AccountMsg),
    /// A call began, went on or ended.
    Call(CallMsg),
    /// Messages were traced.
    Traced(Vec<Entry>),
    /// A task began or ended.
    Task(TaskMsg),
    /// The demo's estate changed.
    Estate(EstateMsg),
    /// A redirect passed every rule and waits for consent.
    Asked(consent::Request),
    /// A verified server wants a password.
    PasswordWanted(password::Request),
    /// The login that asked this question for a password has ended.
    PasswordWithdrawn(u64),
    /// The wizard's discovery or probe got on.
    Wizard(wizard::Report),
    /// A setting was written.
    Saved { path: String, value: toml::Value },
    /// The configuration was read again.
    Reloaded(Box<Reloaded>),
    /// An account that was changed in the file is out of the way.
    Vacant(Box<AccountEntry>),
    /// Another program wants the configuration read again.
    ReloadWanted,
    /// A click on a cell.
    Clicked { column: u16, row: u16 },
    /// A notch of the wheel.
    Scrolled { up: bool },
    /// The system or the terminal wants the program to end.
    Ended,
}

/// What the agent tells of accounts.
#[derive(Clone, Debug)]
pub(crate) enum AccountMsg {
    /// The bridge has taken it in.
    Added { id: AccountId, aor: Aor },
    /// The bridge has let it go.
    Removed { id: AccountId },
    /// An event of the agent.
    Happened { id: AccountId, what: AccountEvent },
    /// Events were lost on their way here, `what` by kind; `state` is the one after them.
    Missed { id: AccountId, state: AccountState, what: ScreenText },
}

/// What becomes of calls.
#[derive(Clone, Debug)]
pub(crate) enum CallMsg {
    /// One is being placed, or one came in.
    Began(Began),
    /// It could not be placed.
    NotPlaced { key: u64, problem: Problem },
    /// An event of it.
    Happened { key: u64, what: CallEvent },
    /// A second of its sound.
    Measured { key: u64, measured: Box<Measured> },
    /// An event of its sound.
    Sounded { key: u64, what: SoundEvent },
    /// Calls to an account ring from now on, or are refused.
    Disturb { account: AccountId, on: bool },
}

/// What becomes of tasks.
#[derive(Clone, Debug)]
pub(crate) enum TaskMsg {
    Begun { id: u64, what: ScreenText },
    Ended { id: u64, end: TaskEnd },
}

/// How a task ended. Each outcome is told to the person once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TaskEnd {
    /// Empty where an event of the account tells it, or there is nothing to tell.
    Done(ScreenText),
    Failed(Problem),
    /// It failed, and an event of the account tells why.
    FailedAsTold(Problem),
}

/// What the demo reports of its estate.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "demo"), expect(dead_code, reason = "only the demo has an estate"))]
pub(crate) enum EstateMsg {
    /// The keys there are; comes first.
    Started(Vec<Control>),
    /// The servers as they are now.
    Servers(Vec<Server>),
}

/// One thing a key does to the estate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Control {
    pub(crate) key: char,
    /// A few words.
    pub(crate) label: &'static str,
    /// A sentence for the help.
    pub(crate) meaning: &'static str,
}

/// One server of the estate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) name: ScreenText,
    pub(crate) role: &'static str,
    pub(crate) up: bool,
    /// Users registered there, and what it was made to do next.
    pub(crate) note: ScreenText,
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
