//! The phone as the tests start it: the same `run` as the program `homing`.

use std::process::ExitCode;

fn main() -> ExitCode {
    homing_tui::run()
}
