//! The rules of the house, read from the tree itself: floors, files, lints, links, claims.

mod claims;
mod docs;
mod files;
mod floors;
mod imports;
mod lints;
mod tree;
