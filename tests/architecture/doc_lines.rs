//! A doc line says something that the name does not.

use crate::layers::production;
use crate::outstanding::{REPEATING_DOC_LINES, RULED, compare};

/// Words that add nothing to a name.
const EMPTY: &[&str] = &[
    "a", "an", "and", "are", "his", "how", "is", "it", "its", "of", "one", "our", "that", "the", "their",
    "them", "they", "this", "those", "to", "what", "when", "where", "which", "who", "whose", "why",
];

#[test]
fn no_doc_line_only_repeats_the_name() {
    let mut found = Vec::new();
    let mut all = String::new();
    for folder in RULED {
        let repeating: Vec<String> = production(folder)
            .iter()
            .flat_map(|file| {
                repeating(&file.production()).into_iter().map(|doc| format!("{}: {doc}", file.path))
            })
            .collect();
        if !repeating.is_empty() {
            found.push((*folder, repeating.len()));
        }
        for line in repeating {
            all.push_str(&line);
            all.push('\n');
        }
    }
    compare(&format!("doc lines repeat the name:\n{all}by crate"), &found, REPEATING_DOC_LINES);
}

/// The doc comments of one line whose words are all in the name of the item below, or say nothing.
fn repeating(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let doc = |at: usize| lines.get(at).and_then(|line| line.strip_prefix("///"));
    let mut found = Vec::new();
    for at in 0..lines.len() {
        let Some(words) = doc(at) else { continue };
        // A link leads to where it is said.
        if words.contains("[`") || doc(at + 1).is_some() || at.checked_sub(1).and_then(doc).is_some() {
            continue;
        }
        let item = lines[at + 1..].iter().find(|line| !line.starts_with("#["));
        let Some(name) = item.and_then(|item| name_of(item)) else { continue };
        let says_more = words_of(words)
            .iter()
            .any(|word| !EMPTY.contains(&word.as_str()) && !name.iter().any(|part| same(part, word)));
        if !says_more {
            found.push(format!("{}: {}", name.join(" "), words.trim()));
        }
    }
    found
}

/// The words of the name an item has.
fn name_of(item: &str) -> Option<Vec<String>> {
    let mut rest = item;
    if let Some(after) = rest.strip_prefix("pub(") {
        rest = after.split_once(") ")?.1;
    }
    while let Some((word, after)) = rest.split_once(' ')
        && KEYWORDS.contains(&word)
    {
        rest = after;
    }
    let name: String = rest.chars().take_while(|sign| sign.is_alphanumeric() || *sign == '_').collect();
    let mut parts = String::new();
    for (at, sign) in name.char_indices() {
        if sign.is_uppercase() && name[..at].ends_with(char::is_lowercase) {
            parts.push(' ');
        }
        parts.push(if sign == '_' { ' ' } else { sign.to_ascii_lowercase() });
    }
    (!name.is_empty()).then(|| words_of(&parts))
}

fn words_of(text: &str) -> Vec<String> {
    let words = text.split(|sign: char| !sign.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect()
}

/// The same word, perhaps one of them in the plural.
fn same(one: &str, other: &str) -> bool {
    one == other || one.strip_suffix('s') == Some(other) || other.strip_suffix('s') == Some(one)
}

const KEYWORDS: &[&str] =
    &["pub", "async", "const", "fn", "struct", "enum", "trait", "type", "static", "mod", "union"];

#[test]
fn only_what_says_nothing_is_found() {
    let text = "/// The domain.\npub domain: String,\n/// Which.\nflow: FlowId,\n/// The sets of rules.\n#[must_use]\n\
                pub(super) fn rule_set() {}\n/// Who a message is for.\npub struct Route;\n/// Its\n/// name.\nname: u8,\n\
                /// In seconds.\nlife: u32,\n/// What this is.\nBindingLifetime(u8),\n";
    let found = repeating(text);
    assert_eq!(
        found,
        [
            "domain: The domain.",
            "flow: Which.",
            "rule set: The sets of rules.",
            "binding lifetime: What this is."
        ]
    );
}
