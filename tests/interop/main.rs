//! Real peers on loopback: pidgin-sipe, gss-ntlmssp, Kamailio, SIPp, baresip. `tests/interop/run` starts this.

mod gss;
mod kamailio;
mod peer;
