//! `homing doctor`: configuration, terminal, DNS, TLS and login, each with a verdict and a next step.

use std::io::IsTerminal;

use homing::UserAgent;

use crate::cli::agent::{Setup, block_on};
use crate::cli::args::{Cli, Visit};
use crate::cli::beside;
use crate::control::Ask;
use crate::look::ColorMode;
use crate::report::{Console, Exit, Failure, Told, hop_checks, login_check};
use crate::text::{ScreenText, screen_text};

/// Runs the verb. The login is that of the running phone, where there is one.
///
/// # Errors
/// A configuration that cannot be read at all; why the login failed.
pub(crate) fn run(cli: &Cli, visit: &Visit, console: &Console) -> Result<Exit, Failure> {
    let setup = Setup::load(cli)?;
    check_config(&setup, console);
    check_terminal(console);
    let beside = reported(beside::phone((cli, &setup, visit), console), console)?;
    let aor = setup.entry(&visit.who)?.address();
    let agent = reported(setup.agent(), console)?;
    block_on(cli.timeout, async {
        check_dns(&agent, aor.rsplit('@').next().unwrap_or_default(), console).await;
        Ok(())
    })?;
    if let Some(beside) = beside
        && let Some(exit) = beside.ask(cli.timeout, |aor| Ask::Check { aor }, console)?
    {
        return Ok(exit);
    }
    check_login(cli, &setup, visit, console)
}

/// A login as a new endpoint.
fn check_login(cli: &Cli, setup: &Setup, visit: &Visit, console: &Console) -> Result<Exit, Failure> {
    let session = reported(setup.session(visit), console)?;
    session.run(cli.timeout, console, async {
        let result = session.account.register().await;
        if let Ok(registration) = &result {
            for told in hop_checks(registration.journey()) {
                console.tell(&told);
            }
        }
        console.tell(&login_check(result.as_ref()));
        result.map(|_| Exit::Done).map_err(|error| Failure::from(&error))
    })
}

/// What hinders the account is a check that failed.
fn reported<T>(result: Result<T, Failure>, console: &Console) -> Result<T, Failure> {
    result.inspect_err(|failure| report(console, "account", "fail", &failure.trouble.sentence))
}

async fn check_dns(agent: &UserAgent, domain: &str, console: &Console) {
    match crate::bridge::plan(agent, domain).await {
        Ok(plan) if plan.is_empty() => {
            report(console, "dns", "warn", &screen_text!("{domain} names no server over TLS"));
        }
        Ok(plan) => report(console, "dns", "ok", &plan[0]),
        Err(trouble) => report(console, "dns", "fail", &trouble.sentence),
    }
}

fn check_config(setup: &Setup, console: &Console) {
    let remarks = crate::cli::settings::remarks(setup);
    for remark in &remarks {
        let verdict = if remark.fatal { "fail" } else { "warn" };
        report(console, "config", verdict, &screen_text!("{} {}", remark.path, remark.text));
    }
    if remarks.is_empty() {
        let text = screen_text!("{}", setup.paths.config.display());
        report(console, "config", "ok", &text);
    }
}

fn check_terminal(console: &Console) {
    let terminal = std::io::stdout().is_terminal();
    let size = crossterm::terminal::size().unwrap_or_default();
    let color = match ColorMode::detect(|name| std::env::var(name).ok()) {
        ColorMode::Never => "no colour",
        ColorMode::Sixteen => "16 colours",
        ColorMode::Indexed => "256 colours",
        ColorMode::True => "true colour",
    };
    if terminal {
        report(console, "terminal", "ok", &screen_text!("{}x{}, {color}", size.0, size.1));
    } else {
        report(console, "terminal", "warn", &ScreenText::of("output is no terminal; there is no screen"));
    }
}

fn report(console: &Console, what: &str, verdict: &str, text: &ScreenText) {
    console.tell(&Told::check(what, verdict, text));
}
