//! Signing and verifying every message once a log-on succeeded (MS-SIPAE, MS-SIP).
//!
//! One [`Association`] is what a user agent and one server share: names, keys, a send counter and a
//! receive [`Window`]. The same code serves both ends. The order of things matters and is kept by
//! [`Association::verify`]: find the signature, prove it, and only then move the window.
//!
//! What a signature covers is the [`buffer`]: parts of From, To, Call-ID, CSeq, identities, Expires
//! and the status. It covers **neither** Request-URI, Contact, Via nor the body; see
//! [`contact_binding`](crate::auth::contact_binding) for what is done about the Contacts of a
//! redirect.

mod association;
mod buffer;
mod challenge;
mod insert;
mod name;
mod pair;
mod verify;
mod window;

#[cfg(test)]
mod tests;

pub use association::{Association, LIFETIME, SignError, SigningKeys};
pub use buffer::{BufferError, Stamp, buffer};
pub use challenge::{ChallengeFault, SigningChallenge};
pub use insert::with_header;
pub use name::{AssociationName, Mechanism, Style, Version};
pub use pair::{Associations, OVERLAP};
pub use verify::Verdict;
pub use window::{Place, Window};
