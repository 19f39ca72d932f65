//! The companion estate of SIP servers: home servers, load distributors, DNS, certificates, faults.
#![doc = include_str!("../README.md")]

pub mod cli;
pub mod directory;
pub mod estate;
pub mod expect;
pub mod fault;
pub mod journal;
pub mod node;
pub mod role;
pub mod shell;
mod sound;
