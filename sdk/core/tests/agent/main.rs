//! The agent in virtual time: a scripted world, and everything a login may meet in it.

mod golden;
mod redirects;
mod world;
