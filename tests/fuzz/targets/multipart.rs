//! Octets as a session description.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| homing_fuzz::multipart::check(octets));
