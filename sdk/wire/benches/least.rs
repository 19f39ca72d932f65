//! The least time of many short batches, in the form the peers' program prints theirs: what the code takes when nothing
//! else is on its processor. A machine that builds something meanwhile spoils medians, not this.
#![allow(clippy::unwrap_used, missing_docs, reason = "what is measured parses")]
#![expect(clippy::print_stdout, reason = "figures are printed for people")]
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "it measures; what it measures has no time"
)]

mod reading;

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use homing_wire::{Builder, Name};
use reading::{INVITE, REGISTER, index, typed, typed_with_sdp};

fn main() {
    for (name, octets) in [("invite.sip", INVITE), ("register.sip", REGISTER)] {
        let bytes = Bytes::from_static(octets);
        report(name, "index", || usize::from(index(&bytes).is_request()));
        report(name, "parse", || typed(&index(&bytes)));
        if name == "invite.sip" {
            report(name, "parse with SDP", || typed_with_sdp(&index(&bytes)));
        }
        report(name, "parse and print", || Builder::from_message(&index(&bytes)).finish().len());
        let message = index(&bytes);
        report(name, "print", || Builder::from_message(&message).finish().len());
        report(name, "build", || Builder::from_message(&message).message().body().len());
        report(name, "print and index", || index(&Builder::from_message(&message).finish()).body().len());
        report(name, "sign", || message.with_header(Name::Authorization, SIGNATURE).body().len());
    }
}

fn report(file: &str, what: &str, once: impl Fn() -> usize) {
    let batch = || {
        let began = Instant::now();
        for _ in 0..ROUNDS {
            black_box(once());
        }
        began.elapsed()
    };
    let least = (0..BATCHES).map(|_| batch()).min().unwrap_or(Duration::ZERO);
    println!("{:<10} {file:<14} {what:<16} {:>8} ns", "homing", least.as_nanos() / u128::from(ROUNDS));
}

const SIGNATURE: &str = "NTLM qop=\"auth\", realm=\"SIP Communications Service\", opaque=\"ACDC1230\", \
    targetname=\"hs1.network.com\", crand=\"00a1b2c3\", cnum=\"7\", response=\"0100000000000000000000000000000000\"";
const BATCHES: u32 = 5000;
const ROUNDS: u32 = 100;
