//! What is odd about a configuration file: unknown keys with a suggestion, values out of range.

use std::collections::BTreeMap;

use toml::{Table, Value};

use crate::config::migrate::present_name;
use crate::config::table::look_up;
use crate::config::{ACCOUNT, AccountEntry, SETTINGS, Setting};

/// One remark; `fatal` ones keep an account from being used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remark {
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) fatal: bool,
}

/// Everything odd about the file, in its order.
pub(crate) fn check(file: &Table) -> Vec<Remark> {
    let mut remarks = Vec::new();
    let mut general = file.clone();
    let accounts = general.remove("account");
    walk(&general, "", SETTINGS, &mut remarks);
    match accounts {
        None => {}
        Some(Value::Array(list)) => {
            check_endpoints(&list, &mut remarks);
            for (index, account) in list.iter().enumerate() {
                let name = format!("account[{index}]");
                match account.as_table() {
                    Some(table) => check_account(table, &name, &mut remarks),
                    None => remarks.push(fatal(name, "is not a table; write [[account]]".to_owned())),
                }
            }
        }
        Some(_) => remarks.push(fatal("account".to_owned(), "is not a list; write [[account]]".to_owned())),
    }
    remarks
}

/// Two accounts with one address and epid would remove each other's registration.
fn check_endpoints(list: &[Value], remarks: &mut Vec<Remark>) {
    let mut taken: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (index, account) in list.iter().enumerate() {
        let Some(table) = account.as_table() else { continue };
        let entry = AccountEntry::new(table.clone());
        let endpoint = (entry.address().to_ascii_lowercase(), entry.text("epid"));
        match taken.get(&endpoint) {
            Some(first) if !endpoint.1.is_empty() => {
                let text = format!("is account[{first}] once more: the same aor and epid");
                remarks.push(fatal(format!("account[{index}]"), text));
            }
            _ => {
                taken.insert(endpoint, index);
            }
        }
    }
}

fn check_account(table: &Table, name: &str, remarks: &mut Vec<Remark>) {
    let before = remarks.len();
    walk(table, &format!("{name}."), ACCOUNT, remarks);
    if remarks[before..].iter().any(|remark| remark.fatal) {
        return;
    }
    let entry = AccountEntry::new(table.clone());
    if let Err(fault) = entry.account_config() {
        remarks.push(fatal(name.to_owned(), fault.to_string()));
    }
    if let Err(fault) = entry.password_source().check() {
        remarks.push(fatal(name.to_owned(), format!("no password: {fault}")));
    }
}

fn walk(table: &Table, prefix: &str, settings: &[Setting], remarks: &mut Vec<Remark>) {
    let mut paths = Vec::new();
    leaves(table, "", settings, &mut paths);
    for path in paths {
        let shown = format!("{prefix}{path}");
        match settings.iter().find(|setting| setting.path == path) {
            None => remarks.push(Remark {
                path: shown,
                text: unknown(&path, settings, !prefix.is_empty()),
                fatal: false,
            }),
            Some(setting) => {
                let admitted = look_up(table, &path).is_some_and(|value| setting.admits(value));
                if !admitted {
                    // What an account trusts is never guessed; what the screen looks like may be.
                    let fatal = !prefix.is_empty();
                    let instead = if fatal { "the account is not used" } else { "the default is used" };
                    let text = format!("takes {}; {instead}", setting.values());
                    remarks.push(Remark { path: shown, text, fatal });
                }
            }
        }
    }
}

/// Dotted paths of everything that is no table of known settings.
fn leaves(table: &Table, prefix: &str, settings: &[Setting], paths: &mut Vec<String>) {
    for (key, value) in table {
        let path = format!("{prefix}{key}");
        let is_group = settings.iter().any(|setting| setting.path.starts_with(&format!("{path}.")));
        match value.as_table().filter(|_| is_group) {
            Some(inner) => leaves(inner, &format!("{path}."), settings, paths),
            None => paths.push(path),
        }
    }
}

fn unknown(path: &str, settings: &[Setting], in_account: bool) -> String {
    if let Some(present) = present_name(path, in_account) {
        return format!("is called `{present}` here; `homing config migrate` renames it");
    }
    match suggestion(path, settings) {
        Some(setting) => format!("is not a setting; is `{}` meant?", setting.path),
        None => "is not a setting; `homing config schema` lists them all".to_owned(),
    }
}

/// The setting whose name is nearest to what was written, if any is near.
pub(crate) fn suggestion<'s>(path: &str, settings: &'s [Setting]) -> Option<&'s Setting> {
    let nearest = settings.iter().min_by_key(|setting| distance(path, setting.path));
    nearest.filter(|setting| distance(path, setting.path) <= path.len() / 3 + 1)
}

/// The word of `words` that is nearest to what was written, if any is near.
pub(crate) fn nearest_word<'w>(text: &str, words: &[&'w str]) -> Option<&'w str> {
    let nearest = words.iter().min_by_key(|word| distance(text, word)).copied();
    nearest.filter(|word| distance(text, word) <= text.len() / 3 + 1)
}

fn fatal(path: String, text: String) -> Remark {
    Remark { path, text, fatal: true }
}

/// Edits that turn one word into the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remarks(text: &str) -> Vec<Remark> {
        check(&text.parse().expect("valid TOML"))
    }

    #[test]
    fn a_misspelt_key_gets_a_suggestion() {
        let found = remarks("[ui]\ntheem = \"light\"\n");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, "ui.theem");
        assert!(found[0].text.contains("ui.theme") && !found[0].fatal);
    }

    #[test]
    fn a_value_out_of_range_says_what_is_taken() {
        let found = remarks("[[account]]\naor = \"a@b.c\"\nepid = \"x1\"\n[account.redirect]\nlimit = 9\n");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].text.contains("0 to 5") && found[0].fatal);
    }

    #[test]
    fn one_endpoint_twice_and_a_password_that_is_not_there_are_fatal() {
        let twice =
            "[[account]]\naor = \"a@b.c\"\nepid = \"x1\"\n[[account]]\naor = \"sip:a@B.c\"\nepid = \"x1\"\n";
        let found = remarks(twice);
        assert!(
            found.len() == 1 && found[0].fatal && found[0].text.contains("same aor and epid"),
            "{found:?}"
        );
        assert!(remarks(&twice.replacen("x1", "x2", 1)).is_empty(), "two devices of one user are fine");
        let account = "[[account]]\naor = \"a@b.c\"\nepid = \"x1\"\n";
        for source in ["password_file = \"/nonexistent\"", "password_command = [\"no-such-program-5d1e\"]"] {
            let found = remarks(&format!("{account}{source}\n"));
            assert!(found.len() == 1 && found[0].fatal && found[0].text.contains("no password"), "{found:?}");
        }
        assert!(remarks(&format!("{account}password_command = [\"sh\"]\n")).is_empty());
    }

    #[test]
    fn an_account_without_an_address_is_fatal() {
        assert!(remarks("[[account]]\nepid = \"x1\"\n").iter().any(|remark| remark.fatal));
        assert!(remarks("account = 3").iter().any(|remark| remark.fatal));
    }
}
