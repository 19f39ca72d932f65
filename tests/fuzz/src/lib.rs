//! What must hold for any octets: nothing panics, and what is understood is understood the same twice.

pub mod agent;
pub mod auth;
pub mod framer;
pub mod message;
pub mod multipart;
pub mod negotiation;
pub mod ntlm;
pub mod sdp;
mod server;
pub mod sound;
