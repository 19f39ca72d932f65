//! Starts the phone.

fn main() -> std::process::ExitCode {
    homing_tui::run()
}
