//! The screens: each a folder with its state, its messages, its update and its view.

pub(crate) mod accounts;
pub(crate) mod consent;
pub(crate) mod help;
mod hits;
pub(crate) mod palette;
pub(crate) mod password;
pub(crate) mod save;
pub(crate) mod settings;
pub(crate) mod stage;
pub(crate) mod tasks;
pub(crate) mod trace;
pub(crate) mod wizard;

pub(crate) use hits::{Hits, Target};

use std::time::Duration;

use crate::keys::Keymap;
use crate::look::Look;

/// What views may see: the states of all screens, the look, the keys, the time.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) look: &'a Look,
    /// Where views say what a click means.
    pub(crate) hits: &'a Hits,
    pub(crate) keys: &'a Keymap,
    /// Since the phone started.
    pub(crate) now: Duration,
    pub(crate) accounts: &'a accounts::State,
    pub(crate) trace: &'a trace::State,
    pub(crate) tasks: &'a tasks::State,
    pub(crate) settings: &'a settings::State,
    pub(crate) help: &'a help::State,
    pub(crate) stage: Option<&'a stage::State>,
}
