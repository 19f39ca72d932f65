//! Finding a server: the names Microsoft clients look up, then RFC 3263, as a pure plan.
//!
//! A [`Plan`] names the questions it wants answered, takes the answers in any order, and hands out
//! targets one after the other, each with the reason why it is next. Nothing here asks DNS, and the same
//! seed and answers give the same order.
//!
//! ```text
//!  user@domain        SRV _sipinternaltls._tcp  _sip._tls  (_sipinternal._tcp  _sip._tcp)    one round trip
//!                       └─► addresses of the first that exists (none with glue)              one more
//!                     no SRV of these: NAPTR, SRV _sips._tcp (_sip._udp), and the addresses of
//!                     sipinternal. sip. sipexternal. and the domain itself                   one more
//!  host, no port      NAPTR, SRV and addresses of the host together                          one or two
//!  host:port          its addresses                                                          one
//!  address            nothing to ask, also where it stands for the domain
//! ```
//!
//! Security never falls (RFC 3261 section 26.2): where a TLS server is published or was tried, no server
//! in the clear is handed out after it. Names are judged strictly: a TLS server outside the SIP domain
//! counts only if its certificate names the domain ([`Expected::discovered`](crate::identity::Expected)).

mod address;
mod answers;
mod explain;
mod lead;
mod naptr;
mod plan;
mod request;
mod server_health;
mod server_order;
mod srv;
mod target;

pub use crate::dns::Skip;
pub use explain::{Candidate, Explanation, NameOutcome, NameReport};
pub use plan::Plan;
pub use request::{Request, Wanted};
pub use server_health::ServerHealth;
pub use server_order::ServerOrder;
pub use target::{NaptrPick, NoCandidate, Pick, Step, Target};

#[cfg(test)]
mod tests;
