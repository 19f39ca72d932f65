//! Octets as a stream.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| homing_fuzz::framer::check(octets));
