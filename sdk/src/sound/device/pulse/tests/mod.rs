//! Conversations with a scripted server: in virtual time without a socket, and over a socket of this machine.

mod losses;
mod server;
mod sockets;
mod streams;
mod world;
