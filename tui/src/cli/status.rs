//! `homing status`: asks the running phones over their sockets how the accounts stand.

use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::agent::{Setup, block_on};
use crate::cli::args::{Cli, Status};
use crate::cli::attach::{nobody, silent};
use crate::cli::running_phone::relay;
use crate::control::{Found, find};
use crate::report::{Console, Exit, Failure, Output};
use crate::shell::output_unread;
use crate::text::screen_text;

/// Runs the verb.
///
/// # Errors
/// No phone is running, or none answers.
pub(crate) fn run(cli: &Cli, status: &Status, console: &Console) -> Result<Exit, Failure> {
    let setup = Setup::load(cli)?;
    let mut before = None;
    loop {
        let found = block_on(cli.timeout, async { Ok(find(&setup.paths.phones).await) })?;
        let standing = Some(standing(&found));
        if standing != before {
            tell(found, console)?;
        }
        if !status.watch {
            return Ok(Exit::Done);
        }
        before = standing;
        // A signal ends the wait.
        let unread = block_on(PAUSE * 2, async {
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => Ok(false),
                () = output_unread() => Ok(true),
            }
        })?;
        if unread {
            return Ok(Exit::Done);
        }
    }
}

/// What makes a change: time that passes is none.
fn standing(found: &Found) -> Vec<Value> {
    let mut accounts: Vec<Value> = found.phones.iter().flat_map(|phone| phone.accounts.clone()).collect();
    for fields in accounts.iter_mut().filter_map(Value::as_object_mut) {
        fields.remove("expires_in");
        fields.remove("ts");
    }
    let processes = found.phones.iter().map(|phone| json!(phone.process));
    accounts
        .into_iter()
        .chain(processes)
        .chain(found.silent.iter().map(|process| json!(-i64::from(*process))))
        .collect()
}

fn tell(found: Found, console: &Console) -> Result<(), Failure> {
    let Found { phones, silent: unanswered } = found;
    match (&phones[..], unanswered.first()) {
        ([], None) => return Err(nobody()),
        ([], Some(process)) => return Err(silent(*process)),
        _ => {}
    }
    let many = phones.len() + unanswered.len() > 1;
    for phone in phones {
        let (process, accounts) = (phone.process, phone.accounts.len());
        let mut say = Vec::new();
        match (accounts, many) {
            (0, _) => say.push(screen_text!("the phone of process {process} runs without accounts")),
            (_, true) => say.push(screen_text!("the phone of process {process}:")),
            (_, false) => {}
        }
        console.tell(&Output::new("phone", json!({ "process": process, "accounts": accounts }), say));
        for account in phone.accounts {
            relay(account, console);
        }
    }
    for process in unanswered {
        let fields = json!({ "process": process, "accounts": null });
        let say = vec![screen_text!("the phone of process {process} does not answer")];
        console.tell(&Output::new("phone", fields, say));
    }
    Ok(())
}

/// Between two questions of `--watch`.
const PAUSE: Duration = Duration::from_millis(500);
