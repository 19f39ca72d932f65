//! Credentials tried out beside a registration, which stays as it is.

use homing::event::UnregisterOutcome;
use homing::{AccountId, Error, Registration, Trace};

use crate::bridge::{AddFault, Bridge, EntryCredentials, SIGN_OUT, agent_setup};
use crate::config::{AccountEntry, Config, PasswordFault, PasswordSource, new_epid};
use crate::messages::{Notification, Problem, Severity};
use crate::msg::TaskEnd;
use crate::text::{ScreenText, screen_text};

/// A login as a new endpoint of the same user, which is signed out again: the password is asked for or read
/// again, and the registration of the account is not touched.
///
/// It has a user agent of its own. On a connection of the phone's it would have the Contact of the phone, and
/// a registrar that compares Contacts only would remove the phone's binding with its.
pub(crate) struct AccountCheck {
    config: Config,
    entry: AccountEntry,
    credentials: EntryCredentials,
}

impl AccountCheck {
    fn new(config: &Config, entry: &AccountEntry, credentials: EntryCredentials) -> Self {
        let mut entry = entry.clone();
        entry.set("epid", toml::Value::String(new_epid()));
        Self { config: config.clone(), entry, credentials }
    }

    /// Reads the password now.
    ///
    /// # Errors
    /// Why there is none. Blocks as long as a command that prints it.
    pub(crate) fn filled(self) -> Result<Self, PasswordFault> {
        Ok(Self { credentials: self.credentials.filled()?, ..self })
    }

    /// Signs in and out; the trace of that comes back too. Is to be run to its end: an endpoint whose check is
    /// dropped stays signed in.
    ///
    /// # Errors
    /// The setting or the entry that is not usable.
    pub(crate) async fn run(self) -> Result<Checked, AddFault> {
        let agent = agent_setup(&self.config)?.start()?;
        let account = agent.account(self.entry.account_config()?, self.credentials)?;
        let result = account.register().await;
        let report = agent.shutdown(SIGN_OUT).await;
        let left = report.left_behind().map(|(_, outcome)| outcome).next();
        Ok(Checked { result, left, trace: agent.trace() })
    }
}

/// What came of a check.
pub(crate) struct Checked {
    pub(crate) result: Result<Registration, Error>,
    /// What the sign-out came to, where the server may still hold the endpoint of the check.
    pub(crate) left: Option<UnregisterOutcome>,
    pub(crate) trace: Trace,
}

/// Checks the credentials of an account of the configuration; a password that is typed is asked for on
/// the screen.
pub(super) fn test_credentials(bridge: &mut Bridge, id: AccountId) {
    let (Some(entry), Some(config)) = (bridge.entries.get(&id), &bridge.config) else {
        let text = ScreenText::of("only accounts of the configuration can be tested");
        return bridge.notify(Notification::plain(Severity::Warning, text));
    };
    let credentials = EntryCredentials::on_screen(entry, bridge.prompts.clone());
    let check = AccountCheck::new(config, entry, credentials);
    let what = screen_text!("test the credentials of {}", entry.text("aor"));
    bridge.run(what, async move {
        match check.run().await {
            Err(fault) => TaskEnd::Failed(Problem::from(&fault)),
            Ok(Checked { result: Err(error), .. }) => TaskEnd::Failed(Problem::from(&error)),
            Ok(Checked { result: Ok(registered), left, .. }) => {
                let left = left.map(|outcome| format!("; {outcome}")).unwrap_or_default();
                TaskEnd::Done(screen_text!(
                    "the credentials are right: {} accepted them{left}",
                    registered.home()
                ))
            }
        }
    });
}

/// A check of the credentials that asks no person.
///
/// # Errors
/// Why there can be none, as the end of a sentence about the phone.
pub(crate) fn check_of(bridge: &Bridge, id: AccountId) -> Result<AccountCheck, &'static str> {
    let (Some(entry), Some(config)) = (bridge.entries.get(&id), &bridge.config) else {
        return Err("has it from its command line, not from the configuration");
    };
    match entry.password_source() {
        PasswordSource::Prompt => Err("was told its password by hand"),
        source => Ok(AccountCheck::new(config, entry, EntryCredentials::on_terminal(entry, source))),
    }
}
