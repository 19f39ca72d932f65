//! `homing verify`: a recorded conversation, proof by proof, and the first element that differs.

use crate::cli::args::Verify;

use crate::config::PasswordSource;
use crate::report::{Console, Exit, Failure};
use crate::verify::{self, ReadError, Verdict};

/// Runs the verb. Exit 0: everything that is signed or proved holds; 6: something differs; 3: the file
/// cannot be read, or does not hold what it takes to check everything.
///
/// # Errors
/// No password, or no messages in the file.
pub(crate) fn run(verify: &Verify, console: &Console) -> Result<Exit, Failure> {
    let source = verify.password.source().unwrap_or(PasswordSource::Prompt);
    let password = source.fetch("the account in the recording").map_err(|fault| {
        Failure::new(
            Exit::Config,
            "E0131",
            &fault,
            "Type the password when asked, or name a file, a descriptor or a command.",
        )
    })?;
    let report = verify::run(&verify.file, &password).map_err(|error| unreadable(&error))?;
    for (name, fields) in verify::events(&report) {
        console.event(name, fields);
    }
    for line in verify::lines(&report) {
        console.say(&line);
    }
    Ok(match report.verdict() {
        Verdict::Holds => Exit::Done,
        Verdict::Differs => Exit::Auth,
        Verdict::Open => Exit::Config,
    })
}

fn unreadable(error: &ReadError) -> Failure {
    Failure::new(Exit::Config, error.code(), error, error.hint())
}
