//! How an account proves itself and how a server proves itself back: Digest, NTLM, signed messages.
//!
//! Everything here is pure: no I/O, no clock, no system randomness, no events. Random values and time are
//! handed in, so the same inputs give the same tokens and signatures.
//!
//! | part | what for | source |
//! |---|---|---|
//! | [`digest`] | challenge and response with a shared password | RFC 7616, RFC 8760, RFC 3261 section 22 |
//! | [`ntlm`] | tokens of the connectionless NTLM variant, session keys, MACs | MS-NLMP |
//! | [`kerberos`] | the seam for Kerberos message integrity | RFC 4121, RFC 4757 |
//! | [`security_association`] | signing and verifying every message after the log-on | MS-SIPAE, MS-SIP |
//! | [`contact_binding`] | ties the Contacts of a redirect to its signed To tag | our extension |

pub mod contact_binding;
pub mod digest;
mod hex;
pub mod kerberos;
pub mod ntlm;
pub mod security_association;
pub mod signed;
