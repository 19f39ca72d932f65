//! Real sockets: a user agent and an estate meet on loopback over UDP, TCP and TLS.

mod canary;
mod certificates;
mod moves;
mod place;
mod redirect;
