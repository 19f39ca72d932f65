//! The files of the repository as the rules see them.

use std::fs;
use std::path::{Path, PathBuf};

/// One text file of the repository.
pub(crate) struct File {
    /// Path from the top of the repository, with forward slashes.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
}

/// The top of the repository.
pub(crate) fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the repository").to_path_buf()
}

/// Every text file with one of these endings, in a fixed order; build folders are left out.
pub(crate) fn files(endings: &[&str]) -> Vec<File> {
    let top = top();
    let mut found = Vec::new();
    collect(&top, &mut found);
    found.sort();
    let wanted = found.into_iter().filter(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        endings.iter().any(|ending| name.ends_with(ending))
    });
    wanted
        .filter_map(|path| {
            let text = fs::read_to_string(&path).ok()?;
            let path = path.strip_prefix(&top).ok()?.to_str()?.replace('\\', "/");
            Some(File { path, text })
        })
        .collect()
}

/// Every Rust file.
pub(crate) fn sources() -> Vec<File> {
    files(&[".rs"])
}

impl File {
    /// True for a file that only tests read: a sibling `tests.rs`, a `tests/` folder, the crate of tests.
    pub(crate) fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs")
            || self.path.contains("/tests/")
            || self.path.starts_with("tests/")
            || self.path.contains("/benches/")
    }

    /// The text without its inline test modules.
    pub(crate) fn production(&self) -> String {
        let mut kept = String::new();
        let mut lines = self.text.lines().peekable();
        while let Some(line) = lines.next() {
            let opens = lines.peek().is_some_and(|next| next.starts_with("mod ") && next.ends_with('{'));
            if line.starts_with("#[cfg(test)]") && opens {
                for inside in lines.by_ref() {
                    if inside == "}" {
                        break;
                    }
                }
            } else {
                kept.push_str(line);
                kept.push('\n');
            }
        }
        kept
    }

    /// The production text without comments and docs.
    pub(crate) fn code(&self) -> String {
        let production = self.production();
        let lines = production.lines().map(|line| match line.find("//") {
            Some(at) if line[..at].trim().is_empty() => "",
            _ => line,
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            if ![".git", "target", "node_modules"].iter().any(|skip| name == *skip) {
                collect(&path, found);
            }
        } else if kind.is_file() {
            found.push(path);
        }
    }
}
