//! The layers: which crate and which module may name which. The tables are the ones ARCHITECTURE draws.

use std::collections::BTreeSet;

use crate::imports::paths_below;
use crate::tree::{File, files, sources, top};

/// Crate, its folder, and the inner crates it may depend on.
pub(crate) const CRATES: &[(&str, &str, &[&str])] = &[
    ("homing-wire", "sdk/wire", &[]),
    ("homing-core", "sdk/core", &["homing-wire"]),
    ("homing-media", "sdk/media", &["homing-wire"]),
    ("homing-net", "sdk/net", &["homing-core", "homing-wire"]),
    ("homing", "sdk", &["homing-core", "homing-media", "homing-net", "homing-wire"]),
    ("homing-server-mock", "server-mock", &["homing-core", "homing-media", "homing-net", "homing-wire"]),
    ("homing-tui", "tui", &["homing", "homing-server-mock"]),
    (
        "homing-tests",
        "tests",
        &[
            "homing",
            "homing-core",
            "homing-media",
            "homing-net",
            "homing-server-mock",
            "homing-tui",
            "homing-wire",
        ],
    ),
];

/// The layers inside core, lowest first; a module names its own layer and those below.
const CORE: &[(&str, &[&str])] = &[
    (
        "foundation",
        &[
            "time",
            "timer_queue",
            "ids",
            "secret",
            "transport",
            "limits",
            "dns",
            "address",
            "identity",
            "certificate",
            "fingerprint",
            "connect",
            "server",
            "endpoint",
        ],
    ),
    (
        "vocabulary",
        &[
            "state",
            "config",
            "remembered",
            "error",
            "journey",
            "answer",
            "description",
            "call_request",
            "call_event",
            "call_path",
            "event",
            "command",
            "counter",
            "outbox",
        ],
    ),
    ("machines", &["auth", "transaction", "dialog", "locate", "flow", "uas", "registration_notify"]),
    ("account", &["account"]),
    ("owners", &["registration", "request", "call"]),
    ("agent", &["agent"]),
];

/// What of core the estate may name beside the foundation: never the client's own reading of the protocol, so that one
/// misreading cannot stand on both ends.
const ESTATE_MAY: &[&str] = &[
    "counter",
    "config::Timers",
    "transaction",
    "auth::signed",
    "auth::digest",
    "auth::security_association",
    "auth::contact_binding",
    "auth::ntlm::session",
];

/// What of core the sockets may name.
const NET_MAY: &[&str] = &["certificate", "connect", "fingerprint", "identity", "ids", "time", "transport"];

#[test]
fn crates_depend_on_lower_layers_only() {
    for (name, folder, allowed) in CRATES {
        let manifest = std::fs::read_to_string(top().join(folder).join("Cargo.toml")).unwrap();
        let manifest: toml::Table = manifest.parse().unwrap();
        assert_eq!(manifest["package"]["name"].as_str(), Some(*name), "{folder}/Cargo.toml");
        let Some(dependencies) = manifest.get("dependencies").and_then(|table| table.as_table()) else {
            continue;
        };
        for dependency in dependencies.keys().filter(|key| key.starts_with("homing")) {
            assert!(allowed.contains(&dependency.as_str()), "{name} may not depend on {dependency}");
        }
    }
}

#[test]
fn every_crate_has_its_layer() {
    let known: BTreeSet<String> =
        CRATES.iter().map(|(_, folder, _)| format!("{folder}/Cargo.toml")).collect();
    for manifest in files(&["Cargo.toml"]) {
        let apart = manifest.path == "Cargo.toml" || manifest.path.starts_with("tests/fuzz/");
        assert!(apart || known.contains(&manifest.path), "{} is in no layer", manifest.path);
    }
}

#[test]
fn core_modules_name_lower_layers_only() {
    let layer_of = |module: &str| CORE.iter().position(|(_, modules)| modules.contains(&module));
    let mut faults = Vec::new();
    for (from, to, path) in module_edges("sdk/core/src/") {
        match (layer_of(&from), layer_of(&to)) {
            (Some(upper), Some(lower)) if lower <= upper => {}
            (Some(upper), Some(lower)) => {
                faults.push(format!("{path}: {from} ({}) names {to} ({})", CORE[upper].0, CORE[lower].0));
            }
            (None, _) => faults.push(format!("{path}: module {from} is in no layer")),
            (_, None) => faults.push(format!("{path}: module {to} is in no layer")),
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_estate_uses_no_client_code_of_core() {
    held_to("server-mock/src/", "homing_core", &[CORE[0].1, ESTATE_MAY].concat());
}

#[test]
fn sound_knows_descriptions_and_no_messages() {
    held_to("sdk/media/src/", "homing_wire", &["sdp"]);
}

#[test]
fn the_sockets_know_no_transaction() {
    held_to("sdk/net/src/", "homing_core", NET_MAY);
}

/// A list that allows more than is used would describe a dependency that does not exist.
#[test]
fn the_lists_allow_what_is_used_and_the_page_shows_them() {
    let page = std::fs::read_to_string(top().join("ARCHITECTURE.md")).unwrap();
    let page: String = page.split_whitespace().collect::<Vec<_>>().join(" ");
    for (folder, list) in [("server-mock/src/", ESTATE_MAY), ("sdk/net/src/", NET_MAY)] {
        let named: Vec<String> =
            production(folder).iter().flat_map(|file| paths_below(&file.code(), "homing_core")).collect();
        for may in list {
            assert!(named.iter().any(|path| path.starts_with(may)), "{folder} may name {may} and does not");
        }
        let shown = format!("core{{{}}}", list.join(", "));
        assert!(page.contains(&shown), "ARCHITECTURE shows {folder} as something else than {shown}");
    }
}

#[test]
fn the_phone_names_the_sdk_only() {
    for file in sources().iter().filter(|file| file.path.starts_with("tui/")) {
        for inner in ["homing_core", "homing_wire", "homing_net"] {
            let named = paths_below(&file.code(), inner);
            assert!(named.is_empty(), "{} names {inner}: {named:?}", file.path);
        }
    }
}

fn held_to(folder: &str, root: &str, allowed: &[&str]) {
    let mut faults = Vec::new();
    for file in production(folder) {
        for path in paths_below(&file.code(), root) {
            let covered = allowed
                .iter()
                .any(|may| path == *may || path.strip_prefix(may).is_some_and(|rest| rest.starts_with("::")));
            if !covered {
                faults.push(format!("{} names {root}::{path}", file.path));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// (from, to, file) for every top-level module of the crate that names another one.
fn module_edges(folder: &str) -> Vec<(String, String, String)> {
    let files: Vec<File> = production(folder);
    let module_of = |file: &File| {
        let inside = file.path.strip_prefix(folder)?;
        let first = inside.split('/').next()?.trim_end_matches(".rs");
        (!["lib", "main", "bin"].contains(&first)).then(|| first.to_owned())
    };
    let modules: BTreeSet<String> = files.iter().filter_map(module_of).collect();
    let mut edges = Vec::new();
    for file in &files {
        let Some(from) = module_of(file) else { continue };
        for path in paths_below(&file.code(), "crate") {
            let to = path.split("::").next().unwrap_or_default();
            if to != from && modules.contains(to) {
                edges.push((from.clone(), to.to_owned(), file.path.clone()));
            }
        }
    }
    edges
}

/// The sources of a folder that are no tests.
pub(crate) fn production(folder: &str) -> Vec<File> {
    sources()
        .into_iter()
        .filter(|file| file.path.starts_with(folder) && !in_test_file(file, folder))
        .collect()
}

/// The crate of tests lies in a folder named `tests`; its own sources count as production here.
fn in_test_file(file: &File, folder: &str) -> bool {
    file.is_test() && !folder.starts_with("tests/")
}
