//! The configuration read again while the phone runs: what changed is taken over, the rest is left alone.

use homing::AccountId;

use crate::bridge::{Bridge, Prompt};
use crate::config::{AccountEntry, Config, Paths, check, read};
use crate::control;
use crate::keys::Keymap;
use crate::msg::{Msg, Reloaded};
use crate::screen::accounts;
use crate::text::{ScreenText, screen_text};
use crate::words::Trouble;

impl Bridge {
    /// Reads the files again. Accounts that are new are signed in, those that are gone are signed out, those
    /// that are written otherwise are signed out and in; a file that is no TOML changes nothing.
    pub(super) fn reload(&mut self, before: &Config) {
        let Some(files) = self.files.clone() else {
            let told = ScreenText::of("this phone has no configuration file");
            return self.tell(Msg::NotReloaded(Trouble::new(
                "E0136",
                &told,
                "Start `homing` without `demo`.",
            )));
        };
        match reread(&files, before) {
            Err(trouble) => self.tell(Msg::NotReloaded(trouble)),
            Ok(mut reloaded) => {
                self.config = Some(reloaded.config.clone());
                reloaded.told = self.take_accounts(reloaded.config.accounts());
                self.tell(Msg::Reloaded(Box::new(reloaded)));
            }
        }
    }

    /// Takes an account in and signs it in.
    pub(super) fn admit(&mut self, entry: AccountEntry) {
        match self.add(entry, Prompt::Screen) {
            Ok(id) => self.sign_in(id),
            Err(fault) => self.tell(Msg::NotReloaded(Trouble::from(&fault))),
        }
    }

    /// Makes the accounts those of the file; says what changed.
    fn take_accounts(&mut self, wanted: Vec<AccountEntry>) -> ScreenText {
        let known = self.entries.clone();
        let wanted: Vec<AccountEntry> =
            wanted.into_iter().map(|entry| self.as_endpoint_of_its_own(entry)).collect();
        let (mut added, mut changed, mut removed) = (0, 0, 0);
        for (id, entry) in &known {
            if wanted.contains(entry) {
                continue;
            }
            let successor = wanted.iter().find(|other| other.text("aor") == entry.text("aor"));
            match successor {
                Some(_) => changed += 1,
                None => removed += 1,
            }
            self.take_out(*id, successor.cloned());
        }
        for entry in wanted {
            if !known.values().any(|known| known.text("aor") == entry.text("aor")) {
                added += 1;
                self.admit_unless_elsewhere(entry);
            }
        }
        screen_text!("configuration read again: accounts {added} added, {changed} changed, {removed} removed")
    }

    /// What the file says of an account that another phone has, with the endpoint it got here.
    fn as_endpoint_of_its_own(&self, mut entry: AccountEntry) -> AccountEntry {
        let address = entry.address();
        let here = self.entries.values().find(|here| here.address() == address);
        if let Some(here) = here.filter(|_| self.elsewhere.contains(&address)) {
            entry.set("epid", toml::Value::String(here.text("epid")));
        }
        entry
    }

    /// Takes an account in, unless another phone has it: two phones as one endpoint would take each other's
    /// place at the home server.
    fn admit_unless_elsewhere(&mut self, entry: AccountEntry) {
        let Some(folder) = self.files.as_ref().map(|files| files.phones.clone()) else {
            return self.admit(entry);
        };
        let told = self.told.clone();
        tokio::spawn(async move {
            let address = entry.address();
            let msg = match control::find(&folder).await.with(&address) {
                Some(phone) => {
                    let process = phone.process;
                    let sentence =
                        format!("{address} is signed in by the phone of process {process}, not here");
                    Msg::NotReloaded(Trouble::new("E0138", &sentence, "End that phone, or leave it to it."))
                }
                None => Msg::Vacant(Box::new(entry)),
            };
            // The shell may have ended first.
            let _ = told.send(msg);
        });
    }

    /// Signs an account out and takes it from the agent; then its successor, if it has one, may come.
    fn take_out(&mut self, id: AccountId, successor: Option<AccountEntry>) {
        self.entries.remove(&id);
        let Some(account) = self.accounts.remove(&id) else { return };
        let told = self.told.clone();
        let aor = account.aor().clone();
        self.run(screen_text!("sign out {}@{}", aor.user, aor.domain), async move {
            // An account at rest need not be signed out.
            let _ = account.unregister().await;
            let removed = account.remove().await;
            // The shell may have ended first.
            let _ = told.send(Msg::Account(accounts::Msg::Removed { id }));
            if let Some(entry) = successor {
                let _ = told.send(Msg::Vacant(Box::new(entry)));
            }
            removed.map(|()| ScreenText::default()).map_err(|error| (Trouble::from(&error), false))
        });
    }
}

/// The files as they are now, and what is odd about them.
fn reread(files: &Paths, before: &Config) -> Result<Reloaded, Trouble> {
    let text = read(&files.config).map_err(|fault| Trouble::from(&fault))?;
    let config = before.reread(&text).map_err(|error| {
        let sentence = format!("{}: {error}", files.config.display());
        Trouble::new("E0106", &sentence, "Correct the line; until then everything stays as it was.")
    })?;
    let keys = read(&files.keys).map_err(|fault| Trouble::from(&fault))?;
    let (keys, faults) = Keymap::default().with_file(&keys);
    let mut remarks: Vec<ScreenText> =
        check(config.file()).iter().map(|remark| screen_text!("{} {}", remark.path, remark.text)).collect();
    remarks.extend(faults.iter().map(|fault| screen_text!("keys.toml: {fault}")));
    Ok(Reloaded { config, keys, remarks, told: ScreenText::default() })
}
