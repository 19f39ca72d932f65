//! The sound of a party's calls: what it says, and what is wrong with its packets.

mod machine;
mod morse;
#[cfg(test)]
mod tests;
mod voice;

pub(crate) use machine::{Agree, PartyMachine};
