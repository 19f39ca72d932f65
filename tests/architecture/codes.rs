//! A code has one meaning: it is given in one place of the SDK, and the phone gives none of the SDK's.

use std::collections::BTreeMap;

use crate::layers::production;

/// Given twice with one meaning: an account that breaks a rule, found by the SDK or in the phone's file; and a
/// certificate that names others, which the phone's index words itself because that error cannot be made without one.
const SHARED: [&str; 2] = ["E0101", "E0509"];

#[test]
fn no_code_is_given_twice() {
    let mut given: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (folder, once) in [("sdk/core/src/", true), ("sdk/src/", true), ("tui/src/", false)] {
        // The demo waits for codes and gives none.
        for file in production(folder).into_iter().filter(|file| !file.path.starts_with("tui/src/demo")) {
            let text = file.code();
            let literals = text.split('"').skip(1).step_by(2).filter(|literal| is_code(literal));
            for code in literals {
                let places = given.entry(code.to_owned()).or_default();
                // A verb and the phone may give the same error of the phone's own.
                if once || places.iter().all(|place| place.starts_with("sdk/")) {
                    places.push(file.path.clone());
                }
            }
        }
    }
    given.retain(|code, places| places.len() > 1 && !SHARED.contains(&code.as_str()));
    assert!(given.is_empty(), "codes with more than one meaning: {given:#?}");
}

fn is_code(literal: &str) -> bool {
    literal.len() == 5 && literal.starts_with('E') && literal[1..].bytes().all(|octet| octet.is_ascii_digit())
}
