//! Offers and answers of sound: what they say (RFC 3264). Whose turn it is, is the dialog's business.

mod agreed;
mod audio;
mod keys;
mod negotiation;
mod policy;
mod refusal;
#[cfg(test)]
mod tests;
mod writer;

pub use agreed::{Agreed, Format, Keys, Remote, RemoteHost};
pub use negotiation::{Answer, Negotiation};
pub use policy::{LocalAddress, Policy, Security};
pub use refusal::Refusal;
