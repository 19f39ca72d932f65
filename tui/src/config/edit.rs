//! Changes of the file that keep a person's comments: one line is replaced or added, the rest stays.

use toml::{Table, Value};

use crate::config::account::{new_epid, plain_address};
use crate::config::table::{look_up, put};

/// Sets a value at a dotted path such as `ui.theme`.
pub(crate) fn set(text: &str, path: &str, value: &Value) -> String {
    let (section, key) = path.rsplit_once('.').unwrap_or(("", path));
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let span = match section {
        "" => Some((0, first_header(&lines, 0))),
        section => find_header(&lines, &format!("[{section}]"), 0)
            .map(|header| (header + 1, first_header(&lines, header + 1))),
    };
    match span {
        Some(span) => put_line(&mut lines, span, key, value),
        None => {
            separate(&mut lines);
            lines.push(format!("[{section}]"));
            lines.push(format!("{key} = {value}"));
        }
    }
    let mut wanted: Table = text.parse().unwrap_or_default();
    put(&mut wanted, path, value.clone());
    joined(&lines, &wanted)
}

/// Sets a value of the account with this address; without such an account nothing changes.
pub(crate) fn set_in_account(text: &str, aor: &str, key: &str, value: &Value) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let Some((from, to)) = account_span(&lines, aor) else { return text.to_owned() };
    let (section, last) = key.rsplit_once('.').unwrap_or(("", key));
    let table = find_header(&lines[..to], &format!("[account.{section}]"), from + 1);
    let (head, written) = table.map_or((from, key), |head| (head, last));
    let span = (head + 1, first_header(&lines[..to], head + 1));
    put_line(&mut lines, span, written, value);
    let mut wanted: Table = text.parse().unwrap_or_default();
    for account in accounts(&mut wanted) {
        if account.get("aor").and_then(Value::as_str).is_some_and(|text| plain_address(text) == aor) {
            put(account, key, value.clone());
        }
    }
    joined(&lines, &wanted)
}

/// The same with an endpoint token for every account that has none; none where nothing is missing.
pub(crate) fn with_epids(text: &str) -> Option<String> {
    let mut table: Table = text.parse().ok()?;
    let missing: Vec<String> = accounts(&mut table)
        .filter(|account| account.get("epid").is_none())
        .filter_map(|account| account.get("aor")?.as_str().map(plain_address))
        .collect();
    let filled = missing
        .iter()
        .fold(text.to_owned(), |text, aor| set_in_account(&text, aor, "epid", &Value::String(new_epid())));
    (!missing.is_empty()).then_some(filled)
}

/// Adds an account at the end.
pub(crate) fn append_account(text: &str, account: &Table) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    separate(&mut lines);
    lines.push("[[account]]".to_owned());
    lines.extend(
        account.iter().filter(|(_, value)| !value.is_table()).map(|(key, value)| format!("{key} = {value}")),
    );
    for (name, inner) in account {
        if let Some(inner) = inner.as_table() {
            lines.push(format!("[account.{name}]"));
            lines.extend(inner.iter().map(|(key, value)| format!("{key} = {value}")));
        }
    }
    lines.join("\n") + "\n"
}

/// Takes the account with this address out; none if there is no such account.
pub(crate) fn remove_account(text: &str, aor: &str) -> Option<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let (from, to) = account_span(&lines, aor)?;
    lines.drain(from..to);
    while lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
    Some(lines.join("\n") + "\n")
}

/// The text, if it means what is wanted; else the table printed again: its comments are lost, its meaning is not.
fn joined(lines: &[String], wanted: &Table) -> String {
    let text = lines.join("\n") + "\n";
    match text.parse::<Table>() {
        Ok(table) if table == *wanted => text,
        _ => wanted.to_string(),
    }
}

fn put_line(lines: &mut Vec<String>, span: (usize, usize), key: &str, value: &Value) {
    let (from, to) = span;
    let is_key = |line: &String| line.split_once('=').is_some_and(|(name, _)| name.trim() == key);
    let written = format!("{key} = {value}");
    match lines[from..to].iter().position(is_key) {
        Some(at) => lines[from + at] = written,
        None => {
            let last = lines[from..to].iter().rposition(|line| !line.trim().is_empty());
            lines.insert(from + last.map_or(0, |last| last + 1), written);
        }
    }
}

/// First and last line (exclusive) of the account with this address, its sub-tables included.
fn account_span(lines: &[String], aor: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(start) = find_header(lines, "[[account]]", from) {
        let is_end =
            |line: &String| line.trim_start().starts_with('[') && !line.trim_start().starts_with("[account.");
        let end = lines[start + 1..].iter().position(is_end).map_or(lines.len(), |at| start + 1 + at);
        let table: Table =
            lines[start + 1..first_header(lines, start + 1)].join("\n").parse().unwrap_or_default();
        let found = look_up(&table, "aor").and_then(Value::as_str);
        if found.is_some_and(|text| plain_address(text) == aor) {
            return Some((start, end));
        }
        from = end;
    }
    None
}

fn find_header(lines: &[String], header: &str, from: usize) -> Option<usize> {
    lines[from..].iter().position(|line| line.trim() == header).map(|at| from + at)
}

fn first_header(lines: &[String], from: usize) -> usize {
    lines[from..]
        .iter()
        .position(|line| line.trim_start().starts_with('['))
        .map_or(lines.len(), |at| from + at)
}

fn separate(lines: &mut Vec<String>) {
    if lines.last().is_some_and(|line| !line.trim().is_empty()) {
        lines.push(String::new());
    }
}

fn accounts(table: &mut Table) -> impl Iterator<Item = &mut Table> {
    table
        .get_mut("account")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
        .filter_map(Value::as_table_mut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_without_endpoint_token_gets_one_and_keeps_it() {
        let text =
            "# mine\n[[account]]\naor = \"sip:a@b.c\"\n\n[[account]]\naor = \"d@b.c\"\nepid = \"01ab\"\n";
        let filled = with_epids(text).expect("one is missing");
        assert!(filled.starts_with("# mine\n") && filled.matches("epid = ").count() == 2, "{filled}");
        assert_eq!(with_epids(&filled), None);
        assert_eq!(with_epids("no TOML ["), None);
    }

    const FILE: &str = "# mine\n[ui]\n# dark room\ntheme = \"default\"\n\n[[account]]\naor = \"a@b.c\"\nepid = \"1\"\n\
                        [account.redirect]\nlimit = 3\n\n[[account]]\naor = \"d@e.f\"\nepid = \"2\"\n";

    #[test]
    fn a_changed_line_leaves_the_comments() {
        let text = set(FILE, "ui.theme", &Value::String("light".into()));
        assert!(text.contains("# dark room\ntheme = \"light\"\n"), "{text}");
        let text = set(&text, "ui.ascii", &Value::Boolean(true));
        assert!(text.contains("theme = \"light\"\nascii = true\n"), "{text}");
        let text = set(&text, "trace.bytes", &Value::Integer(70_000));
        assert!(text.ends_with("\n[trace]\nbytes = 70000\n") && text.starts_with("# mine\n"), "{text}");
    }

    #[test]
    fn accounts_are_added_changed_and_removed() {
        let file = Value::String("/p".into());
        let text = set_in_account(FILE, "a@b.c", "password_file", &file);
        assert!(text.contains("epid = \"1\"\npassword_file = \"/p\"\n[account.redirect]"), "{text}");
        assert_eq!(set_in_account(FILE, "x@y.z", "password_file", &file), FILE);
        let less = remove_account(&text, "a@b.c").expect("that account");
        assert!(!less.contains("a@b.c") && !less.contains("limit = 3") && less.contains("d@e.f"), "{less}");
        assert_eq!(remove_account(&less, "a@b.c"), None);
        let more = append_account(&less, &"aor = \"g@h.i\"\n[redirect]\nlimit = 0\n".parse().expect("TOML"));
        let table: Table = more.parse().expect("valid TOML");
        assert_eq!(table["account"][1]["redirect"]["limit"].as_integer(), Some(0));
    }

    #[test]
    fn a_table_of_an_account_takes_its_own_settings_and_comments_stay() {
        let text = set_in_account(FILE, "a@b.c", "redirect.limit", &Value::Integer(1));
        assert!(text.contains("[account.redirect]\nlimit = 1\n") && text.contains("# dark room"), "{text}");
        let text = set_in_account(&text, "d@e.f", "redirect.limit", &Value::Integer(2));
        assert!(text.contains("epid = \"2\"\nredirect.limit = 2\n") && text.contains("# mine"), "{text}");
        let other = FILE.replace("\"a@b.c\"", "\"sip:a@B.C\"");
        assert!(set_in_account(&other, "a@b.c", "expires", &Value::Integer(90)).contains("expires = 90"));
    }

    #[test]
    fn odd_layouts_keep_their_meaning() {
        let text = set("ui = { theme = \"light\" }\n", "ui.ascii", &Value::Boolean(true));
        let table: Table = text.parse().expect("valid TOML");
        assert_eq!(table["ui"]["ascii"].as_bool(), Some(true));
        assert_eq!(table["ui"]["theme"].as_str(), Some("light"));
    }
}
