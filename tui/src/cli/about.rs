//! What the program tells of itself: version, completions, manual page.

use clap::CommandFactory;
use serde_json::json;

use crate::cli::args::Cli;
use crate::report::{Console, Exit, Failure, put_raw};
use crate::text::screen_text;

/// `homing version`.
///
/// # Errors
/// None; the shape is that of all verbs.
#[allow(clippy::unnecessary_wraps, reason = "the shape of all verbs")]
pub(crate) fn version(console: &Console) -> Result<Exit, Failure> {
    let version = env!("CARGO_PKG_VERSION");
    console.event("version", json!({ "version": version, "demo": cfg!(feature = "demo") }));
    console.say(&screen_text!("homing {version}"));
    Ok(Exit::Done)
}

/// `homing completions`.
///
/// # Errors
/// None; the shape is that of all verbs.
#[allow(clippy::unnecessary_wraps, reason = "the shape of all verbs")]
pub(crate) fn completions(shell: clap_complete::Shell) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "homing", &mut text);
    put_raw(&text);
    Ok(Exit::Done)
}

/// `homing man`.
///
/// # Errors
/// What the printer says.
pub(crate) fn man() -> Result<Exit, Failure> {
    let mut text = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut text).map_err(|error| Failure::system(&error))?;
    put_raw(&text);
    Ok(Exit::Done)
}
