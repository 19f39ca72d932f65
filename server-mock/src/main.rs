//! Starts an estate of SIP servers from one TOML file.

use std::process::ExitCode;

fn main() -> ExitCode {
    homing_server_mock::cli::run()
}
