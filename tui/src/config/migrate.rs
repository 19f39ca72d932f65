//! Names that settings have elsewhere, or had before: `config check` knows them, `config migrate` renames them.

use toml::Table;

/// A setting under another name, and the name it has here; both stand in the same table of the file.
struct Renamed {
    in_account: bool,
    from: &'static str,
    to: &'static str,
}

/// The present name of a setting, if `path` is a name it has elsewhere.
pub(crate) fn present_name(path: &str, in_account: bool) -> Option<&'static str> {
    let known = |entry: &&Renamed| entry.in_account == in_account && entry.from == path;
    RENAMED.iter().find(known).map(|entry| entry.to)
}

/// The text with present names, and what was renamed; comments and order stay. A setting that stands
/// there under its present name too is left alone.
pub(crate) fn migrate(text: &str) -> (String, Vec<(String, &'static str)>) {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut renamed = Vec::new();
    let mut from = 0;
    while from <= lines.len() {
        let header = from.checked_sub(1).map_or("", |at| lines[at].trim()).to_owned();
        let is_header = |line: &String| line.trim_start().starts_with('[');
        let to = lines[from..].iter().position(is_header).map_or(lines.len(), |at| from + at);
        rename_in(&mut lines[from..to], &header, &mut renamed);
        from = to + 1;
    }
    let migrated = lines.join("\n") + "\n";
    if renamed.is_empty() || migrated.parse::<Table>().is_err() {
        return (text.to_owned(), Vec::new());
    }
    (migrated, renamed)
}

/// Renames in the lines of one table.
fn rename_in(lines: &mut [String], header: &str, renamed: &mut Vec<(String, &'static str)>) {
    let name = header.trim_matches(['[', ']']).trim();
    let (in_account, table) = match name.strip_prefix("account") {
        Some(rest) if rest.is_empty() || rest.starts_with('.') => (true, rest.trim_start_matches('.')),
        _ => (false, name),
    };
    let prefix = if table.is_empty() { String::new() } else { format!("{table}.") };
    for at in 0..lines.len() {
        let Some(key) = key_of(&lines[at]).map(str::to_owned) else { continue };
        let path = format!("{prefix}{key}");
        let Some(present) = present_name(&path, in_account) else { continue };
        let Some(present_key) = present.strip_prefix(&prefix) else { continue };
        if lines.iter().any(|line| key_of(line) == Some(present_key)) {
            continue;
        }
        lines[at] = lines[at].replacen(&key, present_key, 1);
        renamed.push((path, present));
    }
}

fn key_of(line: &str) -> Option<&str> {
    line.split_once('=').map(|(key, _)| key.trim()).filter(|key| !key.is_empty() && !key.starts_with('#'))
}

const fn general(from: &'static str, to: &'static str) -> Renamed {
    Renamed { in_account: false, from, to }
}

const fn account(from: &'static str, to: &'static str) -> Renamed {
    Renamed { in_account: true, from, to }
}

const RENAMED: &[Renamed] = &[
    general("ui.colour", "ui.color"),
    general("ui.colors", "ui.color"),
    general("network.dns", "network.name_server"),
    general("network.nameserver", "network.name_server"),
    general("network.ca", "network.ca_file"),
    account("address", "aor"),
    account("uri", "aor"),
    account("display_name", "display"),
    account("username", "user"),
    account("auth_user", "user"),
    account("registrar", "server"),
    account("outbound_proxy", "server"),
    account("password_cmd", "password_command"),
    account("redirect.max", "redirect.limit"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ACCOUNT, SETTINGS};

    #[test]
    fn every_present_name_is_a_setting_and_no_other_name_is() {
        for entry in RENAMED {
            let settings = if entry.in_account { ACCOUNT } else { SETTINGS };
            let is_one = |path: &str| settings.iter().any(|setting| setting.path == path);
            assert!(is_one(entry.to) && !is_one(entry.from), "{} → {}", entry.from, entry.to);
            let table = |path: &'static str| path.rsplit_once('.').map_or("", |(table, _)| table);
            assert_eq!(table(entry.from), table(entry.to));
        }
    }

    #[test]
    fn other_names_become_the_present_ones_and_comments_stay() {
        let text = "# mine\n[ui]\ncolour = \"256\" # colour of the room\n\n[[account]]\nuri = \"a@b.c\"\nepid = \"1\"\n\
                    [account.redirect]\nmax = 2\n\n[[account]]\naor = \"d@e.f\"\nuri = \"both\"\n";
        let (migrated, renamed) = migrate(text);
        let expected = text
            .replace("colour = ", "color = ")
            .replace("uri = \"a@b.c\"", "aor = \"a@b.c\"")
            .replace("max = 2", "limit = 2");
        assert_eq!(migrated, expected);
        let from: Vec<&str> = renamed.iter().map(|(from, _)| from.as_str()).collect();
        assert_eq!(from, ["ui.colour", "uri", "redirect.max"]);
        assert_eq!(migrate(&migrated), (migrated.clone(), Vec::new()));
        assert_eq!(migrate(""), (String::new(), Vec::new()));
    }
}
