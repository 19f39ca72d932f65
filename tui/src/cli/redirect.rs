//! `homing redirect trace`: one login, each hop with its signature, the decision and the rule behind it.

use crate::cli::agent::{Invocation, Setup};
use crate::cli::args::{Cli, Redirect};
use crate::cli::running_phone;
use crate::control::Ask;
use crate::report::{Console, Exit, Failure, Output};

/// Runs the verb. A running phone tells the journey of its own login.
///
/// # Errors
/// Why the login failed; the hops are printed before.
pub(crate) fn run(cli: &Cli, redirect: &Redirect, console: &Console) -> Result<Exit, Failure> {
    let Redirect::Trace(session) = redirect;
    // A trace of redirects shows them: it begins cold.
    let setup = Setup { fresh: true, ..Setup::load(cli)? };
    if let Some(exit) =
        running_phone::ask(&Invocation { cli, setup: &setup, session }, |aor| Ask::Journey { aor }, console)?
    {
        return Ok(exit);
    }
    let session = setup.session(session)?;
    session.run(cli.timeout, console, async {
        let result = session.account.register().await;
        let told = match &result {
            Ok(registration) => Output::redirects(registration.journey(), Some(registration.home())),
            Err(error) => Output::redirects(error.journey(), None),
        };
        console.tell(&told);
        result.map(|_| Exit::Done).map_err(|error| Failure::from(&error))
    })
}
