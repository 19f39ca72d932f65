//! `homing config`: check, show, change, describe, bring up to date.

use serde_json::json;
use toml::Value;

use crate::bridge::agent_setup;
use crate::cli::agent::Setup;
use crate::cli::args::{Cli, Config};
use crate::config::{
    ACCOUNT, Kind, Remark, SETTINGS, Setting, check, edit, migrate, nearest_word, read, schema, suggestion,
    write,
};
use crate::messages::Problem;
use crate::report::{Console, Exit, Failure};
use crate::text::{count, screen_text};

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
            let schema = schema();
            console.document("schema", json!({ "schema": schema }), &format!("{schema:#}\n"));
            Ok(Exit::Done)
        }
        Config::Migrate => run_migrate(&Setup::load(cli)?, console),
    }
}

fn run_check(setup: &Setup, console: &Console) -> Result<Exit, Failure> {
    let remarks = remarks(setup);
    for remark in &remarks {
        let level = if remark.fatal { "fail" } else { "warn" };
        console.event("remark", json!({ "level": level, "path": remark.path, "text": remark.text }));
        console.say(&screen_text!("{level}  {} {}", remark.path, remark.text));
    }
    let path = setup.paths.config.display();
    let fatal = remarks.iter().filter(|remark| remark.fatal).count();
    console.event("checked", json!({ "file": path.to_string(), "remarks": remarks.len(), "fatal": fatal }));
    let summary = match remarks.len() {
        0 => "ok".to_owned(),
        found => format!("{}, {fatal} fatal", count(found, "remark", "remarks")),
    };
    console.say(&screen_text!("{path}: {summary}"));
    Ok(if fatal == 0 { Exit::Done } else { Exit::Config })
}

/// What is odd about the file, and about variables that look like settings.
pub(crate) fn remarks(setup: &Setup) -> Vec<Remark> {
    let variables = setup.config.odd_variables().iter();
    let of_variable =
        |(path, text): &(String, String)| Remark { path: path.clone(), text: text.clone(), fatal: false };
    let network = agent_setup(&setup.config.clone().without_key_log()).err().map(|fault| {
        let (path, text) = fault.setting();
        Remark { path: path.to_owned(), text, fatal: true }
    });
    check(setup.config.file()).into_iter().chain(network).chain(variables.map(of_variable)).collect()
}

fn show(setup: &Setup, with_origin: bool, console: &Console) {
    for setting in SETTINGS {
        let (value, origin) = setup.config.value(setting);
        let shown = value.as_ref().map(ToString::to_string).unwrap_or_default();
        let plain = value.as_ref().and_then(|value| serde_json::to_value(value).ok());
        console.event("setting", json!({ "path": setting.path, "value": plain, "origin": origin.word() }));
        let place = if with_origin { format!("  # {}", origin.word()) } else { String::new() };
        let shown = if shown.is_empty() { "\"\"".to_owned() } else { shown };
        console.say(&screen_text!("{} = {shown}{place}", setting.path));
    }
}

/// Renames settings that have other names elsewhere; the file as it was stays beside it.
fn run_migrate(setup: &Setup, console: &Console) -> Result<Exit, Failure> {
    let fault = |fault| Failure::config(Problem::from(&fault));
    let path = &setup.paths.config;
    let text = read(path).map_err(fault)?;
    let (migrated, renamed) = migrate(&text);
    if !renamed.is_empty() {
        write(&path.with_extension("toml.old"), &text).map_err(fault)?;
        write(path, migrated).map_err(fault)?;
    }
    for (from, to) in &renamed {
        console.event("renamed", json!({ "from": from, "to": to }));
        console.say(&screen_text!("{from} is now {to}"));
    }
    console.event("migrated", json!({ "file": path.display().to_string(), "renamed": renamed.len() }));
    console.say(&screen_text!("{}: {} renamed", path.display(), count(renamed.len(), "setting", "settings")));
    Ok(Exit::Done)
}

/// The next step for a name that one half of the file does not know: the other half may.
fn where_to_look(key: &str) -> &'static str {
    let is_in = |half: &[Setting]| half.iter().any(|setting| setting.path == key);
    if is_in(ACCOUNT) {
        "It belongs to an account: homing account edit alice@corp.example SETTING VALUE"
    } else if is_in(SETTINGS) {
        "It belongs to the phone: homing config set SETTING VALUE"
    } else {
        "`homing config schema` lists them all."
    }
}

/// The setting of that name, and what was typed as its value.
///
/// # Errors
/// No such setting, with the one that may be meant; or a value it does not take, with those it does.
pub(crate) fn typed(settings: &'static [Setting], key: &str, value: &str) -> Result<Value, Failure> {
    let Some(setting) = settings.iter().find(|setting| setting.path == key) else {
        let meant = suggestion(key, settings).map(|setting| format!("; is `{}` meant?", setting.path));
        let sentence = format!("`{key}` is not a setting{}", meant.unwrap_or_default());
        return Err(Failure::new(Exit::Config, "E0111", &sentence, where_to_look(key)));
    };
    setting.parse(value).ok_or_else(|| {
        let near = if let Kind::Choice(words) = setting.kind { nearest_word(value, words) } else { None };
        let meant = near.map(|word| format!("; is `{word}` meant?")).unwrap_or_default();
        let sentence = format!("{key} takes {}, not `{value}`{meant}", setting.values());
        Failure::new(Exit::Config, "E0112", &sentence, "Nothing was changed; give a value it takes.")
    })
}

fn set(setup: &Setup, key: &str, value: &str, console: &Console) -> Result<Exit, Failure> {
    let parsed = typed(SETTINGS, key, value)?;
    let fault = |fault| Failure::config(Problem::from(&fault));
    let text = read(&setup.paths.config).map_err(fault)?;
    write(&setup.paths.config, edit::set(&text, key, &parsed)).map_err(fault)?;
    console.event("setting-changed", json!({ "path": key, "value": serde_json::to_value(&parsed).ok() }));
    console.say(&screen_text!("{key} = {parsed}"));
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_of_the_other_half_is_named_with_its_verb() {
        let hint = |settings, key| {
            let failure = typed(settings, key, "1").expect_err("not of this half");
            failure.problem.hint.as_str().to_owned()
        };
        assert!(hint(SETTINGS, "redirect.limit").contains("account edit"));
        assert!(hint(ACCOUNT, "ui.theme").contains("config set"));
        assert!(hint(SETTINGS, "redirect.limits").contains("config schema"));
    }
}
