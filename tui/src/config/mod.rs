//! Configuration: one TOML file, one table of settings that check, schema, screen and command line share.

mod account;
mod check;
mod layers;
mod schema;
mod secret;
mod setting;
mod store;

pub(crate) use account::AccountEntry;
pub(crate) use check::{Remark, check};
pub(crate) use layers::{Config, Origin};
pub(crate) use schema::schema;
pub(crate) use secret::{PasswordFault, PasswordSource};
pub(crate) use setting::{ACCOUNT, Kind, SETTINGS, Setting};
pub(crate) use store::{Paths, StoreFault, read, write};
