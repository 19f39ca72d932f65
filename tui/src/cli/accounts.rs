//! `homing account`: the accounts of the configuration.

use serde_json::json;

use crate::cli::agent::{Invocation, Setup, address};
use crate::cli::args::{Account, AccountArgs, Cli};
use crate::cli::running_phone;
use crate::cli::settings::typed;
use crate::config::{ACCOUNT, AccountEntry, edit, read, write};
use crate::control::Ask;
use crate::messages::Problem;
use crate::report::{Console, Exit, Failure};
use crate::text::{ScreenText, screen_text};

/// Runs the verb.
///
/// # Errors
/// An account there is not, one there is already, or a value that is not taken.
pub(crate) fn run(cli: &Cli, verb: &Account, console: &Console) -> Result<Exit, Failure> {
    let setup = Setup::load(cli)?;
    match verb {
        Account::Add(args) => add(&setup, args, console),
        Account::List => {
            list(&setup, console);
            Ok(Exit::Done)
        }
        Account::Test(session) => {
            if let Some(exit) = running_phone::ask(
                &Invocation { cli, setup: &setup, session },
                |aor| Ask::Test { aor },
                console,
            )? {
                return Ok(exit);
            }
            let session = setup.session(session)?;
            session.run(cli.timeout, console, crate::cli::register::once(&session, console))
        }
        Account::Rm { account } => {
            let text = load(&setup)?;
            let text = edit::remove_account(&text, &address(account)?).ok_or_else(|| unknown(account))?;
            store(&setup, &text)?;
            console.event("account-removed", json!({ "aor": account }));
            console.say(&screen_text!("{account} is removed"));
            Ok(Exit::Done)
        }
        Account::Edit { account, key, value } => change(&setup, (account, key, value), console),
    }
}

fn add(setup: &Setup, args: &AccountArgs, console: &Console) -> Result<Exit, Failure> {
    let entry = fresh_entry(setup, args)?;
    keep(setup, &entry, console)?;
    if let Err(fault) = entry.password_source().check() {
        console.say(&screen_text!("it cannot sign in yet: no password: {fault}"));
    }
    console.say(&screen_text!("`homing account test {}` tries it", entry.text("aor")));
    Ok(Exit::Done)
}

/// An account made of arguments, which the configuration does not have yet.
///
/// # Errors
/// No address or a wrong one, one that is configured already, or a value that is not usable.
pub(crate) fn fresh_entry(setup: &Setup, args: &AccountArgs) -> Result<AccountEntry, Failure> {
    let Some(name) = &args.account else {
        let hint = "Name one, such as alice@corp.example.";
        return Err(Failure::new(Exit::Config, "E0134", &"no address is named", hint));
    };
    let aor = address(name)?;
    if setup.config.accounts().iter().any(|entry| entry.address() == aor) {
        let sentence = format!("{aor} is configured already");
        return Err(Failure::new(Exit::Config, "E0110", &sentence, "Change it with `homing account edit`."));
    }
    let entry = setup.entry(args)?;
    entry
        .account_config()
        .map_err(|fault| Failure::config(Problem::from(&crate::bridge::AddFault::Entry(fault))))?;
    Ok(entry)
}

/// Writes a new account into the configuration; a new file begins with a word on how it is read.
///
/// # Errors
/// The file cannot be read or written.
pub(crate) fn keep(setup: &Setup, entry: &AccountEntry, console: &Console) -> Result<(), Failure> {
    let text = load(setup)?;
    let text = if text.trim().is_empty() { GREETING.to_owned() } else { text };
    let given = setup.config.given_for_network();
    let text = given.iter().fold(text, |text, (path, value)| edit::set(&text, path, value));
    store(setup, &edit::append_account(&text, entry.table()))?;
    let (aor, path) = (entry.text("aor"), setup.paths.config.display().to_string());
    console.event("account-added", json!({ "aor": aor, "file": path }));
    console.say(&screen_text!("{aor} is added to {path}"));
    Ok(())
}

fn list(setup: &Setup, console: &Console) {
    if setup.config.accounts().is_empty() {
        console
            .say(&ScreenText::of("no account is configured; `homing init alice@corp.example` sets one up"));
    }
    for entry in setup.config.accounts() {
        let (aor, server) = (entry.text("aor"), entry.text("server"));
        let usable =
            entry.account_config().map(|_| "usable".to_owned()).unwrap_or_else(|fault| fault.to_string());
        console.event("account", json!({ "aor": aor, "server": server, "usable": usable == "usable" }));
        let start = if server.is_empty() { "found by DNS" } else { server.as_str() };
        console.say(&screen_text!("{aor:<32} {start:<24} {usable}"));
    }
}

fn change(setup: &Setup, what: (&str, &str, &str), console: &Console) -> Result<Exit, Failure> {
    let (account, key, value) = what;
    let aor = address(account)?;
    if !setup.config.accounts().iter().any(|entry| entry.address() == aor) {
        return Err(unknown(account));
    }
    let parsed = typed(ACCOUNT, key, value)?;
    store(setup, &edit::set_in_account(&load(setup)?, &aor, key, &parsed))?;
    console.event("account-changed", json!({ "aor": aor, "key": key }));
    console.say(&screen_text!("{aor}: {key} is changed"));
    Ok(Exit::Done)
}

fn unknown(account: &str) -> Failure {
    let sentence = format!("{account} is not configured");
    Failure::new(Exit::Config, "E0135", &sentence, "`homing account list` shows the accounts.")
}

fn load(setup: &Setup) -> Result<String, Failure> {
    read(&setup.paths.config).map_err(|fault| Failure::config(Problem::from(&fault)))
}

fn store(setup: &Setup, text: &str) -> Result<(), Failure> {
    write(&setup.paths.config, text).map_err(|fault| Failure::config(Problem::from(&fault)))
}

const GREETING: &str = "# Accounts and settings of homing. `homing config schema` describes all of them,
# `homing config check` looks for mistakes. Passwords have no place here.
";
