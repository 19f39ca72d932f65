//! Real peers on loopback: pidgin-sipe, gss-ntlmssp, Samba, Kamailio, SIPp, baresip, linphone, PulseAudio. `tests/interop/run` starts this.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken test ends by a panic")]
#![allow(clippy::print_stdout, reason = "what is skipped is said on the test's output")]

mod calls;
mod digest;
mod direct;
mod example;
mod gss;
mod kamailio;
mod peer;
mod pidgin;
mod pulse;
mod samba;
mod site;
mod visitor;
