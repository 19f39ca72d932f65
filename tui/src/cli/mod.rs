//! The command line: verbs over the same agent as the screen, with JSON lines and fixed exit codes.

mod about;
mod accounts;
mod agent;
mod args;
mod doctor;
mod locate;
mod options;
mod phone;
mod redirect;
mod register;
mod settings;
mod status;
mod trace;
mod verify;

use std::process::ExitCode;

use clap::Parser;

use crate::report::{Console, Exit, Failure};

use args::{Cli, Verb};

/// Runs the program with the process's own arguments.
pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
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

fn run(cli: &Cli, console: &Console) -> Result<Exit, Failure> {
    match &cli.verb {
        None => phone::run(cli),
        #[cfg(feature = "demo")]
        Some(Verb::Demo(demo)) => phone::demo(cli, demo, console),
        Some(Verb::Login(login)) => register::run(cli, login, console),
        Some(Verb::Status(status)) => status::run(cli, status, console),
        Some(Verb::Resolve(resolve)) => locate::run(cli, resolve, console),
        Some(Verb::Redirect(redirect)) => redirect::run(cli, redirect, console),
        Some(Verb::Options(options)) => options::run(cli, options, console),
        Some(Verb::Doctor(who)) => doctor::run(cli, who, console),
        Some(Verb::Account(verb)) => accounts::run(cli, verb, console),
        Some(Verb::Config(verb)) => settings::run(cli, verb, console),
        Some(Verb::Trace(verb)) => trace::run(verb, console),
        Some(Verb::Verify(verb)) => verify::run(verb, console),
        Some(Verb::Completions(completions)) => about::completions(completions.shell),
        Some(Verb::Man) => about::man(),
        Some(Verb::Version) => about::version(console),
    }
}
