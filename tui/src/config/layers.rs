//! The settings in force: defaults, then the file, then the environment, then the command line.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::config::table::{look_up, put};
use crate::config::{AccountEntry, SETTINGS, Setting};

/// Everything that was configured, by origin.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    file: Table,
    environment: Table,
    command_line: Table,
    /// Where the configuration file lies.
    folder: PathBuf,
    /// Where the keys of TLS connections go in this run; the command line alone can say so.
    key_log: Option<PathBuf>,
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
            None => "is not a setting; variables are named like HOMING__UI__THEME".to_owned(),
        };
        self.odd_variables.push((name, odd));
    }

    /// The same with another text of the file.
    ///
    /// # Errors
    /// What the TOML parser says, with the line.
    pub(crate) fn reread(&self, text: &str) -> Result<Self, toml::de::Error> {
        let mut config = Self { file: text.parse()?, ..self.clone() };
        config.anchor_password_files();
        Ok(config)
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

    /// Has the keys of TLS connections written to a file in this run.
    pub(crate) fn log_keys(&mut self, file: PathBuf) {
        self.key_log = Some(file);
    }

    /// The same, and no keys are written: nothing is dialled.
    #[must_use]
    pub(crate) fn without_key_log(self) -> Self {
        Self { key_log: None, ..self }
    }

    /// Where the keys of TLS connections go.
    pub(crate) fn key_log(&self) -> Option<&Path> {
        self.key_log.as_deref()
    }

    /// True where it is not set.
    pub(crate) fn is_default(&self, path: &str) -> bool {
        SETTINGS.iter().any(|setting| setting.path == path && self.value(setting).1 == Origin::Default)
    }

    /// Relative paths of the file count from this folder on.
    #[must_use]
    pub(crate) fn in_folder(mut self, folder: &Path) -> Self {
        // An account may be used from another folder later.
        self.folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        self.anchor_password_files();
        self
    }

    /// Makes the paths of password files count from the configuration's folder, as those of its other files do.
    fn anchor_password_files(&mut self) {
        let list = self.file.get_mut("account").and_then(Value::as_array_mut);
        for account in list.into_iter().flatten() {
            let Some(Value::String(file)) = account.get_mut("password_file") else { continue };
            let anchored = self.folder.join(&*file);
            if let Some(anchored) = anchored.to_str().filter(|_| !file.is_empty()) {
                *file = anchored.to_owned();
            }
        }
    }

    /// The file a setting names; none where it names none. What the configuration file says counts from its own
    /// folder, what is given for this run from the folder the program was started in.
    pub(crate) fn path(&self, path: &str) -> Option<PathBuf> {
        let setting = SETTINGS.iter().find(|setting| setting.path == path)?;
        let (value, origin) = self.value(setting);
        let named = PathBuf::from(value?.as_str().filter(|text| !text.is_empty())?);
        Some(if origin == Origin::File { self.folder.join(named) } else { named })
    }

    /// Name server and CA file as given for this run: what an account that signed in with them needs.
    pub(crate) fn given_for_network(&self) -> Vec<(&'static str, Value)> {
        let absolute = |value: &Value| {
            let path = std::path::absolute(value.as_str().unwrap_or_default()).ok()?;
            Some(Value::String(path.to_str()?.to_owned()))
        };
        let given = |path: &'static str| Some((path, look_up(&self.command_line, path)?.clone()));
        let name_server = given("network.name_server");
        let ca_file = given("network.ca_file").map(|(path, value)| (path, absolute(&value).unwrap_or(value)));
        name_server.into_iter().chain(ca_file).collect()
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
    fn a_file_counts_from_where_it_is_named() {
        let text = "[network]\nca_file = \"ca.pem\"\n";
        let mut config =
            Config::new(text, std::iter::empty()).expect("valid TOML").in_folder(Path::new("/etc/homing"));
        assert_eq!(config.path("network.ca_file"), Some(PathBuf::from("/etc/homing/ca.pem")));
        assert!(config.given_for_network().is_empty());
        config.override_with("network.ca_file", Value::String("other.pem".into()));
        assert_eq!(config.path("network.ca_file"), Some(PathBuf::from("other.pem")));
        let given = config.given_for_network();
        let kept = given[0].1.as_str().expect("a path");
        assert!(Path::new(kept).is_absolute() && kept.ends_with("other.pem"), "{kept}");
    }

    #[test]
    fn a_password_file_counts_from_the_folder_of_the_configuration() {
        let text = "[[account]]\naor = \"a@b.c\"\npassword_file = \"pw\"\n\
                    [[account]]\naor = \"d@b.c\"\npassword_file = \"/run/pw\"\n[[account]]\npassword_file = \"\"\n";
        let config =
            Config::new(text, std::iter::empty()).expect("valid TOML").in_folder(Path::new("/etc/homing"));
        let reread = config.reread(text).expect("valid TOML");
        for config in [config, reread] {
            let files: Vec<String> =
                config.accounts().iter().map(|account| account.text("password_file")).collect();
            assert_eq!(files, ["/etc/homing/pw", "/run/pw", ""]);
        }
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
