//! The claims page: which test proves which claim or paragraph of the two patents, and what is open.

mod names;
mod numberings;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::tree::{sources, top};
use names::{KINDS, proofs_in, says_no_numbering};
use numberings::{NUMBERINGS, Numbering, Row, Status};

/// The page the tables stand on.
const PAGE: &str = "tests/CLAIMS.md";
/// Tests by numbering and number.
type Proofs = BTreeMap<(&'static str, u8), Vec<String>>;

#[test]
fn what_is_built_is_proved_and_what_is_open_is_not_claimed() {
    let proofs = proofs();
    let mut faults = Vec::new();
    for (numbering, row) in rows() {
        let proved = proofs.contains_key(&(numbering.kind, row.number));
        let (kind, number) = (numbering.kind, row.number);
        match row.status {
            Status::Built if !proved => {
                faults.push(format!("{kind} {number} is built, and no test proves it"))
            }
            Status::Open(_) | Status::NoBehaviour if proved => {
                faults.push(format!("{kind} {number} is not built, and a test says that it proves it"));
            }
            _ => {}
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_number_that_a_test_names_is_one_of_a_numbering() {
    let known: Vec<(&str, u8)> = rows().map(|(numbering, row)| (numbering.kind, row.number)).collect();
    let strays: Vec<_> = proofs().into_keys().filter(|proof| !known.contains(proof)).collect();
    assert!(strays.is_empty(), "no such claim or paragraph: {strays:?}");
    let unnamed: Vec<String> =
        tests().filter(|(name, _)| says_no_numbering(name)).map(|(name, _)| name).collect();
    assert!(unnamed.is_empty(), "redirect_claim, granted_claim or tree_claim? {unnamed:?}");
}

/// No number of a patent goes missing from its table.
#[test]
fn the_numberings_are_whole() {
    for (kind, count) in [("redirect_claim", 38), ("granted_claim", 1), ("tree_claim", 40), ("para", 68)] {
        let numbers: Vec<u8> =
            rows().filter(|(numbering, _)| numbering.kind == kind).map(|(_, row)| row.number).collect();
        assert_eq!(numbers, (1..=count).collect::<Vec<u8>>(), "{kind}");
    }
    assert!(NUMBERINGS.iter().all(|numbering| KINDS.iter().any(|(kind, _)| *kind == numbering.kind)));
}

/// `HOMING_BLESS=1` writes the page again; otherwise it must be what the tests' names say.
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

fn rows() -> impl Iterator<Item = (&'static Numbering, &'static Row)> {
    NUMBERINGS.iter().flat_map(|numbering| numbering.rows.iter().map(move |row| (numbering, row)))
}

fn page() -> String {
    let mut page = String::from(
        "# Claims and paragraphs, and the tests that prove them\n\n\
         Collected from the names of the tests; `HOMING_BLESS=1 cargo test -p homing-tests --test architecture` \
         writes this page.\n\n\
         *Proved*: each test that is named proves the whole claim. A paragraph that states several rules is \
         proved by its tests together, each of which proves one rule whole. *Open*: not built, or built in part. \
         *No behaviour*: the text sets a scene, draws a conclusion or repeats what another paragraph says.\n",
    );
    let proofs = proofs();
    for numbering in NUMBERINGS {
        let _ = write!(
            page,
            "\n## {}\n\nNamed `{}_NN`.\n\n| nr | in our words | status | proved by |\n| --- | --- | --- | --- |\n",
            numbering.title, numbering.kind
        );
        for row in numbering.rows {
            let tests = proofs.get(&(numbering.kind, row.number)).map(|tests| tests.join("<br>"));
            let (status, proof) = match row.status {
                Status::Built => ("proved", tests.unwrap_or_else(|| "missing".to_owned())),
                Status::Open(why) => ("open", why.to_owned()),
                Status::NoBehaviour => ("no behaviour", String::new()),
            };
            let line = format!("| {} | {} | {status} | {proof}", row.number, row.words);
            let _ = writeln!(page, "{} |", line.trim_end());
        }
    }
    page
}

fn proofs() -> Proofs {
    let mut proofs = Proofs::new();
    for (name, path) in tests() {
        for proof in proofs_in(&name) {
            proofs.entry(proof).or_default().push(format!("`{name}` in {path}"));
        }
    }
    proofs
}

/// Every test with the file it stands in.
fn tests() -> impl Iterator<Item = (String, String)> {
    sources().into_iter().flat_map(|file| {
        let names: Vec<String> = test_names(&file.text).into_iter().map(str::to_owned).collect();
        names.into_iter().map(move |name| (name, file.path.clone()))
    })
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
