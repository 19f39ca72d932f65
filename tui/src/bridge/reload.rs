//! The configuration read again while the phone runs: what changed is taken over, the rest is left alone.

use homing::{AccountId, AccountState};

use crate::bridge::{Bridge, Prompt, agent_setup};
use crate::config::{
    AccountEntry, Config, PasswordSource, Paths, TomlFault, check, read, read_configuration,
};
use crate::control;
use crate::messages::{Notification, Problem, sign_out_problem};
use crate::msg::{AccountMsg, Msg, Reloaded, TaskEnd};
use crate::screen::default_keymap;
use crate::text::{ScreenText, screen_text};

/// Reads the files again. Accounts that are new are signed in, those that are gone are signed out, those
/// that are written otherwise are signed out and in; a file that is no TOML changes nothing.
pub(super) fn reload(bridge: &mut Bridge, before: &Config) {
    let Some(files) = bridge.files.clone() else {
        let told = ScreenText::of("this phone has no configuration file");
        return bridge.notify(&Problem::new("E0136", &told, "Start `homing` without `demo`."));
    };
    match reread(&files, before) {
        Err(problem) => bridge.notify(&problem),
        Ok(mut reloaded) => {
            bridge.config = Some(reloaded.config.clone());
            // The CA file counts as it is now, for the connections from here on.
            match agent_setup(&reloaded.config) {
                Ok(setup) => bridge.agent.set_tls(setup.tls),
                Err(fault) => bridge.notify(&Problem::from(&fault)),
            }
            reloaded.told = take_accounts(bridge, reloaded.config.accounts());
            bridge.tell(Msg::Reloaded(Box::new(reloaded)));
        }
    }
}

/// Takes an account in and signs it in.
pub(super) fn admit(bridge: &mut Bridge, entry: AccountEntry) {
    match bridge.add(entry, Prompt::Screen) {
        Ok(id) => bridge.sign_in(id),
        Err(fault) => bridge.notify(&Problem::from(&fault)),
    }
}

/// Makes the accounts those of the file; says what changed.
fn take_accounts(bridge: &mut Bridge, wanted: Vec<AccountEntry>) -> ScreenText {
    let mut known = bridge.entries.clone();
    // The wizard has those in hand.
    known.retain(|id, _| !bridge.unsaved.contains(id));
    let wanted: Vec<AccountEntry> =
        wanted.into_iter().map(|entry| as_endpoint_of_its_own(bridge, entry)).collect();
    let (mut added, mut changed, mut removed) = (0, 0, 0);
    for (id, entry) in &known {
        if wanted.contains(entry) {
            // Its password may be another one now, though it lies where it lay.
            if let Some(account) = bridge.accounts.get(id)
                && account.state() == AccountState::NeedsPassword
                && entry.password_source() != PasswordSource::Prompt
            {
                if let Some(given) = bridge.given.get(id) {
                    given.forget();
                }
                account.credentials_changed();
            }
            continue;
        }
        let successor = wanted.iter().find(|other| other.text("aor") == entry.text("aor"));
        match successor {
            Some(_) => changed += 1,
            None => removed += 1,
        }
        take_out(bridge, *id, successor.cloned());
    }
    for entry in wanted {
        if !known.values().any(|known| known.text("aor") == entry.text("aor")) {
            added += 1;
            admit_unless_elsewhere(bridge, entry);
        }
    }
    screen_text!("configuration read again: accounts {added} added, {changed} changed, {removed} removed")
}

/// What the file says of an account that another phone has, with the endpoint it got here.
fn as_endpoint_of_its_own(bridge: &Bridge, mut entry: AccountEntry) -> AccountEntry {
    let address = entry.address();
    let here = bridge.entries.values().find(|here| here.address() == address);
    if let Some(here) = here.filter(|_| bridge.elsewhere.contains(&address)) {
        entry.set("epid", toml::Value::String(here.text("epid")));
    }
    entry
}

/// Takes an account in, unless another phone has it: two phones as one endpoint would take each other's
/// place at the home server.
fn admit_unless_elsewhere(bridge: &mut Bridge, entry: AccountEntry) {
    let Some(folder) = bridge.files.as_ref().map(|files| files.phones.clone()) else {
        return admit(bridge, entry);
    };
    let told = bridge.told.clone();
    tokio::spawn(async move {
        let address = entry.address();
        let msg = match control::find(&folder).await.with(&address) {
            Some(phone) => {
                let process = phone.process;
                let sentence = format!("{address} is signed in by the phone of process {process}, not here");
                Msg::Notify(Notification::from(&Problem::new("E0138", &sentence, HINT_TAKEN)))
            }
            None => Msg::Vacant(Box::new(entry)),
        };
        // The shell may have ended first.
        let _ = told.send(msg);
    });
}

/// Signs an account out and takes it from the agent; then its successor, if it has one, may come.
pub(super) fn take_out(bridge: &mut Bridge, id: AccountId, successor: Option<AccountEntry>) {
    bridge.entries.remove(&id);
    bridge.given.remove(&id);
    let Some(account) = bridge.accounts.remove(&id) else { return };
    let told = bridge.told.clone();
    let aor = account.aor().clone();
    bridge.run(screen_text!("sign out {}@{}", aor.user, aor.domain), async move {
        // An account at rest need not be signed out.
        let outcome = account.unregister().await;
        let removed = account.remove().await;
        // The shell may have ended first.
        let _ = told.send(Msg::Account(AccountMsg::Removed { id }));
        if let Some(entry) = successor {
            let _ = told.send(Msg::Vacant(Box::new(entry)));
        }
        match removed {
            Ok(()) => match outcome.ok().and_then(sign_out_problem) {
                Some(left) => TaskEnd::Failed(left),
                None => TaskEnd::Done(ScreenText::default()),
            },
            Err(error) => TaskEnd::Failed(Problem::from(&error)),
        }
    });
}

/// The files as they are now, and what is odd about them.
fn reread(files: &Paths, before: &Config) -> Result<Reloaded, Problem> {
    let text = read_configuration(&files.config).map_err(|fault| Problem::from(&fault))?;
    let config = before.reread(&text).map_err(|error| {
        let sentence = format!("{}: {}", files.config.display(), TomlFault::new(&text, &error));
        Problem::new("E0106", &sentence, "Correct the line; until then everything stays as it was.")
    })?;
    let keys = read(&files.keys).map_err(|fault| Problem::from(&fault))?;
    let (keys, faults) = default_keymap().with_file(&keys);
    let mut remarks: Vec<ScreenText> =
        check(config.file()).iter().map(|remark| screen_text!("{} {}", remark.path, remark.text)).collect();
    remarks.extend(faults.iter().map(|fault| screen_text!("keys.toml: {fault}")));
    Ok(Reloaded { config, keys, remarks, told: ScreenText::default() })
}

const HINT_TAKEN: &str = "End that phone to sign in here.";
