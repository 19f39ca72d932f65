//! Rules for single files: a first sentence, a name, no waiting by the clock.

use crate::tree::{File, files, sources};

const FORBIDDEN_NAMES: &[&str] =
    &["util", "utils", "common", "helper", "helpers", "misc", "manager", "base", "types", "handy"];

/// Words that tell of a machine, of a moment or of work left over, and never of the program.
const FORBIDDEN_WORDS: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/runner"),
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("X", "XX "),
    concat!("HA", "CK:"),
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
];

#[test]
fn every_source_file_says_what_it_is_for() {
    for file in sources() {
        let first = file.text.lines().next().unwrap_or_default();
        let sentence = first.strip_prefix("//! ").unwrap_or_default();
        assert!(
            sentence.len() > 10,
            "{}: the first line says in one sentence what the file is for",
            file.path
        );
    }
}

#[test]
fn files_are_named_for_what_is_in_them() {
    for file in sources() {
        for part in file.path.trim_end_matches(".rs").split('/') {
            assert!(!FORBIDDEN_NAMES.contains(&part), "{}: `{part}` says nothing", file.path);
        }
    }
}

#[test]
fn the_simulation_never_waits_for_a_real_second() {
    let simulated = in_folders(&["tests/sim/", "tests/src/", "sdk/core/", "sdk/media/", "sdk/wire/"]);
    for file in simulated.iter().filter(|file| !file.path.contains("/benches/")) {
        for word in ["thread::sleep", "time::sleep", "Instant::now", "SystemTime::now"] {
            assert!(!file.code().contains(word), "{}: {word}", file.path);
        }
    }
}

#[test]
fn no_test_is_ignored() {
    let word = concat!("#[ign", "ore");
    for file in sources() {
        assert!(!file.text.contains(word), "{}: {word}]", file.path);
    }
}

#[test]
fn no_file_tells_of_a_machine_or_of_work_left_over() {
    for file in files(&[".rs", ".md", ".toml", ".yml", ".sh", ".c", ".cfg", ".xml", "/run", "run"]) {
        for word in FORBIDDEN_WORDS {
            assert!(!file.text.contains(word), "{}: contains {word:?}", file.path);
        }
    }
}

fn in_folders(folders: &[&str]) -> Vec<File> {
    let wanted = |file: &File| folders.iter().any(|folder| file.path.starts_with(folder));
    // Programs and benchmarks are no part of the simulation.
    let apart = |file: &File| file.path.starts_with("tests/src/bin/") || file.path.contains("/benches/");
    sources().into_iter().filter(|file| wanted(file) && !apart(file)).collect()
}
