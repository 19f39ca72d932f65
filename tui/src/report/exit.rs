//! Exit codes, and failures on their way to one.

use std::time::Duration;

use homing::error::Family;
use homing::event::UnregisterOutcome;
use serde_json::{Value, json};

use crate::config::PasswordFault;
use crate::messages::{Problem, sign_out_problem};
use crate::text::{ScreenText, screen_text};

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done,
    Usage,
    Config,
    Resolve,
    Transport,
    Auth,
    Redirect,
    Refused,
    Timeout,
    Expectation,
    Interrupted,
}

/// Why the program ends without having done what was asked.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) problem: Problem,
    /// The lines of a file that are wrong, with an arrow at the place; empty for other failures.
    pub(crate) excerpt: Vec<ScreenText>,
}

impl Exit {
    /// Each of them.
    const ALL: [Exit; 11] = [
        Exit::Done,
        Exit::Usage,
        Exit::Config,
        Exit::Resolve,
        Exit::Transport,
        Exit::Auth,
        Exit::Redirect,
        Exit::Refused,
        Exit::Timeout,
        Exit::Expectation,
        Exit::Interrupted,
    ];

    /// The number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Usage => 2,
            Exit::Config => 3,
            Exit::Resolve => 4,
            Exit::Transport => 5,
            Exit::Auth => 6,
            Exit::Redirect => 7,
            Exit::Refused => 8,
            Exit::Timeout => 9,
            Exit::Expectation => 11,
            Exit::Interrupted => 130,
        }
    }

    /// The exit with this number; none if there is no such.
    pub(crate) fn from_code(code: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|exit| u64::from(exit.code()) == code)
    }

    /// The code of a family of failures.
    pub(crate) fn of_family(family: Option<Family>) -> Self {
        match family {
            Some(Family::Resolve) => Exit::Resolve,
            Some(Family::Transport) => Exit::Transport,
            Some(Family::Auth) => Exit::Auth,
            Some(Family::Redirect) => Exit::Redirect,
            Some(Family::Refused) => Exit::Refused,
            Some(Family::Timeout) => Exit::Timeout,
            _ => Exit::Config,
        }
    }
}

impl Failure {
    /// A failure of this program's own.
    pub(crate) fn new(
        exit: Exit,
        code: &'static str,
        sentence: &impl std::fmt::Display,
        hint: &'static str,
    ) -> Self {
        Self::of(exit, Problem::new(code, sentence, hint))
    }

    /// A failure of any kind.
    pub(crate) fn of(exit: Exit, problem: Problem) -> Self {
        Self { exit, problem, excerpt: Vec::new() }
    }

    /// A failure of configuration.
    pub(crate) fn config(problem: Problem) -> Self {
        Self::of(Exit::Config, problem)
    }

    /// A transport that this program does not speak.
    pub(crate) fn no_transport() -> Self {
        Self::new(Exit::Config, "E0109", &"no such transport", "Write tls, tcp or udp.")
    }

    /// A password could not be had from where it is to come from.
    pub(crate) fn no_password(fault: &PasswordFault) -> Self {
        let hint = "Name a file only you can read (mode 0600), a descriptor, or a command that prints it.";
        Self::new(Exit::Config, "E0116", &format!("no password: {fault}"), hint)
    }

    /// The system refused something that no setting can change.
    pub(crate) fn system(error: &std::io::Error) -> Self {
        Self::new(
            Exit::Transport,
            "E0104",
            error,
            "Try again; if it stays, look at the limits of this machine.",
        )
    }

    /// A sign-out that may have left a binding at the server; none where it did not. `whose` where several accounts
    /// are signed out.
    pub(crate) fn sign_out(whose: Option<&str>, outcome: UnregisterOutcome) -> Option<Self> {
        let mut problem = sign_out_problem(outcome)?;
        if let Some(aor) = whose {
            problem.sentence = screen_text!("{aor}: {}", problem.sentence);
        }
        let refused = matches!(outcome, UnregisterOutcome::Refused { .. });
        Some(Self::of(if refused { Exit::Refused } else { Exit::Timeout }, problem))
    }

    /// What was asked did not happen in time.
    pub(crate) fn timeout(after: Duration) -> Self {
        let sentence = format!("not done after {} s", after.as_secs_f32());
        Self::new(Exit::Timeout, TIMEOUT, &sentence, "Try again with a longer --timeout.")
    }
}

impl Failure {
    /// Its fields in JSON.
    pub(crate) fn fields(&self) -> Value {
        json!({
            "code": self.problem.code,
            "sentence": self.problem.sentence.as_str(),
            "hint": self.problem.hint.as_str(),
            "exit": self.exit.code(),
        })
    }

    /// A timeout tells where it waited.
    pub(crate) fn while_in(mut self, state: &'static str) -> Self {
        if self.exit == Exit::Timeout && self.problem.code == TIMEOUT {
            self.problem.sentence = screen_text!("{}; the account is {state}", self.problem.sentence);
        }
        self
    }
}

impl From<&homing::Error> for Failure {
    fn from(error: &homing::Error) -> Self {
        let exit = match error {
            homing::Error::LoggedOut(_) => Exit::Refused,
            other => Exit::of_family(other.family()),
        };
        Self::of(exit, Problem::from(error))
    }
}

/// The code of what was not done in the time given on the command line.
const TIMEOUT: &str = "E0902";
