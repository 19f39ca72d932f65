//! The pieces that read a conversation rather than hold one: for tools that check recordings.
//!
//! These are the modules of the inner crates that take no part in signing in: the message reader, the
//! signature buffer, the tokens and the digests. Nothing here opens a connection or needs a
//! [`UserAgent`](crate::UserAgent).

pub use homing_core::auth::{contact_binding, digest, ntlm, security_association};
pub use homing_wire::{
    Auth, Contact, Frame, FrameError, Framer, Limits, Message, Method, Name, NameAddr, ParseError,
};
