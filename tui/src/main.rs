//! Starts the phone.

fn main() {}
