//! Flows: the connections an agent holds, who uses them, and what keeps them alive.
//!
//! A flow is shared by all who want the same address, transport and proof of the peer, and closed when
//! its last user leaves. What keeps it alive is what its server granted:
//!
//! | granted | sent | heard |
//! |---|---|---|
//! | `ms-keep-alive: UAS; timeout=N` (MS-CONMGMT) | CRLFCRLF before it was idle for N | nothing is promised |
//! | `Flow-Timer`, `Require: outbound` (RFC 5626), Via `keep` (RFC 6223) on a stream | CRLFCRLF at 80 to 100 % of the interval, or every 95 to 120 s | CRLF within 10 s, or the flow is dead |
//! | the same over UDP | a STUN binding request every 24 to 29 s | the address we are seen from; a change ends the flow |
//!
//! A server that answered one CRLFCRLF with CRLF is expected to go on doing so, whatever it granted. After three flows
//! lost to one peer for want of an answer its silence proves nothing any more: keep-alives go on, and the next answer
//! restores the rule. A peer's own CRLFCRLF on a stream is answered by CRLF, once for all of a second.

mod connection;
mod keep_alive_random;
mod keeper;
mod outcome;
mod pong_debt;
mod silent_peers;
pub mod stun;
mod stun_keeper;
mod table;
mod terms;
mod want;

pub use connection::{Destination, Flow, FlowState, Opened};
pub use outcome::{FlowNews, FlowOutput, FlowRules, LostFlow};
pub use table::Flows;
pub use terms::{KeepTerms, Pong};

#[cfg(test)]
mod tests;
