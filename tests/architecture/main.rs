//! The architecture rules, read from the tree itself: layers, cycles, files, lints, links, claims.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken test ends by a panic")]

mod arguments;
mod claims;
mod codes;
mod cycles;
mod doc_lines;
mod docs;
mod files;
mod impls;
mod imports;
mod layers;
mod lints;
mod outstanding;
mod public_api;
mod transports;
mod tree;
