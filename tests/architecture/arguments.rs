//! A tuple does not carry what would be arguments.

use std::collections::BTreeMap;

use crate::layers::production;
use crate::outstanding::{RULED, TUPLE_ARGUMENTS, compare};

#[test]
fn no_parameter_is_a_tuple_taken_apart() {
    let mut counts: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for folder in RULED {
        for file in production(folder) {
            for name in functions_with_tuples(&file.code()) {
                *counts.entry((folder, name)).or_default() += 1;
            }
        }
    }
    let found: Vec<(&str, &str, usize)> =
        counts.iter().map(|((folder, name), count)| (*folder, name.as_str(), *count)).collect();
    compare("a tuple carries what would be arguments", &found, TUPLE_ARGUMENTS);
}

/// The names of the functions one of whose parameters has a tuple for a pattern: `(a, b): (A, B)`.
fn functions_with_tuples(code: &str) -> Vec<String> {
    let starts =
        code.match_indices("fn ").filter(|(at, _)| *at == 0 || code[..*at].ends_with([' ', '\n', '(']));
    starts
        .filter_map(|(at, word)| {
            let rest = &code[at + word.len()..];
            let name: String =
                rest.chars().take_while(|sign| sign.is_alphanumeric() || *sign == '_').collect();
            let header = &rest[name.len()..rest.find(['{', ';'])?];
            (!name.is_empty() && header.contains("): (")).then_some(name)
        })
        .collect()
}

#[test]
fn tuples_are_found_in_parameters_only() {
    let code = "fn a((b, c): (u8, u8)) {}\nfn d(e: (u8, u8)) -> (u8, u8) { let (f, g): (u8, u8) = e; }\n\
                pub fn h<T>(\n    &self,\n    (i, j): (T, T),\n) {}\nfn k(call: fn(u8) -> u8) { |(l, m): (u8, u8)| 0; }";
    assert_eq!(functions_with_tuples(code), ["a", "h"]);
}
