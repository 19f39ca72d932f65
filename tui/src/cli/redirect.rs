//! `homing redirect trace`: one login, each hop with its signature, the decision and the rule behind it.

use serde_json::json;

use crate::cli::agent::Setup;
use crate::cli::args::{Cli, Redirect};
use crate::report::say_journey;
use crate::report::{Console, Exit, Failure};
use crate::text::screen_text;

/// Runs the verb.
///
/// # Errors
/// Why the login failed; the hops are printed before.
pub(crate) fn run(cli: &Cli, redirect: &Redirect, console: &Console) -> Result<Exit, Failure> {
    let Redirect::Trace(visit) = redirect;
    let session = Setup::load(cli)?.session(visit)?;
    session.run(cli.timeout, console, async {
        let result = session.account.register().await;
        let journey = match &result {
            Ok(registration) => registration.journey(),
            Err(error) => error.journey(),
        };
        say_journey(journey, console);
        let home = result.as_ref().ok().map(|registration| registration.home().to_string());
        let mut fields = crate::report::journey_json(journey);
        fields["home"] = json!(home);
        console.event("redirect-trace", fields);
        if let Some(home) = home {
            console.say(&screen_text!(
                "home server: {home}, {} of {} redirects",
                journey.redirects(),
                journey.limit
            ));
        }
        result.map(|_| Exit::Done).map_err(|error| Failure::from(&error))
    })
}
