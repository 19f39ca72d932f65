//! The terminal phone and its command line.
//!
//! The phone is a value ([Elm's shape](https://guide.elm-lang.org/architecture/)): messages and the time
//! go into `update`, effects come out, `view` draws. `shell` is the loop around it, `bridge` carries
//! effects to the agent and its news back, `cli` has the verbs. What may reach a terminal is of one
//! type, made in `text`.
//!
//! ```text
//! keys, agent, time ──► shell ──► update(model) ──► effects ──► bridge ──► homing
//!                         └─────► view(model) ──► terminal
//! ```

mod bridge;
mod cli;
mod config;
#[cfg(feature = "demo")]
mod demo;
mod effect;
mod keys;
mod look;
mod model;
mod msg;
mod report;
mod screen;
mod shell;
mod text;
mod update;
mod verify;
mod view;
mod widget;
mod words;

/// Runs the program with the process's arguments; the exit code is that of the command line.
pub fn run() -> std::process::ExitCode {
    cli::main()
}
