//! Asks for a password on the terminal without showing it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::termios::{LocalModes, tcgetattr};

/// Shows the question once the terminal has stopped echoing, so that what is typed at once is not shown either; the
/// library that reads the password would show it before.
///
/// # Errors
/// There is no terminal, or it was closed.
pub(super) fn ask(question: &str) -> io::Result<String> {
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
    let is_answered = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| show_when_silent(question, &terminal, &is_answered));
        let answer = rpassword::read_password();
        is_answered.store(true, Ordering::Relaxed);
        answer
    })
}

fn show_when_silent(question: &str, mut terminal: &File, is_answered: &AtomicBool) {
    while tcgetattr(terminal).is_ok_and(|modes| modes.local_modes.contains(LocalModes::ECHO)) {
        if is_answered.load(Ordering::Relaxed) {
            return;
        }
        std::thread::sleep(LOOK);
    }
    // A terminal that takes no question takes no answer either, which is told.
    _ = terminal.write_all(question.as_bytes());
}

/// How often the terminal is looked at; it falls silent within the first of these.
const LOOK: Duration = Duration::from_millis(2);
