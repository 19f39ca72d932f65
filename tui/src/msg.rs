//! What reaches the model.

use crate::keys::Chord;
use crate::screen::{accounts, consent, password, settings, stage, tasks, trace, wizard};

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
