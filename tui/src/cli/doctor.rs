//! `homing doctor`: configuration, terminal, DNS, TLS and login, each with a verdict and a next step.

use std::io::IsTerminal;

use futures_util::FutureExt;
use homing::error::ResponseFault;
use homing::{AccountEvent, AccountEvents, Error, Registration, UserAgent};

use crate::cli::agent::{Invocation, Setup, block_on};
use crate::cli::args::{AccountArgs, Cli, SessionArgs};
use crate::cli::running_phone;
use crate::config::AccountEntry;
use crate::control::Ask;
use crate::report::{Console, Exit, Failure, Output, hop_checks, login_check};
use crate::text::{ScreenText, screen_text};
use crate::theme::ColorMode;

/// Runs the verb, for the account that is named or for all of them. The login is that of the running phone, where
/// there is one.
///
/// # Errors
/// A configuration that cannot be read at all; why the login failed; of several accounts, those that failed.
pub(crate) fn run(cli: &Cli, session: &SessionArgs, console: &Console) -> Result<Exit, Failure> {
    let setup = Setup::load(cli)?;
    check_config(&setup, console);
    check_terminal(console);
    let accounts = setup.config.accounts();
    if session.account.account.is_some() || accounts.len() < 2 {
        return check_account(&Invocation { cli, setup: &setup, session }, console);
    }
    if session.trace.is_some() {
        let hint = "Name the one whose messages are to be saved.";
        return Err(Failure::new(Exit::Config, "E0108", &"there are several accounts", hint));
    }
    let mut failed: Vec<(String, Exit, String)> = Vec::new();
    for entry in &accounts {
        let aor = entry.address();
        console.say(&screen_text!("{aor}:"));
        let account = AccountArgs { account: Some(aor.clone()), ..session.account.clone() };
        let session = SessionArgs { account, trace: None };
        match check_account(&Invocation { cli, setup: &setup, session: &session }, console) {
            Ok(Exit::Done) => {}
            Ok(exit) => failed.push((aor, exit, String::new())),
            Err(failure) if failure.exit == Exit::Interrupted => return Err(failure),
            Err(failure) => failed.push((aor, failure.exit, format!(" ({})", failure.problem.code))),
        }
    }
    match failed.first() {
        None => {
            report(console, "accounts", "ok", &screen_text!("all {} can sign in", accounts.len()));
            Ok(Exit::Done)
        }
        Some((_, exit, _)) => {
            let names: Vec<String> = failed.iter().map(|(aor, _, code)| format!("{aor}{code}")).collect();
            let sentence = format!(
                "{} of {} accounts cannot sign in: {}",
                names.len(),
                accounts.len(),
                names.join(", ")
            );
            report(console, "accounts", "fail", &ScreenText::of(&sentence));
            let hint = "`homing doctor ACCOUNT` tells the next step for one of them.";
            Err(Failure::new(*exit, "E0144", &sentence, hint))
        }
    }
}

fn check_account(invocation: &Invocation<'_>, console: &Console) -> Result<Exit, Failure> {
    let Invocation { cli, setup, session } = *invocation;
    let running = reported(running_phone::phone(invocation, console), console)?;
    let entry = setup.entry(&session.account)?;
    let agent = reported(setup.agent(), console)?;
    block_on(cli.timeout, async {
        check_dns(&agent, &entry, &name_servers(setup), console).await;
        Ok(())
    })?;
    if let Some(running) = running
        && let Some(exit) = running.ask(cli.timeout, |aor| Ask::Check { aor }, console)?
    {
        return Ok(exit);
    }
    check_login(invocation, console)
}

/// A login as a new endpoint.
fn check_login(invocation: &Invocation<'_>, console: &Console) -> Result<Exit, Failure> {
    let Invocation { cli, setup, session } = *invocation;
    let session = reported(setup.session(session), console)?;
    session.run(cli.timeout, console, async {
        let mut events = session.account.events();
        let result = session.account.register().await;
        check_responses(&mut events, console);
        for told in hop_checks(result.as_ref().map_or_else(Error::journey, Registration::journey)) {
            console.tell(&told);
        }
        console.tell(&login_check(result.as_ref()));
        result.map(|_| Exit::Done).map_err(|error| Failure::from(&error))
    })
}

/// What was dropped on the way to the login's end, of what was told so far.
fn check_responses(events: &mut AccountEvents, console: &Console) {
    while let Some(Some(event)) = events.next().now_or_never() {
        if let Ok(AccountEvent::ResponseDropped { server, why }) = event {
            let next = match why {
                ResponseFault::ForeignVia(_) | ResponseFault::ManyVias(_) => {
                    "; turn off the SIP helper (SIP ALG) of the router on the way, or use TLS"
                }
                _ => "; `--trace FILE.txt` shows it",
            };
            report(console, "responses", "warn", &screen_text!("{server}: {why}{next}"));
        }
    }
}

/// What hinders the account is a check that failed.
fn reported<T>(result: Result<T, Failure>, console: &Console) -> Result<T, Failure> {
    result.inspect_err(|failure| report(console, "account", "fail", &failure.problem.sentence))
}

async fn check_dns(agent: &UserAgent, entry: &AccountEntry, asked: &str, console: &Console) {
    let (address, server) = (entry.address(), entry.text("server"));
    if !server.is_empty() {
        return report(console, "dns", "ok", &screen_text!("not asked: the account names {server}"));
    }
    let domain = address.rsplit('@').next().unwrap_or_default();
    match crate::bridge::plan(agent, domain).await {
        Ok(plan) if plan.is_empty() => {
            report(console, "dns", "warn", &screen_text!("{domain} names no server over TLS"));
        }
        Ok(plan) => report(console, "dns", "ok", &plan[0]),
        Err(problem) => {
            report(console, "dns", "fail", &screen_text!("{}; asked: {asked}", problem.sentence));
        }
    }
}

/// Whom questions go to: the name server that is configured, else those of this machine.
fn name_servers(setup: &Setup) -> String {
    let configured = setup.config.text("network.name_server");
    if !configured.is_empty() {
        return configured;
    }
    let resolv = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let words = resolv.lines().map(str::split_whitespace);
    let named =
        words.filter_map(|mut line| line.next().filter(|word| *word == "nameserver").and(line.next()));
    let named: Vec<&str> = named.collect();
    if named.is_empty() { "the name servers of this machine".to_owned() } else { named.join(", ") }
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
        report(console, "terminal", "warn", &ScreenText::of("output is not a terminal; there is no screen"));
    }
}

fn report(console: &Console, what: &str, verdict: &str, text: &ScreenText) {
    console.tell(&Output::check(what, verdict, text));
}
