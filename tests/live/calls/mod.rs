//! Calls of the SDK over real sockets: two people at home on two servers, and what becomes of calls nobody holds.

mod direct;
mod ends;
mod holding;
mod parties;
mod phones;
mod ringing;
mod sound;
mod talking;
