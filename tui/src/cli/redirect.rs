//! `homing redirect trace`: one login, each hop with its signature, the decision and the rule behind it.

use crate::cli::agent::Setup;
use crate::cli::args::{Cli, Redirect};
use crate::cli::beside;
use crate::control::Ask;
use crate::report::{Console, Exit, Failure, Told};

/// Runs the verb. A running phone tells the journey of its own login.
///
/// # Errors
/// Why the login failed; the hops are printed before.
pub(crate) fn run(cli: &Cli, redirect: &Redirect, console: &Console) -> Result<Exit, Failure> {
    let Redirect::Trace(visit) = redirect;
    let setup = Setup::load(cli)?;
    if let Some(exit) = beside::ask((cli, &setup, visit), |aor| Ask::Journey { aor }, console)? {
        return Ok(exit);
    }
    let session = setup.session(visit)?;
    session.run(cli.timeout, console, async {
        let result = session.account.register().await;
        let told = match &result {
            Ok(registration) => Told::redirects(registration.journey(), Some(registration.home())),
            Err(error) => Told::redirects(error.journey(), None),
        };
        console.tell(&told);
        result.map(|_| Exit::Done).map_err(|error| Failure::from(&error))
    })
}
