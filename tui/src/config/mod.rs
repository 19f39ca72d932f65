//! Configuration: one TOML file, one table of settings that check, schema, screen and command line share.

mod account;
mod check;
pub(crate) mod edit;
mod layers;
mod migrate;
mod prompt;
mod schema;
mod secret;
mod setting;
mod store;
mod table;
mod toml_fault;

pub(crate) use account::{AccountEntry, EntryFault, new_epid};
pub(crate) use check::{Remark, check, nearest_word, suggestion};
pub(crate) use layers::Config;
pub(crate) use migrate::migrate;
pub(crate) use schema::schema;
pub(crate) use secret::{PasswordFault, PasswordSource};
pub(crate) use setting::{ACCOUNT, Kind, SETTINGS, Setting};
pub(crate) use store::{Paths, StoreFault, read, read_configuration, shown, write};
pub(crate) use toml_fault::TomlFault;
