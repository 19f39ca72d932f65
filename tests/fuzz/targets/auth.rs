//! Octets as challenges and credentials.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| homing_fuzz::auth::check(octets));
