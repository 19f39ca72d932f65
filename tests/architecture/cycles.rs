//! No cycles: inside a crate no files depend on each other in a circle, in whatever folders they lie.
//!
//! A name is traced to the file that defines it. A `pub use` re-exports a name and depends on nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::imports::Imports;
use crate::layers::{CRATES, production};

/// A module's path below its crate's root.
type Module = Vec<String>;

#[test]
fn no_files_of_a_crate_name_each_other_in_a_cycle() {
    let mut cycles: Vec<Vec<String>> = Vec::new();
    for (_, folder, _) in CRATES {
        cycles.extend(cycles_of(&dependencies(&format!("{folder}/src/"))).into_iter().map(|cycle| {
            let names = cycle.iter().map(|module| format!("{folder}/src/{}", module.join("/")));
            names.map(|name| name.trim_end_matches('/').to_owned()).collect::<Vec<_>>()
        }));
    }
    let cycles: Vec<String> = cycles.iter().map(|cycle| cycle.join(" + ")).collect();
    assert!(cycles.is_empty(), "these files name each other:\n{}", cycles.join("\n"));
}

/// Which module names which, each name traced to the file that defines it.
fn dependencies(folder: &str) -> BTreeMap<Module, BTreeSet<Module>> {
    let mut files = BTreeMap::new();
    for file in production(folder) {
        let inside = file.path.strip_prefix(folder).unwrap_or_default().trim_end_matches(".rs");
        let mut module: Module = inside.split('/').map(str::to_owned).collect();
        if module.first().is_some_and(|first| first == "bin" || first == "main") {
            continue;
        }
        if module.last().is_some_and(|last| last == "mod" || last == "lib") {
            module.pop();
        }
        files.insert(module, Imports::of(&file.code()));
    }
    let named = |from: &Module, imports: &Imports| {
        let traced = imports.uses.iter().filter_map(|path| trace(&files, &absolute(&files, from, path)?, 0));
        traced.filter(|to| to != from).collect()
    };
    files.iter().map(|(from, imports)| (from.clone(), named(from, imports))).collect()
}

/// The path from the crate's root; `None` for what lies in other crates.
fn absolute(files: &BTreeMap<Module, Imports>, from: &Module, path: &str) -> Option<Module> {
    let mut parts: Vec<String> = path.split("::").map(str::to_owned).collect();
    let mut base = from.clone();
    match parts.first()?.as_str() {
        "crate" => {
            parts.remove(0);
            return Some(parts);
        }
        "self" => {
            parts.remove(0);
        }
        "super" => {
            while parts.first().is_some_and(|part| part == "super") {
                parts.remove(0);
                base.pop();
            }
        }
        child => {
            base.push(child.to_owned());
            if !files.contains_key(&base) {
                return None;
            }
            base.pop();
        }
    }
    base.extend(parts);
    Some(base)
}

/// The module that defines what `path` names: as deep as files go, then along re-exports.
fn trace(files: &BTreeMap<Module, Imports>, path: &Module, reexports: u8) -> Option<Module> {
    let mut depth = 0;
    while depth < path.len() && files.contains_key(&path[..=depth]) {
        depth += 1;
    }
    let module = path[..depth].to_vec();
    let reexport = path.get(depth).and_then(|name| files.get(&module)?.reexports.get(name));
    match reexport.and_then(|to| absolute(files, &module, to)) {
        Some(mut further) if reexports < MOST_REEXPORTS => {
            further.extend_from_slice(&path[depth + 1..]);
            trace(files, &further, reexports + 1)
        }
        _ => Some(module),
    }
}

/// The sets of modules each of which leads to each other one.
fn cycles_of(edges: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<BTreeSet<Module>> {
    let reach: BTreeMap<&Module, BTreeSet<&Module>> =
        edges.keys().map(|start| (start, reached(edges, start))).collect();
    let mut found: BTreeSet<BTreeSet<Module>> = BTreeSet::new();
    for (start, there) in &reach {
        let both = there.iter().filter(|other| reach.get(**other).is_some_and(|back| back.contains(*start)));
        let cycle: BTreeSet<Module> = both.map(|module| (*module).clone()).collect();
        if !cycle.is_empty() {
            found.insert(cycle);
        }
    }
    found.into_iter().collect()
}

fn reached<'e>(edges: &'e BTreeMap<Module, BTreeSet<Module>>, start: &'e Module) -> BTreeSet<&'e Module> {
    let (mut seen, mut waiting) = (BTreeSet::new(), vec![start]);
    while let Some(module) = waiting.pop() {
        let next = edges.get(module).into_iter().flatten();
        waiting.extend(next.filter(|module| seen.insert(*module)));
    }
    seen
}

/// Re-exports followed for one name.
const MOST_REEXPORTS: u8 = 8;

#[test]
fn a_cycle_is_found() {
    let module = |name: &str| vec![name.to_owned()];
    let edge = |from: &str, to: &[&str]| (module(from), to.iter().map(|to| module(to)).collect());
    let edges = BTreeMap::from([edge("a", &["b"]), edge("b", &["c"]), edge("c", &["d"]), edge("d", &["b"])]);
    assert_eq!(cycles_of(&edges), [["b", "c", "d"].map(module).into_iter().collect()]);
}

#[test]
fn a_name_is_traced_through_the_reexports() {
    let file = |code: &str| Imports::of(code);
    let files: BTreeMap<Module, Imports> = [
        (vec![], file("pub use a::Thing;")),
        (vec!["a".to_owned()], file("mod b;\npub use b::Thing;")),
        (vec!["a".to_owned(), "b".to_owned()], file("pub struct Thing;")),
    ]
    .into();
    let thing = absolute(&files, &vec!["a".to_owned(), "b".to_owned()], "super::super::Thing").unwrap();
    assert_eq!(trace(&files, &thing, 0).unwrap(), ["a", "b"]);
    assert!(absolute(&files, &vec![], "std::fmt").is_none());
}
