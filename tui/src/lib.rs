//! The terminal phone and its command line.
#![doc = include_str!("../README.md")]

mod bridge;
mod cli;
mod config;
mod control;
#[cfg(feature = "demo")]
mod demo;
mod effect;
mod headless;
mod keys;
mod messages;
mod model;
mod msg;
mod navigation;
mod report;
mod screen;
mod shell;
mod text;
mod theme;
mod trace;
mod update;
mod verify;
mod view;
mod widget;

pub use headless::HeadlessPhone;

/// Runs the program with the process's arguments; the exit code is that of the command line.
pub fn run() -> std::process::ExitCode {
    cli::main()
}
