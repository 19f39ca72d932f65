//! The lint files: the nearest one replaces the root's, so each repeats its rules.

use crate::tree::{files, top};

#[test]
fn every_clippy_file_repeats_the_roots_rules() {
    let root: toml::Table = std::fs::read_to_string(top().join(".clippy.toml")).unwrap().parse().unwrap();
    assert!(root.len() >= 5, "the root's .clippy.toml holds the rules of all crates");
    for file in files(&["clippy.toml"]) {
        let nearer: toml::Table = file.text.parse().unwrap();
        for (rule, value) in &root {
            assert_eq!(nearer.get(rule), Some(value), "{}: rule {rule}", file.path);
        }
    }
}

#[test]
fn core_media_and_wire_have_no_clock() {
    for folder in ["sdk/core", "sdk/media", "sdk/wire"] {
        let text = std::fs::read_to_string(top().join(folder).join(".clippy.toml")).unwrap();
        for path in ["std::time::Instant::now", "std::time::SystemTime::now", "std::thread::sleep"] {
            assert!(text.contains(path), "{folder}/.clippy.toml allows {path}");
        }
    }
}

#[test]
fn every_crate_keeps_the_workspace_lints_and_versions() {
    for file in files(&["Cargo.toml"]) {
        if file.path == "Cargo.toml" || file.path.starts_with("tests/fuzz/") {
            continue;
        }
        let manifest: toml::Table = file.text.parse().unwrap();
        let kept = manifest["lints"]["workspace"].as_bool();
        assert_eq!(kept, Some(true), "{}: [lints] workspace = true", file.path);
        for table in ["dependencies", "dev-dependencies"] {
            let Some(list) = manifest.get(table).and_then(toml::Value::as_table) else { continue };
            for (name, how) in list {
                let inherited = how.get("workspace").and_then(toml::Value::as_bool);
                assert_eq!(inherited, Some(true), "{}: {name} states its version itself", file.path);
            }
        }
    }
}

#[test]
fn every_crate_has_a_page_of_its_own() {
    for file in files(&["Cargo.toml"]) {
        let folder = top().join(&file.path).parent().expect("a file lies in a folder").to_path_buf();
        assert!(folder.join("README.md").is_file(), "{} has no README.md beside it", file.path);
    }
}

#[test]
fn unsafe_code_is_forbidden_for_all() {
    let root: toml::Table = std::fs::read_to_string(top().join("Cargo.toml")).unwrap().parse().unwrap();
    let level = root["workspace"]["lints"]["rust"]["unsafe_code"].as_str();
    assert_eq!(level, Some("forbid"));
}
