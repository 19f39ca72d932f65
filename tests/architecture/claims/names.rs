//! What the name of a test says it proves: claims and paragraphs by their numbering, ranges in full.

/// What a name may say in front of numbers: the numbering, and the parts that name it.
pub(super) const KINDS: [(&str, &[&str]); 4] = [
    ("redirect_claim", &["redirect", "claim"]),
    ("granted_claim", &["granted", "claim"]),
    ("tree_claim", &["tree", "claim"]),
    ("para", &["para"]),
];

/// Every numbering and number in the name of a test: `para_34_to_36_39` is four of them.
pub(super) fn proofs_in(name: &str) -> Vec<(&'static str, u8)> {
    let parts: Vec<&str> = name.split('_').collect();
    let mut found = Vec::new();
    for at in 0..parts.len() {
        let said = KINDS.iter().find(|(_, words)| parts[at..].starts_with(words));
        if let Some((kind, words)) = said {
            found.extend(numbers(&parts[at + words.len()..]).into_iter().map(|number| (*kind, number)));
        }
    }
    found
}

/// True for a name that says `claim_NN` and not of which patent's numbering.
pub(super) fn says_no_numbering(name: &str) -> bool {
    let parts: Vec<&str> = name.split('_').collect();
    let named = |at: usize| at > 0 && ["redirect", "granted", "tree"].contains(&parts[at - 1]);
    let numbered = |at: usize| parts.get(at + 1).is_some_and(|next| next.parse::<u8>().is_ok());
    (0..parts.len()).any(|at| parts[at] == "claim" && numbered(at) && !named(at))
}

/// The numbers these parts begin with.
fn numbers(parts: &[&str]) -> Vec<u8> {
    let mut found: Vec<u8> = Vec::new();
    let mut rest = parts.iter().peekable();
    while let Some(part) = rest.next() {
        let last = found.last().copied();
        match (part.parse::<u8>(), last) {
            (Ok(number), _) => found.push(number),
            (Err(_), Some(first)) if *part == "to" => {
                let Some(end) = rest.peek().and_then(|next| next.parse::<u8>().ok()) else { break };
                found.extend(first + 1..end);
            }
            _ => break,
        }
    }
    found
}

#[test]
fn a_range_counts_every_number_in_it() {
    let name = "redirect_claim_01_04_to_07_para_39_40_a_signed_301_leads_home";
    let claims = [1, 4, 5, 6, 7].map(|number| ("redirect_claim", number));
    assert_eq!(proofs_in(name), [&claims[..], &[("para", 39), ("para", 40)]].concat());
    assert_eq!(proofs_in("tree_claim_02_granted_claim_01_x"), [("tree_claim", 2), ("granted_claim", 1)]);
    assert_eq!(proofs_in("para_67_to_itself_is_a_loop"), [("para", 67)]);
    assert_eq!(proofs_in("a_claim_of_40_bytes"), []);
}

#[test]
fn a_claim_says_whose_it_is() {
    assert!(says_no_numbering("claim_11_one_via_redirects") && says_no_numbering("para_52_claim_11_x"));
    assert!(!says_no_numbering("redirect_claim_11_one_via") && !says_no_numbering("no_claim_is_made"));
}
