//! Octets as an offer or an answer of sound.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| homing_fuzz::negotiation::check(octets));
