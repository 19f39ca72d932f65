//! `homing init`: what the wizard does, without questions: find the servers, sign in once, keep the account.

use homing::Aor;
use serde_json::json;

use crate::cli::accounts;
use crate::cli::agent::Setup;
use crate::cli::args::{Cli, Init};
use crate::report::{Console, Exit, Failure};
use crate::text::screen_text;

/// Runs the verb. The account is kept only if the login succeeded, or if it is to be kept anyway.
///
/// # Errors
/// What is wrong with the address, why there is no server, why the login failed.
pub(crate) fn run(cli: &Cli, init: &Init, console: &Console) -> Result<Exit, Failure> {
    let setup = Setup::load(cli)?;
    let session = &init.session;
    let entry = accounts::fresh_entry(&setup, &session.account)?;
    let aor = Aor::read(&entry.text("aor")).map(Aor::from);
    let aor = aor.map_err(|error| Failure::from(&homing::Error::Config(error)))?;
    let session = setup.session(session)?;
    let tried = session.run(cli.timeout, console, async {
        if entry.text("server").is_empty() {
            discover(&session.agent, &aor, console).await?;
        }
        crate::cli::register::once(&session, console).await
    });
    match tried {
        Ok(_) => {}
        Err(failure) if init.keep_anyway && failure.exit != Exit::Interrupted => console.failure(&failure),
        Err(failure) => return Err(failure),
    }
    accounts::keep(&setup, &entry, console)?;
    Ok(Exit::Done)
}

/// Tells where the domain leads; a domain without servers is an error here, before a password is given.
async fn discover(agent: &homing::UserAgent, aor: &Aor, console: &Console) -> Result<(), Failure> {
    let plan = crate::bridge::plan(agent, &aor.domain).await;
    let plan = plan.map_err(|problem| Failure::of(Exit::Resolve, problem))?;
    let servers: Vec<&str> = plan.iter().map(crate::text::ScreenText::as_str).collect();
    console.event("discovered", json!({ "domain": aor.domain, "servers": servers }));
    for (at, server) in plan.iter().enumerate() {
        console.say(&screen_text!("found {} {server}", at + 1));
    }
    Ok(())
}
