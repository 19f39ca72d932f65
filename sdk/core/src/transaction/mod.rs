//! Transactions: what makes a request and its answer one exchange (RFC 3261 section 17, RFC 6026).
//!
//! One table serves both ends: an agent has mostly client transactions, a server or proxy both kinds.
//! The order of use is law:
//!
//! ```text
//! response:  peek_client ──► verify its signature ──► feed_response ──► what it is, for the user
//!                       └──► is_copy: feed_response, the stored ACK goes out again
//! request:   feed_request ──► New ──► verify its signature ──► accept_request ──► respond
//!                        └──► Retransmission: the stored bytes went out again, nothing is verified twice
//! ACK:       peek_server ──► verify its signature ──► feed_request ──► Acknowledged
//! ```
//!
//! Every transaction ends: by its answer, its timer, or the loss of its flow. What is finished keeps its
//! key, the encoded bytes and one timer, nothing else.

mod actions;
mod client;
mod client_invite;
mod follow_up;
mod key;
mod linger;
mod machine;
mod outcome;
mod response;
mod server;
mod server_invite;
mod slab;
mod store;
mod table;
mod timers;

pub use follow_up::Signer;
pub use outcome::{Caps, FlowRef, Incoming, TxOutput};
pub use response::Response;
pub use table::Transactions;
pub use timers::TimerTable;

#[cfg(test)]
mod tests;
