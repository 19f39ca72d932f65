//! Effects that touch files or make accounts: settings, traces, passwords that are kept, the wizard.

use std::path::PathBuf;

use homing::Password;
use toml::Value;

use crate::bridge::unproved::{Kept, Proof};
use crate::bridge::{Bridge, Prompt};
use crate::config::{AccountEntry, StoreFault, edit, read, shown, write};
use crate::effect::Search;
use crate::msg::Msg;
use crate::screen::{settings, stage, wizard};
use crate::text::{ScreenText, screen_text};
use crate::trace::{Form, Record};
use crate::words::Trouble;

impl Bridge {
    /// Writes a setting into the file; where there is none it holds for this run.
    pub(super) fn save_setting(&mut self, path: String, value: Value) {
        let written = match &self.files {
            Some(files) => {
                read(&files.config).and_then(|text| write(&files.config, edit::set(&text, &path, &value)))
            }
            None => Ok(()),
        };
        self.tell(Msg::Setting(match written {
            Ok(()) => settings::Msg::Saved { path, value },
            Err(fault) => settings::Msg::Failed(Trouble::from(&fault)),
        }));
    }

    /// Writes entries of the trace into the folder the phone was started in, under the first name that is free.
    pub(super) fn save_trace(&mut self, form: Form, entries: &[u64]) {
        let traced = self.agent.trace().entries(0);
        let wanted = traced.iter().filter(|entry| entries.binary_search(&entry.seq).is_ok());
        let records: Vec<Record> = wanted.map(Record::of).collect();
        let name = |number| PathBuf::from(format!("homing-trace-{number}.{}", form.extension()));
        let Some(path) = (1..1_000).map(name).find(|path| !path.exists()) else { return };
        let text = match write(&path, crate::trace::write(&records, form)) {
            Ok(()) => screen_text!("{} entries written to {}", records.len(), path.display()),
            Err(fault) => ScreenText::from_display(&fault),
        };
        self.tell(Msg::Stage(stage::Msg::Told(text)));
    }

    /// Hands a password to the server that waits for it; if it is to be kept, that waits for the proof.
    pub(super) fn take_password(&mut self, id: u64, password: Option<Password>, keep: bool) {
        let kept = password.clone().filter(|_| keep);
        if let Some(aor) = self.questions.answer(id, password) {
            self.unproved.typed(&aor, kept);
        }
    }

    /// Keeps a password a server accepted, and says what became of one it refused.
    pub(super) fn keep_password(&mut self, proof: Proof) {
        let Proof::Right(Kept { aor, password }) = proof else {
            return self
                .tell(Msg::Stage(stage::Msg::Told(ScreenText::of("the password is wrong and not kept"))));
        };
        let Some(files) = &self.files else { return };
        let file = files.config.with_file_name(format!("{aor}.password"));
        let result = write(&file, password.reveal()).and_then(|()| {
            let text = read(&files.config)?;
            let path = Value::String(file.display().to_string());
            write(&files.config, edit::set_in_account(&text, &aor, "password_file", &path))
        });
        if result.is_ok() {
            // What the file says now is no change when it is read again.
            for entry in self.entries.values_mut().filter(|entry| entry.text("aor") == aor) {
                entry.set("password_file", Value::String(file.display().to_string()));
            }
        }
        let text = match result {
            Ok(()) => screen_text!("password kept in {}", shown(&file)),
            Err(fault) => screen_text!("the password is not kept: {fault}"),
        };
        self.tell(Msg::Stage(stage::Msg::Told(text)));
    }

    /// Does what the wizard asks for.
    pub(super) fn wizard(&mut self, request: Search) {
        match request {
            Search::Discover(aor) => {
                let (agent, told) = (self.agent.clone(), self.told.clone());
                self.run(screen_text!("find the servers of {}", aor.domain), async move {
                    let plan = super::plan(&agent, &aor.domain).await;
                    let count = plan.as_ref().map_or(0, Vec::len);
                    // The wizard may have been closed.
                    let _ = told.send(Msg::Wizard(wizard::Report::Plan(plan)));
                    let plural = if count == 1 { "" } else { "s" };
                    Ok(screen_text!("{count} server{plural} found"))
                });
            }
            Search::Create { aor, server } => {
                let mut entry = AccountEntry::for_address(&aor);
                if !server.is_empty() {
                    entry.set("server", Value::String(server));
                }
                self.create(entry);
            }
        }
    }

    fn create(&mut self, entry: AccountEntry) {
        let written = match &self.files {
            Some(files) => read(&files.config)
                .and_then(|text| write(&files.config, edit::append_account(&text, entry.table())))
                .map(|()| screen_text!("account written to {}", shown(&files.config))),
            None => Ok(ScreenText::of("account added for this run")),
        };
        match (self.add(entry, Prompt::Screen), written) {
            (Ok(id), Ok(text)) => {
                self.tell(Msg::Stage(stage::Msg::Told(text)));
                self.sign_in(id);
            }
            (Ok(id), Err(fault)) => {
                self.tell(Msg::Setting(settings::Msg::Failed(Trouble::from(&fault))));
                self.sign_in(id);
            }
            (Err(fault), _) => self.tell(Msg::Setting(settings::Msg::Failed(Trouble::from(&fault)))),
        }
    }
}

impl From<&StoreFault> for Trouble {
    fn from(fault: &StoreFault) -> Self {
        Trouble::new("E0103", fault, "Check the file's place and permissions.")
    }
}
