//! The inherent impl of a type lives in one file, and where the type is written out, in the file that does so.

use std::collections::BTreeSet;

use crate::layers::production;
use crate::outstanding::{RULED, SCATTERED_IMPLS, compare};

#[test]
fn an_inherent_impl_lives_in_one_file_with_its_type() {
    let mut found: BTreeSet<(&str, String)> = BTreeSet::new();
    for folder in RULED {
        let codes: Vec<String> = production(folder).iter().map(crate::tree::File::code).collect();
        let all: BTreeSet<String> = codes.iter().flat_map(|code| defined_types(code)).collect();
        // A type that a macro defines is defined in no file; its impls then lie in one.
        let mut of_macros = BTreeSet::new();
        for code in &codes {
            let defined = defined_types(code);
            let apart = inherent_impls(code).into_iter().filter(|name| !defined.contains(name));
            for name in apart.collect::<BTreeSet<_>>() {
                if all.contains(&name) || !of_macros.insert(name.clone()) {
                    found.insert((*folder, name));
                }
            }
        }
    }
    let found: Vec<(&str, &str)> = found.iter().map(|(folder, name)| (*folder, name.as_str())).collect();
    compare("an inherent impl lies apart from its type", &found, SCATTERED_IMPLS);
}

/// The names of the types that code implements methods on, without those of traits.
fn inherent_impls(code: &str) -> Vec<String> {
    let starts = code.match_indices("impl").filter(|(at, _)| code[..*at].ends_with('\n') || *at == 0);
    starts
        .filter_map(|(at, word)| {
            let rest = &code[at + word.len()..];
            let header = &rest[..rest.find('{')?];
            let header = after_generics(header)?;
            let is_of_trait = header.split_whitespace().any(|word| word == "for");
            (!is_of_trait).then(|| name_at(header.rsplit_once("::").map_or(header, |(_, name)| name)))
        })
        .collect()
}

/// The names of structs, enums and unions that code defines.
fn defined_types(code: &str) -> BTreeSet<String> {
    let words: Vec<&str> = code.split_whitespace().collect();
    let defines = |pair: &&[&str]| matches!(pair[0], "struct" | "enum" | "union");
    words.windows(2).filter(defines).map(|pair| name_at(pair[1])).collect()
}

/// What follows the generics of an `impl`; `None` where the word only begins with it.
fn after_generics(header: &str) -> Option<&str> {
    if header.starts_with(' ') {
        return Some(header.trim());
    }
    let mut depth = 0usize;
    let mut before = ' ';
    for (at, sign) in header.char_indices() {
        match sign {
            '<' => depth += 1,
            '>' if before != '-' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return header[at..].strip_prefix('>').map(str::trim);
        }
        before = sign;
    }
    None
}

fn name_at(text: &str) -> String {
    text.chars().take_while(|sign| sign.is_alphanumeric() || *sign == '_').collect()
}

#[test]
fn impls_and_definitions_are_told_apart() {
    let code = "struct A;\npub enum B<T> {}\nimpl A {}\nimpl<T: Fn() -> u8> B<T> {}\nimpl<'a> super::C<'a> {}\n\
                impl Debug for D {}\nimpl<T> From<T> for E {}\nfn f() -> impl Iterator {}\n";
    assert_eq!(inherent_impls(code), ["A", "B", "C"]);
    assert_eq!(defined_types(code), ["A", "B"].map(str::to_owned).into());
}
