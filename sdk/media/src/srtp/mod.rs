//! SRTP and SRTCP (RFC 3711, RFC 7714): packets that only who has the key can read or make.

mod key;
mod receiver;
mod sender;
#[cfg(test)]
mod tests;
mod transform;
mod window;

pub(crate) use key::KeyId;
pub use key::{MasterKey, Suite};
pub(crate) use receiver::{Receiver, Rejection};
pub(crate) use sender::Sender;
