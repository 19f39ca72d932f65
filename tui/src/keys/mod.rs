//! From keys to intents: one table from which dispatch, help and hints are made.

mod action;
mod chord;
mod keymap;

pub(crate) use action::Action;
pub(crate) use chord::{Chord, Held, Key};
pub(crate) use keymap::{Keymap, Mode};
