//! A whole estate in one value: servers, name server, certificates, users; the face for testers.

mod builder;
mod error;
mod handle;
mod plan;
mod running;
mod thread;
mod user;

pub use crate::directory::UnknownUser;
pub use crate::node::config::{
    BehindProxy, Dialect, ExtendedProtection, Mode, NoAssociation, OnMove, Schemes,
};
pub use crate::node::destinations::Destinations;
pub use crate::role::Role;
pub use crate::shell::ca::Certificate;
pub use builder::EstateBuilder;
pub use error::EstateError;
pub use handle::{HeldBinding, NodeHandle};
pub use homing_core::transport::Transport;
pub use running::Estate;
pub use user::User;

#[cfg(test)]
mod tests;
