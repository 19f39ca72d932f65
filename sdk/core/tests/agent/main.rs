//! The agent in virtual time: a scripted world, and everything a login may meet in it.

mod failing;
mod golden;
mod keep_alive;
mod price;
mod proving;
mod redirects;
mod staying;
mod world;
