//! The public API of `homing` as a list in `sdk/api.txt`: a change of it is seen in review, and never happens unseen.
//!
//! The list is read from the sources. What `homing` passes on from the inner crates is followed to its definition.
//! `HOMING_BLESS=1` writes the list.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use quote::ToTokens;
use syn::{Attribute, Fields, ImplItem, Item, TraitItem, UseTree, Visibility};

use crate::tree::top;

#[test]
fn the_public_api_is_the_one_that_is_written_down() {
    let crates = Crates::read();
    let mut list = List { crates: &crates, listed: BTreeMap::new(), entries: BTreeMap::new() };
    list.module("homing", &Place::root("homing"));
    let text: String = list.entries.into_values().collect();
    let path = top().join(LIST);
    if std::env::var_os("HOMING_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = text.lines().zip(written.lines()).find(|(now, then)| now != then);
    assert!(
        text == written,
        "the public API is not the one of {LIST}, first at {differs:?}; `HOMING_BLESS=1` writes it"
    );
}

/// What may grow must be able to: no public enum of the API can be matched without a wildcard. Errors of parsing and
/// the pieces of `homing::offline` follow the documents they implement.
#[test]
fn every_public_enum_can_grow() {
    let crates = Crates::read();
    let mut list = List { crates: &crates, listed: BTreeMap::new(), entries: BTreeMap::new() };
    list.module("homing", &Place::root("homing"));
    let closed: Vec<&String> = list
        .entries
        .iter()
        .filter(|(path, text)| !path.starts_with("homing::offline") && text.contains("\n    enum "))
        .filter(|(_, text)| !text.contains("#[non_exhaustive]"))
        .map(|(path, _)| path)
        .collect();
    assert!(closed.is_empty(), "these enums are not `#[non_exhaustive]`: {closed:?}");
}

/// A module of one of the crates, by its path from the crate's root.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    krate: String,
    path: Vec<String>,
}

/// The items of every module of the crates that `homing` is made of.
struct Crates(BTreeMap<Place, Vec<Item>>);

/// What a path leads to.
enum Found<'c> {
    Module(Place),
    Item(Place, &'c Item),
}

struct List<'c> {
    crates: &'c Crates,
    /// Where an item was listed first, by its definition.
    listed: BTreeMap<(Place, String), String>,
    /// The text about each path.
    entries: BTreeMap<String, String>,
}

impl Place {
    fn root(krate: &str) -> Self {
        Self { krate: krate.to_owned(), path: Vec::new() }
    }

    fn child(&self, name: &str) -> Self {
        let mut path = self.path.clone();
        path.push(name.to_owned());
        Self { krate: self.krate.clone(), path }
    }
}

impl Crates {
    fn read() -> Self {
        let mut crates = Self(BTreeMap::new());
        for (name, folder) in CRATES {
            crates.read_module(Place::root(name), &top().join(folder).join("src"), "lib.rs");
        }
        crates
    }

    /// Reads the file of a module, and those of the modules that it declares.
    fn read_module(&mut self, place: Place, folder: &Path, file: &str) {
        let path = folder.join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        let items = syn::parse_file(&text).unwrap_or_else(|why| panic!("{}: {why}", path.display())).items;
        for item in &items {
            let Item::Mod(module) = item else { continue };
            if module.content.is_some() || module.attrs.iter().any(|attr| attr.path().is_ident("cfg")) {
                continue;
            }
            let name = module.ident.to_string();
            let own = if file == "lib.rs" || file == "mod.rs" {
                folder.to_path_buf()
            } else {
                folder.join(file.trim_end_matches(".rs"))
            };
            if own.join(&name).join("mod.rs").exists() {
                self.read_module(place.child(&name), &own.join(&name), "mod.rs");
            } else {
                self.read_module(place.child(&name), &own, &format!("{name}.rs"));
            }
        }
        self.0.insert(place, items);
    }

    /// Follows a path that is written in the module `from`; none for what other crates define.
    fn follow(&self, from: &Place, path: &[String]) -> Option<Found<'_>> {
        let (first, rest) = path.split_first()?;
        let (mut place, mut rest) = match first.as_str() {
            "crate" => (Place::root(&from.krate), rest),
            "self" => (from.clone(), rest),
            "super" => {
                let mut above = from.clone();
                above.path.pop()?;
                return self.follow(&above, &[&["self".to_owned()], rest].concat());
            }
            krate if CRATES.iter().any(|(name, _)| *name == krate) => (Place::root(krate), rest),
            _ => (from.clone(), path),
        };
        while let Some((name, further)) = rest.split_first() {
            let child = place.child(name);
            if self.0.contains_key(&child) {
                (place, rest) = (child, further);
            } else {
                return self.named(&place, name);
            }
        }
        Some(Found::Module(place))
    }

    /// What a module calls `name`, whether it defines it or passes it on.
    fn named(&self, place: &Place, name: &str) -> Option<Found<'_>> {
        let items = self.0.get(place)?;
        if let Some(item) = items.iter().find(|item| defined(item).as_deref() == Some(name)) {
            return Some(Found::Item(place.clone(), item));
        }
        let leads = items.iter().find_map(|item| {
            let Item::Use(item) = item else { return None };
            leaves(&item.tree).into_iter().find(|(_, alias)| alias == name)
        });
        let (path, _) = leads?;
        // A name that stands for itself leads out of these crates.
        (path != [name]).then(|| self.follow(place, &path))?
    }

    /// The impls of a type in its crate.
    fn impls<'c>(&'c self, of: &'c Place, name: &'c str) -> impl Iterator<Item = &'c syn::ItemImpl> {
        let own = self.0.iter().filter(|(place, _)| place.krate == of.krate);
        own.flat_map(|(place, items)| items.iter().map(move |item| (place, item))).filter_map(
            move |(place, item)| {
                let Item::Impl(item) = item else { return None };
                let syn::Type::Path(of_type) = &*item.self_ty else { return None };
                let path: Vec<String> =
                    of_type.path.segments.iter().map(|part| part.ident.to_string()).collect();
                let Some(Found::Item(home, found)) = self.follow(place, &path) else { return None };
                (home == *of && defined(found).as_deref() == Some(name)).then_some(item)
            },
        )
    }
}

impl List<'_> {
    /// Lists what a module shows: its own modules first, so that what the root repeats refers to them.
    fn module(&mut self, shown: &str, place: &Place) {
        let items = &self.crates.0[place];
        let is_module = |item: &&Item| matches!(item, Item::Mod(module) if is_public(&module.vis));
        for item in items.iter().filter(is_module).chain(items.iter().filter(|item| !is_module(item))) {
            match item {
                Item::Mod(module) if is_public(&module.vis) => {
                    let name = module.ident.to_string();
                    self.module(&format!("{shown}::{name}"), &place.child(&name));
                }
                Item::Use(item) if is_public(&item.vis) => {
                    for (path, alias) in leaves(&item.tree) {
                        let shown = format!("{shown}::{alias}");
                        match self.crates.follow(place, &path) {
                            Some(Found::Module(place)) => self.module(&shown, &place),
                            Some(Found::Item(place, item)) => self.item(&shown, &place, item),
                            None => self.note(&shown, &format!("= {}", path.join("::"))),
                        }
                    }
                }
                other => {
                    if let Some(name) = defined(other).filter(|_| visibility(other).is_some_and(is_public)) {
                        self.item(&format!("{shown}::{name}"), place, other);
                    }
                }
            }
        }
    }

    fn item(&mut self, shown: &str, place: &Place, item: &Item) {
        let name = defined(item).expect("only what has a name is listed");
        if let Some(first) = self.listed.get(&(place.clone(), name.clone())) {
            let text = format!("= {first}");
            return self.note(shown, &text);
        }
        self.listed.insert((place.clone(), name.clone()), shown.to_owned());
        let mut lines = described(item);
        let mut methods = BTreeSet::new();
        for found in self.crates.impls(place, &name) {
            match &found.trait_ {
                Some((_, path, _)) => drop(methods.insert(format!("impl {}", tidy(path)))),
                None => methods.extend(found.items.iter().filter_map(method)),
            }
        }
        lines.extend(methods);
        self.note(shown, &lines.join("\n    "));
    }

    fn note(&mut self, shown: &str, text: &str) {
        self.entries.insert(shown.to_owned(), format!("{shown}\n    {text}\n"));
    }
}

/// The declaration of an item, without bodies and private parts.
fn described(item: &Item) -> Vec<String> {
    let mut lines = Vec::new();
    match item {
        Item::Struct(item) => {
            lines.extend(attributes(&item.attrs));
            lines.push(format!("struct {}{}", item.ident, tidy(&item.generics)));
            lines.extend(fields(&item.fields, false).into_iter().map(|field| format!("  {field}")));
        }
        Item::Enum(item) => {
            lines.extend(attributes(&item.attrs));
            lines.push(format!("enum {}{}", item.ident, tidy(&item.generics)));
            for variant in &item.variants {
                lines.push(format!("  {} {}", variant.ident, fields(&variant.fields, true).join(", ")));
            }
        }
        Item::Trait(item) => {
            lines.push(format!("trait {}: {}", item.ident, tidy(&item.supertraits)));
            for member in &item.items {
                if let TraitItem::Fn(member) = member {
                    lines.push(format!("  {}", tidy(&member.sig)));
                }
            }
        }
        Item::Fn(item) => lines.push(tidy(&item.sig)),
        Item::Const(item) => lines.push(format!("const {}: {}", item.ident, tidy(&item.ty))),
        Item::Type(item) => lines.push(format!("type {} = {}", item.ident, tidy(&item.ty))),
        _ => {}
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

/// The fields that are seen; of an enum's variant all are.
fn fields(fields: &Fields, all: bool) -> Vec<String> {
    let seen = fields.iter().filter(|field| all || is_public(&field.vis));
    let named = seen.map(|field| match &field.ident {
        Some(name) => format!("{name}: {}", tidy(&field.ty)),
        None => tidy(&field.ty),
    });
    named.collect()
}

fn method(item: &ImplItem) -> Option<String> {
    match item {
        ImplItem::Fn(item) if is_public(&item.vis) => Some(tidy(&item.sig)),
        ImplItem::Const(item) if is_public(&item.vis) => {
            Some(format!("const {}: {}", item.ident, tidy(&item.ty)))
        }
        _ => None,
    }
}

/// What of an item's attributes belongs to its API.
fn attributes(attributes: &[Attribute]) -> Vec<String> {
    let kept = attributes.iter().filter(|attribute| {
        attribute.path().is_ident("derive") || attribute.path().is_ident("non_exhaustive")
    });
    kept.map(tidy).collect()
}

fn defined(item: &Item) -> Option<String> {
    let name = match item {
        Item::Struct(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Const(item) => &item.ident,
        Item::Type(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}

fn visibility(item: &Item) -> Option<&Visibility> {
    match item {
        Item::Struct(item) => Some(&item.vis),
        Item::Enum(item) => Some(&item.vis),
        Item::Trait(item) => Some(&item.vis),
        Item::Fn(item) => Some(&item.vis),
        Item::Const(item) => Some(&item.vis),
        Item::Type(item) => Some(&item.vis),
        _ => None,
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// `a::{B, c::D as E}` becomes (`a::B`, `B`), (`a::c::D`, `E`).
fn leaves(tree: &UseTree) -> Vec<(Vec<String>, String)> {
    match tree {
        UseTree::Path(path) => {
            let name = path.ident.to_string();
            let inner = leaves(&path.tree).into_iter();
            inner.map(|(path, alias)| ([vec![name.clone()], path].concat(), alias)).collect()
        }
        UseTree::Name(name) => vec![(vec![name.ident.to_string()], name.ident.to_string())],
        UseTree::Rename(name) => vec![(vec![name.ident.to_string()], name.rename.to_string())],
        UseTree::Group(group) => group.items.iter().flat_map(leaves).collect(),
        UseTree::Glob(_) => Vec::new(),
    }
}

/// The tokens as one would write them.
fn tidy(tokens: &impl ToTokens) -> String {
    let mut text = tokens.to_token_stream().to_string();
    for (spaced, tight) in SPACES {
        text = text.replace(spaced, tight);
    }
    text
}

const SPACES: &[(&str, &str)] = &[
    ("\n", " "),
    (" :: ", "::"),
    (":: ", "::"),
    (" < ", "<"),
    ("< ", "<"),
    (" >", ">"),
    (" ->", " ->"),
    ("& ", "&"),
    (" ,", ","),
    (" (", "("),
    ("( ", "("),
    (" )", ")"),
    (" : ", ": "),
    (" [", "["),
    ("[ ", "["),
    (" ]", "]"),
    ("# ", "#"),
    (" ;", ";"),
    (", >", ">"),
];
const LIST: &str = "sdk/api.txt";
const CRATES: &[(&str, &str)] =
    &[("homing", "sdk"), ("homing_core", "sdk/core"), ("homing_net", "sdk/net"), ("homing_wire", "sdk/wire")];

#[test]
fn what_is_passed_on_is_followed_and_private_parts_are_left_out() {
    let parse = |text: &str| syn::parse_file(text).unwrap().items;
    let root = Place::root("homing");
    let crates = Crates(BTreeMap::from([
        (root.clone(), parse("pub mod a; pub use a::Thing as Front;")),
        (root.child("a"), parse("mod b; pub use b::Thing;")),
        (
            root.child("a").child("b"),
            parse(
                "pub struct Thing { pub seen: u8, unseen: u8 } impl Thing { pub fn new() -> Self {} fn own(&self) {} }",
            ),
        ),
    ]));
    let mut list = List { crates: &crates, listed: BTreeMap::new(), entries: BTreeMap::new() };
    list.module("homing", &root);
    let text: String = list.entries.into_values().collect();
    let thing = "homing::a::Thing\n    struct Thing\n      seen: u8\n    fn new() -> Self\n";
    assert_eq!(text, format!("homing::Front\n    = homing::a::Thing\n{thing}"));
}
