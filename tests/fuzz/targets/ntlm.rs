//! Octets as tokens of NTLM, at both ends.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| homing_fuzz::ntlm::check(octets));
