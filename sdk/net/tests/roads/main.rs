//! The roads on loopback: real sockets, real TLS, certificates made on the spot.

mod authority;
mod closing;
mod datagrams;
mod flood;
mod framing;
mod identity;
mod mutual;
mod pair;
