//! The screens: each a folder with its state, its messages, its update and its view.

pub(crate) mod accounts;
pub(crate) mod consent;
pub(crate) mod help;
pub(crate) mod palette;
pub(crate) mod password;
pub(crate) mod settings;
pub(crate) mod stage;
pub(crate) mod tasks;
pub(crate) mod trace;
pub(crate) mod wizard;
