//! Which modules a file names: `use` trees unfolded, inline paths found.

use std::collections::BTreeMap;

/// The paths below `root` (`crate`, `homing_core`, …) that the code names, such as `auth::digest`.
pub(crate) fn paths_below(code: &str, root: &str) -> Vec<String> {
    let mut found = Vec::new();
    for item in use_items(code) {
        for path in unfold(&item.tree) {
            let path = named(&path).0;
            if let Some(rest) = path.strip_prefix(root).and_then(|rest| rest.strip_prefix("::")) {
                found.push(rest.to_owned());
            }
        }
    }
    found.extend(inline(code, root));
    found.sort();
    found.dedup();
    found
}

/// What a file names of other files.
#[derive(Debug, Default)]
pub(crate) struct Imports {
    /// The paths it names for its own use, as written.
    pub(crate) uses: Vec<String>,
    /// The names it re-exports (`pub use`), each with the path it stands for.
    pub(crate) reexports: BTreeMap<String, String>,
}

impl Imports {
    /// Reads them from the code of one file. A name that is re-exported and used here, too, counts as both.
    pub(crate) fn of(code: &str) -> Self {
        let (mut found, mut rest) = (Imports::default(), code.to_owned());
        let items = use_items(code);
        for item in &items {
            rest = rest.replacen(&item.source, "", 1);
        }
        for (item, path) in
            items.iter().flat_map(|item| unfold(&item.tree).into_iter().map(move |p| (item, p)))
        {
            let (path, name) = named(&path);
            if item.is_reexport {
                found.reexports.insert(name.clone(), path.clone());
            }
            if !item.is_reexport || has_word(&rest, &name) {
                found.uses.push(path);
            }
        }
        for root in ["crate", "super", "self"] {
            found.uses.extend(inline(&rest, root).into_iter().map(|path| format!("{root}::{path}")));
        }
        found
    }
}

struct UseItem {
    tree: String,
    is_reexport: bool,
    source: String,
}

/// The path of an unfolded tree, and the name it has here.
fn named(path: &str) -> (String, String) {
    let (path, alias) = path.split_once('@').map_or((path, None), |(path, alias)| (path, Some(alias)));
    let path = path.trim_end_matches("::self").trim_end_matches("::*");
    let name = alias.unwrap_or_else(|| path.rsplit("::").next().unwrap_or(path));
    (path.to_owned(), name.to_owned())
}

fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part))
}

/// The bodies of all `use …;` items, blanks removed, ` as ` written as `@`.
fn use_items(code: &str) -> Vec<UseItem> {
    let mut items = Vec::new();
    let mut open: Option<UseItem> = None;
    for line in code.lines() {
        let trimmed = line.trim();
        if let Some(item) = &mut open {
            item.tree.push_str(trimmed);
            item.source.push('\n');
            item.source.push_str(line);
        } else {
            let body = ["pub use ", "pub(crate) use ", "pub(super) use ", "use "];
            let Some((start, body)) =
                body.iter().find_map(|start| Some((start, trimmed.strip_prefix(start)?)))
            else {
                continue;
            };
            let is_reexport = start.starts_with("pub");
            open = Some(UseItem { tree: body.to_owned(), is_reexport, source: line.to_owned() });
        }
        if trimmed.ends_with(';')
            && let Some(mut item) = open.take()
        {
            item.tree = item.tree.trim_end_matches(';').replace(" as ", "@").replace(' ', "");
            items.push(item);
        }
    }
    items
}

/// `a::{b, c::{d, e}}` becomes `a::b`, `a::c::d`, `a::c::e`.
fn unfold(tree: &str) -> Vec<String> {
    let Some(brace) = tree.find('{') else { return vec![tree.to_owned()] };
    let (head, body) = tree.split_at(brace);
    let body = body.strip_prefix('{').and_then(|body| body.strip_suffix('}')).unwrap_or_default();
    let (mut depth, mut start, mut parts) = (0usize, 0, Vec::new());
    for (at, byte) in body.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                parts.push(&body[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&body[start..]);
    let inner = parts.into_iter().filter(|part| !part.is_empty()).flat_map(unfold);
    inner.map(|part| format!("{head}{part}")).collect()
}

fn inline(code: &str, root: &str) -> Vec<String> {
    let needle = format!("{root}::");
    let mut found = Vec::new();
    for (at, _) in code.match_indices(&needle) {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let rest = &code[at + needle.len()..];
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(rest.len());
        let path = rest[..end].trim_end_matches(':');
        if !path.is_empty() {
            found.push(path.to_owned());
        }
    }
    found
}

#[test]
fn use_trees_are_unfolded() {
    let code = "use crate::{a::{B, c::D}, e};\nfn f() { crate::g::h(); mycrate::x(); }\nuse other::z;";
    assert_eq!(paths_below(code, "crate"), ["a::B", "a::c::D", "e", "g::h"]);
}

#[test]
fn what_is_only_reexported_is_no_use() {
    let code = "pub use a::{B, C as D};\nuse super::e::{self, F};\nfn g(b: B) { crate::h::i(); super::k(); }";
    let found = Imports::of(code);
    assert_eq!(found.uses, ["a::B", "super::e", "super::e::F", "crate::h::i", "super::k"]);
    let reexports: Vec<_> = found.reexports.iter().map(|(name, path)| format!("{name} = {path}")).collect();
    assert_eq!(reexports, ["B = a::B", "D = a::C"]);
}
