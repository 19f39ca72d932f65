//! `homing config`: check, show, change, describe.

use serde_json::json;

use crate::cli::agent::Setup;
use crate::cli::args::{Cli, Config};
use crate::config::{SETTINGS, check, edit, read, schema, write};
use crate::report::{Console, Exit, Failure, put_raw};
use crate::text::screen_text;
use crate::words::Trouble;

/// Runs the verb.
///
/// # Errors
/// A file that cannot be read or written, or a value that is not taken.
pub(crate) fn run(cli: &Cli, verb: &Config, console: &Console) -> Result<Exit, Failure> {
    match verb {
        Config::Check => run_check(&Setup::load(cli)?, console),
        Config::Show { origin } => {
            show(&Setup::load(cli)?, *origin, console);
            Ok(Exit::Done)
        }
        Config::Set { key, value } => set(&Setup::load(cli)?, key, value, console),
        Config::Schema => {
            put_raw(format!("{:#}\n", schema()).as_bytes());
            Ok(Exit::Done)
        }
    }
}

fn run_check(setup: &Setup, console: &Console) -> Result<Exit, Failure> {
    let remarks = check(setup.config.file());
    for remark in &remarks {
        let level = if remark.fatal { "fail" } else { "warn" };
        console.event("remark", json!({ "level": level, "path": remark.path, "text": remark.text }));
        console.say(&screen_text!("{level}  {} {}", remark.path, remark.text));
    }
    let path = setup.paths.config.display();
    let fatal = remarks.iter().filter(|remark| remark.fatal).count();
    console.event("checked", json!({ "file": path.to_string(), "remarks": remarks.len(), "fatal": fatal }));
    console.say(&screen_text!("{path}: {} remarks, {fatal} of them fatal", remarks.len()));
    Ok(if fatal == 0 { Exit::Done } else { Exit::Config })
}

fn show(setup: &Setup, with_origin: bool, console: &Console) {
    for setting in SETTINGS {
        let (value, origin) = setup.config.value(setting);
        let shown = value.map(|value| value.to_string()).unwrap_or_default();
        console.event("setting", json!({ "path": setting.path, "value": shown, "origin": origin.word() }));
        let place = if with_origin { format!("  # {}", origin.word()) } else { String::new() };
        let shown = if shown.is_empty() { "\"\"".to_owned() } else { shown };
        console.say(&screen_text!("{} = {shown}{place}", setting.path));
    }
}

fn set(setup: &Setup, key: &str, value: &str, console: &Console) -> Result<Exit, Failure> {
    let Some(setting) = SETTINGS.iter().find(|setting| setting.path == key) else {
        let hint = "`homing config show` lists them.";
        return Err(Failure::new(Exit::Config, "E0111", &format!("`{key}` is no setting"), hint));
    };
    let Some(parsed) = setting.parse(value) else {
        let sentence = format!("{key} takes {}", setting.values());
        return Err(Failure::new(Exit::Config, "E0112", &sentence, "Give one of these."));
    };
    let fault = |fault| Failure::config(Trouble::from(&fault));
    let text = read(&setup.paths.config).map_err(fault)?;
    write(&setup.paths.config, edit::set(&text, key, &parsed)).map_err(fault)?;
    console.event("setting-changed", json!({ "path": key, "value": parsed.to_string() }));
    console.say(&screen_text!("{key} = {parsed}"));
    Ok(Exit::Done)
}
