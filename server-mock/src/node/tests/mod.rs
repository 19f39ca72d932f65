//! Nodes driven by hand: golden conversations, attacks on the authenticator, registrations, relays.

mod abuse;
mod authenticator;
mod backup;
mod barred;
mod behind_proxy;
mod bench;
mod calls;
mod deadlines;
mod digest_calls;
mod golden;
mod guessing;
mod in_dialog;
mod lost_flows;
mod parties;
mod party_sound;
mod rechallenge;
mod refusal;
mod register;
mod relay;
mod renewal;
mod strangers;
mod torture;
mod two_servers;

#[path = "../../../../tests/src/digest.rs"]
#[allow(dead_code, unreachable_pub, reason = "part of it is for the simulation only")]
mod digest;
