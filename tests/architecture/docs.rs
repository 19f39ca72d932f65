//! The documents: what they point to exists, and what they promise is in the tree.

use std::path::Path;

use crate::tree::{File, files, top};

/// Folders that a document names by path.
const FOLDERS: &[&str] =
    &["sdk/", "tui/", "server-mock/", "tests/", ".ci/", ".github/", ".config/", ".cargo/"];

#[test]
fn relative_links_lead_somewhere() {
    let mut faults = Vec::new();
    for file in files(&[".md"]) {
        for link in links(&file.text) {
            let outside = ["http://", "https://", "#", "mailto:"].iter().any(|p| link.starts_with(p));
            let path = link.split('#').next().unwrap_or_default();
            // A page that is also a crate's documentation names items; rustdoc checks those.
            let outside = outside || link.contains("::");
            if !outside && !exists_beside(&file, path) {
                faults.push(format!("{} points to {link}", file.path));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn folders_named_in_documents_exist() {
    let mut faults = Vec::new();
    for file in files(&[".md"]) {
        for word in file.text.split('`').skip(1).step_by(2) {
            let path = word.trim_end_matches('/');
            let names_a_folder = FOLDERS.iter().any(|folder| word.starts_with(folder));
            let plain = !path.contains([' ', '*', '…', '{', '<', '$']);
            if names_a_folder && plain && !top().join(path).exists() {
                faults.push(format!("{} names `{word}`", file.path));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_files_a_reader_looks_for_first_exist() {
    for name in [
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        ".ci/run",
    ] {
        assert!(top().join(name).is_file(), "{name} is missing");
    }
    let readme = std::fs::read_to_string(top().join("README.md")).unwrap();
    let ci = std::fs::read_to_string(top().join(".ci/run")).unwrap();
    for command in ["cargo run --release -- demo", "cargo test --workspace"] {
        assert!(readme.contains(command), "README names `{command}`");
    }
    assert!(ci.contains("cargo test --workspace"), ".ci/run runs the README's test command");
}

#[test]
fn the_glossary_holds_every_state() {
    let text = std::fs::read_to_string(top().join("CONTRIBUTING.md")).unwrap();
    for state in homing_core::state::AccountState::ALL {
        let words = state.words();
        let row = format!("| {} | {} | {} |", words.word, words.glyph, words.meaning);
        assert!(text.contains(&row), "CONTRIBUTING lacks the row: {row}");
    }
}

#[test]
fn decisions_that_comments_name_are_written_down() {
    let text = std::fs::read_to_string(top().join("CONTRIBUTING.md")).unwrap();
    let written: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("| ")?.split(' ').next()).collect();
    let mut faults = Vec::new();
    for file in files(&[".rs", ".toml", ".md"]) {
        for number in decisions(&file.text).into_iter().filter(|number| !written.contains(number)) {
            faults.push(format!("{} names decision {number}", file.path));
        }
    }
    assert!(faults.is_empty(), "not in CONTRIBUTING:\n{}", faults.join("\n"));
}

/// The numbers behind the words `decision` and `decisions`.
fn decisions(text: &str) -> Vec<&str> {
    let behind = text.match_indices("decision").map(|(at, word)| &text[at + word.len()..]);
    behind
        .map(|rest| rest.strip_prefix('s').unwrap_or(rest))
        .filter_map(|rest| rest.strip_prefix(' ')?.split(|c: char| !c.is_ascii_digit()).next())
        .filter(|number| !number.is_empty())
        .collect()
}

fn exists_beside(file: &File, path: &str) -> bool {
    let folder = Path::new(&file.path).parent().unwrap_or(Path::new(""));
    path.is_empty() || top().join(folder).join(path).exists()
}

/// The targets of `[text](target)`.
fn links(text: &str) -> Vec<&str> {
    text.match_indices("](").filter_map(|(at, _)| text[at + 2..].split([')', ' ']).next()).collect()
}
