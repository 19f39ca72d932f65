//! The rules of the house, read from the tree itself: floors, files, lints, links, claims.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken test ends by a panic")]

mod claims;
mod docs;
mod files;
mod floors;
mod imports;
mod knots;
mod lints;
mod public_api;
mod tree;
