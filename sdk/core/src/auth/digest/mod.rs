//! Digest: challenge and response with a shared password (RFC 7616, RFC 8760, RFC 3261 section 22).
//!
//! [`strongest_of_each_realm`] picks a challenge, [`DigestSession`] answers requests with it. A server calls
//! [`DigestCredentials::check`] on what it received. MD5 is answered only where the account says so.

mod algorithm;
mod challenge;
mod credentials;
mod response;
mod session;

#[cfg(test)]
mod tests;

pub use algorithm::{Algorithm, Hash, Qop};
pub use challenge::{DigestChallenge, DigestError, DigestRules, strongest_of_each_realm, unescape};
pub use credentials::DigestCredentials;
pub use response::{DigestInput, HashedSecret, Secret, response, userhash, verify};
pub use session::{AnsweredRequest, DigestSession, InfoVerdict};
