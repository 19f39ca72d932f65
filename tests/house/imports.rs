//! Which modules a file names: `use` trees unfolded, inline paths found.

/// The paths below `root` (`crate`, `homing_core`, …) that the code names, such as `auth::digest`.
pub(crate) fn paths_below(code: &str, root: &str) -> Vec<String> {
    let mut found = Vec::new();
    for tree in use_trees(code) {
        for path in unfold(&tree) {
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

/// The bodies of all `use …;` items, blanks removed.
fn use_trees(code: &str) -> Vec<String> {
    let mut trees = Vec::new();
    let mut open: Option<String> = None;
    for line in code.lines() {
        let trimmed = line.trim();
        if open.is_none() {
            let body = trimmed
                .strip_prefix("pub use ")
                .or_else(|| trimmed.strip_prefix("use "))
                .or_else(|| trimmed.strip_prefix("pub(crate) use "))
                .or_else(|| trimmed.strip_prefix("pub(super) use "));
            match body {
                Some(body) => open = Some(body.to_owned()),
                None => continue,
            }
        } else if let Some(tree) = &mut open {
            tree.push_str(trimmed);
        }
        if trimmed.ends_with(';')
            && let Some(tree) = open.take()
        {
            trees.push(tree.trim_end_matches(';').replace(' ', ""));
        }
    }
    trees
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
