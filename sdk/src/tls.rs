//! TLS: which authorities are trusted, with which certificate a client shows itself, and what a server must prove.

pub use homing_core::identity::{Expected, IdentityError};
pub use homing_net::{ClientCertificates, KeyLogFile, PemError, Roots, TlsClient, TlsServer};
