//! The settings in force: defaults, then the file, then the environment, then the command line.

use toml::{Table, Value};

use crate::config::{AccountEntry, SETTINGS, Setting};

/// Everything that was configured, by origin.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    file: Table,
    environment: Table,
    command_line: Table,
    /// Variables that look like ours and are not used.
    odd_variables: Vec<(String, String)>,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    File,
    Environment,
    CommandLine,
}

impl Config {
    /// A configuration from the text of a file and the environment.
    ///
    /// # Errors
    /// What the TOML parser says, with the line.
    pub(crate) fn new(
        text: &str,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, toml::de::Error> {
        let mut config = Self { file: text.parse()?, ..Self::default() };
        for (name, value) in environment {
            config.take_variable(name, &value);
        }
        Ok(config)
    }

    /// Variables that look like settings of ours and are not used: name and what is wrong.
    pub(crate) fn odd_variables(&self) -> &[(String, String)] {
        &self.odd_variables
    }

    fn take_variable(&mut self, name: String, value: &str) {
        if !name.starts_with("HOMING_") {
            return;
        }
        let odd = match by_variable(&name).map(|setting| (setting, setting.parse(value))) {
            Some((setting, Some(value))) => return put(&mut self.environment, setting.path, value),
            Some((setting, None)) => format!("takes {}; it is not used", setting.values()),
            None if name.contains("PASSWORD") => {
                "is not read: give the password by prompt, file, descriptor or command".to_owned()
            }
            None => "is no setting; a variable is called like HOMING__UI__THEME".to_owned(),
        };
        self.odd_variables.push((name, odd));
    }

    /// The same with another text of the file.
    ///
    /// # Errors
    /// What the TOML parser says, with the line.
    pub(crate) fn reread(&self, text: &str) -> Result<Self, toml::de::Error> {
        Ok(Self { file: text.parse()?, ..self.clone() })
    }

    /// The value in force and where it comes from; none where there is no default either.
    pub(crate) fn value(&self, setting: &Setting) -> (Option<Value>, Origin) {
        let layers = [
            (&self.command_line, Origin::CommandLine),
            (&self.environment, Origin::Environment),
            (&self.file, Origin::File),
        ];
        for (table, origin) in layers {
            if let Some(value) = look_up(table, setting.path).filter(|value| setting.admits(value)) {
                return (Some(value.clone()), origin);
            }
        }
        (setting.default_value(), Origin::Default)
    }

    /// The text of a setting; empty where nothing is set.
    pub(crate) fn text(&self, path: &str) -> String {
        self.find(path).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// The truth of a setting.
    pub(crate) fn flag(&self, path: &str) -> bool {
        self.find(path).and_then(|value| value.as_bool()).unwrap_or_default()
    }

    /// The number of a setting.
    pub(crate) fn number(&self, path: &str) -> i64 {
        self.find(path).and_then(|value| value.as_integer()).unwrap_or_default()
    }

    /// A value for this run only.
    pub(crate) fn override_with(&mut self, path: &str, value: Value) {
        put(&mut self.command_line, path, value);
    }

    /// The accounts of the file.
    pub(crate) fn accounts(&self) -> Vec<AccountEntry> {
        let list = self.file.get("account").and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_table).cloned().map(AccountEntry::new).collect()
    }

    /// The file's own table, for checks.
    pub(crate) fn file(&self) -> &Table {
        &self.file
    }

    /// Takes over a value that was written into the file.
    pub(crate) fn take(&mut self, path: &str, value: Value) {
        put(&mut self.file, path, value);
    }

    fn find(&self, path: &str) -> Option<Value> {
        SETTINGS.iter().find(|setting| setting.path == path).and_then(|setting| self.value(setting).0)
    }
}

impl Origin {
    /// The word of `config show --origin` and of the Settings screen.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Origin::Default => "default",
            Origin::File => "file",
            Origin::Environment => "environment",
            Origin::CommandLine => "command line",
        }
    }
}

/// The value at a dotted path.
pub(crate) fn look_up<'t>(table: &'t Table, path: &str) -> Option<&'t Value> {
    match path.split_once('.') {
        Some((head, rest)) => look_up(table.get(head)?.as_table()?, rest),
        None => table.get(path),
    }
}

/// Puts a value at a dotted path.
pub(crate) fn put(table: &mut Table, path: &str, value: Value) {
    match path.split_once('.') {
        Some((head, rest)) => {
            let inner = table.entry(head).or_insert_with(|| Value::Table(Table::new()));
            if !inner.is_table() {
                *inner = Value::Table(Table::new());
            }
            if let Some(inner) = inner.as_table_mut() {
                put(inner, rest, value);
            }
        }
        None => {
            table.insert(path.to_owned(), value);
        }
    }
}

/// The setting a variable such as `HOMING__UI__THEME` stands for; there is none for secrets.
fn by_variable(name: &str) -> Option<&'static Setting> {
    let path = name.strip_prefix("HOMING__")?.to_ascii_lowercase().replace("__", ".");
    SETTINGS.iter().find(|setting| setting.path == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(path: &str) -> &'static Setting {
        SETTINGS.iter().find(|setting| setting.path == path).expect("a setting of the table")
    }

    #[test]
    fn the_nearer_layer_wins() {
        let environment = [("HOMING__UI__THEME".to_owned(), "light".to_owned())];
        let text = "[ui]\ntheme = \"high-contrast\"\nascii = true\n";
        let mut config = Config::new(text, environment.into_iter()).expect("valid TOML");
        assert_eq!(config.value(setting("ui.theme")).1, Origin::Environment);
        assert_eq!(config.text("ui.theme"), "light");
        assert_eq!(config.value(setting("ui.ascii")).1, Origin::File);
        assert_eq!(config.value(setting("ui.color")).1, Origin::Default);
        config.override_with("ui.theme", Value::String("default".into()));
        assert_eq!(config.text("ui.theme"), "default");
    }

    #[test]
    fn variables_that_mean_nothing_are_told_and_never_shown() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let all = [
            pair("HOMING__UI__THEME", "pink-5d1e"),
            pair("HOMING_PASSWORD", "canary-5d1e"),
            pair("HOMING__UI__COLOUR", "never"),
            pair("HOME", "x"),
        ];
        let config = Config::new("", all.into_iter()).expect("valid TOML");
        let names: Vec<&str> = config.odd_variables().iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["HOMING__UI__THEME", "HOMING_PASSWORD", "HOMING__UI__COLOUR"]);
        assert!(!format!("{:?}", config.odd_variables()).contains("5d1e"));
        assert_eq!(config.text("ui.theme"), "default");
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_as_if_absent() {
        let config = Config::new("[ui]\nascii = \"yes\"\n", std::iter::empty()).expect("valid TOML");
        assert!(!config.flag("ui.ascii"));
    }
}
