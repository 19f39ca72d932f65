//! A terminal window: opens a pty, starts a program in it, and closes when its own input ends.
//!
//! It prints the program's process number and never ends the program: that is left to the hang-up. With
//! `WINDOW_WITHOUT_SIGNAL` set the program gets no SIGHUP either, as its terminal does not control it.

use std::io::{Read, Write};
use std::process::ExitCode;

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(program) = arguments.next() else { return ExitCode::from(2) };
    let size = PtySize { rows: 30, cols: 100, pixel_width: 0, pixel_height: 0 };
    let Ok(pair) = native_pty_system().openpty(size) else { return ExitCode::FAILURE };
    let mut command = CommandBuilder::new(program);
    command.args(arguments);
    command.env("TERM", "xterm-256color");
    command.set_controlling_tty(std::env::var_os("WINDOW_WITHOUT_SIGNAL").is_none());
    let Ok(child) = pair.slave.spawn_command(command) else { return ExitCode::FAILURE };
    drop(pair.slave);
    let Ok(mut reader) = pair.master.try_clone_reader() else { return ExitCode::FAILURE };
    std::thread::spawn(move || {
        let mut piece = [0u8; 8192];
        while matches!(reader.read(&mut piece), Ok(n) if n > 0) {}
    });
    let mut out = std::io::stdout();
    let told = writeln!(out, "{}", child.process_id().unwrap_or_default()).and_then(|()| out.flush());
    let mut input = Vec::new();
    let closed = std::io::stdin().read_to_end(&mut input);
    if told.and(closed.map(|_| ())).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
