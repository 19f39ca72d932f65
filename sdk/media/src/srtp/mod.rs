//! SRTP and SRTCP (RFC 3711, RFC 7714): packets that only who has the key can read or make.

mod key;

pub(crate) use key::KeyId;
pub use key::{MasterKey, Suite};
