//! Real peers on loopback: pidgin-sipe, gss-ntlmssp, Kamailio, SIPp, baresip. `tests/interop/run` starts this.

mod baresip;
mod gss;
mod kamailio;
mod peer;
mod pidgin;
mod sipp;
mod site;
