//! `homing attach`: what the running phones do, line by line, without touching them.

use futures_util::future::join_all;
use serde_json::json;

use crate::cli::agent::{Setup, address, runtime};
use crate::cli::args::{Attach, Cli};
use crate::cli::running_phone::{failed, relay};
use crate::control::{Ask, End, Phone, find};
use crate::report::{Console, Exit, Failure, Output};
use crate::shell::{Signals, output_unread};
use crate::text::screen_text;

/// Runs the verb.
///
/// # Errors
/// No phone runs, or none has the account.
pub(crate) fn run(cli: &Cli, attach: &Attach, console: &Console) -> Result<Exit, Failure> {
    let setup = Setup::load(cli)?;
    let aor = attach.account.as_deref().map(address).transpose()?;
    runtime()?.block_on(async {
        let found = find(&setup.paths.phones).await;
        let has = |phone: &Phone| aor.as_deref().is_none_or(|aor| phone.account(aor).is_some());
        let running = !found.phones.is_empty();
        let phones: Vec<Phone> = found.phones.into_iter().filter(has).collect();
        match (&aor, found.silent.first()) {
            _ if !phones.is_empty() => follow(&phones, aor.as_deref(), console).await,
            (_, Some(process)) => Err(silent(*process)),
            (Some(aor), None) if running => Err(without(aor)),
            _ => Err(nobody()),
        }
    })
}

/// Prints what these phones do until they end or a signal comes; they go on.
///
/// # Errors
/// What the system says about signals.
pub(crate) async fn follow(phones: &[Phone], aor: Option<&str>, console: &Console) -> Result<Exit, Failure> {
    let mut signals = Signals::new().map_err(|error| Failure::system(&error))?;
    let each = phones.iter().map(|phone| async move {
        let process = phone.process;
        console.say(&screen_text!("attached to the phone of process {process}; Ctrl-C leaves it running"));
        match phone
            .ask(Ask::Attach { aor: aor.map(str::to_owned) }, false, |event| relay(event, console))
            .await
        {
            End::Failed(event) => failed(&event, console),
            End::Done | End::Lost | End::Declined(_) => {
                let say = vec![screen_text!("the phone of process {process} has ended")];
                console.tell(&Output::new("phone-ended", json!({ "process": process }), say));
                Exit::Done
            }
        }
    });
    tokio::select! {
        exits = join_all(each) => {
            Ok(exits.into_iter().find(|exit| *exit != Exit::Done).unwrap_or(Exit::Done))
        }
        () = signals.end() => Ok(Exit::Done),
        () = output_unread() => Ok(Exit::Done),
    }
}

/// No phone runs.
pub(crate) fn nobody() -> Failure {
    let hint = "Start `homing`, or sign in with `homing login --watch`.";
    Failure::new(Exit::Config, "E0113", &"no phone of this user is running", hint)
}

/// A phone runs and does not answer.
pub(crate) fn silent(process: u32) -> Failure {
    let sentence = format!("the phone of process {process} does not answer");
    let hint = "If it is suspended, `fg` in its shell wakes it; --new-endpoint does without it.";
    Failure::new(Exit::Timeout, "E0140", &sentence, hint)
}

/// Phones run, and none of them has the account.
pub(crate) fn without(aor: &str) -> Failure {
    let sentence = format!("no running phone has {aor}");
    Failure::new(Exit::Config, "E0142", &sentence, "`homing status` lists the accounts of running phones.")
}
