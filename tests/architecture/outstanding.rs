//! What the newer rules do not hold of yet. Each list may only grow shorter: what is mended is taken off.

/// The crates the newer rules (inherent impls, arguments, doc lines) hold for, by folder.
pub(crate) const RULED: &[&str] = &[
    "sdk/wire/src/",
    "sdk/core/src/",
    "sdk/media/src/",
    "sdk/net/src/",
    "sdk/src/",
    "server-mock/src/",
    "tui/src/",
];

/// Types with an inherent impl in more than one file, or in another file than their definition.
pub(crate) const SCATTERED_IMPLS: &[(&str, &str)] = &[];

/// Functions with a tuple for a parameter, and how many there are of that name.
pub(crate) const TUPLE_ARGUMENTS: &[(&str, &str, usize)] = &[];

/// How many doc lines of a crate only repeat the name of what they describe.
pub(crate) const REPEATING_DOC_LINES: &[(&str, usize)] = &[];

/// Holds what was found against what is outstanding: nothing new, and nothing listed that is mended.
pub(crate) fn compare<T: Ord + Clone + std::fmt::Debug>(rule: &str, found: &[T], listed: &[T]) {
    let fresh: Vec<&T> = found.iter().filter(|one| !listed.contains(one)).collect();
    let mended: Vec<&T> = listed.iter().filter(|one| !found.contains(one)).collect();
    assert!(fresh.is_empty(), "{rule}:\n{}", rows(&fresh));
    assert!(
        mended.is_empty(),
        "{rule}: mended, so take off tests/architecture/outstanding.rs:\n{}",
        rows(&mended)
    );
}

fn rows<T: std::fmt::Debug>(rows: &[&T]) -> String {
    rows.iter().map(|row| format!("    {row:?},\n")).collect()
}
