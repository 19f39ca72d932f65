//! The estate as the tests start it: the same `run` as the program `homing-estate`.

use std::process::ExitCode;

fn main() -> ExitCode {
    homing_server_mock::cli::run()
}
