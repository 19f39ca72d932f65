//! `homing login`: sign in once, until a state is reached, or for as long as one watches.

use crate::bridge::GRACE;
use crate::cli::agent::{Invocation, Session, Setup};
use crate::cli::args::{Cli, Expectation, Login};
use crate::cli::events::tell_events;
use crate::cli::running_phone;
use crate::control::{Ask, reached};
use crate::report::{Console, Exit, Failure, Output, journey_lines, waited};

/// Runs the verb. Where a phone has the account, that phone refreshes its registration, waits or is watched.
///
/// # Errors
/// Why the login failed, or what was expected and did not happen.
pub(crate) fn run(cli: &Cli, login: &Login, console: &Console) -> Result<Exit, Failure> {
    let setup = Setup::load(cli)?;
    let session = &login.session;
    if login.watch {
        return crate::cli::phone::watch(&Invocation { cli, setup: &setup, session }, console);
    }
    let running = running_phone::phone(&Invocation { cli, setup: &setup, session }, console)?;
    let asked = match (running, &login.wait) {
        (None, _) => None,
        (Some(running), Some(Expectation { state, within })) => {
            let millis = u64::try_from(within.as_millis()).unwrap_or(u64::MAX);
            let state = state.words().word.to_owned();
            running.ask(*within + GRACE, |aor| Ask::Wait { aor, state, within: millis }, console)?
        }
        (Some(running), None) => running.ask(cli.timeout, |aor| Ask::Login { aor }, console)?,
    };
    if let Some(exit) = asked {
        return Ok(exit);
    }
    let session = setup.session(session)?;
    match &login.wait {
        Some(expected) => session.run(expected.within + GRACE, console, wait(&session, expected, console)),
        None => session.run(cli.timeout, console, once(&session, console)),
    }
}

/// Signs in, tells the journey, signs out.
///
/// # Errors
/// Why the login failed, or that the sign-out left a binding.
pub(crate) async fn once(session: &Session, console: &Console) -> Result<Exit, Failure> {
    let telling = tokio::spawn(tell_events(session.account.events(), *console));
    let result = session.account.register().await;
    if let Ok(registration) = &result {
        console.say_all(&Output::registered(registration, registration.expires().as_secs()).say);
    }
    let signed_out = session.sign_out().await;
    // The events end with the agent.
    let _ = telling.await;
    if let Err(error) = &result {
        console.say_all(&journey_lines(error.journey()));
        return Err(Failure::from(error));
    }
    signed_out.map(|()| Exit::Done)
}

async fn wait(session: &Session, expected: &Expectation, console: &Console) -> Result<Exit, Failure> {
    let trying = {
        let account = session.account.clone();
        tokio::spawn(async move { account.register().await })
    };
    let in_time = reached(session.account.clone(), expected.state, expected.within).await;
    trying.abort();
    let (told, verdict) = waited(session.account.state(), expected.state, in_time, expected.within);
    console.tell(&told);
    verdict
}
