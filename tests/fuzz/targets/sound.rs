//! Octets as datagrams of sound.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| homing_fuzz::sound::check(octets));
