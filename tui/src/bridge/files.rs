//! Effects that touch files or make accounts: settings, traces, passwords that are kept, the wizard.

use std::path::PathBuf;

use homing::{AccountId, Password};
use toml::Value;

use crate::bridge::unverified_password::{PasswordVerdict, TypedPassword};
use crate::bridge::{Bridge, Prompt, reload};
use crate::config::{AccountEntry, Config, StoreFault, edit, read, shown, write};
use crate::effect::Search;
use crate::messages::{Notification, Problem, Severity};
use crate::msg::{Msg, TaskEnd};
use crate::screen::wizard;
use crate::text::{ScreenText, count, screen_text};
use crate::trace::{Record, TraceFormat};

/// Writes a setting into the file; where there is none it holds for this run.
pub(super) fn save_setting(bridge: &mut Bridge, path: String, value: Value) {
    let written = match &bridge.files {
        Some(files) => {
            read(&files.config).and_then(|text| write(&files.config, edit::set(&text, &path, &value)))
        }
        None => Ok(()),
    };
    match written {
        Ok(()) => bridge.tell(Msg::Saved { path, value }),
        Err(fault) => bridge.notify(&Problem::from(&fault)),
    }
}

/// Writes entries of the trace into the folder the phone was started in, under the first name that is free.
pub(super) fn save_trace(bridge: &mut Bridge, form: TraceFormat, entries: &[u64]) {
    let traced = bridge.agent.trace().entries(0);
    let wanted = traced.iter().filter(|entry| entries.binary_search(&entry.seq).is_ok());
    let records: Vec<Record> = wanted.map(Record::of).collect();
    let name = |number| PathBuf::from(format!("homing-trace-{number}.{}", form.extension()));
    let Some(path) = (1..1_000).map(name).find(|path| !path.exists()) else { return };
    match write(&path, crate::trace::write(&records, form)) {
        Ok(()) => {
            let entries = count(records.len(), "entry", "entries");
            bridge.notify(Notification::plain(
                Severity::Success,
                screen_text!("{entries} written to {}", path.display()),
            ));
        }
        Err(fault) => bridge.notify(&Problem::from(&fault)),
    }
}

/// Hands a password to the server that waits for it; if it is to be kept, that waits for the proof.
pub(super) fn take_password(bridge: &mut Bridge, id: u64, password: Option<Password>, keep: bool) {
    let kept = password.clone().filter(|_| keep);
    if let Some(aor) = bridge.prompts.answer(id, password) {
        bridge.unverified.typed(&aor, kept);
    }
}

/// Keeps a password a server accepted, and says what became of one it refused.
pub(super) fn keep_password(bridge: &mut Bridge, verdict: PasswordVerdict) {
    let PasswordVerdict::Accepted(TypedPassword { aor, password }) = verdict else {
        let text = ScreenText::of("the password is wrong and is not saved");
        return bridge.notify(Notification::plain(Severity::Warning, text));
    };
    let Some(files) = &bridge.files else { return };
    let file = files.config.with_file_name(format!("{aor}.password"));
    let file = std::path::absolute(&file).unwrap_or(file);
    let result = write(&file, password.reveal()).and_then(|()| {
        let text = read(&files.config)?;
        let path = Value::String(file.display().to_string());
        write(&files.config, edit::set_in_account(&text, &aor, "password_file", &path))
    });
    if result.is_ok() {
        // What the file says now is no change when it is read again.
        for entry in bridge.entries.values_mut().filter(|entry| entry.text("aor") == aor) {
            entry.set("password_file", Value::String(file.display().to_string()));
        }
    }
    bridge.notify(match result {
        Ok(()) => Notification::plain(Severity::Success, screen_text!("password saved in {}", shown(&file))),
        Err(fault) => {
            Notification::plain(Severity::Warning, screen_text!("the password is not saved: {fault}"))
        }
    });
}

/// Does what the wizard asks for.
pub(super) fn wizard(bridge: &mut Bridge, request: Search) {
    match request {
        Search::Discover(aor) => {
            let (agent, told) = (bridge.agent.clone(), bridge.told.clone());
            bridge.run(screen_text!("find the servers of {}", aor.domain), async move {
                let plan = super::plan(&agent, &aor.domain).await;
                let servers = count(plan.as_ref().map_or(0, Vec::len), "server", "servers");
                // The wizard may have been closed.
                let _ = told.send(Msg::Wizard(wizard::Report::Plan(plan)));
                TaskEnd::Done(screen_text!("{servers} found"))
            });
        }
        Search::Keep(id) => save_account(bridge, id),
        Search::Discard(id) => {
            if bridge.unsaved.remove(&id) {
                reload::take_out(bridge, id, None);
            }
        }
        Search::Create { address, server, keep } => {
            // The wizard has read it before.
            let Ok(mut entry) = AccountEntry::for_written_address(&address) else { return };
            if !server.is_empty() {
                entry.set("server", Value::String(server));
            }
            create(bridge, entry, keep);
        }
    }
}

fn create(bridge: &mut Bridge, entry: AccountEntry, keep: bool) {
    match bridge.add(entry, Prompt::Screen) {
        Ok(id) => {
            bridge.unsaved.insert(id);
            bridge.tell(Msg::Wizard(wizard::Report::Created(Ok(id))));
            if keep {
                save_account(bridge, id);
            }
            bridge.sign_in(id);
        }
        Err(fault) => {
            bridge.tell(Msg::Wizard(wizard::Report::Created(Err(Problem::from(&fault)))));
        }
    }
}

/// Writes an account of the wizard into the file, if that was not done before.
pub(super) fn save_account(bridge: &mut Bridge, id: AccountId) {
    if !bridge.unsaved.remove(&id) {
        return;
    }
    let Some(entry) = bridge.entries.get(&id) else { return };
    let Some(files) = &bridge.files else {
        let text = ScreenText::of("account added for this run");
        return bridge.notify(Notification::plain(Severity::Success, text));
    };
    let written = read(&files.config).and_then(|text| {
        // What this run was given and signs in with, the next one needs too.
        let given = bridge.config.as_ref().map(Config::given_for_network).unwrap_or_default();
        let text = given.iter().fold(text, |text, (path, value)| edit::set(&text, path, value));
        write(&files.config, edit::append_account(&text, entry.table()))
    });
    bridge.notify(match written {
        Ok(()) => {
            let text = screen_text!("account written to {}", shown(&files.config));
            Notification::plain(Severity::Success, text)
        }
        Err(fault) => Notification::from(&Problem::from(&fault)),
    });
}

impl From<&StoreFault> for Problem {
    fn from(fault: &StoreFault) -> Self {
        Problem::new("E0103", fault, "Check the file's place and permissions.")
    }
}
