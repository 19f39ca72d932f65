//! Credentials tried out beside a registration, which stays as it is.

use homing::AccountId;

use crate::bridge::{Asker, Bridge};
use crate::config::new_epid;
use crate::msg::Msg;
use crate::screen::stage;
use crate::text::{ScreenText, screen_text};
use crate::words::Trouble;

impl Bridge {
    /// Signs in as another endpoint of the same user and out again: the password is asked for or read anew,
    /// and the registration of the account is not touched.
    pub(super) fn test_credentials(&mut self, id: AccountId) {
        let Some(mut entry) = self.entries.get(&id).cloned() else {
            let text = ScreenText::of("only accounts of the configuration can be tested");
            return self.tell(Msg::Stage(stage::Msg::Told(text)));
        };
        entry.set("epid", toml::Value::String(new_epid()));
        let asker = Asker::on_screen(&entry, self.questions.clone());
        let account = entry
            .account_config()
            .map_err(|fault| Trouble::from(&crate::bridge::AddFault::Entry(fault)))
            .and_then(|config| self.agent.account(config, asker).map_err(|error| Trouble::from(&error)));
        let what = screen_text!("test the credentials of {}", entry.text("aor"));
        self.run(what, async move {
            let account = account.map_err(|trouble| (trouble, false))?;
            let registered = account.register().await;
            // One that failed may try again by itself; it is not to.
            let _ = account.unregister().await;
            let _ = account.remove().await;
            registered
                .map(|registered| screen_text!("the credentials are right: {} took them", registered.home()))
                .map_err(|error| (Trouble::from(&error), false))
        });
    }
}
