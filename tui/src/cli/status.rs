//! `homing status`: asks the running phone over its socket how the accounts stand.

use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde_json::Value;

use crate::cli::agent::Setup;
use crate::cli::args::{Cli, Status};
use crate::report::{Console, Exit, Failure};
use crate::text::{ScreenText, screen_text};

/// Runs the verb.
///
/// # Errors
/// No phone is running, or it says nothing.
pub(crate) fn run(cli: &Cli, status: &Status, console: &Console) -> Result<Exit, Failure> {
    let setup = Setup::load(cli)?;
    let mut before = Vec::new();
    loop {
        let accounts = ask(&setup, cli.timeout)?;
        if accounts != before {
            for account in &accounts {
                tell(account, console);
            }
            if accounts.is_empty() {
                console.say(&ScreenText::of("the phone runs without accounts"));
            }
        }
        if !status.watch {
            return Ok(Exit::Done);
        }
        before = accounts;
        std::thread::sleep(PAUSE);
    }
}

fn ask(setup: &Setup, timeout: Duration) -> Result<Vec<Value>, Failure> {
    let nobody = |_| {
        let hint = "Start `homing`, or sign in with `homing login --watch`.";
        Failure::new(Exit::Transport, "E0113", &"no phone of this user is running", hint)
    };
    let stream = UnixStream::connect(&setup.paths.socket).map_err(nobody)?;
    stream.set_read_timeout(Some(timeout)).map_err(|error| Failure::system(&error))?;
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    Ok(lines.filter_map(|line| serde_json::from_str(&line).ok()).collect())
}

fn tell(account: &Value, console: &Console) {
    console.event("account", account.clone());
    let text = |name: &str| account[name].as_str().unwrap_or_default().to_owned();
    let home = match account["home"].as_str() {
        Some(home) => format!(" at {home} ({})", text("path")),
        None => String::new(),
    };
    let code =
        account["code"].as_str().map(|code| format!(" {code} {}", text("sentence"))).unwrap_or_default();
    console.say(&screen_text!("{} {}{home}{code}", text("aor"), text("state")));
}

/// Between two questions of `--watch`.
const PAUSE: Duration = Duration::from_millis(500);
