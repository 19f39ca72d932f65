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
