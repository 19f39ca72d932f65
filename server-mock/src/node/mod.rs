//! One server of the estate, without sockets: input and time in, output out.

pub mod gate;
