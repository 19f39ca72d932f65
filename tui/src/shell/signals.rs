//! Signals that end the phone, or wake it after it rested.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals the phone listens to.
pub(crate) struct Signals {
    terminate: Signal,
    hang_up: Signal,
    interrupt: Signal,
    go_on: Signal,
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
        })
    }

    /// Somebody wants the program to end.
    pub(crate) async fn end(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// The program goes on after it was stopped.
    pub(crate) async fn resumed(&mut self) {
        self.go_on.recv().await;
    }
}

const SIGCONT: i32 = if cfg!(target_os = "linux") { 18 } else { 19 };
