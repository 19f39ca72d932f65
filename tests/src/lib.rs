//! The world in which phones and servers meet: virtual time, virtual links, a zone, rules that always hold.
//!
//! ```text
//!  Phone (Agent) ── link: delay, loss, cut, duplicate, reorder, tamper ── Server (Node)
//!      │ DNS questions                                                        │ look-ups
//!      └───────────── Zone ─────────── World: clock, queue, ladder ── Directory┘
//! ```
//!
//! Nothing here waits for a real second. One seed gives one conversation; a failure prints the seed
//! and the ladder of everything that happened.

pub mod digest;
pub mod numbers;
pub mod scenario;
pub mod test_bed;
pub mod world;
