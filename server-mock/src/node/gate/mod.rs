//! Who may pass: challenges, credentials, security associations.

pub mod acceptor;
