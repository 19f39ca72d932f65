//! Digest: challenge and response with a shared password (RFC 7616, RFC 8760, RFC 3261 section 22).
//!
//! A server calls [`response`] or [`verify`] on what it received. MD5 is answered only where the account says so.

mod algorithm;
mod response;

pub use algorithm::{Algorithm, Hash, Qop};
pub use response::{DigestInput, HashedSecret, Secret, response, userhash, verify};
