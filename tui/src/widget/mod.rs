//! Widgets: values drawn on shared references to what they show.

mod filter;
mod pane;
mod wrap;

pub(crate) use filter::Filter;
pub(crate) use pane::{Pane, clear_box, scroll_to, write_lines};
pub(crate) use wrap::wrap_words;
