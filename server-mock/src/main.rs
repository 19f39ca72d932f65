//! Starts an estate of SIP servers from one TOML file.

fn main() {}
