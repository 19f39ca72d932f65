//! Octets as one message.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| homing_fuzz::message::check(octets));
