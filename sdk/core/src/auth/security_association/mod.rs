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
//!
//! After a handshake ([`SigningChallenge`], [`ntlm::authenticate`](crate::auth::ntlm::authenticate),
//! [`Association::establish`]) both ends hold an association and every message goes like this:
//!
//! ```
//! use homing_core::auth::ntlm::{SessionKeys, Side};
//! use homing_core::auth::security_association::*;
//! use homing_core::time::Now;
//! use homing_wire::Message;
//! use std::time::Duration;
//!
//! let now = Now::new(Duration::ZERO, Duration::ZERO);
//! let name = AssociationName {
//!     mechanism: Mechanism::Ntlm,
//!     realm: "SIP Communications Service".into(),
//!     targetname: "hs1.network.com".into(),
//!     version: Version::V4,
//! };
//! let keys = SessionKeys::derive(&[0x55; 16], 0x6298_8255);
//! let end = || Association::new(name.clone(), "ACDC1230", Style::Registrar, keys.clone().into(), now);
//! let (mut client, mut server) = (end(), end());
//!
//! let unsigned = Message::parse(&b"OPTIONS sip:network.com SIP/2.0\r\n\
//!     Via: SIP/2.0/TLS 192.0.2.1:4320;branch=z9hG4bK1\r\n\
//!     From: <sip:alice@network.com>;tag=1;epid=3344\r\n\
//!     To: <sip:network.com>\r\n\
//!     Call-ID: c1\r\n\
//!     CSeq: 1 OPTIONS\r\n\
//!     Content-Length: 0\r\n\r\n"[..])?;
//! let signed = client.sign_request(&unsigned, 0x00a1b2c3)?;
//! let sent = signed.message();
//! assert_eq!(server.verify(sent, Side::Client, false), Verdict::Good { num: 1 });
//! assert_eq!(server.verify(sent, Side::Client, false), Verdict::Replayed);
//! assert_eq!(server.verify(&unsigned, Side::Client, false), Verdict::Unsigned);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod association;
mod buffer;
mod challenge;
mod name;
mod pair;
mod verdict;
mod window;

#[cfg(test)]
mod tests;

pub use association::{Association, LIFETIME, SignError, SigningKeys};
pub use buffer::{BufferError, Element, Stamp, buffer, elements};
pub use challenge::{ChallengeFault, SigningChallenge};
pub use name::{AssociationName, Mechanism, Style, Version};
pub use pair::{Associations, OVERLAP};
pub use verdict::Verdict;
pub use window::{Place, Window};
