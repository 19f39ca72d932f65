//! The claims table: which test proves which claim or paragraph, collected from the tests' names.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::tree::{sources, top};

/// A claim of the redirecting patent and what it says, in our words.
const CLAIMS: &[(u8, &str, Due)] = &[
    (1, "a first server redirects a client to the server it is assigned to", Due::Now),
    (2, "the first server is a home server or a load distributor", Due::Now),
    (3, "the second server is a real-time communications server", Due::Now),
    (4, "the registration request comes over TLS", Due::Now),
    (5, "the registration request is a SIP REGISTER", Due::Now),
    (6, "the assignment is looked up in a directory entry", Due::Now),
    (7, "the client is authenticated before the assignment is looked up", Due::Now),
    (8, "… by NTLM", Due::Now),
    (9, "… by Kerberos", Due::WithKerberos),
    (10, "claim 1 as a program", Due::Now),
    (11, "one Via redirects, more than one proxies", Due::Now),
    (12, "claim 11: home server or load distributor", Due::Now),
    (13, "claim 11: real-time communications server", Due::Now),
    (14, "claim 11 over TLS", Due::Now),
    (15, "claim 11 with a SIP REGISTER", Due::Now),
    (16, "claim 11 with a directory entry", Due::Now),
    (17, "claim 11 with authentication first", Due::Now),
    (18, "… by NTLM", Due::Now),
    (19, "… by Kerberos", Due::WithKerberos),
    (20, "claim 11 as a program", Due::Now),
    (21, "a first server proxies the request to the assigned server", Due::Now),
    (22, "the first server is a load distributor or an internal edge", Due::WithTopologies),
    (23, "claim 21: real-time communications server", Due::WithTopologies),
    (24, "claim 21 over TLS", Due::WithTopologies),
    (25, "claim 21 with a SIP REGISTER", Due::Now),
    (26, "claim 21 with a directory entry", Due::WithTopologies),
    (27, "claim 21 with authentication first", Due::Now),
    (28, "… by NTLM", Due::Now),
    (29, "… by Kerberos", Due::WithKerberos),
    (30, "claim 21 as a program", Due::Now),
    (31, "the assignment structure: client and home server", Due::Now),
    (32, "the home server is a fully qualified domain name", Due::Now),
    (33, "directory, redirecting server, client and home server as a system", Due::Now),
    (34, "the same with the Via count", Due::Now),
    (35, "the same with proxying", Due::Now),
    (36, "monitor, decide, modify, invalidate subscriptions", Due::WithMonitor),
    (37, "… on overload, loss or return of a server", Due::WithMonitor),
    (38, "claim 36 as a program", Due::WithMonitor),
];

/// When a claim must be proved by a test.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Due {
    Now,
    WithKerberos,
    WithTopologies,
    WithMonitor,
}

/// The page the table stands on.
const PAGE: &str = "tests/CLAIMS.md";

#[test]
fn every_claim_that_is_due_has_a_test() {
    let proofs = proofs("claim");
    let missing: Vec<u8> = CLAIMS
        .iter()
        .filter(|(number, _, due)| *due == Due::Now && !proofs.contains_key(number))
        .map(|(number, _, _)| *number)
        .collect();
    assert!(missing.is_empty(), "claims without a test: {missing:?}");
}

/// `HOMING_BLESS=1` writes the page anew; otherwise it must be what the tests' names say.
#[test]
fn the_claims_page_is_up_to_date() {
    let path = top().join(PAGE);
    let page = page();
    if std::env::var_os("HOMING_BLESS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "{PAGE} is out of date: HOMING_BLESS=1 cargo test -p homing-tests --test architecture writes it"
    );
}

fn page() -> String {
    let mut page = String::from(
        "# Claims and paragraphs, and the tests that prove them\n\n\
         Collected from the names of the tests; `HOMING_BLESS=1 cargo test -p homing-tests --test architecture` \
         writes this page.\n\n\
         ## Redirecting traffic (US 7,543,061 and its application), by claim\n\n\
         | claim | in our words | proved by |\n| --- | --- | --- |\n",
    );
    let claims = proofs("claim");
    for (number, words, due) in CLAIMS {
        let proof = match (claims.get(number), due) {
            (Some(tests), _) => tests.join("<br>"),
            (None, Due::Now) => "missing".to_owned(),
            (None, Due::WithKerberos) => "comes with Kerberos".to_owned(),
            (None, Due::WithTopologies) => "comes with the edge topologies".to_owned(),
            (None, Due::WithMonitor) => "comes with the monitor".to_owned(),
        };
        let _ = writeln!(page, "| {number} | {words} | {proof} |");
    }
    page.push_str(
        "\n## The same, by paragraph of the description\n\n| paragraph | proved by |\n| --- | --- |\n",
    );
    for (number, tests) in proofs("para") {
        let _ = writeln!(page, "| {number} | {} |", tests.join("<br>"));
    }
    page
}

/// Tests by the number after `kind_` in their names; one test may prove several.
fn proofs(kind: &str) -> BTreeMap<u8, Vec<String>> {
    let mut proofs: BTreeMap<u8, Vec<String>> = BTreeMap::new();
    for file in sources() {
        for name in test_names(&file.text) {
            let parts: Vec<&str> = name.split('_').collect();
            for (at, _) in parts.iter().enumerate().filter(|(_, part)| **part == kind) {
                let numbers = parts[at + 1..].iter().map_while(|part| part.parse::<u8>().ok());
                for number in numbers {
                    proofs.entry(number).or_default().push(format!("`{}` in {}", name, file.path));
                }
            }
        }
    }
    proofs
}

/// The functions of a file that carry the attribute of a test.
fn test_names(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim_start) {
        is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        let Some(rest) = line.strip_prefix("fn ").or_else(|| line.strip_prefix("async fn ")) else {
            continue;
        };
        if std::mem::take(&mut is_test) {
            names.extend(rest.split('(').next());
        }
    }
    names
}
