//! Credentials tried out beside a registration, which stays as it is.

use homing::{AccountId, Error, Registration, Trace};

use crate::bridge::{AddFault, Asker, Bridge, GRACE, equip};
use crate::config::{AccountEntry, Config, PasswordFault, PasswordSource, new_epid};
use crate::msg::Msg;
use crate::screen::stage;
use crate::text::{ScreenText, screen_text};
use crate::words::Trouble;

/// A login as a new endpoint of the same user, which is signed out again: the password is asked for or read
/// anew, and the registration of the account is not touched.
///
/// It has a user agent of its own. On a connection of the phone's it would have the Contact of the phone, and
/// a registrar that compares Contacts only would remove the phone's binding with its.
pub(crate) struct AccountCheck {
    config: Config,
    entry: AccountEntry,
    asker: Asker,
}

impl AccountCheck {
    fn new(config: &Config, entry: &AccountEntry, asker: Asker) -> Self {
        let mut entry = entry.clone();
        entry.set("epid", toml::Value::String(new_epid()));
        Self { config: config.clone(), entry, asker }
    }

    /// Reads the password now.
    ///
    /// # Errors
    /// Why there is none. Blocks as long as a command that prints it.
    pub(crate) fn filled(self) -> Result<Self, PasswordFault> {
        Ok(Self { asker: self.asker.filled()?, ..self })
    }

    /// Signs in and out; the trace of that comes back too. Is to be run to its end: an endpoint whose check is
    /// dropped stays signed in.
    ///
    /// # Errors
    /// The setting or the entry that is not usable.
    pub(crate) async fn run(self) -> Result<Checked, AddFault> {
        let agent = equip(&self.config)?.start()?;
        let account = agent.account(self.entry.account_config()?, self.asker)?;
        let result = account.register().await;
        agent.shutdown(GRACE).await;
        Ok(Checked { result, trace: agent.trace() })
    }
}

/// What came of a check.
pub(crate) struct Checked {
    pub(crate) result: Result<Registration, Error>,
    pub(crate) trace: Trace,
}

impl Bridge {
    /// Checks the credentials of an account of the configuration; a password that is typed is asked for on
    /// the screen.
    pub(super) fn test_credentials(&mut self, id: AccountId) {
        let (Some(entry), Some(config)) = (self.entries.get(&id), &self.config) else {
            let text = ScreenText::of("only accounts of the configuration can be tested");
            return self.tell(Msg::Stage(stage::Msg::Told(text)));
        };
        let asker = Asker::on_screen(entry, self.questions.clone());
        let check = AccountCheck::new(config, entry, asker);
        let what = screen_text!("test the credentials of {}", entry.text("aor"));
        self.run(what, async move {
            let checked = check.run().await.map_err(|fault| (Trouble::from(&fault), false))?;
            let registered = checked.result.map_err(|error| (Trouble::from(&error), false))?;
            Ok(screen_text!("the credentials are right: {} took them", registered.home()))
        });
    }

    /// A check of the credentials that asks nobody.
    ///
    /// # Errors
    /// Why there can be none, as the end of a sentence about the phone.
    pub(crate) fn check_of(&self, id: AccountId) -> Result<AccountCheck, &'static str> {
        let (Some(entry), Some(config)) = (self.entries.get(&id), &self.config) else {
            return Err("has it from its command line, not from the configuration");
        };
        match entry.password_source() {
            PasswordSource::Prompt => Err("was told its password by hand"),
            source => Ok(AccountCheck::new(config, entry, Asker::on_terminal(entry, source))),
        }
    }
}
