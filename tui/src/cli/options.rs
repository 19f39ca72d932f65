//! `homing options`: sign in, ask the home server whether it is there, sign out.

use serde_json::json;

use crate::cli::agent::Setup;
use crate::cli::args::{Cli, Visit};
use crate::report::{Console, Exit, Failure};
use crate::text::screen_text;

/// Runs the verb.
///
/// # Errors
/// Why the login failed, or that the server gave no answer.
pub(crate) fn run(cli: &Cli, visit: &Visit, console: &Console) -> Result<Exit, Failure> {
    let session = Setup::load(cli)?.session(visit)?;
    session.run(cli.timeout, console, async {
        let answer = async {
            let registration = session.account.register().await?;
            let (status, time) = session.account.options().await?;
            Ok::<_, homing::Error>((registration.home().clone(), status, time))
        };
        let answer = answer.await;
        let (home, status, time) = answer.map_err(|error| Failure::from(&error))?;
        let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        console.event("options", json!({ "server": home.to_string(), "status": status, "millis": millis }));
        console.say(&screen_text!("{home} answered {status} in {millis} ms"));
        Ok(if (200..300).contains(&status) { Exit::Done } else { Exit::Refused })
    })
}
