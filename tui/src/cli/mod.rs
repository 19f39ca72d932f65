//! The command line: verbs over the same agent as the screen, with JSON lines and fixed exit codes.

mod about;
mod accounts;
mod agent;
mod args;
mod attach;
mod call;
mod doctor;
mod events;
mod examples;
mod init;
mod locate;
mod logout;
mod options;
mod phone;
mod redirect;
mod register;
mod running_phone;
mod second_phone;
mod settings;
mod status;
mod trace;
mod verify;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use serde_json::json;

use crate::report::{Console, Exit, Failure};
use crate::text::{ScreenText, screen_text};

use args::{Cli, Verb};

/// Runs the program with the process's own arguments.
pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misunderstood(&error),
    };
    let console = cli.console();
    let exit = match run(&cli, &console) {
        Ok(exit) => exit,
        Err(failure) => {
            console.failure(&failure);
            failure.exit
        }
    };
    ExitCode::from(exit.code())
}

/// Help and version go to standard output; what was typed wrongly ends with 2, also as JSON.
fn misunderstood(error: &clap::Error) -> ExitCode {
    let json = std::env::args_os().any(|word| word == "--json");
    if json && error.use_stderr() {
        let text = error.render().to_string();
        let sentence = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        let hint = "`homing help` and `homing VERB --help` say what can be typed.";
        Console::Json.failure(&Failure::new(Exit::Usage, "E0202", &sentence, hint));
    } else {
        // The reader may have gone.
        let _ = error.print();
    }
    ExitCode::from(if error.use_stderr() { Exit::Usage } else { Exit::Done }.code())
}

fn run(cli: &Cli, console: &Console) -> Result<Exit, Failure> {
    if let Some(file) = &cli.key_log {
        console.event("key-log", json!({ "file": file.display().to_string() }));
        console.say(&key_log_warning(file));
    }
    match &cli.verb {
        None => phone::run(cli),
        #[cfg(feature = "demo")]
        Some(Verb::Demo(demo)) => phone::demo(cli, demo, console),
        Some(Verb::Init(init)) => init::run(cli, init, console),
        Some(Verb::Login(login)) => register::run(cli, login, console),
        Some(Verb::Logout(logout)) => logout::run(cli, logout, console),
        Some(Verb::Status(status)) => status::run(cli, status, console),
        Some(Verb::Attach(attach)) => attach::run(cli, attach, console),
        Some(Verb::Resolve(resolve)) => locate::run(cli, resolve, console),
        Some(Verb::Redirect(redirect)) => redirect::run(cli, redirect, console),
        Some(Verb::Options(options)) => options::run(cli, options, console),
        Some(Verb::Call(call)) => call::run(cli, call, console),
        Some(Verb::Doctor(args)) => doctor::run(cli, args, console),
        Some(Verb::Account(verb)) => accounts::run(cli, verb, console),
        Some(Verb::Config(verb)) => settings::run(cli, verb, console),
        Some(Verb::Trace(verb)) => trace::run(verb, console),
        Some(Verb::Verify(verb)) => verify::run(verb, console),
        Some(Verb::Completions(completions)) => about::completions(completions.shell, console),
        Some(Verb::Man(man)) => about::man(&man.verb, console),
        Some(Verb::Version) => about::version(console),
    }
}

/// What a person must know about a run whose keys are written down.
fn key_log_warning(file: &Path) -> ScreenText {
    screen_text!("TLS keys are written to {}: whoever reads it can read this run's messages", file.display())
}
