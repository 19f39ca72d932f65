//! Reading the configuration again while the estate runs: users change at once, everything else with the next start.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::config::EstateConfig;
use super::error::CliError;
use crate::estate::Estate;

/// The file of a running estate, and what it said of what cannot change.
pub(super) struct Reload {
    file: PathBuf,
    /// As the estate was started. The file itself may say otherwise before the first look at it.
    started: Table,
}

impl Reload {
    /// `started` is what the estate was made of.
    pub(super) fn new(file: &Path, started: &EstateConfig) -> Self {
        Self { file: file.to_owned(), started: started.lasting.clone() }
    }

    /// Reads the file again. Gives what was taken from it, and what has to wait.
    ///
    /// # Errors
    /// Where it describes no estate, or a user's home is none of the running servers'.
    pub(super) async fn again(&self, estate: &Estate) -> Result<String, CliError> {
        let config = EstateConfig::read(&self.file)?;
        let users = config.users()?;
        let left = estate.set_users(&users).await?;
        let waits = waits(&self.started, &config.lasting);
        let waits = if waits.is_empty() {
            String::new()
        } else {
            format!("these change with the next start only: {}\n", waits.join(", "))
        };
        let left = if left.is_empty() {
            String::new()
        } else {
            format!("these stay where they were moved to, whatever `home` says: {}\n", left.join(", "))
        };
        Ok(format!("read {} again: {} users\n{left}{waits}", self.file.display(), users.len()))
    }
}

/// What differs and cannot change while the estate runs, as the file writes it.
fn waits(started: &Table, now: &Table) -> Vec<String> {
    let keys: BTreeSet<&String> = started.keys().chain(now.keys()).collect();
    let differs = keys.into_iter().filter(|key| started.get(*key) != now.get(*key));
    let written = |key: &String| match now.get(key).or_else(|| started.get(key)) {
        Some(Value::Table(_)) => format!("[{key}]"),
        Some(Value::Array(list)) if list.iter().any(Value::is_table) => format!("[[{key}]]"),
        _ => format!("`{key}`"),
    };
    differs.map(written).collect()
}

#[cfg(test)]
mod tests {
    use super::super::control::{Answer, execute};
    use super::*;

    #[tokio::test]
    async fn a_changed_home_is_taken_unless_somebody_moved_the_user() {
        let folder = std::env::temp_dir().join(format!("homing-estate-{}-reload", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("estate.toml");
        let write = |home: &str| {
            let server = |name: &str| format!("[[server]]\nname = \"{name}\"\nrole = \"home\"\n");
            let user =
                |name: &str| format!("[[user]]\nname = \"{name}\"\npassword = \"x\"\nhome = \"{home}\"\n");
            let servers = [server("hs102"), server("hs104"), server("hs106")].concat();
            let users = [user("alice"), user("bob")].concat();
            std::fs::write(&file, format!("domain = \"a.b\"\n{servers}{users}")).unwrap();
        };
        write("hs102");
        let config = EstateConfig::read(&file).unwrap();
        let estate = config.builder().unwrap().start().await.unwrap();
        // What the file says since it was started from is no part of what it was started with.
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("dns_port = 9\n{text}")).unwrap();
        let reload = Reload::new(&file, &config);
        let said = reload.again(&estate).await.unwrap();
        assert!(said.contains("next start only: `dns_port`\n"), "{said}");
        write("hs102");
        assert_eq!(reload.again(&estate).await.unwrap().lines().count(), 1);
        estate.move_user("bob", "hs106", "maintenance").await.unwrap();
        for _ in 0..2 {
            write("hs104");
            let said = reload.again(&estate).await.unwrap();
            assert!(said.contains("`home` says: bob@a.b\n"), "{said}");
            let sits = estate.assignments().await.unwrap();
            let sits: Vec<_> = sits.iter().map(|(_, one)| (one.home.as_str(), one.version)).collect();
            assert_eq!(sits, [("hs104.a.b", 2), ("hs106.a.b", 2)]);
        }
        // Where they sit as it says, nothing is left.
        write("hs106");
        let said = reload.again(&estate).await.unwrap();
        assert_eq!(said.lines().count(), 1, "{said}");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[tokio::test]
    async fn parties_stay_when_the_users_are_read_again() {
        let folder = std::env::temp_dir().join(format!("homing-estate-{}-reload-party", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("estate.toml");
        let server = "domain = \"a.b\"\n[[server]]\nname = \"hs102\"\nrole = \"home\"\n";
        let user = |name: &str| format!("[[user]]\nname = \"{name}\"\npassword = \"x\"\n");
        let party = "[[party]]\nname = \"echo\"\nhome = \"hs102\"\n";
        let write = |rest: &[&str]| std::fs::write(&file, [&[server], rest].concat().concat()).unwrap();
        write(&[&user("alice"), party]);
        let config = EstateConfig::read(&file).unwrap();
        let estate = config.builder().unwrap().start().await.unwrap();
        let reload = Reload::new(&file, &config);
        // Also where the file has it no more: that waits for the next start.
        for (rest, lines) in [([user("bob"), party.to_owned()], 1), ([user("bob"), String::new()], 2)] {
            write(&[&rest[0], &rest[1]]);
            let said = reload.again(&estate).await.unwrap();
            assert_eq!(said.lines().count(), lines, "{said}");
            assert!(estate.has_user("bob") && !estate.has_user("alice"), "{said}");
            assert!(estate.has_user("echo") && estate.barred_users().contains("echo@a.b"), "{said}");
            let order = r#"{"do":"party_calls","server":"hs102","party":"echo","callee":"bob"}"#;
            let Answer::Line(said) = execute(&estate, order).await else { panic!("one line") };
            assert_eq!(said["party"], "echo@a.b", "{said}");
            let order = r#"{"do":"party_calls","server":"hs102","party":"echo","callee":"echo"}"#;
            let Answer::Line(said) = execute(&estate, order).await else { panic!("one line") };
            assert_eq!(said["calls"], "echo@a.b", "{said}");
        }
        write(&[&user("Echo")]);
        assert!(reload.again(&estate).await.unwrap_err().to_string().contains("S0212"));
        assert!(estate.has_user("bob"), "everything stays as it was");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn what_cannot_change_is_named_as_the_file_writes_it() {
        let table = |text: &str| text.parse::<Table>().unwrap();
        let started = table("domain = \"a.b\"\n[limits]\nnonces = 5\n[[server]]\nname = \"x\"");
        let now = table("domain = \"a.b\"\ndns_port = 9\n[limits]\nnonces = 6");
        assert_eq!(waits(&started, &now), ["`dns_port`", "[limits]", "[[server]]"]);
        assert!(waits(&started, &started).is_empty());
    }
}
