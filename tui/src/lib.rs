//! The terminal phone and its command line.
#![doc = include_str!("../README.md")]

mod bridge;
mod cli;
mod config;
mod control;
#[cfg(feature = "demo")]
mod demo;
mod effect;
mod keys;
mod look;
mod model;
mod msg;
mod place;
mod report;
mod screen;
mod shell;
mod still;
mod text;
mod trace;
mod update;
mod verify;
mod view;
mod widget;
mod words;

pub use still::Still;

/// Runs the program with the process's arguments; the exit code is that of the command line.
pub fn run() -> std::process::ExitCode {
    cli::main()
}
