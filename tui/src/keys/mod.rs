//! From keys to intents: one table from which dispatch, help and hints are made.

mod action;
mod chord;
mod keymap;
mod mode;
mod preset;
mod screen;

pub(crate) use action::Action;
pub(crate) use chord::{Chord, Held, Key};
pub(crate) use keymap::Keymap;
pub(crate) use mode::Mode;
pub(crate) use screen::Screen;
