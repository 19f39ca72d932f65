//! What the program tells of itself: version, completions, manual page.

use clap::CommandFactory;
use serde_json::json;

use crate::cli::args::Cli;
use crate::report::{Console, Exit, Failure};
use crate::text::screen_text;

/// `homing version`.
///
/// # Errors
/// None; the shape is that of all verbs.
#[allow(clippy::unnecessary_wraps, reason = "the shape of all verbs")]
pub(crate) fn version(console: &Console) -> Result<Exit, Failure> {
    let version = env!("CARGO_PKG_VERSION");
    let keyring = cfg!(feature = "keyring");
    console
        .event("version", json!({ "version": version, "demo": cfg!(feature = "demo"), "keyring": keyring }));
    console.say(&screen_text!("homing {version}"));
    Ok(Exit::Done)
}

/// `homing completions`.
///
/// # Errors
/// None; the shape is that of all verbs.
#[allow(clippy::unnecessary_wraps, reason = "the shape of all verbs")]
pub(crate) fn completions(shell: clap_complete::Shell, console: &Console) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "homing", &mut text);
    let text = String::from_utf8_lossy(&text);
    console.document("completions", json!({ "shell": shell.to_string(), "text": text }), &text);
    Ok(Exit::Done)
}

/// `homing man`: the program's page, or that of one verb.
///
/// # Errors
/// There is no such verb, or what the printer says.
pub(crate) fn man(verb: &[String], console: &Console) -> Result<Exit, Failure> {
    let mut command = Cli::command();
    command.build();
    let mut name = "homing".to_owned();
    for word in verb {
        let Some(inner) = command.find_subcommand(word) else {
            let sentence = format!("`{name}` has no verb `{word}`");
            return Err(Failure::new(Exit::Config, "E0119", &sentence, "`homing help` lists the verbs."));
        };
        name = format!("{name}-{}", inner.get_name());
        command = inner.clone().disable_help_subcommand(true);
    }
    let mut page = Vec::new();
    let man = clap_mangen::Man::new(command).title(&name);
    man.render(&mut page).map_err(|error| Failure::system(&error))?;
    let page = String::from_utf8_lossy(&page);
    console.document("man", json!({ "page": name, "text": page }), &page);
    Ok(Exit::Done)
}
