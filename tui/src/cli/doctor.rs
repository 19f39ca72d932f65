//! `homing doctor`: configuration, terminal, DNS, TLS and login, each with a verdict and a next step.

use std::io::IsTerminal;

use homing::error::Family;
use serde_json::json;

use crate::cli::agent::Setup;
use crate::cli::args::{Cli, Visit};
use crate::look::ColorMode;
use crate::report::{Console, Exit, Failure};
use crate::text::{ScreenText, screen_text};

/// How one check ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Fine,
    Odd,
    Failed,
}

/// Runs the verb.
///
/// # Errors
/// A configuration that cannot be read at all.
pub(crate) fn run(cli: &Cli, visit: &Visit, console: &Console) -> Result<Exit, Failure> {
    let setup = Setup::load(cli)?;
    check_config(&setup, console);
    check_terminal(console);
    let session = match setup.session(visit) {
        Ok(session) => session,
        Err(failure) => {
            report(console, "account", Verdict::Failed, &failure.trouble.sentence);
            return Err(failure);
        }
    };
    session.run(cli.timeout, console, async {
        let domain = session.account.aor().domain.clone();
        match crate::bridge::plan(&session.agent, &domain).await {
            Ok(plan) if plan.is_empty() => {
                report(console, "dns", Verdict::Odd, &screen_text!("{domain} names no server over TLS"));
            }
            Ok(plan) => report(console, "dns", Verdict::Fine, &plan[0]),
            Err(trouble) => report(console, "dns", Verdict::Failed, &trouble.sentence),
        }
        let result = session.account.register().await;
        match &result {
            Ok(registration) => {
                for hop in crate::words::hops(registration.journey()) {
                    report(
                        console,
                        "server",
                        Verdict::Fine,
                        &screen_text!("{} {}", hop.server, hop.flow_ref),
                    );
                }
                let home = registration.home();
                report(console, "login", Verdict::Fine, &screen_text!("home server {home}"));
            }
            Err(error) => {
                let what = match error.family() {
                    Some(Family::Resolve) => "dns",
                    Some(Family::Transport) => "transport",
                    Some(Family::Redirect) => "redirect",
                    _ => "login",
                };
                report(console, what, Verdict::Failed, &ScreenText::from_display(error));
            }
        }
        result.map(|_| Exit::Done).map_err(|error| Failure::from(&error))
    })
}

fn check_config(setup: &Setup, console: &Console) {
    let remarks = crate::cli::settings::remarks(setup);
    for remark in &remarks {
        let verdict = if remark.fatal { Verdict::Failed } else { Verdict::Odd };
        report(console, "config", verdict, &screen_text!("{} {}", remark.path, remark.text));
    }
    if remarks.is_empty() {
        let text = screen_text!("{}", setup.paths.config.display());
        report(console, "config", Verdict::Fine, &text);
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
        report(console, "terminal", Verdict::Fine, &screen_text!("{}x{}, {color}", size.0, size.1));
    } else {
        report(
            console,
            "terminal",
            Verdict::Odd,
            &ScreenText::of("output is no terminal; there is no screen"),
        );
    }
}

fn report(console: &Console, what: &str, verdict: Verdict, text: &ScreenText) {
    let word = match verdict {
        Verdict::Fine => "ok",
        Verdict::Odd => "warn",
        Verdict::Failed => "fail",
    };
    console.event("check", json!({ "what": what, "verdict": word, "text": text.as_str() }));
    console.say(&screen_text!("{word:<5} {what:<10} {text}"));
}
