//! Signals that end the phone, have it read its configuration again, or wake it after it rested.

use std::io::{self, IsTerminal};

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals the phone listens to.
pub(crate) struct Signals {
    terminate: Signal,
    hang_up: Signal,
    interrupt: Signal,
    go_on: Signal,
    /// There was a terminal when listening began.
    had_terminal: bool,
}

impl Signals {
    /// Listens from now on.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            go_on: signal(SignalKind::from_raw(SIGCONT))?,
            had_terminal: io::stdin().is_terminal(),
        })
    }

    /// Somebody wants the program to end; where there is nothing to read again, SIGHUP says that too.
    pub(crate) async fn end(&mut self) {
        while self.next().await == Wish::GoOn {}
    }

    /// What the system or another program wants.
    pub(crate) async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.terminate.recv() => Wish::End,
            _ = self.interrupt.recv() => Wish::End,
            _ = self.go_on.recv() => Wish::GoOn,
            _ = self.hang_up.recv() => self.hung_up(),
        }
    }

    /// SIGHUP says that the terminal is gone; where it is still there, or never was, somebody has sent it
    /// to have the configuration read again.
    fn hung_up(&self) -> Wish {
        if self.had_terminal && !io::stdin().is_terminal() { Wish::End } else { Wish::Reload }
    }
}

/// What a signal stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// End the program.
    End,
    /// The program goes on after it was stopped; the screen is to be drawn anew.
    GoOn,
    /// Read the configuration again.
    Reload,
}

const SIGCONT: i32 = if cfg!(target_os = "linux") { 18 } else { 19 };
