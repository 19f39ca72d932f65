//! The phone in a terminal of our own and at the command line: what it shows, says and leaves behind.

mod command_line;
mod demo;
mod endings;
mod home;
mod picture;
mod place;
mod sizes;
mod terminal;
