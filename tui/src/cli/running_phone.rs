//! A verb beside a running phone: the phone is asked; a verb that it cannot serve signs in as a new endpoint.

use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::agent::{Invocation, block_on};
use crate::cli::args::{AccountArgs, TraceFile};
use crate::control::{Ask, End, Found, Phone, find, sentences};
use crate::report::{Console, Exit, Failure, Output};
use crate::text::{ScreenText, screen_text};
use crate::trace::{Record, json as trace_json};

/// A running phone that has the account.
pub(crate) struct RunningPhone {
    phone: Phone,
    aor: String,
    trace: Option<TraceFile>,
}

/// The running phone that has the account; none if the verb is to sign in itself. Where phones run and none
/// can be asked, it is said why.
///
/// # Errors
/// No account is meant, or several.
pub(crate) fn phone(invocation: &Invocation<'_>, console: &Console) -> Result<Option<RunningPhone>, Failure> {
    let Invocation { cli, setup, session } = *invocation;
    if cli.new_endpoint {
        return Ok(None);
    }
    let aor = setup.entry(&session.account)?.address();
    let found = block_on(FOREVER, async { Ok(find(&setup.paths.phones).await) })?;
    let phone = match found.take(&aor) {
        Ok(phone) => phone,
        Err(others) => {
            if let Some(why) = nobody(&others, &aor) {
                console.tell(&as_new_endpoint(&why));
            }
            return Ok(None);
        }
    };
    if says_how(&session.account) {
        let process = phone.process;
        let why = screen_text!(
            "the phone of process {process} has {aor}, but signs in by its own settings, not by those given here"
        );
        console.tell(&as_new_endpoint(&why));
        return Ok(None);
    }
    Ok(Some(RunningPhone { phone, aor, trace: session.trace.clone() }))
}

/// The same, and asks it: the exit of the verb, or none if the verb is to sign in itself.
///
/// # Errors
/// As for [`phone`] and [`RunningPhone::ask`].
pub(crate) fn ask(
    invocation: &Invocation<'_>,
    ask: impl FnOnce(String) -> Ask,
    console: &Console,
) -> Result<Option<Exit>, Failure> {
    match phone(invocation, console)? {
        Some(running) => running.ask(invocation.cli.timeout, ask, console),
        None => Ok(None),
    }
}

impl RunningPhone {
    /// Has the phone do it, and tells what it tells; none if it cannot, which is said.
    ///
    /// # Errors
    /// No answer in time, an interruption, or that the phone ended meanwhile.
    pub(crate) fn ask(
        self,
        timeout: Duration,
        ask: impl FnOnce(String) -> Ask,
        console: &Console,
    ) -> Result<Option<Exit>, Failure> {
        let Self { phone, aor, trace } = self;
        let mut records: Vec<Record> = Vec::new();
        let told = |event: Value| match trace_json::record(&event) {
            Some(record) => records.push(record),
            None => relay(event, console),
        };
        let asked = phone.ask(ask(aor), trace.is_some(), told);
        let end = block_on(timeout, async { Ok(asked.await) })?;
        if let (Some(to), End::Done | End::Failed(_)) = (&trace, &end) {
            crate::cli::trace::save(&records, to, console)?;
        }
        match end {
            End::Done => Ok(Some(Exit::Done)),
            End::Failed(event) => Ok(Some(failed(&event, console))),
            End::Declined(why) => {
                console.tell(&as_new_endpoint(&why));
                Ok(None)
            }
            End::Lost => Err(lost(phone.process)),
        }
    }
}

/// Prints an event of a phone.
pub(crate) fn relay(mut event: Value, console: &Console) {
    let say = sentences(&mut event);
    console.relay(&event, &say);
}

/// Prints the error of a phone and gives its exit.
pub(crate) fn failed(event: &Value, console: &Console) -> Exit {
    console.relay_failure(event);
    event["exit"].as_u64().and_then(Exit::from_code).unwrap_or(Exit::Transport)
}

/// A phone ended before its answer did.
pub(crate) fn lost(process: u32) -> Failure {
    let sentence = format!("the phone of process {process} has ended");
    Failure::new(Exit::Transport, "E0139", &sentence, "Start it again: homing")
}

fn as_new_endpoint(why: &ScreenText) -> Output {
    let say = screen_text!("{why}; this signs in as a new endpoint and out again");
    Output::new("new-endpoint", json!({ "why": why.as_str() }), vec![say])
}

/// Why no phone can be asked; none where none runs.
fn nobody(found: &Found, aor: &str) -> Option<ScreenText> {
    match (found.silent.first(), found.phones.is_empty()) {
        (Some(process), _) => Some(screen_text!("the phone of process {process} does not answer")),
        (None, false) => Some(screen_text!("the running phone does not have {aor}")),
        (None, true) => None,
    }
}

/// True if the command line changes how the account signs in.
fn says_how(args: &AccountArgs) -> bool {
    let texts = [&args.server, &args.user, &args.domain];
    texts.into_iter().any(Option::is_some) || !args.transport.is_empty() || args.password.source().is_some()
}

/// Looking for phones ends by itself.
const FOREVER: Duration = Duration::from_secs(3_600);
