//! Octets as everything that can happen to an agent.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| homing_fuzz::agent::check(octets));
