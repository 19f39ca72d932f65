//! What a transport is stands in one table: no other file tells transports apart by name.

use crate::layers::{CRATES, production};

/// The files that may name a transport, and why.
const MAY_NAME: &[(&str, &str)] = &[
    ("sdk/core/src/locate/lead.rs", "the order of Microsoft's SRV names is theirs"),
    ("sdk/core/src/transport.rs", "the table"),
    ("sdk/net/src/datagram.rs", "it is the socket of UDP"),
    ("tui/src/demo/script.rs", "the demo's own estate"),
    ("tui/src/demo/setup.rs", "the demo's own estate"),
    ("tui/src/messages/index.rs", "an example of an error"),
];

#[test]
fn no_file_but_the_table_tells_transports_apart_by_name() {
    let naming = |code: &str| ["Udp", "Tcp", "Tls"].iter().any(|name| names(code, name));
    let mut found = Vec::new();
    for (_, folder, _) in CRATES.iter().filter(|(_, folder, _)| *folder != "tests") {
        let files = production(&format!("{folder}/src/")).into_iter();
        found.extend(files.filter(|file| naming(&file.code())).map(|file| file.path));
    }
    found.sort();
    let listed: Vec<&str> = MAY_NAME.iter().map(|(path, _)| *path).collect();
    assert_eq!(found, listed, "what differs between transports belongs into sdk/core/src/transport.rs");
}

/// True if the code names that variant, and no longer word.
fn names(code: &str, variant: &str) -> bool {
    let path = format!("Transport::{variant}");
    code.match_indices(&path).any(|(at, _)| !code[at + path.len()..].starts_with(char::is_alphanumeric))
}
