//! The terminal phone and its command line.

mod config;
mod keys;
mod look;
mod model;
mod msg;
mod screen;
mod text;
mod update;
mod view;
mod widget;
mod words;
