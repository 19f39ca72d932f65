//! Nodes driven by hand: golden conversations, attacks on the gate, registrations, relays.

mod abuse;
mod backup;
mod bench;
mod deadlines;
mod gate;
mod golden;
mod rechallenge;
mod refusal;
mod register;
mod relay;
mod renewal;
mod torture;

#[path = "../../../../tests/src/digest.rs"]
#[allow(dead_code, unreachable_pub, reason = "part of it is for the simulation only")]
mod digest;
